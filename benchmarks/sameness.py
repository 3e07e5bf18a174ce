"""Whether all contenders did the same work: the rows that they left, and returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any

import psycopg

from .tasks import Contender, Left, Sample, Task


class RowsDifferError(Exception):
    """Two contenders did not do the same, so that their times cannot be compared."""


def check(urls: Mapping[Contender, str], task: Task, pieces: int) -> None:
    """Compare what the databases hold after so many pieces of work.

    Raises RowsDifferError where two differ, or hold another number of rows than that
    work leaves.
    """
    if task.left is None:
        return
    first, *others = urls
    # Of work that is undone before the next one, the last alone is there.
    expected = task.left.each * (1 if task.reset else pieces)
    if (count := _count(urls[first], task.left)) != expected:
        raise RowsDifferError(f"{first} left {count} rows instead of {expected}")
    left = _rows(urls[first], task.left)
    for other in others:
        other_left = _rows(urls[other], task.left)
        for what, rows in left.items():
            _compare(f"{first} and {other} left in {what}", rows, other_left[what])


def check_results(
    results: Mapping[Contender, object], comparable: Callable[[object], object]
) -> None:
    """Compare what the contenders returned, apart from those that did not return it.

    Raises RowsDifferError where two differ.
    """
    here = {
        contender: comparable(result)
        for contender, result in results.items()
        if not isinstance(result, Sample)
    }
    (first, expected), *others = here.items()
    for other, result in others:
        _compare(f"{first} and {other} returned", [expected], [result])


def _rows(url: str, left: Left) -> dict[str, list[Any]]:
    with psycopg.connect(url) as conn:
        return {what: conn.execute(q).fetchall() for what, q in left.rows.items()}


def _count(url: str, left: Left) -> int:
    with psycopg.connect(url) as conn:
        [(count,)] = conn.execute(left.count).fetchall()
        return int(count)


def _compare(where: str, one: list[Any], other: list[Any]) -> None:
    for mine, theirs in zip_longest(one, other):
        if mine != theirs:
            raise RowsDifferError(f"{where} different rows:\n{mine}\n{theirs}")
