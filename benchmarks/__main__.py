"""Measure the store beside its peers, on a PostgreSQL server that is started for it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from postgres_testing import embedded

from . import figures, measuring, plot, report
from .measuring import Outcome, Plan
from .report import Circumstances, Report
from .rows import ROWS
from .sameness import RowsDifferError
from .tasks import Contender, Missing, Row, Task
from .work import TASKS

console = Console(width=130)  # as wide as the table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; the exit code is 2 if there is nothing to compare."""
    options = _options(arguments)
    tasks = [each for each in TASKS if not options.only or each.name in options.only]
    try:
        missing = _install(tasks)
        found = _run(options, tasks, missing)
    except (embedded.ServerError, RowsDifferError) as error:
        console.print(f"benchmarks: {error}", style="red", markup=False)
        return 2
    for outcome in found.outcomes:
        console.print(report.contenders_table(outcome))
    console.print(report.verdicts_table(found))
    console.print(str(found.circumstances), highlight=False)
    for name, why in found.missing.items():
        console.print(f">>> SKIPPED: {name}: {why}", style="red", markup=False)
    if options.json:
        content = json.dumps(report.as_json(found), indent=1) + "\n"
        _write(options.json, content)
    if options.table:
        _write(options.table, report.markdown(found))
    if options.plot:
        _write(options.plot, plot.svg(found))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=[task.name for task in TASKS],
        help="measure this alone; may be repeated (default: all)",
    )
    parser.add_argument("--rounds", type=int, default=40, help="default: %(default)s")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="two rounds in memory: that all can be measured, not how fast it is",
    )
    parser.add_argument("--fast", action="store_true", help="in memory, without fsync")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("/var/tmp"),  # noqa: S108 - a private folder is made in it
        help="a folder on a disk, for the data (default: %(default)s)",
    )
    for option, what in (
        ("--json", "figures and samples"),
        ("--table", "the rows, as Markdown"),
        ("--plot", "a picture, as SVG"),
    ):
        parser.add_argument(option, type=Path, metavar="FILE", help=f"write {what}")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.fast = 2, True
    return options


def _install(tasks: Sequence[Task]) -> dict[str, str]:
    """Get what contenders need; tell which of them cannot be measured, and why."""
    missing: dict[str, str] = {}
    for contender in {each: None for task in tasks for each in task.contenders}:
        if contender.install:
            console.print(f"installing {contender}, unless it is here")
            try:
                contender.install()
            except Missing as error:
                missing[str(contender)] = str(error)
    return missing


def _run(
    options: argparse.Namespace, tasks: Sequence[Task], missing: dict[str, str]
) -> Report:
    plan = Plan(options.rounds, warm_up=6) if options.quick else Plan(options.rounds)
    settings = embedded.FAST if options.fast else _DURABLE
    directory = None if options.fast else options.directory
    before = os.getloadavg()[0]
    outcomes: dict[str, Outcome] = {}
    with (
        embedded.start(settings=settings, directory=directory) as server,
        Progress(console=console, transient=True) as progress,
    ):
        bar = progress.add_task("preparing", total=len(tasks) * plan.rounds)
        for task in tasks:
            progress.update(bar, description=task.title)
            here = _without(task, missing)
            outcomes[task.name] = asyncio.run(
                measuring.run(server.url, here, plan, lambda: progress.advance(bar))
            )
            if not console.is_terminal:
                console.print(f"measured: {task.title}")
    circumstances = Circumstances(
        server=server.version,
        writes="no fsync" if options.fast else "durable writes",
        rounds=plan.rounds,
        python=platform.python_version(),
        cpus=os.cpu_count() or 0,
        load=(before, os.getloadavg()[0]),
    )
    verdicts = [
        figures.verdict(row, outcomes[row.task.name])
        for row in ROWS
        if row.task.name in outcomes and _took_part(row, missing)
    ]
    return Report(
        circumstances, [*outcomes.values()], verdicts, missing, judged=not options.quick
    )


def _without(task: Task, missing: dict[str, str]) -> Task:
    here = (each for each in task.contenders if str(each) not in missing)
    return replace(task, contenders=tuple(here))


def _took_part(row: Row, missing: dict[str, str]) -> bool:
    pair: list[Contender | None] = [row.ours, row.theirs]
    return not any(str(each) in missing for each in pair)


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


# All of PostgreSQL's own defaults but this one, whose runs would hit some rounds only.
_DURABLE = {"autovacuum": "off"}

if __name__ == "__main__":
    sys.exit(main())
