"""The machine: what it is, whether anything else uses it, and how much memory a process has."""

import contextlib
import fcntl
import io
import os
import pathlib
import platform
import resource
import time

# Above this share of all cores' time, other programs disturb a measurement.
DISTURBED = 0.05
# How long to wait for an idle machine before a run, and how long it has to be idle, in seconds.
PATIENCE = 15
IDLE_FOR = 0.25

TICK = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))


def describe() -> list[tuple[str, str]]:
    """What to state beside any figure."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    kilobytes = int(next(line for line in _lines("/proc/meminfo") if line.startswith("MemTotal")).split()[1])
    system = next((line[12:].strip('"\n') for line in _lines("/etc/os-release") if line.startswith("PRETTY_NAME")), "")
    return [
        ("cores", str(CORES)),
        ("CPU", cpu),
        ("memory", f"{kilobytes / 2**20:.0f} GiB"),
        ("kernel", platform.release()),
        ("system", system),
    ]


def _lines(path: str) -> list[str]:
    return pathlib.Path(path).read_text().splitlines()


def tree(pid: int) -> list[int]:
    """A process and its descendants, those that live."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for children in pathlib.Path(f"/proc/{one}/task").glob("*/children"):
                todo += map(int, children.read_text().split())
    return found


def _ticks(pid: int) -> int:
    """CPU time of a process so far, without its children's."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


class Watch:
    """Sees how much CPU time others take: neither the given processes, nor this one and the
    children that it has waited for, nor the kernel's interrupts (the network's are ours)."""

    def __init__(self, pids: list[int]):
        self._own = {pid: _ticks(pid) for pid in pids}
        self._before = self._now()

    def _now(self) -> tuple[float, float, float, float]:
        user, nice, system, _, _, _, _, steal = map(int, _lines("/proc/stat")[0].split()[1:9])
        used = sum(
            usage.ru_utime + usage.ru_stime
            for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )
        return (user + nice + system) / TICK, steal / TICK, used, time.monotonic()

    def busy(self) -> float:
        """The share of all cores' time in which any process ran since the beginning."""
        busy, stolen, _, at = (now - then for now, then in zip(self._now(), self._before))
        return (busy + stolen) / (at * CORES)

    def others(self) -> float:
        """The share that others took, a host's other guests included."""
        busy, stolen, used, at = (now - then for now, then in zip(self._now(), self._before))
        own = sum(max(0, _ticks(pid) - then) for pid, then in self._own.items()) / TICK
        return max(0.0, busy + stolen - own - used) / (at * CORES)


def wait_until_idle() -> bool:
    """Waits until next to nothing runs; false when that doesn't happen."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        watch = Watch([])
        time.sleep(IDLE_FOR)
        if watch.busy() < 2 * DISTURBED:
            return True
    return False


def memory(pids: list[int]) -> float:
    """Resident memory of these processes together, in MiB: what they share counts once (Pss)."""
    kilobytes = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = _lines(f"/proc/{pid}/smaps_rollup")
            kilobytes += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return kilobytes / 1024


class Lock:
    """A lock file (flock) that whatever else works on this machine takes too; without a path,
    nothing. Row after row keeps it, until it was held for so long that others are to have a turn."""

    TURN = 60

    def __init__(self, path: pathlib.Path | None):
        self._path = path
        self._file: io.TextIOWrapper | None = None
        self._since = 0.0

    def __enter__(self) -> None:
        if self._path and not self._file:
            self._file = open(self._path, "a")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._since = time.monotonic()

    def __exit__(self, *_) -> None:
        if time.monotonic() - self._since > self.TURN:
            self.release()

    def release(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
