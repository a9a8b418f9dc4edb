"""A server in the place of Keystone-NG that answers as a test wants, and keeps what it was sent."""

import io
import socket
import threading

from keystone_ng_forward import Forward, Settings

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Node:
    """Listens on a port of its own; ``answer=None`` takes a connection and says nothing."""

    def __init__(self, answer=OK, reads_body=True):
        self._answer = answer
        self._reads_body = reads_body
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self._listener.getsockname()[1]
        self.requests = []
        self._silent = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Wakes the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for one in self._silent:
            one.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client.makefile("rb") as stream:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = stream.readline()
                    if not line:
                        break
                    head += line
                body = self._body(head, stream) if self._reads_body else b""
            self.requests.append((head.decode("latin-1"), body))
            if self._answer is None:
                self._silent.append(client)
                continue
            try:
                client.sendall(self._answer)
            except OSError:
                pass
            client.close()

    @staticmethod
    def _body(head, stream):
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lower:
            whole = b""
            while True:
                size = int(stream.readline() or b"0", 16)
                piece = stream.read(size + 2)[:-2]
                if not size:
                    return whole
                whole += piece
        for line in lower.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return stream.read(int(line.split(b":")[1]))
        return b""

    def head(self):
        """The lines of the only request, in lower case, but for the first."""
        ((head, _),) = self.requests
        first, *lines = head.rstrip().split("\r\n")
        return [first] + [line.lower() for line in lines]


class Python:
    """The application behind the filter; it says where a request came to."""

    def __init__(self):
        self.asked = 0

    def __call__(self, environ, start_response):
        self.asked += 1
        start_response("200 OK", [("Content-Length", "6")])
        return [b"python"]


class Answer:
    def __init__(self, status, headers, body):
        self.status = int(status.split()[0])
        self.headers = headers
        self.body = body

    def header(self, name):
        return [value for found, value in self.headers if found.lower() == name.lower()]


def ask(node, path="/v4", method="GET", body=b"", app=None, options=None, **environ):
    """What the filter answers before this node."""
    settings = Settings.from_options(dict({"url": node if isinstance(node, str) else node.url}, **(options or {})))
    whole = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "5000",
        "REMOTE_ADDR": "192.0.2.9",
        "HTTP_HOST": "identity.example",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
    }
    if body:
        whole["CONTENT_LENGTH"] = str(len(body))
    whole.update(environ)
    said = []
    parts = Forward(app or Python(), settings)(whole, lambda *args: said.append(args))
    try:
        content = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    ((status, headers),) = said
    return Answer(status, headers, content)
