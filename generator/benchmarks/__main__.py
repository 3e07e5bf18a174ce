"""Measure the generator, alone and inside sqlc, beside sqlc's own generators."""

import argparse
import json
import os
import platform
import sys
import sysconfig
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from generator.benchmarks import measuring, project
from generator.benchmarks.measuring import Contender

# Seconds for the start and 1,000 queries, on an idle machine.
LIMIT = 0.5

_SCRIPTS = Path(sysconfig.get_path("scripts"))
_OURS = _SCRIPTS / "sqlc-gen-psycopg"
# A plugin that keeps what it was asked, beside sqlc's configuration.
_KEEP = """#!/bin/sh
cat > request.json
echo '{"files": []}'
"""


def main() -> int:
    """Measure, and print what was found."""
    options = _options()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        contenders = _contenders(Path(name), options.queries)
        measuring.run(contenders, options.rounds)
    console = Console()
    console.print(
        f"{options.queries} queries, {options.rounds} shuffled rounds; "
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, "
        f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after",
        highlight=False,
    )
    console.print(_table(contenders))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m generator.benchmarks", description=__doc__
    )
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    return parser.parse_args()


def _contenders(folder: Path, queries: int) -> list[Contender]:
    project.write(folder, queries)
    keep = folder / "keep"
    keep.write_text(_KEEP)
    keep.chmod(0o700)
    go = {"gen": {"go": {"package": "db", "out": "go", "sql_package": "pgx/v5"}}}
    found = [
        _sqlc(folder, "sqlc, this plugin", _with_plugin(_OURS)),
        _sqlc(folder, "sqlc, its own Go code", go),
        _sqlc(folder, "sqlc, a plugin that does nothing", _with_plugin(keep)),
    ]
    found[-1].run()
    asked: dict[str, Any] = json.loads((folder / "request.json").read_bytes())
    (folder / "empty.json").write_text(json.dumps({**asked, "queries": []}))
    return [
        Contender("python, an empty program", [sys.executable, "-c", ""], folder),
        _alone(folder, "this plugin, without queries", "empty.json"),
        _alone(folder, _MEASURED, "request.json"),
        *found,
    ]


_MEASURED = "this plugin, all queries"


def _with_plugin(command: Path) -> dict[str, Any]:
    return {"codegen": [{"plugin": command.name, "out": "out"}]}


def _alone(folder: Path, name: str, request: str) -> Contender:
    return Contender(name, [str(_OURS)], folder, folder / request)


def _sqlc(folder: Path, name: str, how: dict[str, Any]) -> Contender:
    """Return `sqlc generate` with a configuration of its own."""
    schema = {"engine": "postgresql", "schema": "schema", "queries": "queries"}
    plugins = [
        {"name": command.name, "process": {"cmd": str(command), "format": "json"}}
        for command in (_OURS, folder / "keep")
    ]
    config = folder / f"{name.replace(' ', '_')}.json"
    content = {"version": "2", "plugins": plugins, "sql": [schema | how]}
    config.write_text(json.dumps(content))
    return Contender(
        name, [str(_SCRIPTS / "sqlc"), "generate", "-f", config.name], folder
    )


def _table(contenders: list[Contender]) -> Table:
    measured = next(c for c in contenders if c.name == _MEASURED)
    verdict = "held" if median(measured.wall) <= LIMIT else "missed"
    grid = Table(
        box=SIMPLE,
        caption=f"{_MEASURED}, at most {LIMIT} s of an idle machine: {verdict}",
        caption_justify="left",
    )
    grid.add_column("seconds", no_wrap=True)
    for column in ("CPU,\nmedian", "CPU,\nleast", "wall,\nmedian", "ratio"):
        grid.add_column(column, justify="right", no_wrap=True)
    for contender in contenders:
        grid.add_row(
            contender.name,
            f"{contender.typical:.3f}",
            f"{min(contender.cpu):.3f}",
            f"{median(contender.wall):.3f}",
            f"{contender.typical / measured.typical:.2f}",
        )
    return grid


if __name__ == "__main__":
    sys.exit(main())
