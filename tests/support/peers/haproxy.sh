#!/usr/bin/env bash
# Debian's HAProxy with a configuration of the caller's.
#
#   haproxy.sh install
#   haproxy.sh start FILE…  checks the files, starts HAProxy, waits until HAPROXY_PORT accepts
#   haproxy.sh stop
#
# HAPROXY_PORT  a port that the file binds, by which `start` knows that it is up
# Variables that the file itself reads ("${NAME}") are taken from the environment;
# and those of common.sh.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

command=${1:-start}
data_for "$command" haproxy
case $command in
install) packages haproxy ;;
start)
    packages haproxy
    : "${2:?FILE}"
    shift
    files=()
    for file in "$@"; do files+=(-f "$file"); done
    : "${HAPROXY_PORT:?the port that the file binds}"
    haproxy -c -q "${files[@]}" || die "haproxy refuses $*"
    if accepts "$HAPROXY_PORT"; then die "port $HAPROXY_PORT is taken"; fi
    setsid haproxy -W "${files[@]}" -p "$DATA/pid" </dev/null >"$DATA/log" 2>&1 &
    until_true 60 accepts "$HAPROXY_PORT" || die "it did not start: $(tail -n 5 "$DATA/log")"
    say "$(haproxy -v | head -n 1 | cut -d' ' -f1-3) on 127.0.0.1:$HAPROXY_PORT"
    ;;
stop) stop "$DATA/pid" ;;
*) die "usage: install | start FILE | stop" ;;
esac
