"""The servers that are compared: each starts, tells its processes, and stops."""

import concurrent.futures
import pathlib
import shutil
import time

from . import Failure
from .client import Answer, Client, Request
from .data import ADMIN_PASSWORD, first_login
from .database import MariaDb, Sqlite
from .machine import tree
from .process import PEERS, Process, free_port, run

# Threads that serve requests, in each of them.
WORKERS = 2
# Threads of each of Python Keystone's uWSGI workers.
PYTHON_THREADS = 4
DISCOVERY = Request("GET", "/v3", {})


class Server:
    """One that may be loaded."""

    name: str
    # Above so many connections each request has one of its own; None: never.
    keeps_alive: int | None = None

    def __init__(self):
        self.address = f"127.0.0.1:{free_port()}"
        self.client = Client(self.address)

    @property
    def pids(self) -> list[int]:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


class Child(Server):
    """One that is a single child process."""

    def __init__(self, folder: pathlib.Path):
        super().__init__()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._process: Process | None = None

    @property
    def pids(self) -> list[int]:
        return self._process.pids if self._process else []

    def _start(self, command: list, ready: Request = DISCOVERY, seconds: float = 60) -> float:
        """Gives the seconds until it answered."""
        self._process = Process(command, self.folder / "log")
        at = self.client.until(ready, 200, seconds)
        if at is None:
            why = self._process.ended() or f"{command[0]} does not answer; see {self.folder / 'log'}"
            raise Failure(why)
        return at - self._process.began

    def stop(self) -> None:
        if self._process:
            self._process.stop()
            self._process = None


class Ceiling(Child):
    """The bare handler, which gives the answer that ours gave, always."""

    name = "ceiling"

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path, answer: Answer):
        super().__init__(folder)
        # What the HTTP layer adds by itself is not the handler's to say.
        kept = [
            f"{name}: {value}"
            for name, value in answer.headers
            if name.lower() not in ("content-length", "date", "connection")
        ]
        file = folder / "answer"
        file.write_bytes("\n".join([*kept, "", ""]).encode() + answer.body)
        self._start([binary, self.address, WORKERS, file], Request("GET", "/v3/auth/tokens", {}))


class Ours(Child):
    """Keystone-NG."""

    name = "Keystone-NG"

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path, database: MariaDb | Sqlite, keys: pathlib.Path):
        super().__init__(folder)
        self._binary, self._database, self._keys = binary, database, keys
        self._config = folder / "keystone.conf"
        # Further sections of it.
        self.more = ""

    def configure(self, **coherence: str) -> None:
        """Writes its configuration, with these options of [cache_coherence]."""
        options = "".join(f"{name} = {value}\n" for name, value in coherence.items())
        self._config.write_text(
            f"[database]\nconnection = {self._database.url}\n"
            f"[fernet_tokens]\nkey_repository = {self._keys / 'fernet'}\n"
            f"[fernet_receipts]\nkey_repository = {self._keys / 'fernet'}\n"
            f"[credential]\nkey_repository = {self._keys / 'credential'}\n"
            f"[api_server]\nworkers = {WORKERS}\n"
            f"[cache_coherence]\n{options}"
            f"{self.more}"
        )

    def manage(self, *command: str) -> None:
        run([self._binary, *command, "--config-file", self._config])

    def bootstrap(self) -> None:
        """Makes all that an empty database needs."""
        for folder in ("fernet", "credential"):
            (self._keys / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.manage("db", "sync")
        self.manage("fernet", "setup")
        self.manage("credential", "setup")
        url = f"http://{self.address}/v3"
        endpoints = [f"--bootstrap-{interface}-url={url}" for interface in ("public", "internal", "admin")]
        self.manage(
            "bootstrap", f"--bootstrap-password={ADMIN_PASSWORD}", "--bootstrap-region-id=RegionOne", *endpoints
        )

    def start(self, *under: str) -> float:
        """Gives the seconds until it answered. `under` is a command that runs it, if any."""
        return self._start([*under, self._binary, "serve", "--config-file", self._config, "--listen", self.address])

    def restart(self, **coherence: str) -> float:
        self.stop()
        self.configure(**coherence)
        return self.start()


class Quickstart(Child):
    """Keystone-NG in a folder of its own, on SQLite, as its first user has it."""

    name = Ours.name

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path):
        super().__init__(folder)
        self._binary = binary

    def start(self, afresh: bool) -> tuple[float, float]:
        """From an empty folder, or on what is there. Gives the seconds until it answered, and
        until it had issued a token."""
        cloud = self.folder / "cloud"
        command = [self._binary, "serve", "--config-file", cloud / "keystone.conf", "--listen", self.address]
        if afresh:
            shutil.rmtree(cloud, ignore_errors=True)
            command = [self._binary, "quickstart", "--dir", cloud, "--listen", self.address]
            command += ["--admin-password", ADMIN_PASSWORD]
        answered = self._start(command)
        return answered, first_token(self) - self._process.began


def first_token(server: Server) -> float:
    """The moment at which a server has issued its first token, of the monotonic clock."""
    at = server.client.until(first_login(), 201, 60)
    if at is None:
        raise Failure(f"{server.name} issues no token")
    return at


class Python(Server):
    """Python Keystone under uWSGI, by `tests/support/peers/python-keystone.sh`."""

    name = "Python Keystone"
    # A thread of uWSGI belongs to one connection as long as that is kept.
    keeps_alive = WORKERS * PYTHON_THREADS

    def __init__(self, folder: pathlib.Path, database: str | None, keys: pathlib.Path):
        super().__init__()
        for kind in ("fernet", "credential"):
            (keys / kind).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._data = folder / "python-keystone"
        self._data.mkdir(parents=True, exist_ok=True)
        # It takes no other place for these keys.
        credential = self._data / "credential-keys"
        if not credential.exists():
            credential.symlink_to(keys / "credential")
        self._environment = {
            "PEERS_DATA": str(folder),
            "KEYSTONE_PORT": self.address.split(":")[1],
            "KEYSTONE_KEYS": str(keys / "fernet"),
            "KEYSTONE_PASSWORD": ADMIN_PASSWORD,
            "KEYSTONE_PROCESSES": str(WORKERS),
            "KEYSTONE_CACHE": "1",
        }
        if database:
            self._environment["KEYSTONE_DATABASE"] = database

    def _script(self, command: str, **environment: str) -> None:
        run([PEERS / "python-keystone.sh", command], environment=self._environment | environment)

    def prepare(self) -> None:
        """Makes tables, keys and the admin; `start` would do it too."""
        # Its cache does not run yet.
        self._script("prepare", KEYSTONE_CACHE="0")
        self._environment["KEYSTONE_PREPARED"] = "1"

    def start(self) -> tuple[float, float]:
        """Gives the seconds until it answered, and until it had issued a token. Some tenths of
        them are the script's own."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            started = pool.submit(self._script, "start")
            answered = self.client.until(DISCOVERY, 200, 120) if self._prepared else None
            started.result()
        self._environment["KEYSTONE_PREPARED"] = "1"
        return (answered or time.monotonic()) - began, first_token(self) - began

    @property
    def version(self) -> str:
        # oslo prints it where other commands complain.
        return run([PEERS / "python-keystone.sh", "manage", "--version"], environment=self._environment).strip()

    @property
    def _prepared(self) -> bool:
        return "KEYSTONE_PREPARED" in self._environment

    @property
    def pids(self) -> list[int]:
        files = [self._data / "pid", self._data / "memcached.pid"]
        return [pid for file in files if file.exists() for pid in tree(int(file.read_text().split()[0]))]

    def stop(self) -> None:
        self._script("stop")
