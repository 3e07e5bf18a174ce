"""How each query of the store slows down as its tables grow.

    python -m benchmarks.growth [--svg FILE] [ROWS…]

Fills a database for each number of rows (10,000, 100,000 and 1,000,000), and calls
each query in a transaction that is rolled back. Prints the times, and how many pages of
tables and indexes were touched, which tells it whatever else the machine does; draws
the pages over the rows.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from postgres_testing import databases, embedded
from postgres_testing.schemas import apply_migrations

from . import growth_calls, growth_data, growth_plot

SIZES = [10_000, 100_000, 1_000_000]
MIGRATIONS = Path("db/migrations")

# Five are planned for the very arguments, then the server takes the plan for any.
_WARM = 6
_RUNS = 9
_ENOUGH_SECONDS = 5
_TOUCHED = """
SELECT
    sum(
        heap_blks_hit + heap_blks_read
        + coalesce(idx_blks_hit, 0) + coalesce(idx_blks_read, 0)
        + coalesce(toast_blks_hit, 0) + coalesce(toast_blks_read, 0)
        + coalesce(tidx_blks_hit, 0) + coalesce(tidx_blks_read, 0)
    )::bigint
FROM pg_statio_user_tables
"""

Call = Callable[[psycopg.Connection[Any]], object]
Figures = dict[str, list[float]]


def main(arguments: list[str]) -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--svg", type=Path, metavar="FILE")
    parser.add_argument("rows", type=int, nargs="*", default=SIZES, metavar="ROWS")
    given = parser.parse_args(arguments)
    with embedded.start() as server:
        times, pages = measured(server.url, given.rows, _progress)
    sys.stdout.write(table(times, given.rows, "ms"))
    sys.stdout.write(table(pages, given.rows, "pages"))
    if given.svg:
        caption = (
            f"PostgreSQL {server.version}, embedded; pages of 8 kB, least of {_RUNS}"
        )
        given.svg.write_text(growth_plot.svg(pages, given.rows, caption))


def _progress(told: str) -> None:
    sys.stderr.write(f"{told}\n")


def measured(
    url: str, sizes: list[int], progress: Callable[[str], None]
) -> tuple[Figures, Figures]:
    """Return each query's milliseconds, and its pages, at each size of a database."""
    times: Figures = {}
    pages: Figures = {}
    for rows in sizes:
        with databases.database(url) as filled:
            apply_migrations(filled, MIGRATIONS)
            with psycopg.connect(filled, autocommit=True, prepare_threshold=0) as conn:
                growth_data.fill(conn, rows, progress)
                progress(f"{rows:,} rows: queries")
                for name, call in growth_calls.calls(conn, rows):
                    took, touched = least(conn, call)
                    times.setdefault(name, []).append(took)
                    pages.setdefault(name, []).append(touched)
    return times, pages


def least(conn: psycopg.Connection[Any], call: Call) -> tuple[float, int]:
    """Return the least that a call takes, in milliseconds and in pages."""
    samples: list[float] = []
    touched: list[int] = []
    while len(samples) < _WARM + _RUNS and sum(samples) < 1000 * _ENOUGH_SECONDS:
        before = _touched(conn)
        with conn.transaction(force_rollback=True):
            started = time.perf_counter()
            call(conn)
            samples.append(1000 * (time.perf_counter() - started))
        touched.append(_touched(conn) - before)
    return min(samples[_WARM:] or samples), min(touched[_WARM:] or touched)


def _touched(conn: psycopg.Connection[Any]) -> int:
    """Count the pages that were touched up to now: shown once a statement has ended."""
    conn.execute("SELECT pg_stat_force_next_flush()")
    [[pages]] = conn.execute(_TOUCHED).fetchall()
    return int(pages)


def table(figures: Figures, sizes: list[int], unit: str) -> str:
    """Return the figures, what grows most at the top."""
    head = [f"query, in {unit}".ljust(40), *(f"{rows:>12,}" for rows in sizes)]
    lines = ["".join([*head, "  grows"])]
    for name, of in sorted(figures.items(), key=lambda one: -_growth(one[1])):
        shown = (f"{one:>12,.3f}" if unit == "ms" else f"{one:>12,}" for one in of)
        lines.append("".join([name.ljust(40), *shown, f"{_growth(of):>7.1f}"]))
    return "\n".join([*lines, ""])


def _growth(of: list[float]) -> float:
    return of[-1] / max(of[0], 0.001)


if __name__ == "__main__":
    main(sys.argv[1:])
