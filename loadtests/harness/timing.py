"""What is measured of refusals: how long those who are known and those who are not wait for the same answer."""

import base64
import dataclasses
import hashlib
import http.client
import json
import random
import statistics
import time
import uuid

from . import Failure, say
from .client import Client, Request, issue, password
from .machine import DISTURBED, Watch, wait_until_idle
from .report import number, table
from .stage import Stage

RP_ID = "cloud.example"
WRONG = "not-the-password"
# More than are ever asked for: who is locked was so often wrong, and nobody else gets there.
FAILURES = 1_000_000
# Questions of a round are in a new order each time, and always in the same one.
SEED = 1
WARM_UP = 3
TITLES = ["row", "answers", "lower quartile ms", "median ms", "upper quartile ms", "of the first"]
FIGURES = set(TITLES[1:])

CONFIGURATION = f"""
[auth]
methods = external,password,token,application_credential,webauthn
[webauthn]
enabled = true
relying_party_id = {RP_ID}
relying_party_name = Example
origins = https://id.{RP_ID}
[login_limits]
passkey_per_address = 0
passkey_per_user = 0
"""
LOCKOUT = f"""
[security_compliance]
lockout_failure_attempts = {FAILURES}
"""


@dataclasses.dataclass(frozen=True)
class Question:
    """A row: what is asked, and what has to be answered."""

    what: str
    request: Request
    status: int


@dataclasses.dataclass
class Row:
    what: str
    seconds: list[float] = dataclasses.field(default_factory=list)
    failed: int = 0


@dataclasses.dataclass
class Part:
    """Rows that should differ by nothing but noise."""

    title: str
    rows: list[Row]
    disturbed: bool

    def cells(self) -> list[list[str]]:
        first = statistics.median(self.rows[0].seconds)
        told = []
        for row in self.rows:
            lower, median, upper = statistics.quantiles(row.seconds, n=4, method="inclusive")
            figures = [number(one * 1e3) for one in (lower, median, upper)]
            note = f" ({row.failed} failed)" if row.failed else ""
            told.append([row.what + note, str(len(row.seconds)), *figures, f"{median / first:.3f}"])
        return told


@dataclasses.dataclass(frozen=True)
class People:
    """IDs of users, whose names say what is the matter with them."""

    known: str
    keyed: str
    plain: str
    shut: str

    @classmethod
    def made(cls, stage: Stage) -> "People":
        api = stage.ours.client.with_token(stage.data.admin)
        shut = api.call("POST", "/v3/domains", {"domain": {"name": "shut"}}).json()["domain"]["id"]

        def user(name: str, domain: str = "default", enabled: bool = True) -> str:
            attributes = {"name": name, "domain_id": domain, "enabled": enabled, "password": f"the-secret-of-{name}"}
            return api.call("POST", "/v3/users", {"user": attributes}).json()["user"]["id"]

        people = cls(user("known"), user("keyed"), user("plain"), shut)
        for name in ("other", "locked"):
            user(name)
        user("disabled", enabled=False)
        user("housed", domain=shut)
        api.call("PATCH", f"/v3/domains/{shut}", {"domain": {"enabled": False}})
        stage.database.execute(_passkey(people.keyed) + _locked("locked"))
        return people


def _locked(name: str) -> str:
    now = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime())
    return (
        f"UPDATE local_user SET failed_auth_count = {FAILURES}, failed_auth_at = '{now}'"
        f" WHERE name = '{name}' AND domain_id = 'default';\n"
    )


def _passkey(user: str) -> str:
    """A passkey that nobody can use: it is only listed."""
    credential, handle = random.randbytes(32), random.randbytes(64)
    place = base64.urlsafe_b64encode(hashlib.sha256(credential).digest()).rstrip(b"=").decode()
    # EC2, ES256, P-256.
    key = bytes.fromhex("a5010203262001215820") + random.randbytes(32) + bytes.fromhex("225820") + random.randbytes(32)
    row = {
        "id": f"'{place}'",
        "credential_id": f"X'{credential.hex()}'",
        "user_id": f"'{user}'",
        "user_handle": f"X'{handle.hex()}'",
        "rp_id": f"'{RP_ID}'",
        "public_key": f"X'{key.hex()}'",
        "alg": "-7",
        "sign_count": "0",
        "transports": """'["internal"]'""",
        "uv_initialized": "1",
        "backup_eligible": "0",
        "backup_state": "0",
        "state": "'active'",
        "created_at": str(time.time_ns() // 1000),
        "revision": "0",
    }
    return (
        f"INSERT INTO ng_webauthn_credential ({', '.join(row)}) VALUES ({', '.join(row.values())});\n"
        f"INSERT INTO ng_webauthn_user (user_id, user_handle) VALUES ('{user}', X'{handle.hex()}');\n"
    )


def _wrong(what: str, name: str, domain: str = "default") -> Question:
    return Question(what, issue(password({"name": name, "domain": {"id": domain}}, WRONG)), 401)


def passwords(people: People) -> list[Question]:
    """Logins by password, each refused."""
    return [
        _wrong("known, wrong password", "known"),
        _wrong("another one who is known", "other"),
        _wrong("unknown user", "nobody"),
        _wrong("unknown domain", "known", uuid.uuid4().hex),
        _wrong("disabled user", "disabled"),
        _wrong("user of a disabled domain", "housed", people.shut),
    ]


def starts(people: People) -> list[Question]:
    """The beginning of a login by passkey, for whoever is named."""

    def start(what: str, passkey: dict) -> Question:
        body = json.dumps({"passkey": passkey}).encode()
        return Question(what, Request("POST", "/v4/auth/passkey/start", {}, body), 201)

    return [
        start("known, with a passkey", {"user_id": people.keyed}),
        start("the same once more", {"user_id": people.keyed}),
        start("known, without one", {"user_id": people.plain}),
        start("unknown", {"user_id": uuid.uuid4().hex}),
    ]


class Timing:
    """Asks, and keeps what it took."""

    def __init__(self, stage: Stage, rounds: int):
        self._stage, self._rounds = stage, rounds
        self.parts: list[Part] = []

    def measure(self) -> None:
        ours = self._stage.ours
        ours.more = CONFIGURATION
        ours.restart()
        people = People.made(self._stage)
        self._part("Password, no lockout", passwords(people), self._rounds)
        self._part("Beginning of a login by passkey", starts(people), 20 * self._rounds)
        ours.more = CONFIGURATION + LOCKOUT
        ours.restart()
        locked = [*passwords(people), _wrong("locked out", "locked")]
        self._part("Password, failures lock", locked, self._rounds)

    def _part(self, title: str, questions: list[Question], rounds: int) -> None:
        say(f"{title}: {rounds} rounds of {len(questions)}")
        rows = [Row(question.what) for question in questions]
        order = list(range(len(questions)))
        shuffle = random.Random(SEED).shuffle
        with self._stage.lock:
            connection = http.client.HTTPConnection(self._stage.ours.address, timeout=60)
            try:
                for _ in range(WARM_UP):
                    for question in questions:
                        _ask(connection, question)
                idle = wait_until_idle()
                watch = Watch(self._stage.pids)
                for _ in range(rounds):
                    shuffle(order)
                    for place in order:
                        took, status = _ask(connection, questions[place])
                        rows[place].seconds.append(took)
                        rows[place].failed += status != questions[place].status
                disturbed = not idle or watch.others() > DISTURBED
            finally:
                connection.close()
        part = Part(title, rows, disturbed)
        self.parts.append(part)
        print(part.title + ("*" if part.disturbed else ""))
        widths = [34, 8, 18, 10, 18, 13]
        for cells in [TITLES, *part.cells()]:
            what, *figures = (cell.rjust(width) for cell, width in zip(cells, widths))
            print(" ".join([what.strip().ljust(widths[0]), *figures]), flush=True)

    @property
    def failed(self) -> int:
        return sum(row.failed for part in self.parts for row in part.rows)

    @property
    def disturbed(self) -> bool:
        return any(part.disturbed for part in self.parts)

    def markdown(self, facts: list[tuple[str, str]], method: str) -> str:
        parts = [method, table(["", ""], [[name, value] for name, value in facts])]
        for part in self.parts:
            parts.append(f"**{part.title}**" + ("\\*" if part.disturbed else ""))
            parts.append(table(TITLES, part.cells(), FIGURES))
        if self.disturbed:
            parts.append("\\* Something else used the machine while this was measured.")
        return "\n\n".join(parts) + "\n"


def _ask(connection: http.client.HTTPConnection, question: Question) -> tuple[float, int]:
    """Seconds from sending it until all of its answer was read, and the answer's status."""
    request = question.request
    headers = {**request.headers, "Content-Type": "application/json"}
    began = time.perf_counter()
    connection.request(request.method, request.path, request.body, headers)
    response = connection.getresponse()
    response.read()
    took = time.perf_counter() - began
    if response.will_close:
        raise Failure(f"{request.path} ends the connection, with {response.status}: its rows would compare nothing")
    return took, response.status
