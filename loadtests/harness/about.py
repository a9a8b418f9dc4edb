"""What to state beside any figure: of what, on what, with what."""

import subprocess
import time

from . import ROOT, machine
from .process import run
from .servers import PYTHON_THREADS, WORKERS
from .stage import Stage


def about(stage: Stage) -> list[tuple[str, str]]:
    """The machine and the programs."""
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    told = machine.describe()
    told.append(("measured", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())))
    told.append(
        ("Keystone-NG", f"commit {commit or 'unknown'}, {run(['rustc', '--version']).strip()}, {WORKERS} workers")
    )
    if stage.python:
        told.append(
            (
                "Python Keystone",
                f"{stage.python.version}, uWSGI, {WORKERS} processes of {PYTHON_THREADS} threads, memcached",
            )
        )
    told.append(("database", f"{stage.database.name} {stage.database.version()}".strip()))
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout.split()
    told.append(("load generator", " ".join(wrk[:2])))
    return told
