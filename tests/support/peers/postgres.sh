#!/usr/bin/env bash
# A private PostgreSQL 15 on loopback, from Debian's packages.
#
#   postgres.sh install       the package, nothing else
#   postgres.sh start         prints the SQLAlchemy URL of an account that may make databases
#   postgres.sh url DATABASE  the same for one database
#   postgres.sh stop
#
# It speaks TLS to those who ask for it, with a certificate signed by itself (SHOW ssl_cert_file).
#
# POSTGRES_PORT     where it listens; `start` picks a free one when unset
# POSTGRES_DURABLE  1: commits reach the disk, as in production; default 0, quick for tests
# and those of common.sh.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
account=keystone password=keystone-secret
programs=/usr/lib/postgresql/15/bin

server() { as postgres "$programs/pg_ctl" --pgdata="$DATA/files" "$@"; }
url() { echo "postgresql+psycopg2://$account:$password@127.0.0.1:$(cat "$DATA/port")/$1?sslmode=disable"; }

start() {
    packages postgresql-15 openssl
    if running "$DATA/files/postmaster.pid"; then return; fi
    local port=${POSTGRES_PORT:-$(free_port)} durable=off
    if accepts "$port"; then die "port $port is taken"; fi
    [ "${POSTGRES_DURABLE:-0}" = 0 ] || durable=on
    echo "$port" >"$DATA/port"
    # PostgreSQL refuses to run as root.
    if [ "$(id -u)" = 0 ]; then chown postgres: "$DATA"; fi
    certificate postgres
    [ -f "$DATA/files/PG_VERSION" ] ||
        as postgres "$programs/initdb" --pgdata="$DATA/files" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
            --auth-local=trust --auth-host=scram-sha-256 >"$DATA/install.log" 2>&1 ||
        die "initdb failed: $(tail -n 5 "$DATA/install.log")"
    server --wait --timeout=120 --log="$DATA/log" start </dev/null >"$DATA/start.log" 2>&1 \
        -o "-p $port -k $DATA -c listen_addresses=127.0.0.1 -c max_connections=500 -c shared_buffers=256MB" \
        -o "-c synchronous_commit=$durable -c fsync=$durable -c full_page_writes=$durable" \
        -o "-c ssl=on -c ssl_cert_file=$DATA/certificate.pem -c ssl_key_file=$DATA/key.pem" ||
        die "it did not start: $(tail -n 5 "$DATA/log")"
    # A superuser: tests make and drop databases, and end the connections of a server they killed.
    psql --quiet --host="$DATA" --port="$port" --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 <<SQL
SELECT 'CREATE ROLE "$account" LOGIN SUPERUSER PASSWORD ''$password'''
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$account') \gexec
SQL
    say "$("$programs/postgres" --version) on 127.0.0.1:$port"
}

command=${1:-start}
data_for "$command" postgres
case $command in
install) packages postgresql-15 openssl ;;
start)
    start
    url postgres
    ;;
url) url "${2:?DATABASE}" ;;
# INT: without waiting for the clients to leave.
stop) stop "$DATA/files/postmaster.pid" INT ;;
*) die "usage: install | start | url DATABASE | stop" ;;
esac
