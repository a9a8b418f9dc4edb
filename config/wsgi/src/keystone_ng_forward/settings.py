"""What can be set, from the environment or from Paste's local configuration."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, fields
from typing import Mapping, Optional, Tuple, Union
from urllib.parse import urlsplit

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

PREFIX = "KEYSTONE_NG_"


@dataclass(frozen=True)
class Node:
    """A node of Keystone-NG."""

    tls: bool
    host: str
    port: int


def _words(text: str) -> Tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)


def _node(url: str) -> Node:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no URL of a node: write http://HOST:PORT")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{url!r} has more than scheme, host and port")
    tls = parts.scheme == "https"
    return Node(tls, parts.hostname, parts.port or (443 if tls else 80))


def _path(path: str) -> str:
    clean = path.rstrip("/")
    if not clean.startswith("/") or any(part in ("", ".", "..") for part in clean[1:].split("/")):
        raise ValueError(f"{path!r} is no path: write /NAME")
    return clean


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise ValueError(f"{text} s is not between 0 and 3600")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise ValueError(f"{text} is not above 0")
    return value


@dataclass(frozen=True)
class Settings:
    """Each field is an option of its name; in the environment ``KEYSTONE_NG_<NAME>``."""

    #: Nodes of Keystone-NG, URLs separated by commas. One that refuses a connection is passed over.
    url: Tuple[Node, ...] = (Node(False, "127.0.0.1", 5001),)
    #: What goes there: these paths and all below them.
    paths: Tuple[str, ...] = (
        "/v4",
        "/passkeys",
        "/.well-known/webauthn",
        "/.well-known/passkey-endpoints",
    )
    #: How long a connection may take, in seconds.
    connect_timeout: float = 2.0
    #: How long Keystone-NG may be silent, in seconds.
    read_timeout: float = 60.0
    #: The longest body of a request, in bytes.
    max_body: int = 1024 * 1024
    #: The longest headers of a request, in bytes.
    max_headers: int = 32 * 1024
    #: How often a request may pass a filter like this one.
    max_hops: int = 1
    #: Proxies before this web server whose X-Forwarded headers count: addresses and networks.
    trusted_proxies: Tuple[Network, ...] = ()
    #: Authorities that sign the certificate of https nodes; without it, those of the system.
    ca_file: Optional[str] = None

    @classmethod
    def from_options(cls, options: Mapping[str, str]) -> "Settings":
        """From names and texts. A wrong one is a ValueError that names it."""
        read = {
            "url": lambda text: tuple(_node(url) for url in _words(text)),
            "paths": lambda text: tuple(_path(path) for path in _words(text)),
            "connect_timeout": _seconds,
            "read_timeout": _seconds,
            "max_body": _count,
            "max_headers": _count,
            "max_hops": _count,
            "trusted_proxies": lambda text: tuple(ipaddress.ip_network(one) for one in _words(text)),
            "ca_file": str,
        }
        values = {}
        for name, text in options.items():
            if name not in read:
                raise ValueError(f"there is no option {name}; there are: {', '.join(read)}")
            try:
                values[name] = read[name](text)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        for name in ("url", "paths"):
            if name in values and not values[name]:
                raise ValueError(f"{name}: names nothing")
        return cls(**values)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """From the variables ``KEYSTONE_NG_…``; others with that beginning are not ours."""
        names = {field.name: PREFIX + field.name.upper() for field in fields(cls)}
        return cls.from_options(
            {name: environ[variable] for name, variable in names.items() if environ.get(variable)}
        )
