"""From samples to the few numbers that are told of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from statistics import median, quantiles

from .contender import Contender
from .measuring import Outcome, Sample


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much longer a contender takes than a baseline of its own face.

    Of the medians of all samples, and the median of the ratios of each round's medians,
    in which slow drifts of the machine cancel out.
    """

    baseline: str
    of_medians: float
    paired: float


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contender took, in seconds: the median, and the middle 90 %.

    `busy` is the median of the time that this process was on a CPU for it.
    """

    contender: Contender
    median: float
    low: float
    high: float
    busy: float
    ratios: tuple[Ratio, ...]


def figures(outcome: Outcome) -> list[Figure]:
    """Sum up each contender, in the order of the task."""
    return [_figure(outcome, contender) for contender in outcome.samples]


def _figure(outcome: Outcome, contender: Contender) -> Figure:
    samples = list(chain.from_iterable(outcome.samples[contender]))
    elapsed = [sample.elapsed for sample in samples]
    low, *_, high = quantiles(elapsed, n=20)
    ratios = (
        _ratio(outcome, contender, baseline)
        for baseline in outcome.task.contenders
        if baseline.name in outcome.task.baselines and baseline.face == contender.face
    )
    busy = median(sample.busy for sample in samples)
    return Figure(contender, median(elapsed), low, high, busy, tuple(ratios))


def _ratio(outcome: Outcome, contender: Contender, baseline: Contender) -> Ratio:
    ours, theirs = outcome.samples[contender], outcome.samples[baseline]
    return Ratio(
        baseline.name,
        _median(chain.from_iterable(ours)) / _median(chain.from_iterable(theirs)),
        median(_median(a) / _median(b) for a, b in zip(ours, theirs, strict=True)),
    )


def _median(samples: Iterable[Sample]) -> float:
    return median(sample.elapsed for sample in samples)
