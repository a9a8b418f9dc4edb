#!/usr/bin/env bash
# A private MariaDB on loopback, from Debian's packages.
#
#   mariadb.sh install       the packages, nothing else
#   mariadb.sh start         prints the SQLAlchemy URL of an account that may make databases
#   mariadb.sh url DATABASE  the same for one database
#   mariadb.sh stop
#
# It speaks TLS to those who ask for it, with a certificate signed by itself (@@ssl_cert).
#
# MARIADB_PORT     where it listens; `start` picks a free one when unset
# MARIADB_DURABLE  1: commits reach the disk, as in production; default 0, quick for tests
# and those of common.sh.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
account=keystone password=keystone-secret

client() { mariadb --no-defaults --socket="$DATA/socket" --user="$(id -un)" "$@"; }
url() { echo "mysql+pymysql://$account:$password@127.0.0.1:$(cat "$DATA/port")/$1"; }

start() {
    packages mariadb-server mariadb-client openssl
    if running "$DATA/pid"; then return; fi
    local port=${MARIADB_PORT:-$(free_port)} owner flush=0
    owner=$(id -un)
    if accepts "$port"; then die "port $port is taken"; fi
    [ "${MARIADB_DURABLE:-0}" = 0 ] || flush=1
    echo "$port" >"$DATA/port"
    if [ "$(id -u)" = 0 ]; then
        owner=mysql
        chown mysql: "$DATA"
    fi
    certificate "$owner"
    [ -d "$DATA/files/mysql" ] ||
        mariadb-install-db --no-defaults --user="$owner" --datadir="$DATA/files" --skip-test-db \
            --auth-root-authentication-method=socket --auth-root-socket-user="$(id -un)" >"$DATA/install.log" 2>&1 ||
        die "mariadb-install-db failed: $(tail -n 5 "$DATA/install.log")"
    # utf8mb3 is what a Keystone database of some years has. A session of its own (setsid)
    # lets the server outlive the terminal that started it.
    setsid mariadbd --no-defaults --user="$owner" --datadir="$DATA/files" --socket="$DATA/socket" \
        --pid-file="$DATA/pid" --bind-address=127.0.0.1 --port="$port" --skip-name-resolve \
        --character-set-server=utf8mb3 --collation-server=utf8mb3_general_ci \
        --ssl-cert="$DATA/certificate.pem" --ssl-key="$DATA/key.pem" \
        --max-connections=500 --innodb-buffer-pool-size=256M \
        --innodb-flush-log-at-trx-commit=$flush --innodb-doublewrite=$flush \
        </dev/null >"$DATA/log" 2>&1 &
    until_true 120 client --execute='SELECT 1' || die "it did not start: $(tail -n 5 "$DATA/log")"
    client --execute="CREATE USER IF NOT EXISTS '$account'@'127.0.0.1' IDENTIFIED BY '$password';
        GRANT ALL ON *.* TO '$account'@'127.0.0.1' WITH GRANT OPTION;"
    say "MariaDB $(client -BN -e 'SELECT VERSION()') on 127.0.0.1:$port"
}

command=${1:-start}
data_for "$command" mariadb
case $command in
install) packages mariadb-server mariadb-client openssl ;;
start)
    start
    url ''
    ;;
url) url "${2:?DATABASE}" ;;
stop) stop "$DATA/pid" ;;
*) die "usage: install | start | url DATABASE | stop" ;;
esac
