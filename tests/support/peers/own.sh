# shellcheck shell=bash
# A server of this project's own, for scripts that test it from outside. Source it after common.sh;
# it does nothing by itself.
#
# KEYSTONE_NG  the program; without it, a development build is made

# begin NAME: sets RUN, a folder that is gone when the script ends, with all that was started and
# made. With KEEP set everything but the server stays.
begin() {
    API='' PASSWORD='' URL='' DATABASE=''
    OWN_PEERS=$(dirname "${BASH_SOURCE[0]}")
    RUN=$(mktemp -d "/tmp/keystone-ng-$1.XXXXXX")
    chmod 711 "$RUN"
    export PEERS_DATA=$RUN/peers
    trap end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
end() {
    local status=$?
    trap - EXIT INT TERM
    "$OWN_PEERS/haproxy.sh" stop
    stop "$RUN/second.pid"
    stop "$RUN/pid"
    if [ -n "${KEEP:-}" ]; then
        say "kept: $RUN"
    else
        [ -z "$DATABASE" ] || sql "$SERVER" "DROP DATABASE $DATABASE" || true
        "$OWN_PEERS/mariadb.sh" stop
        "$OWN_PEERS/postgres.sh" stop
        rm -rf "$RUN"
    fi
    exit "$status"
}

# program: builds it, unless there is one.
program() {
    [ -z "${KEYSTONE_NG:-}" ] || return 0
    cargo build --locked --quiet
    KEYSTONE_NG=$CARGO_TARGET_DIR/debug/keystone-ng
}

# own_database KIND NAME: makes a database of this name, which is new and gone in the end, and sets
# URL; for SQLite, which needs none, to nothing.
own_database() {
    case $1 in
    sqlite) return ;;
    postgres) SERVER=${TEST_POSTGRES_URL:-$("$OWN_PEERS/postgres.sh" start)} ;;
    mariadb) SERVER=${TEST_MYSQL_URL:-$("$OWN_PEERS/mariadb.sh" start)} ;;
    *) die "no database $1: sqlite, postgres or mariadb" ;;
    esac
    packages "$([ "$1" = postgres ] && echo postgresql-client || echo mariadb-client)"
    sql "$SERVER" "CREATE DATABASE $2$([ "$1" = postgres ] || echo ' CHARACTER SET utf8mb3')"
    DATABASE=$2
    URL=${SERVER%/*}/$2
}

# sql URL STATEMENT: as the account of this URL.
sql() {
    local account=${1#*://} address=${1#*@}
    account=${account%%@*} address=${address%%/*}
    case $1 in
    postgres*)
        PGPASSWORD=${account#*:} psql --quiet --host "${address%:*}" --port "${address#*:}" \
            --username "${account%%:*}" --dbname postgres --command "$2"
        ;;
    *)
        MYSQL_PWD=${account#*:} mariadb --host "${address%:*}" --port "${address#*:}" --user "${account%%:*}" \
            --execute "$2"
        ;;
    esac
}

# launch: starts the server at API, else on a free port (with a configuration and tables in RUN/server
# the first time) and waits until it answers. Sets API and PASSWORD, the administrator's.
launch() {
    local port
    if [ -z "$API" ]; then
        port=$(free_port)
        API=http://127.0.0.1:$port
    fi
    PASSWORD=${PASSWORD:-$(head -c 12 /dev/urandom | base64 | tr -d '+/=')}
    local command=("$KEYSTONE_NG" quickstart --dir "$RUN/server" --listen "${API#http://}")
    [ -z "$URL" ] || command+=(--database "$URL")
    OS_BOOTSTRAP_PASSWORD=$PASSWORD "${command[@]}" >>"$RUN/server.log" 2>&1 &
    echo $! >"$RUN/pid"
    until_true 120 curl --silent --fail "$API/readyz" || {
        tail -n 20 "$RUN/server.log" >&2
        die "the server did not start"
    }
}
