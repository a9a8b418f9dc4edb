"""Everything set up for measuring: database, servers, data, and the ceiling."""

import pathlib
import shutil
import tempfile
import tomllib

from . import ROOT, Failure, say
from .agreement import agree
from .client import Client, validate
from .data import by_api, by_sql, with_tokens
from .database import MariaDb, Sqlite
from .machine import Lock
from .process import CEILING, cargo_build, need
from .servers import Ceiling, Ours, Python, Server


def _same_build() -> None:
    """The ceiling has to be built as the server is, of the same code."""

    def package(folder: pathlib.Path) -> tuple[dict, dict]:
        manifest = tomllib.loads((folder / "Cargo.toml").read_text())
        locked = tomllib.loads((folder / "Cargo.lock").read_text())["package"]
        return manifest, {one["name"]: one["version"] for one in locked}

    (server, server_lock), (ceiling, ceiling_lock) = package(ROOT), package(CEILING)
    if server["profile"]["release"] != ceiling["profile"]["release"]:
        raise Failure("loadtests/ceiling/Cargo.toml has another profile.release than the server's")
    for name in ("actix-web", "bcrypt", "mimalloc"):
        if ceiling["dependencies"][name] != server["workspace"]["dependencies"].get(name):
            raise Failure(f"loadtests/ceiling/Cargo.toml wants another {name} than the server's")
        if ceiling_lock[name] != server_lock[name]:
            raise Failure(
                f"the ceiling's {name} is {ceiling_lock[name]}, the server's {server_lock[name]}:"
                f" cd loadtests/ceiling && cargo update {name} --precise {server_lock[name]}"
            )


class Stage:
    """Use it as a context: whatever was started ends with it."""

    def __init__(
        self,
        *,
        sqlite: bool,
        python: bool,
        ceiling: bool,
        lock: pathlib.Path | None,
        binary: pathlib.Path | None,
        profile: str = "release",
    ):
        self._wanted = sqlite, python and not sqlite, ceiling
        self._profile = profile
        self.lock = Lock(lock)
        self.binary = binary
        self.hashes: pathlib.Path | None = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keystone-ng-load.", dir="/tmp"))
        # Database servers give up root, and have to reach their own folder.
        self.folder.chmod(0o711)
        self._started: list = []
        self.ceiling: Ceiling | None = None
        self.python: Python | None = None

    def __enter__(self) -> "Stage":
        try:
            self._set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.lock.release()
        for one in reversed(self._started):
            try:
                one.stop()
            except Exception as error:  # The others have to be stopped all the same.
                say(f"{type(one).__name__} did not stop: {error}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def until_the_end(self, one):
        """Stops this, too, at the end."""
        self._started.append(one)
        return one

    @property
    def pids(self) -> list[int]:
        """All processes that were started here and live."""
        return [pid for one in self._started for pid in one.pids]

    @property
    def servers(self) -> list[Server]:
        return [one for one in (self.ceiling, self.ours, self.python) if one]

    def _build(self, ceiling: bool) -> None:
        with self.lock:
            if not self.binary:
                say("building the server")
                self.binary = cargo_build(ROOT, self._profile, "--package", "keystone-ng") / "keystone-ng"
            if ceiling:
                say("building the ceiling")
                _same_build()
                self.hashes = cargo_build(CEILING, "release") / "hashes"

    def _set_up(self) -> None:
        sqlite, python, ceiling = self._wanted
        need(("wrk", "wrk"))
        self._build(ceiling)
        keys = self.folder / "keys"
        peers = self.folder / "peers"
        if sqlite:
            self.database = Sqlite(self.folder)
        else:
            say("starting MariaDB")
            self.database = self.until_the_end(MariaDb(peers))
        if python:
            say("starting Python Keystone")
            # Before it starts, for a start that fails half-way.
            self.python = self.until_the_end(Python(peers, self.database.url, keys))
            self.python.start()
        self.ours = self.until_the_end(Ours(self.binary, self.folder / "ours", self.database, keys))
        self.ours.configure()
        say("making the data")
        if self.python:
            self.ours.manage("db", "sync")
            rows = by_api(self.python.client)
        else:
            self.ours.bootstrap()
            rows = by_sql(self.database)
        self.ours.start()
        ours = self.ours.client
        self.data = with_tokens((self.python or self.ours).client, rows)
        if self.python:
            agree(ours, self.python.client, self.data)
            say("ours and Python Keystone give the same answers")
        self.answer = ours.send(validate(self.data.admin, self.data.subjects[0]))
        if ceiling:
            binary = self.hashes.parent / "ceiling"
            self.ceiling = self.until_the_end(Ceiling(binary, self.folder / "ceiling", self.answer))

    def expect_refusal(self, client: Client, token: str, seconds: float) -> float:
        """Waits until a token is refused; gives the moment, of the monotonic clock."""
        at = client.until(validate(self.data.admin, token), 404, seconds, pause=0.01)
        if at is None:
            raise Failure(f"{client.address} still accepts a revoked token after {seconds} s")
        return at
