"""What `loadtests/compare`, `loadtests/scale`, `loadtests/timing` and `loadtests/profile` are made of. Python's standard library only."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "loadtests"


class Failure(Exception):
    """Something that ends the run; its text says what to do about it."""


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)
