"""From samples to the few numbers that are told of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from statistics import median, quantiles

from .measuring import Outcome, Round
from .tasks import Contender, Row


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contender took for a piece of work, in seconds.

    The median, and the middle 90 %. `cpu` is the time on CPUs, the server's included,
    as the median of the rounds' means.
    """

    contender: Contender
    median: float
    low: float
    high: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a row.

    `value` is the median of the ratios of each round's medians, in which slow drifts of
    the machine cancel out; `low` and `high` hold the middle half of them. Of a row
    without a peer they are seconds. `cpu` is the ratio of the times on CPUs.
    """

    row: Row
    ours: Figure
    theirs: Figure | None
    value: float
    low: float
    high: float
    cpu: float | None

    @property
    def is_reached(self) -> bool:
        """Whether the limit is kept."""
        if self.row.kind == "throughput":
            return self.value >= self.row.limit
        return self.value <= self.row.limit

    @property
    def miss(self) -> float:
        """By how much of the limit it is missed; below 0 it is reached."""
        if self.row.kind == "throughput":
            return 1 - self.value / self.row.limit
        return self.value / self.row.limit - 1


def figures(outcome: Outcome) -> list[Figure]:
    """Sum up each contender, in the order of the task."""
    return [_figure(outcome, contender) for contender in outcome.rounds]


def verdict(row: Row, outcome: Outcome) -> Verdict:
    """Hold a row against what was measured of its task."""
    ours = [_median(each) for each in outcome.rounds[row.ours]]
    if row.theirs is None:
        values, cpu, theirs = ours, None, None
    else:
        others = [_median(each) for each in outcome.rounds[row.theirs]]
        pairs = list(zip(ours, others, strict=True))
        if row.kind == "throughput":
            values = [other / own for own, other in pairs]
        else:
            values = [own / other for own, other in pairs]
        cpu = median(
            _cpu(own) / _cpu(other)
            for own, other in zip(
                outcome.rounds[row.ours], outcome.rounds[row.theirs], strict=True
            )
        )
        theirs = _figure(outcome, row.theirs)
    low, _, high = _quantiles(values, 4)
    figure = _figure(outcome, row.ours)
    return Verdict(row, figure, theirs, median(values), low, high, cpu)


def _figure(outcome: Outcome, contender: Contender) -> Figure:
    rounds = outcome.rounds[contender]
    samples = chain.from_iterable(each.samples for each in rounds)
    elapsed = [sample.elapsed for sample in samples]
    low, *_, high = _quantiles(elapsed, 20)
    return Figure(contender, median(elapsed), low, high, median(map(_cpu, rounds)))


def _cpu(done: Round) -> float:
    busy = sum(sample.busy for sample in done.samples)
    return (busy + done.server) / len(done.samples)


def _median(done: Round) -> float:
    return median(sample.elapsed for sample in done.samples)


def _quantiles(values: Iterable[float], parts: int) -> list[float]:
    values = list(values)
    if len(values) == 1:
        return values * (parts - 1)
    return quantiles(values, n=parts, method="inclusive")
