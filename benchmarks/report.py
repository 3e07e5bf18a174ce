"""The figures as tables to read, as Markdown for the documents, and as JSON to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from .figures import Figure, Verdict, figures
from .measuring import Outcome


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and how the figures were taken.

    `load` is the machine's load average of a minute before and after the run.
    """

    server: str
    writes: str
    rounds: int
    python: str
    cpus: int
    load: tuple[float, float]

    def __str__(self) -> str:
        before, after = self.load
        return (
            f"PostgreSQL {self.server}, {self.writes}; Python {self.python},"
            f" {self.cpus} CPUs, load {before:.1f} before and {after:.1f} after;"
            f" {self.rounds} shuffled rounds"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """All that a run has found.

    `missing` says of contenders that took no part why. Times that are not `judged` are
    those of a run that was too short for that.
    """

    circumstances: Circumstances
    outcomes: Sequence[Outcome]
    verdicts: Sequence[Verdict]
    missing: Mapping[str, str]
    judged: bool = True


def title(outcome: Outcome) -> str:
    """Name what was measured, and how far away the server was."""
    task = outcome.task
    away = f"{1000 * task.delay:g} ms each way" if task.delay else "loopback"
    return f"{task.title}, in ms ({away}, round trip {_ms(outcome.round_trip)} ms)"


def contenders_table(outcome: Outcome) -> Table:
    """Lay out what each contender of a task took, in milliseconds."""
    columns = ("median", "middle 90 %", "CPU, server's too")
    grid = _grid(title(outcome), "contender", *columns)
    for each in figures(outcome):
        spread = f"{_ms(each.low)} - {_ms(each.high)}"
        grid.add_row(str(each.contender), _ms(each.median), spread, _ms(each.cpu))
    return grid


def verdicts_table(report: Report) -> Table:
    """Lay out all rows: what was found beside what was to be reached."""
    columns = ("found", "middle half", "CPU", "limit", "")
    grid = _grid("ours beside theirs, as ratios", "work", *columns)
    for each in report.verdicts:
        work, ours, theirs, found, spread, cpu, limit = _cells(each)
        beside = f"{ours} / {theirs}" if theirs else ours
        style = "green" if each.is_reached else "red"
        judged = f"[{style}]{_judgement(each)}[/]" if report.judged else "not judged"
        grid.add_row(f"{work}\n  {beside}", found, spread, cpu, limit, judged)
    return grid


def markdown(report: Report) -> str:
    """Give the rows as a table of Markdown."""
    lines = [
        "| work | ours | beside | found | middle half | CPU | limit | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in report.verdicts:
        cells = (*_cells(each), _judgement(each) if report.judged else "not judged")
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    lines += ["", f"{report.circumstances}."]
    lines += [f"Without {name}: {why}." for name, why in report.missing.items()]
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> dict[str, Any]:
    """Give all figures, in seconds, with the samples they were made of."""
    return {
        "circumstances": asdict(report.circumstances),
        "missing": dict(report.missing),
        "judged": report.judged,
        "rows": [
            {
                "task": each.row.task.name,
                "ours": str(each.row.ours),
                "theirs": str(each.row.theirs) if each.row.theirs else None,
                "kind": each.row.kind,
                "limit": each.row.limit,
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "cpu": each.cpu,
                "is_reached": each.is_reached,
            }
            for each in report.verdicts
        ],
        "outcomes": [
            {
                "task": outcome.task.name,
                "delay": outcome.task.delay,
                "round_trip": outcome.round_trip,
                "figures": [_figure(outcome, each) for each in figures(outcome)],
            }
            for outcome in report.outcomes
        ],
    }


def _cells(each: Verdict) -> tuple[str, ...]:
    row = each.row
    if row.kind == "seconds":
        spread = f"{_ms(each.low)} - {_ms(each.high)}"
        found, limit = f"{_ms(each.value)} ms", f"at most {_ms(row.limit)} ms"
    else:
        spread = f"{each.low:.2f} - {each.high:.2f}"
        found = f"{each.value:.2f}"
        bound = "at least" if row.kind == "throughput" else "at most"
        limit = f"{bound} {row.limit:.2f}"
    cpu = "" if each.cpu is None else f"{each.cpu:.2f}"
    theirs = str(row.theirs) if row.theirs else ""
    return row.task.title, str(row.ours), theirs, found, spread, cpu, limit


def _judgement(each: Verdict) -> str:
    return "reached" if each.is_reached else f"missed by {100 * each.miss:.0f} %"


def _grid(name: str, first: str, *columns: str) -> Table:
    grid = Table(
        title=name,
        title_justify="left",
        title_style="bold",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    grid.add_column(first, no_wrap=True)
    for column in columns:
        grid.add_column(column, justify="right", no_wrap=True)
    return grid


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g}"


def _figure(outcome: Outcome, figure: Figure) -> dict[str, Any]:
    return {
        "contender": figure.contender.name,
        "face": figure.contender.face,
        "median": figure.median,
        "low": figure.low,
        "high": figure.high,
        "cpu": figure.cpu,
        "rounds": [
            {"server": each.server, "samples": [one._asdict() for one in each.samples]}
            for each in outcome.rounds[figure.contender]
        ],
    }
