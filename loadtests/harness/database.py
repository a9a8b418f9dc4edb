"""Where the servers store, and how rows get there that no API makes."""

import pathlib
import sqlite3
import urllib.parse

from .machine import tree
from .process import PEERS, run


class MariaDb:
    """A private server, by `tests/support/peers/mariadb.sh`."""

    name = "MariaDB"

    def __init__(self, folder: pathlib.Path):
        self._environment = {"PEERS_DATA": str(folder)}
        self._pid_file = folder / "mariadb" / "pid"
        account = run([PEERS / "mariadb.sh", "start"], environment=self._environment).strip()
        self._parts = urllib.parse.urlsplit(account)
        self._execute("CREATE DATABASE keystone", "")
        self.url = account.rstrip("/") + "/keystone"

    def _execute(self, statements: str, database: str) -> str:
        parts = self._parts
        command = ["mariadb", "--no-defaults", "--batch", "--skip-column-names", f"--host={parts.hostname}"]
        command += [f"--port={parts.port}", f"--user={parts.username}", database]
        return run([one for one in command if one], environment={"MYSQL_PWD": parts.password}, given=statements)

    def execute(self, statements: str) -> str:
        return self._execute(statements, "keystone")

    def version(self) -> str:
        return self.execute("SELECT VERSION()").strip()

    @property
    def pids(self) -> list[int]:
        return tree(int(self._pid_file.read_text())) if self._pid_file.exists() else []

    def add_events(self, first: int, last: int) -> None:
        number = "MD5(CONCAT('load', seq))"
        self.execute(
            "INSERT INTO revocation_event (audit_id, user_id, project_id, issued_before, revoked_at)"
            f" SELECT IF(seq % 20 < 16, LEFT({number}, 22), NULL), IF(seq % 20 IN (16, 17, 18), {number}, NULL),"
            f" IF(seq % 20 = 19, {number}, NULL), UTC_TIMESTAMP(), UTC_TIMESTAMP() FROM seq_{first}_to_{last}"
        )

    def add_event(self, audit: str) -> None:
        self.execute(
            "INSERT INTO revocation_event (audit_id, issued_before, revoked_at)"
            f" VALUES ('{audit}', UTC_TIMESTAMP(), UTC_TIMESTAMP())"
        )

    def stop(self) -> None:
        run([PEERS / "mariadb.sh", "stop"], environment=self._environment)


class Sqlite:
    """A file."""

    name = "SQLite"
    pids: list[int] = []

    def __init__(self, folder: pathlib.Path):
        self._file = folder / "keystone.sqlite"
        self.url = f"sqlite:///{self._file}"

    def version(self) -> str:
        return "of the server"

    def execute(self, statements: str) -> None:
        with sqlite3.connect(self._file, timeout=30) as connection:
            connection.executescript(statements)
        connection.close()

    def add_events(self, first: int, last: int) -> None:
        now = "strftime('%Y-%m-%d %H:%M:%S.000000', 'now')"
        name = "lower(hex(randomblob(16)))"
        self.execute(
            "INSERT INTO revocation_event (audit_id, user_id, project_id, issued_before, revoked_at)"
            f" WITH RECURSIVE counted (seq) AS (SELECT {first} UNION ALL SELECT seq + 1 FROM counted WHERE seq < {last})"
            f" SELECT iif(seq % 20 < 16, substr({name}, 1, 22), NULL), iif(seq % 20 IN (16, 17, 18), {name}, NULL),"
            f" iif(seq % 20 = 19, {name}, NULL), {now}, {now} FROM counted"
        )

    def add_event(self, audit: str) -> None:
        self.execute(
            "INSERT INTO revocation_event (audit_id, issued_before, revoked_at) VALUES"
            f" ('{audit}', strftime('%Y-%m-%d %H:%M:%S.000000', 'now'), strftime('%Y-%m-%d %H:%M:%S.000000', 'now'))"
        )

    def stop(self) -> None:
        pass


# Rows of one statement: a server's transaction should not be endless.
BATCH = 50_000


def grow_events(database, before: int, count: int) -> None:
    """Adds revocation events until there are `count`: four of five of a single token, the rest of
    all tokens of a user, or of a project; none of them of those that are validated. All are younger
    than any token, so that none can be passed over for its age."""
    for first in range(before + 1, count + 1, BATCH):
        database.add_events(first, min(first + BATCH - 1, count))
