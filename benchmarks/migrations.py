"""Measure `store migrate up` beside dbmate alone, and `store migrate verify`.

Files and server are made for it. The time on CPUs, which has the server's in it, hardly
depends on what else the machine has to do; the time by the clock does.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import secrets
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from postgres_testing import databases, embedded

from . import migration_files

UP_SECONDS, VERIFY_SECONDS = 3.0, 30.0
"""Limits, by the clock of an idle machine with two cores."""

_STORE = [sys.executable, "-m", "store", "migrate"]
_DBMATE = [str(Path(sysconfig.get_path("scripts"), "dbmate")), "--no-dump-schema"]


@dataclass(slots=True)
class Contender:
    """A command, and what its runs took, in seconds: by the clock, and on CPUs."""

    name: str
    command: list[str]
    limit: float | None = None
    elapsed: list[float] = field(default_factory=list[float])
    busy: list[float] = field(default_factory=list[float])

    def run(self, server: embedded.Server) -> None:
        """Run it on a database that is not there yet.

        Raises:
            RuntimeError: it failed; the message is what it said.
        """
        url = databases.url_of(server.url, f"bench_{secrets.token_hex(4)}")
        ours = {"DATABASE_URL": url, "SCRATCH_DATABASE_URL": server.url}
        with psycopg.connect(server.url) as conn:
            before = _busy(conn)
            start = time.perf_counter()
            done = subprocess.run(
                self.command,
                env={**os.environ, **ours},
                capture_output=True,
                text=True,
                check=False,
            )
            self.elapsed.append(time.perf_counter() - start)
            # The server counts the time of a session once that has ended.
            time.sleep(0.5)
            self.busy.append(_busy(conn) - before)
        if done.returncode:
            raise RuntimeError(f"{self.name}: {done.stdout[-500:]}{done.stderr}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print what was found."""
    options = _options(arguments)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, embedded.start() as server:
        contenders = _contenders(Path(name), options)
        for _ in range(options.rounds):
            for contender in random.sample(contenders, len(contenders)):
                contender.run(server)
    console = Console(width=100)
    console.print(
        f"{options.rounds} shuffled rounds; PostgreSQL {server.version} without fsync, "
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, "
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after",
        highlight=False,
    )
    console.print(_table(contenders))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.migrations", description=__doc__
    )
    parser.add_argument("--up", type=int, default=500, help="files to apply")
    parser.add_argument("--verify", type=int, default=60, help="files to verify")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args(arguments)


def _contenders(folder: Path, options: argparse.Namespace) -> list[Contender]:
    contenders: list[Contender] = []
    for concurrent in (0, 3):
        files = folder / f"up_{concurrent}"
        outside = migration_files.write(files, options.up, concurrent=concurrent)
        which = f"{options.up} files"
        which += f", {outside} with CONCURRENTLY" if outside else ""
        limit = None if outside else UP_SECONDS
        ours = [*_STORE, "--directory", str(files), "up"]
        alone = [*_DBMATE, f"--migrations-dir={files}", "up"]
        contenders += [
            Contender(f"store migrate up, {which}", ours, limit),
            Contender(f"dbmate alone, {which}", alone),
        ]
    files = folder / "verify"
    migration_files.write(files, options.verify)
    # That they are pending in the new database would be a finding.
    script = '"$@" up && exec "$@" verify'
    ours = [*_STORE, "--directory", str(files)]
    contenders.append(
        Contender(
            f"store migrate verify, {options.verify} files",
            ["sh", "-c", script, "sh", *ours],
            VERIFY_SECONDS,
        )
    )
    return contenders


def _busy(conn: psycopg.Connection) -> float:
    """Give the seconds on CPUs of our children and, on Linux, the server that ended."""
    children = os.times()
    total = children.children_user + children.children_system
    row = conn.execute("SHOW data_directory").fetchone()
    process = Path(row[0] if row else "", "postmaster.pid").read_text().split()[0]
    stat = Path("/proc", process, "stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        # utime, stime, cutime, cstime: fields 14 to 17, of which 1 and 2 are cut off.
        total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


def _table(contenders: list[Contender]) -> Table:
    grid = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    grid.add_column("seconds, as median", no_wrap=True)
    for column in ("by the clock", "on CPUs", "limit"):
        grid.add_column(column, justify="right", no_wrap=True)
    for one in contenders:
        limit = f"{one.limit:.0f}" if one.limit else ""
        grid.add_row(
            one.name, f"{median(one.elapsed):.1f}", f"{median(one.busy):.1f}", limit
        )
    return grid


if __name__ == "__main__":
    sys.exit(main())
