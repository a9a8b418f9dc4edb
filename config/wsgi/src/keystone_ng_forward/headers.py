"""Which headers go on, in both directions."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from http import HTTPStatus
from typing import Dict, List, Tuple

from .refusal import Refusal
from .settings import Settings

#: RFC 9110 section 7.6.1, and those that RFC 2616 section 13.5.1 had besides.
HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
#: Said by whoever is nearer to the client than this server, or made to look like a variable that a
#: web server sets for a user who has logged in. WSGI does not tell `_` from `-` in names, so
#: X_Forwarded_For is X-Forwarded-For here, and goes as well.
_NOT_CLIENTS = (
    "x-forwarded-",
    "x-ssl-",
    "ssl-",
    "remote-",
    "oidc-",
    "mellon-",
    "shib-",
    "openstack-user",
    "openstack-roles",
    "openstack-project",
)
#: The web server has answered to `Expect` already; `Proxy` becomes HTTP_PROXY somewhere.
_DROPPED = frozenset(("forwarded", "x-real-ip", "proxy", "expect", "content-length", "via"))

HOPS = "x-keystone-ng-hops"
PSEUDONYM = "keystone-ng-forward"

_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_HOST = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]{1,255}")
_URL_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")


def listed(value: str) -> frozenset:
    """The names in a `Connection` header."""
    return frozenset(name.strip().lower() for name in value.split(",") if name.strip())


def of_client(environ) -> Dict[str, str]:
    """The client's headers, names in lower case."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    return headers


def to_node(environ, settings: Settings) -> Dict[str, str]:
    """The headers with which Keystone-NG is asked, without those of the body's length."""
    client = of_client(environ)
    if sum(len(name) + len(value) + 4 for name, value in client.items()) > settings.max_headers:
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of the request are too long.")
    hops = _hops(client)
    if hops >= settings.max_hops:
        raise Refusal(HTTPStatus.LOOP_DETECTED, "The request has been here before: Keystone-NG's address leads back.")
    gone = HOP_BY_HOP | _DROPPED | listed(client.get("connection", "")) | {HOPS}
    headers = {}
    for name, value in client.items():
        if name in gone or name.startswith(_NOT_CLIENTS):
            continue
        if not _NAME.fullmatch(name) or _BAD_VALUE.search(value):
            raise Refusal(HTTPStatus.BAD_REQUEST, "A header of the request is malformed.")
        headers[name] = value
    via = client.get("via", "")
    if _BAD_VALUE.search(via):
        raise Refusal(HTTPStatus.BAD_REQUEST, "A header of the request is malformed.")
    headers["via"] = f"{via}, 1.1 {PSEUDONYM}" if via else f"1.1 {PSEUDONYM}"
    headers[HOPS] = str(hops + 1)
    headers.update(_forwarded(environ, client, settings))
    return headers


def _hops(client: Dict[str, str]) -> int:
    """How many filters like this a request has passed. `Via` alone would do (RFC 9110 section
    7.6.3), if every web server kept both of two `Via` lines."""
    by_via = sum(PSEUDONYM in one.split() for one in client.get("via", "").split(","))
    told = client.get(HOPS, "0")
    # What is no number was not written by a filter; who writes one refuses itself.
    by_own = int(told) if told.isascii() and told.isdigit() and len(told) < 4 else 1
    return max(by_via, by_own)


def _forwarded(environ, client: Dict[str, str], settings: Settings) -> Dict[str, str]:
    """X-Forwarded-*: what this server saw, or what a trusted proxy before it says that it saw."""
    peer = _address(environ.get("REMOTE_ADDR", ""))
    if peer is None or peer.is_unspecified:
        peer = _address(_connected())
    proto = environ.get("wsgi.url_scheme", "http")
    host = client.get("host", "")
    prefix = environ.get("SCRIPT_NAME", "")
    if _is_trusted(peer, settings):
        for one in reversed(client.get("x-forwarded-for", "").split(",")):
            address = _address(one.strip())
            if address is None:
                break
            peer = address
            if not _is_trusted(peer, settings):
                break
        told = client.get("x-forwarded-proto", "")
        proto = told if told in ("http", "https") else proto
        host = client.get("x-forwarded-host", host)
        prefix = client.get("x-forwarded-prefix", "").rstrip("/") + prefix
    forwarded = {}
    if peer is not None:
        forwarded["x-forwarded-for"] = str(peer)
    forwarded["x-forwarded-proto"] = proto
    if _HOST.fullmatch(host):
        forwarded["x-forwarded-host"] = host
    if prefix and _URL_PATH.fullmatch(prefix):
        forwarded["x-forwarded-prefix"] = prefix
    return forwarded


def _address(text: str):
    """An address, or ``None``. One of IPv4 that a socket for both calls `::ffff:…` is of IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address, settings: Settings) -> bool:
    return address is not None and any(address in network for network in settings.trusted_proxies)


def _connected() -> str:
    """Who is at the other end. uWSGI's own HTTP says 0.0.0.0 from a connection's second request on,
    but can be asked for the connection."""
    try:
        import uwsgi

        with socket.socket(fileno=os.dup(uwsgi.connection_fd())) as connection:
            name = connection.getpeername()
    except (ImportError, OSError):
        return ""
    # A path, where the connection is no network's.
    return name[0] if isinstance(name, tuple) else ""


def to_client(pairs: List[Tuple[str, str]]) -> List[Tuple[str, str]]:
    """The headers of an answer that go on. One that could end a header early is a ValueError."""
    gone = set(HOP_BY_HOP)
    for name, value in pairs:
        if name.lower() == "connection":
            gone |= listed(value)
    kept = []
    for name, value in pairs:
        if name.lower() in gone:
            continue
        if not _NAME.fullmatch(name.lower()) or _BAD_VALUE.search(value):
            raise ValueError(f"the header {name!r} of the answer is malformed")
        kept.append((name, value))
    return kept
