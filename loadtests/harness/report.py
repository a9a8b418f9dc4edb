"""The figures, as they come and as Markdown at the end."""

import dataclasses
import pathlib
from collections.abc import Collection

from .wrk import Summary


@dataclasses.dataclass
class Line:
    """A row's figures of one server."""

    row: str
    what: str
    server: str
    summary: Summary
    # The rate that the machine allows, and that of Python Keystone.
    ceiling: float | None = None
    python: float | None = None
    note: str = ""

    @property
    def notes(self) -> str:
        failed = f"{self.summary.failed} failed" if self.summary.failed else ""
        return "; ".join(filter(None, (self.note, failed)))

    def cells(self) -> list[str]:
        one = self.summary
        timed = one.p50 > 0
        return [
            self.what + ("*" if one.disturbed else ""),
            self.server,
            number(one.rate),
            f"{number(one.least)}..{number(one.greatest)}",
            number(one.p50) if timed else "",
            number(one.p99) if timed else "",
            f"{100 * one.rate / self.ceiling:.0f}%" if self.ceiling else "",
            f"{number(one.rate / self.python)}×" if self.python else "",
            self.notes,
        ]


@dataclasses.dataclass(frozen=True)
class Fact:
    """A figure that no load has to do with: a time, an amount of memory."""

    row: str
    what: str
    server: str
    value: float
    unit: str
    note: str = ""
    disturbed: bool = False

    def cells(self) -> list[str]:
        return [
            self.what + ("*" if self.disturbed else ""),
            self.server,
            f"{number(self.value)} {self.unit}",
            self.note,
        ]


LINE_TITLES = ["row", "server", "req/s", "least..greatest", "p50 ms", "p99 ms", "of ceiling", "vs Python", "note"]
LINE_WIDTHS = [40, 16, 8, 16, 8, 8, 10, 9, 0]
FACT_TITLES = ["row", "server", "value", "note"]
FACT_WIDTHS = [40, 16, 10, 0]
FIGURES = {"req/s", "least..greatest", "p50 ms", "p99 ms", "of ceiling", "vs Python", "value"}


def number(value: float) -> str:
    """Three digits that mean something."""
    if value >= 10_000:
        return f"{round(value, -2):.0f}"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


class Report:
    def __init__(self):
        self.lines: list[Line] = []
        self.facts: list[Fact] = []
        self._last = None

    def _print(self, titles: list[str], widths: list[int], cells: list[str]) -> None:
        if self._last is not titles:
            print(self._fitted(titles, widths), flush=True)
            self._last = titles
        print(self._fitted(cells, widths), flush=True)

    @staticmethod
    def _fitted(cells: list[str], widths: list[int]) -> str:
        # Names to the left, figures to the right.
        fitted = [
            cell if not width else cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths))
        ]
        return " ".join(fitted).rstrip()

    def add_line(self, line: Line) -> None:
        self.lines.append(line)
        self._print(LINE_TITLES, LINE_WIDTHS, line.cells())

    def add_fact(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._print(FACT_TITLES, FACT_WIDTHS, fact.cells())

    def find(self, row: str, server: str) -> Summary | None:
        return next((line.summary for line in self.lines if (line.row, line.server) == (row, server)), None)

    @property
    def failed(self) -> int:
        return sum(line.summary.failed for line in self.lines)

    @property
    def disturbed(self) -> bool:
        return any(line.summary.disturbed for line in self.lines) or any(fact.disturbed for fact in self.facts)

    def markdown(self, facts: list[tuple[str, str]], method: str) -> str:
        parts = [method, table(["", ""], [[name, value] for name, value in facts])]
        if self.lines:
            parts.append(table(LINE_TITLES, [line.cells() for line in self.lines]))
        if self.facts:
            parts.append(table(FACT_TITLES, [fact.cells() for fact in self.facts]))
        if self.disturbed:
            parts.append("\\* Something else used the machine while this was measured.")
        return "\n\n".join(parts) + "\n"

    def write(self, file: pathlib.Path, facts: list[tuple[str, str]], method: str) -> None:
        file.write_text(self.markdown(facts, method))


def table(titles: list[str], rows: list[list[str]], right: Collection[str] = FIGURES) -> str:
    """A table in Markdown; `right` are the titles of the columns of figures."""
    rule = ["---:" if title in right else "---" for title in titles]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in cells) + " |"
        for cells in [titles, rule, *rows]
    )
