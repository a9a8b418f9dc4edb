"""Answers of the filter's own, in the form of Keystone's errors."""

from __future__ import annotations

import json
from http import HTTPStatus


class Refusal(Exception):
    """Ends a request with this status; the message is for the client."""

    def __init__(self, status: HTTPStatus, message: str):
        super().__init__(message)
        self.status = status
        self.message = message

    def answer(self, start_response):
        """As a WSGI answer."""
        status = self.status
        error = {"code": int(status), "title": status.phrase, "message": self.message}
        body = json.dumps({"error": error}).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Vary", "X-Auth-Token"),
        ]
        start_response(f"{int(status)} {status.phrase}", headers)
        return [body]
