"""What is measured of a large cloud: each list and check at one connection and at several, of this server and of
Python Keystone."""

import dataclasses
import http.client
import re
import statistics
import threading
import time
from collections.abc import Callable

from . import Failure, crowd, say
from .client import Answer, Client, Request, validate
from .crowd import Crowd
from .report import number, table
from .servers import Server
from .stage import Stage
from .wrk import Generator, Run, undisturbed, write

CONNECTIONS = (1, 4)
# Hundredths of the rows that there are when growth is looked at first.
TENTH = 10
# An answer that takes longer than this is waited for by threads of ours, not by wrk, whose run would end before it.
SLOW = 0.2
# An answer that takes longer than this, in seconds, is measured once and by one connection.
VERY_SLOW = 20
PATIENCE = 600
# Time may grow by so much more than the answer does.
GROWTH = 1.5


@dataclasses.dataclass(frozen=True)
class Question:
    """A row."""

    name: str
    what: str
    ask: Callable[[Crowd], list[Request]]
    # The list in the answer, whose length both servers have to agree on.
    members: str = ""
    # Whether ours has to be started without caches of tokens.
    uncached: bool = False
    # Why Python Keystone has another number of them.
    apart: str = ""


def _get(name: str, path: str, members: str = "", what: str = "", apart: str = "") -> Question:
    def ask(one: Crowd) -> list[Request]:
        places = {"user": one.first, "group": one.group, "domain": one.domain, "top": one.top, "leaf": one.leaf}
        return [one.get(path.format(**places, role=one.role, service=one.service))]

    return Question(name, what or f"GET /{path}", ask, members, apart=apart)


ASSIGNMENTS = "role_assignments"
QUESTIONS = [
    _get("users", "users", "users"),
    _get("users-limit", "users?limit=100", "users"),
    _get("users-named", "users?name=crowd-user-500", "users"),
    _get(
        "users-contains",
        "users?name__contains=user-99",
        "users",
        apart="as it looks through a first thousand alone",
    ),
    _get("users-of-domain", "users?domain_id={domain}", "users"),
    _get("user-groups", "users/{user}/groups", "groups"),
    _get("user-projects", "users/{user}/projects", "projects"),
    _get("groups", "groups", "groups"),
    _get("group-users", "groups/{group}/users", "users"),
    _get("projects", "projects", "projects"),
    _get("projects-of-domain", "projects?domain_id={domain}", "projects"),
    _get("project-parents-list", "projects/{leaf}?parents_as_list", "project.parents"),
    _get("project-parents-ids", "projects/{leaf}?parents_as_ids"),
    _get("project-subtree-list", "projects/{top}?subtree_as_list", "project.subtree"),
    _get("project-subtree-ids", "projects/{top}?subtree_as_ids"),
    _get("domains", "domains", "domains"),
    _get("roles", "roles", "roles"),
    _get("services", "services", "services"),
    _get("endpoints", "endpoints", "endpoints"),
    _get("endpoints-of-service", "endpoints?service_id={service}", "endpoints"),
    _get("regions", "regions", "regions"),
    _get("registered-limits", "registered_limits", "registered_limits"),
    _get("limits", "limits", "limits"),
    _get("limits-of-project", "limits?project_id={top}", "limits"),
    _get("policies", "policies", "policies"),
    _get("credentials", "credentials", "credentials"),
    _get("credentials-of-user", "credentials?user_id={user}", "credentials"),
    _get("trusts", "OS-TRUST/trusts", "trusts"),
    _get("trusts-of-trustor", "OS-TRUST/trusts?trustor_user_id={user}", "trusts"),
    _get("application-credentials", "users/{user}/application_credentials", "application_credentials"),
    Question(
        "member",
        "HEAD /groups/…/users/…",
        lambda one: [one.get(f"groups/{one.group}/users/{one.first}", method="HEAD")],
    ),
    _get("implies", "roles/{role}/implies", "role_inference.implies"),
    _get("inferences", "role_inferences", "role_inferences"),
    _get("assignments", ASSIGNMENTS, ASSIGNMENTS),
    _get("assignments-names", f"{ASSIGNMENTS}?include_names", ASSIGNMENTS),
    _get("assignments-user", f"{ASSIGNMENTS}?user.id={{user}}", ASSIGNMENTS),
    _get("assignments-project", f"{ASSIGNMENTS}?scope.project.id={{leaf}}", ASSIGNMENTS),
    _get("assignments-role", f"{ASSIGNMENTS}?role.id={{role}}", ASSIGNMENTS),
    _get("effective", f"{ASSIGNMENTS}?effective", ASSIGNMENTS),
    _get("effective-names", f"{ASSIGNMENTS}?effective&include_names", ASSIGNMENTS),
    _get("effective-user", f"{ASSIGNMENTS}?effective&user.id={{user}}", ASSIGNMENTS),
    _get("effective-project", f"{ASSIGNMENTS}?effective&scope.project.id={{leaf}}", ASSIGNMENTS),
    _get("effective-subtree", f"{ASSIGNMENTS}?effective&scope.project.id={{top}}&include_subtree", ASSIGNMENTS),
    Question(
        "auth-projects",
        "GET /auth/projects, unscoped",
        lambda one: [one.get("auth/projects", one.unscoped)],
        "projects",
    ),
    Question(
        "grant",
        "HEAD /projects/…/users/…/roles/…",
        lambda one: [one.get(f"projects/{one.top}/users/{one.first}/roles/{one.member}", method="HEAD")],
    ),
    Question(
        "issue",
        "POST /auth/tokens, 52 inherited and implied roles",
        lambda one: [one.rescoping],
        "token.roles",
    ),
    Question(
        "validate",
        "GET /auth/tokens, the same tokens, uncached here",
        lambda one: [validate(one.admin, subject) for subject in one.subjects],
        "token.roles",
        uncached=True,
    ),
]


def _members(question: Question, answer: Answer) -> int | None:
    """How many there are of what the question is about."""
    if not question.members:
        return None
    found = answer.json()
    for name in question.members.split("."):
        found = found[name]
    return len(found)


@dataclasses.dataclass(frozen=True)
class Probe:
    """One request, looked at."""

    seconds: float
    size: int
    members: int | None


@dataclasses.dataclass(frozen=True)
class Rate:
    """Answers a second: the median of several runs."""

    value: float
    failed: int = 0
    disturbed: bool = False

    @classmethod
    def of(cls, runs: list[Run]) -> "Rate":
        return cls(
            statistics.median(run.rate for run in runs),
            sum(run.failed for run in runs),
            any(run.disturbed for run in runs),
        )


class Patient:
    """Connections that wait for slow answers, however long a run is said to be."""

    def __init__(self, server: Server, requests: list[Request], connections: int, seconds: float):
        self._server, self._requests, self._seconds = server, requests, seconds
        self._answered = self._failed = 0
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._ask, args=(one,)) for one in range(connections)]
        for thread in self._threads:
            thread.start()

    def _ask(self, turn: int) -> None:
        client = Client(self._server.address)
        while True:
            answer = client.send(self._requests[turn % len(self._requests)], PATIENCE)
            turn += 1
            with self._lock:
                self._answered += 1
                self._failed += answer.status >= 400
            if time.monotonic() - self._began > self._seconds:
                return

    def finish(self) -> Run:
        for thread in self._threads:
            thread.join()
        return Run(self._answered / (time.monotonic() - self._began), 0, 0, self._failed)


@dataclasses.dataclass
class Line:
    """A row's figures."""

    question: Question
    size: int
    members: int | None
    rates: dict[str, dict[int, Rate]]
    growth: str
    notes: list[str]

    TITLES = ["row", "what", "bytes", "members", "ours ×1", "ours ×4", "Python ×1", "Python ×4", "ratio ×1", "ratio ×4"]
    TITLES += ["growth", "note"]
    WIDTHS = [22, 0, 11, 8, 9, 9, 10, 10, 9, 9, 16, 0]

    def cells(self) -> list[str]:
        disturbed = any(rate.disturbed for rates in self.rates.values() for rate in rates.values())
        cells = [
            self.question.name + ("*" if disturbed else ""),
            self.question.what,
            str(self.size),
            "" if self.members is None else str(self.members),
        ]
        ours, python = (self.rates.get(which, {}) for which in ("ours", "python"))
        for rates in (ours, python):
            cells += (number(rates[count].value) if count in rates else "" for count in CONNECTIONS)
        for count in CONNECTIONS:
            both = count in ours and count in python and python[count].value
            cells.append(f"{number(ours[count].value / python[count].value)}×" if both else "")
        return [*cells, self.growth, "; ".join(self.notes)]

    @property
    def failed(self) -> int:
        return sum(rate.failed for rates in self.rates.values() for rate in rates.values())


class Scale:
    """Seeds, measures, and keeps the lines."""

    def __init__(self, stage: Stage, runs: int, seconds: int, wanted: re.Pattern):
        self._stage, self._runs, self._seconds = stage, runs, seconds
        self._questions = [one for one in QUESTIONS if wanted.search(one.name)]
        if not self._questions:
            raise Failure("no row has such a name")
        self.lines: list[Line] = []
        self.wrong = 0

    def measure(self) -> None:
        stage = self._stage
        say(f"adding {TENTH} of 100 rows")
        crowd.grow(stage.database, stage.ours.client, 0, TENTH)
        # What was cached before there were these rows is gone with the process.
        stage.ours.restart()
        small = crowd.with_tokens(stage.ours.client, TENTH)
        before = {one.name: self._look_again(stage.ours, one, small) for one in self._in_turn()}
        say("adding the others")
        crowd.grow(stage.database, stage.ours.client, TENTH, 100)
        say(f"there are {crowd.counted(stage.database)}")
        # So is what was cached of fewer rows; and so are statistics of the database.
        stage.ours.restart()
        large = crowd.with_tokens((stage.python or stage.ours).client, 100)
        print(self.header(), flush=True)
        for question in self._in_turn():
            say(f"- {question.name}")
            with stage.lock:
                line = self._line(question, large, before[question.name])
            self.lines.append(line)
            print(" ".join(self._fitted(line.cells())), flush=True)

    def _in_turn(self):
        """Each question, with ours started as it has to be."""
        cached = True
        for question in self._questions:
            if cached == question.uncached:
                self._stage.ours.restart(**({"entries": "0"} if question.uncached else {}))
                cached = not question.uncached
            yield question
        if not cached:
            self._stage.ours.restart()

    @staticmethod
    def _fitted(cells: list[str]) -> list[str]:
        return [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, Line.WIDTHS))
            if Line.TITLES[place] != "what"
        ]

    def header(self) -> str:
        return " ".join(self._fitted(Line.TITLES))

    def markdown(self, facts: list[tuple[str, str]], method: str) -> str:
        parts = [method, table(["", ""], [list(fact) for fact in facts])]
        parts.append(table(Line.TITLES, [line.cells() for line in self.lines], right=Line.TITLES[2:-1]))
        return "\n\n".join(parts) + "\n"

    @staticmethod
    def _look(server: Server, question: Question, of: Crowd) -> Probe:
        request = question.ask(of)[0]
        began = time.monotonic()
        answer = server.client.send(request, PATIENCE)
        seconds = time.monotonic() - began
        if answer.status >= 300:
            raise Failure(f"{question.name}: {server.name} answers {answer.status} {answer.body[:300]!r}")
        return Probe(seconds, len(answer.body), _members(question, answer))

    def _look_again(self, server: Server, question: Question, of: Crowd) -> Probe:
        """The quickest of some, the first aside, which fills caches."""
        probes = [self._look(server, question, of)]
        for _ in range(2 if probes[0].seconds > SLOW else 8):
            probes.append(self._look(server, question, of))
        return min(probes, key=lambda one: one.seconds)

    def _line(self, question: Question, of: Crowd, before: Probe) -> Line:
        stage = self._stage
        ours = self._look_again(stage.ours, question, of)
        line = Line(question, ours.size, ours.members, {}, self._growth(before, ours), [])
        servers: dict[str, tuple[Server, Probe]] = {"ours": (stage.ours, ours)}
        if stage.python:
            began = time.monotonic()
            try:
                python = self._look_at_python(question, of, ours, line)
                servers["python"] = (stage.python, python)
            except (http.client.HTTPException, OSError):
                line.notes.append(f"Python Keystone ended the connection after {time.monotonic() - began:.0f} s")
        for which, (server, probe) in servers.items():
            if probe.seconds > VERY_SLOW:
                line.rates[which] = {1: Rate(1 / probe.seconds)}
                line.notes.append(f"{server.name} was asked once: {probe.seconds:.0f} s")
        for connections in CONNECTIONS:
            runs: dict[str, list[Run]] = {
                which: [] for which, (_, probe) in servers.items() if probe.seconds <= VERY_SLOW
            }
            for _ in range(self._runs):
                for which, found in runs.items():
                    found.append(self._run(*servers[which], question.ask(of), connections))
            for which, found in runs.items():
                line.rates.setdefault(which, {})[connections] = Rate.of(found)
        if line.failed:
            line.notes.append(f"{line.failed} failed")
        return line

    def _look_at_python(self, question: Question, of: Crowd, ours: Probe, line: Line) -> Probe:
        python = self._look(self._stage.python, question, of)
        if python.members != ours.members:
            line.notes.append(" ".join(["Python has", str(python.members), "members", question.apart]).strip())
            self.wrong += not question.apart
        if python.seconds <= VERY_SLOW:
            # Its first answer fills caches as well.
            python = self._look(self._stage.python, question, of)
        return python

    def _run(self, server: Server, probe: Probe, requests: list[Request], connections: int) -> Run:
        close = server.keeps_alive is not None and connections > server.keeps_alive

        def once() -> Run:
            if probe.seconds > SLOW:
                return Patient(server, requests, connections, self._seconds).finish()
            file = write(self._stage.folder / "scale-requests", requests, server.address, close)
            return Generator(server.address, file, connections, self._seconds).finish()

        run, disturbed = undisturbed(once, self._stage.pids)
        return dataclasses.replace(run, disturbed=disturbed)

    @staticmethod
    def _growth(before: Probe, after: Probe) -> str:
        """How bytes and time grow with ten times the rows. A mark where time grows faster; what is over within a
        few milliseconds says nothing."""
        bytes_by, time_by = after.size / max(before.size, 1), after.seconds / before.seconds
        faster = time_by > GROWTH * max(bytes_by, 1) and after.seconds > 0.01
        return f"×{number(bytes_by)}, ×{number(time_by)}" + (" !" if faster else "")
