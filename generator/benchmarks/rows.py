"""Measure the three ways to send many rows, on the server of TEST_DATABASE_URL.

python -m postgres_testing.embedded '' python -m generator.benchmarks.rows
"""

import argparse
import importlib
import os
import platform
import random
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from statistics import median
from types import ModuleType

import psycopg
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from generator.tests import sqlc

# A table of the session's own: nothing is left behind.
SCHEMA = """
CREATE TABLE lines (
    id bigint PRIMARY KEY, article text NOT NULL, note text, total numeric NOT NULL
);
"""
INSERT = """
INSERT INTO lines (id, article, note, total) VALUES (@id, @article, @note, @total);
"""
QUERIES = f"""
-- name: unnest :exec
-- @unnest
{INSERT}
-- name: batch :batchexec
{INSERT}
-- name: copy :copyfrom
{INSERT}
"""
WAYS = {"@unnest": "unnest", ":batchexec": "batch", ":copyfrom": "copy"}


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m generator.benchmarks.rows", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=101)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        module = _generated(Path(name))
        taken = _measure(module, options.rows, options.rounds)
    console = Console()
    console.print(
        f"{options.rows} rows, {options.rounds} shuffled rounds; "
        f"Python {platform.python_version()}, psycopg {psycopg.__version__} "
        f"({psycopg.pq.__impl__}), {os.cpu_count()} CPUs, "
        f"load {os.getloadavg()[0]:.1f}",
        highlight=False,
    )
    grid = Table(box=SIMPLE)
    for column in ("", "ms, median", "ms, least", "ratio"):
        grid.add_column(column, justify="right" if column else "left")
    for way, seconds in taken.items():
        grid.add_row(
            way,
            f"{median(seconds) * 1000:.2f}",
            f"{min(seconds) * 1000:.2f}",
            f"{median(seconds) / median(taken['@unnest']):.2f}",
        )
    console.print(grid)
    return 0


def _measure(module: ModuleType, count: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each way's calls; each round has another order.

    Raises:
        RuntimeError: the table does not hold all rows after a call.
    """
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    order = [*WAYS]
    with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as conn:
        conn.execute(SCHEMA.replace("TABLE", "TEMPORARY TABLE").encode())
        # The first round fills caches.
        for _ in range(rounds + 1):
            random.shuffle(order)
            for way in order:
                params = getattr(module, f"{WAYS[way].capitalize()}Params")
                rows = [
                    params(id=n, article=f"article {n}", note=None, total=Decimal(n))
                    for n in range(count)
                ]
                conn.execute("TRUNCATE lines")
                start = time.perf_counter()
                getattr(module, WAYS[way])(conn, rows=rows)
                taken[way].append(time.perf_counter() - start)
                found = conn.execute("SELECT count(*) FROM lines").fetchone()
                if found != (count,):
                    raise RuntimeError(f"{way} left {found}, not {count} rows")
    return {way: seconds[1:] for way, seconds in taken.items()}


def _generated(folder: Path) -> ModuleType:
    sqlc.Project.write(folder, SCHEMA, QUERIES, "{}").generated()
    (folder / "out").rename(folder / "measured_rows")
    sys.path.insert(0, str(folder))
    return importlib.import_module("measured_rows.queries")


if __name__ == "__main__":
    sys.exit(main())
