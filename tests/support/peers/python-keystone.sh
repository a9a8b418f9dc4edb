#!/usr/bin/env bash
# Python Keystone 30, the neighbour whose answers ours have to be: from PyPI, under uWSGI.
#
#   python-keystone.sh install  prints the folder of its Python environment; some two minutes,
#                               nothing when it is there already
#   python-keystone.sh prepare  makes the tables, the keys and the admin, and starts nothing
#   python-keystone.sh start    the same, then starts it, and prints its URL
#   python-keystone.sh manage … keystone-manage, with its configuration
#   python-keystone.sh stop     and its memcached
#
# KEYSTONE_PORT      where it listens; `start` picks a free one when unset
# KEYSTONE_DATABASE  SQLAlchemy URL; default: an SQLite file of its own
# KEYSTONE_KEYS      the fernet key repository, to share with another server
# KEYSTONE_PASSWORD  the admin's; default admin-secret
# KEYSTONE_PROCESSES how many of uWSGI's workers, of four threads each; default 1
# KEYSTONE_CACHE     1: with a memcached of its own; default 0
# KEYSTONE_PREPARED  1: tables, keys and admin are there already; default 0
# KEYSTONE_MODULE    what uWSGI serves; default keystone.wsgi.api:application
# KEYSTONE_PYTHONPATH  a folder in which it looks for modules besides
# KEYSTONE_OPTIONS   a file that is appended to its keystone.conf
# and those of common.sh.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
version=30.0.0
venv=$PEERS_HOME/keystone-$version

install() {
    # libldap and libsasl for python-ldap, libpcre2 for uWSGI's routing.
    packages build-essential python3-dev python3-venv curl memcached libldap2-dev libsasl2-dev libpcre2-dev
    environment "$venv" "keystone==$version" uwsgi PyMySQL psycopg2-binary pymemcache python-memcached ldappool python-ldap
}

manage() { PYTHONWARNINGS=ignore "$venv/bin/keystone-manage" --config-file "$DATA/keystone.conf" "$@"; }

configure() {
    local keys=${KEYSTONE_KEYS:-$DATA/fernet-keys}
    mkdir -p "$keys" "$DATA/credential-keys"
    chmod 700 "$keys" "$DATA/credential-keys"
    cat >"$DATA/keystone.conf" <<CONF
[DEFAULT]
log_file = $DATA/keystone.log
[database]
connection = ${KEYSTONE_DATABASE:-sqlite:///$DATA/keystone.sqlite}
[fernet_tokens]
key_repository = $keys
[fernet_receipts]
key_repository = $keys
[credential]
key_repository = $DATA/credential-keys
[cache]
enabled = $([ "${KEYSTONE_CACHE:-0}" = 1 ] && echo true || echo false)
backend = dogpile.cache.pymemcache
memcache_servers = 127.0.0.1:$(cat "$DATA/memcached-port" 2>/dev/null || echo 11211)
CONF
    [ -z "${KEYSTONE_OPTIONS:-}" ] || cat "$KEYSTONE_OPTIONS" >>"$DATA/keystone.conf"
    # Its CORS middleware reads no file that it is told to, but only where files usually are.
    mkdir -p "$DATA/home/.keystone"
    ln -sf "$DATA/keystone.conf" "$DATA/home/.keystone/keystone.conf"
}

# One memcached for one Keystone: its keys name no database, and two on one would mix.
start_memcached() {
    [ "${KEYSTONE_CACHE:-0}" = 1 ] || return 0
    local port
    port=$(free_port)
    echo "$port" >"$DATA/memcached-port"
    setsid memcached -u nobody -l 127.0.0.1 -p "$port" -U 0 -m 64 </dev/null >"$DATA/memcached.log" 2>&1 &
    echo $! >"$DATA/memcached.pid"
    until_true 60 accepts "$port" || die "memcached did not start"
}

prepare() {
    [ "${KEYSTONE_PREPARED:-0}" = 0 ] || return 0
    local url user group
    url=http://127.0.0.1:$(cat "$DATA/port")/v3 user=$(id -un) group=$(id -gn)
    {
        manage db_sync
        manage fernet_setup --keystone-user "$user" --keystone-group "$group"
        manage credential_setup --keystone-user "$user" --keystone-group "$group"
        manage bootstrap --bootstrap-password "${KEYSTONE_PASSWORD:-admin-secret}" --bootstrap-region-id RegionOne \
            --bootstrap-public-url "$url" --bootstrap-internal-url "$url" --bootstrap-admin-url "$url"
    } >"$DATA/manage.log" 2>&1 || die "keystone-manage failed: $(tail -n 5 "$DATA/manage.log")"
}

start() {
    install
    if running "$DATA/pid"; then return; fi
    local port=${KEYSTONE_PORT:-$(free_port)}
    if accepts "$port"; then die "port $port is taken"; fi
    echo "$port" >"$DATA/port"
    start_memcached
    configure
    prepare
    setsid "$venv/bin/uwsgi" --master --die-on-term --lazy-apps --enable-threads --need-app \
        --processes "${KEYSTONE_PROCESSES:-1}" --threads 4 --buffer-size 65535 --disable-logging --http11-socket "127.0.0.1:$port" \
        --virtualenv "$venv" ${KEYSTONE_PYTHONPATH:+--pythonpath "$KEYSTONE_PYTHONPATH"} \
        --module "${KEYSTONE_MODULE:-keystone.wsgi.api:application}" --pidfile "$DATA/pid" \
        --env "HOME=$DATA/home" --env "OS_KEYSTONE_CONFIG_DIR=$DATA" --env OS_KEYSTONE_CONFIG_FILES=keystone.conf \
        </dev/null >"$DATA/uwsgi.log" 2>&1 &
    until_true 120 curl --silent --fail --output /dev/null "http://127.0.0.1:$port/healthcheck" ||
        die "it did not start: $(tail -n 5 "$DATA/uwsgi.log")"
    say "Python Keystone $version on http://127.0.0.1:$port/v3"
}

command=${1:-start}
case $command in
# It needs no data folder: nothing runs.
install)
    install
    echo "$venv"
    exit
    ;;
esac
data_for "$command" python-keystone
case $command in
prepare)
    install
    echo "${KEYSTONE_PORT:-5000}" >"$DATA/port"
    configure
    prepare
    ;;
start)
    start
    echo "http://127.0.0.1:$(cat "$DATA/port")"
    ;;
manage)
    shift
    manage "$@"
    ;;
stop)
    stop "$DATA/pid"
    stop "$DATA/memcached.pid"
    ;;
*) die "usage: install | prepare | start | manage … | stop" ;;
esac
