"""Where the time of a process goes: perf where it works, valgrind where it doesn't."""

import collections
import pathlib
import re
import shutil
import subprocess

from . import Failure, say

# Samples a second and thread. No round number: nothing else ticks with it.
FREQUENCY = 499
# Bytes of stack kept with each sample. Optimised code keeps no frame pointers, so the stack is
# unwound later.
STACK = 16_384
HASH = re.compile(r"::h[0-9a-f]{16}$")
CRATE = re.compile(r"(?<![A-Za-z0-9_])([a-z_][a-z0-9_]*)::")


def perf_works() -> bool:
    """Whether perf may sample here: containers and virtual machines often forbid it."""
    if not shutil.which("perf"):
        return False
    tried = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-o", "/dev/null", "true"], capture_output=True)
    return tried.returncode == 0


class Perf:
    """Samples processes for a time."""

    def __init__(self, pids: list[int], seconds: int, file: pathlib.Path):
        self._file = file
        self._child = subprocess.Popen(
            ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), f"--call-graph=dwarf,{STACK}"]
            + ["-p", ",".join(map(str, pids)), "-o", file, "--", "sleep", str(seconds)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stacks(self) -> collections.Counter:
        """Stacks, outermost function first, each with the number of its samples."""
        _, complaints = self._child.communicate()
        if self._child.returncode:
            raise Failure(f"perf record: {complaints}")
        say("unwinding the stacks")
        script = subprocess.Popen(
            ["perf", "script", "--no-inline", "-F", "comm,ip,sym,dso", "-i", self._file],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
        found = collections.Counter()
        frames: list[str] = []
        for line in script.stdout:
            if line.startswith(("\t", " ")) and line.strip():
                frames.append(_name(line.strip()))
            elif frames:
                found[tuple(reversed(frames))] += 1
                frames = []
        if frames:
            found[tuple(reversed(frames))] += 1
        if script.wait() or not found:
            raise Failure("perf script gives no samples")
        return found


def _name(frame: str) -> str:
    """The function of a frame: `ADDRESS SYMBOL (OBJECT)`."""
    _, _, rest = frame.partition(" ")
    symbol, _, place = rest.rpartition(" (")
    place = place.rstrip(")")
    symbol = HASH.sub("", re.sub(r"\+0x[0-9a-f]+$", "", symbol))
    if place == "[kernel.kallsyms]" or place.startswith("[kernel"):
        return f"kernel::{symbol}"
    return symbol if symbol != "[unknown]" else f"[{pathlib.Path(place).name}]"


def part(function: str) -> str:
    """The crate that a function is of; `kernel`, or C."""
    crate = CRATE.search(function)
    return crate.group(1) if crate else "C and assembly"


def folded(stacks: collections.Counter) -> str:
    """A line a stack, as flame graphs are made from."""
    return "".join(
        f"{';'.join(one.replace(';', ',') for one in stack)} {count}\n" for stack, count in sorted(stacks.items())
    )


def summary(stacks: collections.Counter, longest: int = 25) -> str:
    """Tables: by crate, by function, and by our functions with all that they call."""
    total = sum(stacks.values())
    own, crates, below = collections.Counter(), collections.Counter(), collections.Counter()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        crates[part(stack[-1])] += count
        for function in {one for one in stack if part(one).startswith("keystone_")}:
            below[function] += count
    tables = [f"{total} samples, {FREQUENCY} a second and thread\n"]
    for title, counts in (
        ("by crate, of the function that ran", crates),
        ("by the function that ran", own),
        ("our functions, with what they call", below),
    ):
        tables.append(f"\n{title}\n")
        tables += (f"{100 * count / total:6.1f}%  {name[:150]}\n" for name, count in counts.most_common(longest))
    return "".join(tables)


def callgrind_annotated(file: pathlib.Path, longest: int = 40) -> str:
    """What callgrind counted: instructions, by function."""
    done = subprocess.run(
        ["callgrind_annotate", "--threshold=95", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise Failure(f"callgrind_annotate: {done.stderr}")
    return "\n".join(done.stdout.splitlines()[: longest + 25]) + "\n"
