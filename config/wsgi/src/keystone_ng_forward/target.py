"""Which requests are Keystone-NG's, and by which path it is asked."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Tuple
from urllib.parse import quote

from .refusal import Refusal

#: What may stand in a path as it is (RFC 3986 section 3.3); the rest is encoded.
_PATH_SAFE = "/-._~!$&'()*+,;=:@"
_QUERY = re.compile(r"[!-~]*")
#: A slash or a backslash that was hidden from whoever split the path.
_HIDDEN = re.compile(r"%(2f|5c)", re.IGNORECASE)


def is_ours(path: str, paths: Tuple[str, ...]) -> bool:
    """Whether a decoded path is one of these or below."""
    return any(path == ours or path.startswith(ours + "/") for ours in paths)


def target(environ) -> str:
    """Path and query for Keystone-NG.

    The path is made of PATH_INFO, by which it was decided where the request goes, and not of what
    the client wrote: so both mean the same. Where they could not, the request is refused.
    """
    path = environ.get("PATH_INFO", "")
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    segments = path.split("/")[1:]
    # The last may be empty: a slash at the end.
    empty = "" in segments[:-1]
    dots = any(segment in (".", "..") for segment in segments)
    control = any(ord(char) < 0x20 or ord(char) == 0x7F for char in path)
    if empty or dots or control or "\\" in path or _HIDDEN.search(raw.split("?", 1)[0]):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The path of the request is ambiguous.")
    query = environ.get("QUERY_STRING", "")
    if not _QUERY.fullmatch(query):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The query of the request has characters that have to be encoded.")
    # WSGI gives bytes as Latin-1 (PEP 3333).
    encoded = quote(path.encode("latin-1"), safe=_PATH_SAFE)
    return f"{encoded}?{query}" if query else encoded
