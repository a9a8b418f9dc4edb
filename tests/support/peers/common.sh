# shellcheck shell=bash
# What the peer scripts share. Source it; it does nothing by itself.
#
# PEERS_HOME  software that is worth keeping between runs (Python environments);
#             default: ${XDG_CACHE_HOME:-$HOME/.cache}/keystone-ng/peers
# PEERS_DATA  everything a running peer writes: data, sockets, logs, pid files.
#             `start` makes a fresh folder under /tmp when it is unset, and says so; the
#             other commands need the same value again.
set -euo pipefail

PEERS_HOME=${PEERS_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/keystone-ng/peers}

# Answers go to stdout (a caller captures them); everything said to people, to stderr.
say() { printf '%s\n' "$*" >&2; }
die() {
    say "$(basename "$0"): $*"
    exit 1
}

# data_for COMMAND NAME: sets DATA, the folder of this peer; `install` needs none.
data_for() {
    [ "$1" != install ] || return 0
    if [ -z "${PEERS_DATA:-}" ]; then
        [ "$1" = start ] || die "set PEERS_DATA to the folder that 'start' named"
        PEERS_DATA=$(mktemp -d /tmp/keystone-ng-peers.XXXXXX)
        say "export PEERS_DATA=$PEERS_DATA"
    fi
    DATA=$PEERS_DATA/$2
    mkdir -p "$DATA"
    # Servers that give up root have to reach their own folder through ours.
    chmod 711 "$PEERS_DATA"
}

# packages NAME…: Debian packages, by name, those that are missing only.
packages() {
    local name missing=()
    for name in "$@"; do
        dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "missing, and only root can install them: ${missing[*]}"
    say "installing ${missing[*]}"
    # Debian starts a server as it installs it. Ours run on ports and data of their own, so
    # a policy forbids that for the time being, unless the machine has a policy already.
    local policy=/usr/sbin/policy-rc.d own_policy='' log
    log=$(mktemp)
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        own_policy=yes
    fi
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends)
    local status=0
    "${install[@]}" "${missing[@]}" >"$log" 2>&1 ||
        { apt-get update >>"$log" 2>&1 && "${install[@]}" "${missing[@]}" >>"$log" 2>&1; } || status=$?
    [ -z "$own_policy" ] || rm -f $policy
    if [ $status != 0 ]; then
        tail -n 15 "$log" >&2
        die "apt-get could not install ${missing[*]} (the whole log: $log)"
    fi
    rm -f "$log"
}

# environment DIR PACKAGE…: a Python environment with exactly these requirements, made again
# when they change. Two callers at once wait for each other.
environment() {
    local dir=$1
    shift
    mkdir -p "$(dirname "$dir")"
    (
        flock 9
        [ "$(cat "$dir/requirements" 2>/dev/null)" != "$*" ] || exit 0
        say "making $dir ($*)"
        rm -rf "$dir"
        python3 -m venv "$dir"
        "$dir/bin/python" -m pip install --quiet --no-input "$@" >"$dir.log" 2>&1 || {
            tail -n 15 "$dir.log" >&2
            die "pip failed (the whole log: $dir.log)"
        }
        printf '%s' "$*" >"$dir/requirements"
    ) 9>"$dir.lock"
}

# accepts PORT: whether something listens there.
accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# certificate OWNER: makes certificate.pem and key.pem in DATA, for 127.0.0.1 and localhost, signed by
# itself.
certificate() {
    [ ! -f "$DATA/certificate.pem" ] || return 0
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
            -addext subjectAltName=IP:127.0.0.1,DNS:localhost -addext basicConstraints=critical,CA:FALSE \
            -keyout "$DATA/key.pem" -out "$DATA/certificate.pem"
    ) >"$DATA/certificate.log" 2>&1 || die "openssl failed: $(tail -n 5 "$DATA/certificate.log")"
    chmod 644 "$DATA/certificate.pem"
    [ "$(id -u)" != 0 ] || chown "$1:" "$DATA/key.pem" "$DATA/certificate.pem"
}

# free_port: one that nothing listens on, outside the range from which the kernel takes the
# ports of outgoing connections.
free_port() {
    local port
    for _ in {1..200}; do
        port=$((20000 + RANDOM % 2000))
        accepts $port || {
            echo $port
            return
        }
    done
    die "no free port between 20000 and 22000"
}

# until_true SECONDS COMMAND…: repeats the command until it succeeds; false past the limit.
until_true() {
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

# running PIDFILE: whether that process lives. One that has ended but whom nobody has waited
# for (in a container without an init, say) does not.
running() {
    [ -s "$1" ] && ! grep -qs '^State:.[ZX]' "/proc/$(head -n 1 "$1")/status" && kill -0 "$(head -n 1 "$1")" 2>/dev/null
}
gone() { ! running "$1"; }

# stop PIDFILE [SIGNAL]: ends that process, and no other, and waits until it is gone.
stop() {
    running "$1" || return 0
    local pid
    pid=$(head -n 1 "$1")
    # It may have ended by itself just now.
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
    until_true 20 gone "$1" || kill -s KILL "$pid" || true
}

# as USER COMMAND…: as that user when we are root, else as we are.
as() {
    local user=$1
    shift
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u "$user" -- "$@")
    else
        "$@"
    fi
}
