"""The data of a run: many rows to send at once, by functions generated for them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

from generator.benchmarks import rows
from generator.tests import sqlc

from .tasks import Left


def left(count: int) -> Left:
    """Tell what sending so many rows leaves."""
    return Left(
        {"lines": "SELECT * FROM lines ORDER BY id"},
        count="SELECT count(*) FROM lines",
        each=count,
    )


def filled(lines: int) -> Callable[[str, int], Sequence[Any]]:
    """Have so many rows to send; they are the same ones at each call."""

    def fill(url: str, count: int) -> Sequence[Any]:
        with psycopg.connect(url) as conn:
            conn.execute(rows.SCHEMA.encode())
        params = generated().CopyParams
        made = [
            params(id=n, article=f"article {n}", note=None, total=Decimal(n) / 4)
            for n in range(lines)
        ]
        return [made] * count

    return fill


@cache
def generated() -> ModuleType:
    """Have sqlc and the plugin generate the functions, once a process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sqlc.Project.write(folder, rows.SCHEMA, rows.QUERIES, "{}").generated()
        (folder / "out").rename(folder / "measured_lines")
        sys.path.insert(0, name)
        try:
            return import_module("measured_lines.queries")
        finally:
            sys.path.remove(name)
