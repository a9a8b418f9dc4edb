"""Whether two servers say the same: if they don't, their figures compare nothing."""

import json

from . import Failure
from .client import Answer, Client, validate
from .data import Data


def _normal(value, key: str = ""):
    """Lists without order, as far as the API gives them none."""
    if isinstance(value, dict):
        return {name: _normal(one, name) for name, one in value.items()}
    if isinstance(value, list) and key != "audit_ids":
        return sorted((_normal(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def _essence(answer: Answer, without: tuple[str, ...] = ()) -> dict:
    token = _normal(answer.json()["token"])
    return {name: value for name, value in token.items() if name not in without}


def _same(what: str, ours: dict, theirs: dict) -> None:
    for name in ours.keys() | theirs.keys():
        if ours.get(name) != theirs.get(name):
            raise Failure(f"{what}: {name} is {ours.get(name)!r}, with Python Keystone {theirs.get(name)!r}")


def agree(ours: Client, theirs: Client, data: Data) -> None:
    """Fails where the servers don't give the same answers: then figures compare nothing."""
    for subject in data.subjects:
        answers = [one.send(validate(data.admin, subject)) for one in (ours, theirs)]
        if [one.status for one in answers] != [200, 200]:
            raise Failure(
                f"validation: {answers[0].status}, with Python Keystone {answers[1].status}: {answers[0].body!r}"
            )
        _same("validation", *map(_essence, answers))
    for what, request, moving in (
        ("rescoping", data.rescoping, ("audit_ids", "issued_at")),
        ("a login", data.login, ("audit_ids", "issued_at", "expires_at")),
    ):
        answers = [one.send(request) for one in (ours, theirs)]
        if [one.status for one in answers] != [201, 201]:
            raise Failure(f"{what}: {answers[0].status}, with Python Keystone {answers[1].status}: {answers[0].body!r}")
        _same(what, *(_essence(one, moving) for one in answers))
        for issuer, answer in zip(("ours", "Python Keystone's"), answers):
            subject = answer.header("X-Subject-Token")
            validated = [one.send(validate(data.admin, subject)) for one in (ours, theirs)]
            if [one.status for one in validated] != [200, 200]:
                raise Failure(f"{what}: a token of {issuer} is not accepted by both")
            _same(f"{what}, a token of {issuer}", *map(_essence, validated))
