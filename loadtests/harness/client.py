"""A small client of the Identity API, and the raw requests that wrk sends."""

import dataclasses
import http.client
import json
import time


@dataclasses.dataclass(frozen=True)
class Request:
    """An HTTP/1.1 request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def render(self, host: str, close: bool) -> bytes:
        """Its bytes. With `close` the connection ends after the answer."""
        headers = {"Host": host, "Accept": "application/json", "User-Agent": "loadtests"} | self.headers
        if self.body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        if close:
            headers["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self):
        return json.loads(self.body)

    def header(self, name: str) -> str:
        return next((value for one, value in self.headers if one.lower() == name.lower()), "")


class Unexpected(Exception):
    """An answer with another status than was asked for."""


class Client:
    """Talks to one server. A connection per request: nothing is measured with it."""

    def __init__(self, address: str, token: str = ""):
        self.address = address
        self.token = token

    def with_token(self, token: str) -> "Client":
        return Client(self.address, token)

    def send(self, request: Request, timeout: float = 60) -> Answer:
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        try:
            headers = dict(request.headers)
            if request.body:
                headers["Content-Type"] = "application/json"
            connection.request(request.method, request.path, request.body or None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def call(self, method: str, path: str, body=None, expect: tuple[int, ...] = (200, 201, 204)) -> Answer:
        headers = {"X-Auth-Token": self.token} if self.token else {}
        answer = self.send(Request(method, path, headers, b"" if body is None else json.dumps(body).encode()))
        if answer.status not in expect:
            raise Unexpected(f"{method} {path}: {answer.status} {answer.body[:400]!r}")
        return answer

    def until(self, request: Request, status: int, seconds: float, pause: float = 0.002) -> float | None:
        """Repeats a request until that status comes; gives the moment, of the monotonic clock."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.send(request).status == status:
                    return time.monotonic()
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(pause)
        return None


def authentication(method: str, facts: dict, scope: dict | None = None) -> dict:
    """The body of `POST /v3/auth/tokens`."""
    auth: dict = {"identity": {"methods": [method], method: facts}}
    if scope is not None:
        auth["scope"] = scope
    return {"auth": auth}


def password(user: dict, secret: str, scope: dict | None = None) -> dict:
    return authentication("password", {"user": user | {"password": secret}}, scope)


def rescope(token: str, scope: dict) -> dict:
    return authentication("token", {"id": token}, scope)


def issue(body: dict) -> Request:
    return Request("POST", "/v3/auth/tokens", {}, json.dumps(body).encode())


def validate(caller: str, subject: str) -> Request:
    return Request("GET", "/v3/auth/tokens", {"X-Auth-Token": caller, "X-Subject-Token": subject})
