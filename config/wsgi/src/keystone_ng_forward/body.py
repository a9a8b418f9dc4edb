"""The body of a request, piece by piece."""

from __future__ import annotations

from http import HTTPStatus
from typing import Iterator, Optional

from .refusal import Refusal

#: The largest piece that is held, in bytes.
PIECE = 64 * 1024


class Body:
    """What the client sends. ``length`` is ``None`` where it comes in chunks."""

    def __init__(self, environ, limit: int):
        self._environ = environ
        self._limit = limit
        chunked = environ.get("HTTP_TRANSFER_ENCODING", "")
        length = environ.get("CONTENT_LENGTH") or ""
        self.length: Optional[int] = None
        if chunked:
            # Two lengths are one too many: RFC 9112 section 6.1.
            if length or chunked.strip().lower() != "chunked":
                raise Refusal(HTTPStatus.BAD_REQUEST, "The length of the request's body is ambiguous.")
            self._read = _chunks(environ)
            return
        if not (length.isascii() and length.isdigit()) and length:
            raise Refusal(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
        self.length = int(length[:20] or 0)
        if self.length > limit:
            raise _too_large()
        self._read = None

    def pieces(self) -> Iterator[bytes]:
        """All of it. A client that sends less or more than it may is a :class:`Refusal`."""
        if self.length is None:
            yield from self._chunked()
            return
        left = self.length
        while left:
            piece = _received(self._environ["wsgi.input"].read, min(left, PIECE))
            if not piece:
                raise Refusal(HTTPStatus.BAD_REQUEST, "The body of the request ends too early.")
            left -= len(piece)
            yield piece

    def _chunked(self) -> Iterator[bytes]:
        total = 0
        while True:
            piece = _received(self._read, PIECE)
            if not piece:
                return
            total += len(piece)
            if total > self._limit:
                raise _too_large()
            for at in range(0, len(piece), PIECE):
                yield piece[at : at + PIECE]


def _received(read, size: int) -> bytes:
    """What the client sends next; where its connection breaks, the request is over."""
    try:
        return read(size)
    except OSError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body of the request could not be read.") from error


def _chunks(environ):
    """How this web server gives a body that comes in chunks."""
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read
    try:
        import uwsgi
    except ImportError:
        raise Refusal(HTTPStatus.LENGTH_REQUIRED, "Send the length of the body.") from None
    return lambda _size: uwsgi.chunked_read()


def _too_large() -> Refusal:
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body of the request is too large.")
