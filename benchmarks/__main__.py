"""Measure the store beside its peers, on a PostgreSQL server that is started for it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from postgres_testing import embedded

from . import measuring, plot, report, saving
from .measuring import Outcome, Plan
from .report import Circumstances
from .sameness import RowsDifferError
from .saving import Saved
from .work import TASKS, Task

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; the exit code is 2 if there is nothing to compare."""
    options = _options(arguments)
    try:
        circumstances, outcomes, saves = _run(options)
    except (embedded.ServerError, RowsDifferError) as error:
        console.print(f"benchmarks: {error}", style="red", markup=False)
        return 2
    console.print(str(circumstances), highlight=False)
    for outcome in outcomes:
        console.print(report.table(outcome))
    if saves:
        console.print(report.saving_table(saves))
        for verdict in report.verdicts(saves):
            console.print(verdict, highlight=False)
    if options.json:
        content = report.as_json(circumstances, outcomes, saves)
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(plot.svg(str(circumstances), outcomes))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="default: %(default)s")
    parser.add_argument(
        "--delay",
        type=float,
        default=1,
        metavar="MS",
        help="measure again with this delay each way; 0: don't (default: %(default)s)",
    )
    parser.add_argument(
        "--only", choices=[*_names(), _SAVE], help="measure this alone (default: all)"
    )
    parser.add_argument("--fast", action="store_true", help="in memory, without fsync")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("/var/tmp"),  # noqa: S108 - a private folder is made in it
        help="a folder on a disk, for the data (default: %(default)s)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write figures and samples"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="write a picture, as SVG"
    )
    return parser.parse_args(arguments)


_SAVE = "save"


def _names() -> dict[str, Task]:
    return {task.name.split()[0]: task for task in TASKS}


def _run(
    options: argparse.Namespace,
) -> tuple[Circumstances, list[Outcome], list[Saved]]:
    delays = (0.0, options.delay / 1000) if options.delay else (0.0,)
    tasks = [task for name, task in _names().items() if options.only in {None, name}]
    plan = Plan(tasks, options.rounds, delays)
    rounds_of_saves = options.rounds if options.only in {None, _SAVE} else 0
    settings = embedded.FAST if options.fast else _DURABLE
    directory = None if options.fast else options.directory
    before = os.getloadavg()[0]
    with (
        embedded.start(settings=settings, directory=directory) as server,
        Progress(console=console, transient=True) as progress,
    ):
        steps = plan.steps + rounds_of_saves
        bar = progress.add_task("preparing", total=steps)

        def advance(title: str) -> None:
            progress.update(bar, advance=1, description=title)

        outcomes = asyncio.run(measuring.run(server.url, plan, advance))
        saves: list[Saved] = []
        if rounds_of_saves:
            saves = asyncio.run(saving.run(server.url, rounds_of_saves, advance))
    circumstances = Circumstances(
        server=server.version,
        writes="no fsync" if options.fast else f"durable writes in {directory}",
        rounds=options.rounds,
        python=platform.python_version(),
        cpus=os.cpu_count() or 0,
        load=(before, os.getloadavg()[0]),
    )
    return circumstances, outcomes, saves


# All of PostgreSQL's own defaults but this one, whose runs would hit some rounds only.
_DURABLE = {"autovacuum": "off"}

if __name__ == "__main__":
    sys.exit(main())
