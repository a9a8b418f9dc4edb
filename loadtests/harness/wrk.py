"""Runs of wrk, and what they say."""

import dataclasses
import pathlib
import statistics
import subprocess

from . import HERE, Failure
from .client import Request
from .machine import DISTURBED, Watch, wait_until_idle

# How long an answer may take, in seconds; longer ones count as failed.
TIMEOUT = 60


@dataclasses.dataclass(frozen=True)
class Run:
    """Requests a second; milliseconds."""

    rate: float
    p50: float
    p99: float
    failed: int = 0
    disturbed: bool = False


@dataclasses.dataclass(frozen=True)
class Summary:
    """Several runs: the median of each figure, and the least and the greatest rate."""

    rate: float
    least: float
    greatest: float
    p50: float
    p99: float
    failed: int
    disturbed: bool

    @classmethod
    def of(cls, runs: list[Run]) -> "Summary":
        rates = [run.rate for run in runs]
        return cls(
            rate=statistics.median(rates),
            least=min(rates),
            greatest=max(rates),
            p50=statistics.median(run.p50 for run in runs),
            p99=statistics.median(run.p99 for run in runs),
            failed=sum(run.failed for run in runs),
            disturbed=any(run.disturbed for run in runs),
        )


class Generator:
    """One wrk, under way."""

    def __init__(self, address: str, requests: pathlib.Path, connections: int, seconds: int):
        command = ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT}s"]
        command += ["-s", str(HERE / "load.lua"), f"http://{address}"]
        self._child = subprocess.Popen(
            command,
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LOAD_REQUESTS": str(requests)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> Run:
        output, _ = self._child.communicate()
        line = next((line for line in output.splitlines() if line.startswith("MEASURED\t")), None)
        if line is None:
            raise Failure(f"wrk says nothing:\n{output}")
        answered, microseconds, p50, p99, refused, broken = map(float, line.split("\t")[1:])
        return Run(answered * 1e6 / microseconds, p50 / 1e3, p99 / 1e3, int(refused + broken))


def write(file: pathlib.Path, requests: list[Request], address: str, close: bool) -> pathlib.Path:
    """Writes requests as `load.lua` reads them."""
    texts = [request.render(address, close) for request in requests]
    file.write_bytes(b"".join(b"%d\n%s" % (len(text), text) for text in texts))
    return file


def undisturbed(measure, pids: list[int]):
    """Calls `measure` when the machine is idle. Gives its value, and whether it was disturbed by
    processes other than these."""
    idle = wait_until_idle()
    watch = Watch(pids)
    value = measure()
    return value, not idle or watch.others() > DISTURBED
