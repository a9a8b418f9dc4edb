"""Processes of our own: started, waited for, and ended by their number."""

import contextlib
import os
import pathlib
import random
import socket
import subprocess
import time

from . import HERE, ROOT, Failure
from .machine import tree


def run(command: list, *, environment: dict[str, str] | None = None, given: str | None = None) -> str:
    """Runs a command to its end; gives what it printed."""
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | (environment or {}),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))}: ended with {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def free_port() -> int:
    """One on loopback, outside the range from which outgoing connections get theirs."""
    for _ in range(200):
        port = random.randrange(22_000, 24_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise Failure("no free port between 22000 and 24000")


class Process:
    """A child, with its output in a file."""

    def __init__(self, command: list, log: pathlib.Path):
        self.command, self.log = list(map(str, command)), log
        with open(log, "ab") as output:
            self.began = time.monotonic()
            self._child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    @property
    def pids(self) -> list[int]:
        return tree(self._child.pid) if self._child.poll() is None else []

    def ended(self) -> str | None:
        """Why it is gone, if it is."""
        status = self._child.poll()
        if status is None:
            return None
        return f"{self.command[0]} ended with {status}\n{self.log.read_text(errors='replace')[-3000:]}"

    def stop(self) -> None:
        if self._child.poll() is not None:
            return
        self._child.terminate()
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def cargo_build(folder: pathlib.Path, profile: str, *arguments: str) -> pathlib.Path:
    """Builds a package; gives the folder of its binaries."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
    command = ["cargo", "build", "--profile", profile, "--locked", "--quiet", "--target-dir", target, *arguments]
    done = subprocess.run(command, cwd=folder)
    if done.returncode:
        raise Failure(f"cargo build failed in {folder}")
    return target / profile


def need(*programs: tuple[str, str]) -> None:
    """Fails unless these programs are there; each with the Debian package that has it."""
    missing = [package for program, package in programs if not _found(program)]
    if missing:
        raise Failure(f"missing; try: apt-get install {' '.join(missing)}")


def _found(program: str) -> bool:
    return any((pathlib.Path(folder) / program).is_file() for folder in os.environ.get("PATH", "").split(":"))


PEERS = ROOT / "tests" / "support" / "peers"
CEILING = HERE / "ceiling"
