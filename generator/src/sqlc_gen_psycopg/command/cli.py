"""The command line: what can be asked for, and what is told of it."""

import argparse
import importlib
import io
import os
import shlex
import signal
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import cast

from sqlc_gen_psycopg import __version__
from sqlc_gen_psycopg.command import (
    config,
    ending,
    requests,
    starter,
    watching,
    writing,
)
from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.plans import settings as plan_settings
from sqlc_gen_psycopg.command.writing import Changes
from sqlc_gen_psycopg.problems import Problems, RefusedError

_DESCRIPTION = """\
Typed psycopg 3 functions from annotated SQL, by sqlc.

  sqlc-gen-psycopg init shop              write a project to begin with
  sqlc-gen-psycopg generate               write what changed, in sqlc.yaml's folder
  sqlc-gen-psycopg generate --watch       and again whenever the SQL changes
  sqlc-gen-psycopg generate --check       only tell what would change, as in CI
  sqlc-gen-psycopg check postgresql://…   compare what was generated with a server
  sqlc-gen-psycopg plans postgresql://…   find the queries that slow down as tables grow

`sqlc generate` works as well: without arguments this is sqlc's plugin."""
_EPILOG = "Exit codes: 0 done, 1 findings or differences, 2 it could not run."


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    # A terminal may lack a character that is told.
    cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
    given = _parser().parse_args(arguments)
    ending.by_signals()
    run: Callable[[argparse.Namespace], int] = given.run
    try:
        code = run(given)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever reads has seen enough; the interpreter would write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
    except RefusedError as refused:
        sys.stderr.write(f"sqlc-gen-psycopg refuses to generate:\n{refused}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sqlc-gen-psycopg",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add = commands.add_parser("init", help="write a project to begin with")
    add.add_argument("folder", nargs="?", default=".", metavar="FOLDER", type=Path)
    add.set_defaults(run=_init)
    add = commands.add_parser("generate", help="write what sqlc.yaml asks for")
    add.add_argument("--file", default="", metavar="FILE", help="instead of sqlc.yaml")
    kind = add.add_mutually_exclusive_group()
    kind.add_argument(
        "--check",
        action="store_true",
        help="write nothing, exit 1 on differences",
    )
    kind.add_argument(
        "--watch", action="store_true", help="generate again whenever the SQL changes"
    )
    add.set_defaults(run=_generate)
    add = commands.add_parser("check", help="compare what is generated with a server")
    add.add_argument("--file", default="", metavar="FILE", help="instead of sqlc.yaml")
    add.add_argument(
        "url",
        nargs="?",
        metavar="DATABASE_URL",
        help="the database, else $DATABASE_URL; it is only read",
    )
    add.set_defaults(run=_check)
    add = commands.add_parser("plans", help="plan all queries on tables of any size")
    add.add_argument("--file", default="", metavar="FILE", help="instead of sqlc.yaml")
    add.add_argument(
        "--settings", default="", metavar="FILE", help="instead of plans.toml"
    )
    add.add_argument(
        "--quiet", action="store_true", help="show what is found, not each query's plan"
    )
    add.add_argument(
        "url",
        nargs="?",
        metavar="DATABASE_URL",
        help="a database of its own with the schema, else $DATABASE_URL; it is locked",
    )
    add.set_defaults(run=_plans)
    return parser


def _init(given: argparse.Namespace) -> int:
    for file in starter.write(given.folder):
        sys.stdout.write(f"wrote {file}\n")
    into = "" if given.folder == Path() else f"cd {shlex.quote(str(given.folder))} && "
    sys.stdout.write(f"next: {into}sqlc-gen-psycopg generate\n")
    return 0


_OLDEST_PSYCOPG = (3, 2)


def _old_psycopg() -> str:
    """Return what is to be said of the psycopg that is installed here, if anything."""
    try:
        version = metadata.version("psycopg")
    except metadata.PackageNotFoundError:
        return ""
    if tuple(map(int, version.split(".")[:2])) >= _OLDEST_PSYCOPG:
        return ""
    return (
        f"psycopg {version} is too old for what is generated; "
        "run `pip install 'psycopg[binary]>=3.2'`"
    )


def _generate(given: argparse.Namespace) -> int:
    # It may be meant for another environment.
    if old := _old_psycopg():
        sys.stderr.write(f"{old}\n")
    file = _entered(config.find(given.file))
    if given.watch:
        watching.watch(file, lambda: _written(file))
    if given.check:
        return _checked(_changes(file))
    _written(file)
    return 0


def _entered(file: Path) -> Path:
    """Go to a configuration's folder, which its paths begin at; return its name."""
    os.chdir(file.parent)
    return Path(file.name)


def _changes(file: Path) -> Changes:
    parts = requests.read(config.read(file))
    found = Problems()
    try:
        texts = writing.generated(parts, found)
    finally:
        sys.stderr.writelines(f"{warning}\n" for warning in found.warnings)
    return writing.changes(parts, texts)


def _written(file: Path) -> None:
    made = _changes(file)
    writing.write(made)
    for name in made.written:
        sys.stdout.write(f"wrote {name}\n")
    for name in made.removed:
        sys.stdout.write(f"removed {name}\n")
    told = f"{len(made.written)} written, {len(made.removed)} removed"
    sys.stdout.write(f"{told}, {made.unchanged} unchanged\n")
    sys.stdout.flush()


def _checked(made: Changes) -> int:
    for name in made.written:
        what = "differs from" if name.exists() else "is missing from"
        sys.stdout.write(f"{name} {what} what would be generated\n")
    for name in made.removed:
        sys.stdout.write(f"{name} is left over: nothing generates it any more\n")
    if made.written or made.removed:
        sys.stdout.write("run `sqlc-gen-psycopg generate`\n")
        return 1
    sys.stdout.write(f"{made.unchanged} files: as generated\n")
    return 0


def _connecting(command: str) -> ModuleType:
    """Import what needs psycopg, an extra: generating does without."""
    if old := _old_psycopg():
        raise CannotRunError(old)
    try:
        return importlib.import_module("sqlc_gen_psycopg.command.connecting")
    except ImportError as error:
        raise CannotRunError(
            f"`{command}` needs psycopg, which cannot be imported ({_line(error)}); "
            "run `pip install 'sqlc-gen-psycopg[check]'`"
        ) from error


def _plans(given: argparse.Namespace) -> int:
    connecting = _connecting("plans")
    parts = requests.read(config.read(_entered(config.find(given.file))))
    settings = plan_settings.read(given.settings)
    url = given.url or os.environ.get("DATABASE_URL", "")
    report, table = connecting.plans(url, parts, settings)
    sys.stderr.writelines(f"{warning}\n" for warning in report.warnings)
    if not given.quiet:
        sys.stdout.writelines(f"{line}\n" for line in table)
    for finding in report.findings:
        sys.stdout.write(f"{finding}\n")
    planned = f"{len(report.plans)} queries, {report.accepted} findings accepted"
    if report.findings:
        sys.stdout.write(f"{planned}, {len(report.findings)} not\n")
        return 1
    sys.stdout.write(f"{planned}: none else\n")
    return 0


def _check(given: argparse.Namespace) -> int:
    connecting = _connecting("check")
    parts = requests.read(config.read(_entered(config.find(given.file))))
    report = connecting.check(given.url or os.environ.get("DATABASE_URL", ""), parts)
    sys.stderr.writelines(f"{warning}\n" for warning in report.warnings)
    for finding in report.findings:
        sys.stdout.write(f"{finding}\n")
    compared = (
        f"{report.queries} queries, {report.parameters} parameters, "
        f"{report.columns} columns"
    )
    if report.findings:
        sys.stdout.write(f"{compared}: {len(report.findings)} not as annotated\n")
        return 1
    sys.stdout.write(f"{compared}: as annotated\n")
    return 0


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
