"""The filter: asks Keystone-NG, and streams its answer."""

from __future__ import annotations

import http.client
import itertools
import logging
import socket
import ssl
from http import HTTPStatus
from typing import Optional

from .body import PIECE, Body
from .headers import to_client, to_node
from .refusal import Refusal
from .settings import Node, Settings
from .target import is_ours, target

LOG = logging.getLogger(__name__)
#: Both are one from Python 3.10 on.
_TIMED_OUT = (TimeoutError, socket.timeout)


class Forward:
    """A WSGI application that gives some paths to Keystone-NG and the rest to ``app``.

    Each request has a connection of its own. One that is kept may be closed by the other side just
    when a login is written to it, and a login must not be sent twice; on a local network a new one
    costs a fraction of what the answer does. So threads and greenlets share nothing here either.
    """

    def __init__(self, app, settings: Optional[Settings] = None):
        self._app = app
        self._settings = settings or Settings.from_environment()
        self._turn = itertools.count()
        # Made here, so that a file that can't be read is seen when the server starts.
        secure = any(node.tls for node in self._settings.url)
        self._tls = ssl.create_default_context(cafile=self._settings.ca_file) if secure else None

    def __call__(self, environ, start_response):
        if not is_ours(environ.get("PATH_INFO", ""), self._settings.paths):
            return self._app(environ, start_response)
        try:
            return self._forward(environ, start_response)
        except Refusal as refusal:
            return refusal.answer(start_response)

    def _forward(self, environ, start_response):
        path = target(environ)
        headers = to_node(environ, self._settings)
        body = Body(environ, self._settings.max_body)
        connection = self._connect()
        try:
            return _ask(connection, environ["REQUEST_METHOD"], path, headers, body, start_response)
        except Refusal:
            connection.close()
            raise
        except _TIMED_OUT as error:
            connection.close()
            LOG.error("Keystone-NG at %s:%s did not answer in time", connection.host, connection.port)
            raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, "Keystone-NG did not answer in time.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            LOG.error("Keystone-NG at %s:%s failed: %s", connection.host, connection.port, error)
            raise Refusal(HTTPStatus.BAD_GATEWAY, "Keystone-NG did not answer as it should.") from error
        except BaseException:
            connection.close()
            raise

    def _connect(self) -> http.client.HTTPConnection:
        """To the node whose turn it is, or the next that takes a connection: nothing was sent yet."""
        nodes = self._settings.url
        first = next(self._turn)
        timed_out = False
        for step in range(len(nodes)):
            node = nodes[(first + step) % len(nodes)]
            connection = self._connection(node)
            try:
                connection.connect()
            except OSError as error:
                connection.close()
                timed_out = timed_out or isinstance(error, _TIMED_OUT)
                LOG.error("no connection to Keystone-NG at %s:%s: %s", node.host, node.port, error)
                continue
            connection.sock.settimeout(self._settings.read_timeout)
            return connection
        if timed_out:
            raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, "Keystone-NG could not be reached in time.")
        raise Refusal(HTTPStatus.BAD_GATEWAY, "Keystone-NG could not be reached.")

    def _connection(self, node: Node) -> http.client.HTTPConnection:
        timeout = self._settings.connect_timeout
        if node.tls:
            return http.client.HTTPSConnection(node.host, node.port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(node.host, node.port, timeout=timeout)


def _ask(connection, method, path, headers, body: Body, start_response):
    connection.putrequest(method, path, skip_host="host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    # A request without a body says nothing of a length, as the client's did not.
    chunked = body.length is None
    if chunked:
        connection.putheader("transfer-encoding", "chunked")
    elif body.length or method in ("POST", "PUT", "PATCH"):
        connection.putheader("content-length", str(body.length))
    connection.putheader("connection", "close")
    connection.endheaders()
    try:
        for piece in body.pieces():
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            connection.send(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        # It has answered before it had all of the body (413, say): the answer counts.
        LOG.info("Keystone-NG took only a part of a body")
    response = connection.getresponse()
    if response.status < 200:
        raise ValueError(f"status {response.status}")
    answer = to_client(response.getheaders())
    reason = "".join(char for char in response.reason if " " <= char <= "~")
    start_response(f"{response.status} {reason}", answer)
    return _Answer(connection, response)


class _Answer:
    """The body of an answer. A class, for the server has to be able to close it before its first
    piece, which a generator does not notice."""

    def __init__(self, connection, response):
        self._connection = connection
        self._response = response
        # `None` where it comes in chunks, or ends with the connection.
        self._left = response.length

    def __iter__(self):
        return self

    def __next__(self) -> bytes:
        if self._left == 0:
            self.close()
            raise StopIteration
        try:
            piece = self._response.read1(PIECE if self._left is None else min(PIECE, self._left))
            if not piece and self._left:
                raise http.client.IncompleteRead(b"", self._left)
        except (OSError, http.client.HTTPException) as error:
            # Too late for another status: the server closes the connection, and the client sees
            # by the length or the missing last chunk that something is missing.
            self.close()
            LOG.error("the answer of Keystone-NG broke off: %s", error)
            raise
        if not piece:
            self.close()
            raise StopIteration
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def close(self):
        """Ends the connection to Keystone-NG."""
        self._response.close()
        self._connection.close()
