"""The rows: what is measured, in which order. Each has a name, by which it can be chosen."""

import dataclasses
import functools
import re
import statistics
import subprocess
import time

from . import say
from .database import grow_events
from .machine import memory, wait_until_idle
from .report import Fact, Line, Report
from .servers import Python, Quickstart, Server
from .stage import Stage
from .wrk import Generator, Run, Summary, undisturbed, write

CONNECTIONS = (1, 16, 64)
LOGIN_CONNECTIONS = (1, 16)
# The connections of rows that come with one number of them only.
USUAL = 16
EVENTS = (0, 10_000, 1_000_000)
# Python Keystone's default, and ours: [identity] password_hash_rounds.
COST = 12
# How far our hashing threads stand back: [hashing] nice.
NICE = 10
BCRYPT = "bcrypt"


@dataclasses.dataclass(frozen=True)
class Effort:
    """How long, and how often, each row is measured of each server."""

    runs: int
    seconds: int

    @property
    def slow(self) -> int:
        """The seconds of a row with few answers a second."""
        return max(4, 2 * self.seconds)


class Rows:
    def __init__(self, stage: Stage, report: Report, effort: Effort, wanted: re.Pattern):
        self._stage, self._report, self._effort, self._wanted = stage, report, effort, wanted
        self._warm: set[tuple[str, str]] = set()

    def measure(self) -> None:
        """All that are wanted."""
        self._start_and_rest()
        for load in ("validate", "rescope"):
            for connections in CONNECTIONS:
                self._plain(load, connections)
        self._under_load()
        self._logins()
        self._beside_logins()
        self._variants()
        self._revocations()

    def _wants(self, row: str) -> bool:
        if not self._wanted.search(row):
            return False
        say(f"- {row}")
        return True

    # --- one run, and several ---

    def _generate(self, server: Server, load: str, connections: int, seconds: int, others: int = 0) -> Generator:
        close = server.keeps_alive is not None and connections + others > server.keeps_alive
        name = f"{load}-{server.name.replace(' ', '-')}{'-close' if close else ''}"
        file = write(self._stage.folder / name, self._stage.data.requests(load), server.address, close)
        return Generator(server.address, file, connections, seconds)

    def _run(self, server: Server, load: str, connections: int, seconds: int, beside=None) -> Run:
        if not beside:
            return self._generate(server, load, connections, seconds).finish()
        end = beside(server, seconds)
        run = self._generate(server, load, connections, seconds, USUAL).finish()
        end()
        return run

    def _runs(
        self, servers: list[Server], load: str, connections: int, seconds: int, beside=None
    ) -> dict[str, Summary]:
        """Run after run, each of all servers: what changes with time changes for all of them.
        `beside` starts, for a server, what goes on meanwhile."""
        runs: dict[str, list[Run]] = {server.name: [] for server in servers}
        for server in servers:
            # The first requests fill caches and pools.
            if (server.name, load) not in self._warm and load != "password":
                self._generate(server, load, connections, 1).finish()
                self._warm.add((server.name, load))
        for _ in range(self._effort.runs):
            for server in servers:
                once = functools.partial(self._run, server, load, connections, seconds, beside)
                run, disturbed = undisturbed(once, self._stage.pids)
                runs[server.name].append(dataclasses.replace(run, disturbed=disturbed))
        return {name: Summary.of(measured) for name, measured in runs.items()}

    def _tell(
        self,
        row: str,
        what: str,
        summaries: dict[str, Summary],
        ceiling: float | None = None,
        notes: dict[str, str] | None = None,
    ) -> None:
        most = summaries["ceiling"].rate if "ceiling" in summaries else ceiling
        python = summaries[Python.name].rate if Python.name in summaries else None
        for name, summary in summaries.items():
            line = Line(row, what, name, summary, most or None, python or None, (notes or {}).get(name, ""))
            self._report.add_line(line)

    # --- the rows ---

    def _plain(self, load: str, connections: int, always: bool = False) -> None:
        row = f"{load}-{connections}"
        if not (always or self._wants(row)):
            return
        with self._stage.lock:
            summaries = self._runs(self._stage.servers, load, connections, self._effort.seconds)
        self._tell(row, f"{load}, {_connections(connections)}", summaries)

    def _hash_rate(self, nice: int, seconds: int) -> subprocess.Popen:
        command = [self._stage.hashes, str(COST), str(seconds), str(nice)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _logins(self) -> None:
        rows = [(f"password-{connections}", connections) for connections in LOGIN_CONNECTIONS]
        wanted = [(row, connections) for row, connections in rows if self._wants(row)]
        if not wanted:
            return
        most = self._bcrypt() if self._stage.hashes else None
        if most:
            self._tell("password", f"hash, cost {COST}, all cores", {BCRYPT: most})
        for row, connections in wanted:
            servers = [one for one in self._stage.servers if one is not self._stage.ceiling]
            with self._stage.lock:
                summaries = self._runs(servers, "password", connections, self._effort.slow)
            self._tell(row, f"login, {_connections(connections)}", summaries, most.rate if most else None)

    def _bcrypt(self) -> Summary:
        runs = []
        with self._stage.lock:
            for _ in range(self._effort.runs):
                rate, disturbed = undisturbed(
                    lambda: float(self._hash_rate(0, self._effort.slow).communicate()[0]), self._stage.pids
                )
                runs.append(Run(rate, 0, 0, disturbed=disturbed))
        return Summary.of(runs)

    def _beside_logins(self) -> None:
        row = f"validate-{USUAL}-beside-logins"
        if not self._wants(row):
            return
        without = f"validate-{USUAL}"
        if not self._report.find(without, self._stage.ours.name):
            self._plain("validate", USUAL, always=True)
        logins: dict[str, list[float]] = {}

        def beside(server: Server, seconds: int):
            if server is self._stage.ceiling:
                hashing = self._hash_rate(NICE, seconds + 2)
            else:
                generator = self._generate(server, "password", USUAL, seconds + 2, USUAL)

            def finish() -> None:
                one = server is self._stage.ceiling
                rate = float(hashing.communicate()[0]) if one else generator.finish().rate
                logins.setdefault(server.name, []).append(rate)

            # Until all hashers are at work.
            time.sleep(1)
            return finish

        with self._stage.lock:
            summaries = self._runs(self._stage.servers, "validate", USUAL, self._effort.slow, beside)
        notes = {}
        for name, summary in summaries.items():
            before = self._report.find(without, name)
            what = "hashes" if name == "ceiling" else "logins"
            rate = sum(logins[name]) / len(logins[name])
            factors = f"p50 ×{summary.p50 / before.p50:.1f}, p99 ×{summary.p99 / before.p99:.1f}; " if before else ""
            notes[name] = f"{factors}{rate:.1f} {what}/s"
        self._tell(row, f"validate, {_connections(USUAL)}, while logins saturate", summaries, notes=notes)

    def _variants(self) -> None:
        """Ours with other options than the default."""
        stage = self._stage
        default = self._report.find(f"validate-{USUAL}", "ceiling")
        for row, what, options in (
            (f"validate-{USUAL}-alone", "foreign_writers = false", {"foreign_writers": "false"}),
            (f"validate-{USUAL}-uncached", "entries = 0", {"entries": "0"}),
        ):
            if not self._wants(row):
                continue
            stage.ours.restart(**options)
            self._warm.discard((stage.ours.name, "validate"))
            with stage.lock:
                summaries = self._runs([stage.ours], "validate", USUAL, self._effort.seconds)
            self._tell(row, f"validate, {_connections(USUAL)}, {what}", summaries, default.rate if default else None)
            stage.ours.restart()
            self._warm.discard((stage.ours.name, "validate"))

    def _revocations(self) -> None:
        stage, present = self._stage, 0
        servers = [one for one in stage.servers if one is not stage.ceiling]
        ceiling = self._report.find(f"validate-{USUAL}", "ceiling")
        for count in EVENTS:
            row = f"revocations-{count}"
            if not self._wants(row):
                continue
            notes = {}
            if count > present:
                notes[stage.ours.name] = self._grow_events(present, count)
                present = count
            with stage.lock:
                # The servers' first look at so many rows is no part of it.
                for server in servers:
                    self._generate(server, "validate", 1, 1).finish()
                summaries = self._runs(servers, "validate", USUAL, self._effort.slow)
            what = f"validate, {_connections(USUAL)}, {count} revocation events"
            self._tell(row, what, summaries, ceiling.rate if ceiling else None, notes)
            if count == max(EVENTS):
                self._memory(row, f"memory, {count} revocation events")

    def _grow_events(self, before: int, count: int) -> str:
        """Adds events while ours runs, the last of them of a token that it must then refuse; at
        the greatest number it is started again as well. Says how long either took."""
        stage = self._stage
        answer = stage.ours.client.send(stage.data.rescoping)
        victim, audit = answer.header("X-Subject-Token"), answer.json()["token"]["audit_ids"][0]
        with stage.lock:
            grow_events(stage.database, before, count)
            stage.database.add_event(audit)
            committed = time.monotonic()
            followed = stage.expect_refusal(stage.ours.client, victim, 60) - committed
            note = f"followed {followed:.1f} s after the last commit"
            if count == max(EVENTS):
                ready = stage.ours.restart()
                stage.expect_refusal(stage.ours.client, victim, 0.5)
                note += f", started in {ready:.1f} s"
            if stage.python:
                stage.expect_refusal(stage.python.client, victim, 60)
        return note

    # --- time to start, and memory ---

    def _start_and_rest(self) -> None:
        starts, rests = self._wants("start"), self._wants("memory")
        if not (starts or rests):
            return
        quickstart = self._stage.until_the_end(Quickstart(self._stage.binary, self._stage.folder / "quickstart"))
        with self._stage.lock:
            for afresh, what in ((True, "quickstart in an empty folder"), (False, "serve, SQLite")):
                times = []
                for _ in range(self._effort.runs if starts else 1):
                    quickstart.stop()
                    idle = wait_until_idle()
                    times.append((*quickstart.start(afresh), idle))
                if starts:
                    self._tell_start(what, quickstart, times)
                if rests and afresh:
                    self._memory("memory", "memory at rest, after quickstart and a token", quickstart)
        quickstart.stop()
        if self._stage.python:
            self._python_start(starts, rests)

    def _python_start(self, starts: bool, rests: bool) -> None:
        stage = self._stage
        folder = stage.folder / "python-start"
        python = stage.until_the_end(Python(folder, None, folder / "keys"))
        say("preparing a Python Keystone on SQLite")
        python.prepare()
        with stage.lock:
            idle = wait_until_idle()
            times = (*python.start(), idle)
            if starts:
                self._tell_start("start, SQLite", python, [times])
            if rests:
                self._memory("memory", "memory at rest, after a token", python)
        python.stop()

    def _tell_start(self, what: str, server: Server, times: list[tuple[float, float, bool]]) -> None:
        answered, token = (statistics.median(one[part] for one in times) * 1e3 for part in (0, 1))
        note = f"the first answer after {answered:.0f} ms"
        disturbed = not all(idle for _, _, idle in times)
        self._report.add_fact(Fact("start", f"{what}, to the first token", server.name, token, "ms", note, disturbed))

    def _memory(self, row: str, what: str, *servers: Server) -> None:
        time.sleep(1)
        for server in servers or [one for one in self._stage.servers if one is not self._stage.ceiling]:
            self._report.add_fact(Fact(row, what, server.name, memory(server.pids), "MiB"))

    def _under_load(self) -> None:
        if not self._wanted.search("memory"):
            return
        connections = max(CONNECTIONS)
        for server in self._stage.servers:
            with self._stage.lock:
                generator = self._generate(server, "validate", connections, self._effort.slow)
                end = time.monotonic() + self._effort.slow - 0.5
                most = 0.0
                while time.monotonic() < end:
                    most = max(most, memory(server.pids))
                    time.sleep(0.25)
                generator.finish()
            what = f"memory under load, validate, {_connections(connections)}"
            self._report.add_fact(Fact("memory", what, server.name, most, "MiB", "the most seen"))


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"
