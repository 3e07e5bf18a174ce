"""The figures as tables to read and as JSON to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from . import saving
from .figures import Figure, figures
from .measuring import Outcome
from .saving import Saved


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


def title(outcome: Outcome) -> str:
    """Name what was measured, and how far away the server was."""
    away = f"{1000 * outcome.delay:g} ms each way" if outcome.delay else "loopback"
    round_trip = f"round trip {1000 * outcome.round_trip:.2f} ms"
    return f"{outcome.task.name}, in ms ({away}, {round_trip})"


def table(outcome: Outcome) -> Table:
    """Lay out an outcome: milliseconds, and ratios to baselines, paired by round."""
    grid = Table(
        title=title(outcome),
        title_justify="left",
        title_style="bold",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    grid.add_column("contender", no_wrap=True)
    for column in ("median", "middle\n90 %", "own CPU"):
        grid.add_column(column, justify="right", no_wrap=True)
    for baseline in outcome.task.baselines:
        how = baseline.removeprefix("psycopg").lstrip(", ")
        grid.add_column(f"ratio to\n{how}", justify="right", no_wrap=True)
    for figure in figures(outcome):
        grid.add_row(
            str(figure.contender),
            _ms(figure.median),
            f"{_ms(figure.low)}-{_ms(figure.high)}",
            _ms(figure.busy),
            *(f"{ratio.paired:.2f}" for ratio in figure.ratios),
        )
    return grid


def saving_table(results: Sequence[Saved]) -> Table:
    """Lay out the saves of an unchanged chat; the ratio is paired by round."""
    grid = Table(
        title="save of an unchanged chat, 100 messages of 0.6 MB, in ms",
        title_justify="left",
        title_style="bold",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    grid.add_column("contender", no_wrap=True)
    for column in ("median", "ratio to\none statement", "holds the loop"):
        grid.add_column(column, justify="right", no_wrap=True)
    for each in results:
        gap = "" if each.gap is None else _ms(each.gap)
        ratio = f"{each.ratio(_by_hand(results, each)):.2f}"
        grid.add_row(str(each.contender), _ms(each.median), ratio, gap)
    return grid


def verdicts(results: Sequence[Saved]) -> list[str]:
    """Say of each face of the store whether its medians keep the limits."""
    lines: list[str] = []
    for each in results:
        if each.contender.name != saving.STORE:
            continue
        ratio = each.ratio(_by_hand(results, each))
        verdict = "held" if ratio <= saving.MAX_RATIO else "missed"
        lines.append(
            f"{each.contender}: {ratio:.2f} times one statement,"
            f" at most {saving.MAX_RATIO}: {verdict}"
        )
        if each.gap is not None:
            verdict = "held" if each.gap <= saving.MAX_GAP else "missed"
            lines.append(
                f"{each.contender}: holds the event loop {_ms(each.gap)} ms,"
                f" at most {_ms(saving.MAX_GAP)}: {verdict}"
            )
    return lines


def _by_hand(results: Sequence[Saved], saved: Saved) -> Saved:
    return next(
        each
        for each in results
        if each.contender.name == saving.BY_HAND
        and each.contender.face == saved.contender.face
    )


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g}"


def as_json(
    circumstances: Circumstances, outcomes: Sequence[Outcome], saves: Sequence[Saved]
) -> dict[str, Any]:
    """Give all figures, in seconds, with the samples they were made of."""
    return {
        "circumstances": asdict(circumstances),
        "outcomes": [
            {
                "task": outcome.task.name,
                "delay": outcome.delay,
                "round_trip": outcome.round_trip,
                "figures": [_figure(outcome, each) for each in figures(outcome)],
            }
            for outcome in outcomes
        ],
        "saves": [
            {
                "contender": each.contender.name,
                "face": each.contender.face,
                "median": each.median,
                "ratio": each.ratio(_by_hand(saves, each)),
                "gap": each.gap,
                "samples": each.elapsed,
                "gaps": each.gaps,
            }
            for each in saves
        ],
    }


def _figure(outcome: Outcome, figure: Figure) -> dict[str, Any]:
    rounds = outcome.samples[figure.contender]
    return {
        "contender": figure.contender.name,
        "face": figure.contender.face,
        "median": figure.median,
        "low": figure.low,
        "high": figure.high,
        "busy": figure.busy,
        "ratios": [asdict(ratio) for ratio in figure.ratios],
        "samples": [[each._asdict() for each in done] for done in rounds],
    }
