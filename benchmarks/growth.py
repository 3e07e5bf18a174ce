"""How each query of the store slows down as its tables grow.

    python -m benchmarks.growth [--svg FILE] [ROWS…]

Fills a database for each number of rows (10,000, 100,000 and 1,000,000), calls each
query in a transaction that is rolled back, and draws the times over the rows.
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

Times = dict[str, list[float]]


def main(arguments: list[str]) -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--svg", type=Path, metavar="FILE")
    parser.add_argument("rows", type=int, nargs="*", default=SIZES, metavar="ROWS")
    given = parser.parse_args(arguments)
    with embedded.start() as server:
        times = measured(server.url, given.rows, _progress)
    sys.stdout.write(table(times, given.rows))
    if given.svg:
        caption = (
            f"PostgreSQL {server.version}, embedded, in memory; fastest of {_RUNS}"
        )
        given.svg.write_text(growth_plot.svg(times, given.rows, caption))


def _progress(told: str) -> None:
    sys.stderr.write(f"{told}\n")


def measured(url: str, sizes: list[int], progress: Callable[[str], None]) -> Times:
    """Return each query's time at each size, in milliseconds; URL is a server's."""
    times: Times = {}
    for rows in sizes:
        with databases.database(url) as filled:
            apply_migrations(filled, MIGRATIONS)
            with psycopg.connect(filled, autocommit=True, prepare_threshold=0) as conn:
                growth_data.fill(conn, rows, progress)
                progress(f"{rows:,} rows: queries")
                for name, call in growth_calls.calls(conn, rows):
                    times.setdefault(name, []).append(fastest(conn, call))
    return times


def fastest(
    conn: psycopg.Connection[Any], call: Callable[[psycopg.Connection[Any]], object]
) -> float:
    """Return the least that a call takes, whatever else the machine does meanwhile."""
    samples: list[float] = []
    while len(samples) < _WARM + _RUNS and sum(samples) < 1000 * _ENOUGH_SECONDS:
        with conn.transaction(force_rollback=True):
            started = time.perf_counter()
            call(conn)
            samples.append(1000 * (time.perf_counter() - started))
    return min(samples[_WARM:] or samples)


def table(times: Times, sizes: list[int]) -> str:
    """Return the figures, what grows most at the top."""
    lines = [
        "".join(["query".ljust(40), *(f"{rows:>12,}" for rows in sizes), "  grows"])
    ]
    for name, of in sorted(times.items(), key=lambda one: -one[1][-1] / one[1][0]):
        figures = (f"{one:>9.3f} ms" for one in of)
        lines.append("".join([name.ljust(40), *figures, f"{of[-1] / of[0]:>7.1f}"]))
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main(sys.argv[1:])
