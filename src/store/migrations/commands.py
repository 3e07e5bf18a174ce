"""The command line of migrations: `python -m store migrate …`, behind make.

Each command gives its exit code: 0 fine, 1 pending or found, 2 failure.
"""

from __future__ import annotations

import argparse
import functools

from .. import migrations
from ..settings import DatabaseSettings
from . import diagram, studio

__all__ = ["add"]

FINE, PENDING = 0, 1

# Line by line, also into a pipe.
_say = functools.partial(print, flush=True)


def add(migrate: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of `migrate`."""
    commands = migrate.add_subparsers(required=True, metavar="ACTION")
    for command, does in (
        (_up, "create the database if missing, and apply what is pending"),
        (_status, "list the migrations; exits with 1 if any is pending"),
        (_rollback, "take back the newest applied migration"),
        (_new, "write the skeleton of the next migration"),
        (_diagram, "write the schema's page, or with --check compare it"),
        (_studio, "browse the database in a visual UI, read-only"),
    ):
        action = commands.add_parser(command.__name__.strip("_"), help=does)
        action.set_defaults(command=command)
        if command is _new:
            action.add_argument("name", metavar="NAME", help="what it does: add_x")
        if command is _diagram:
            action.add_argument("--check", action="store_true")
        if command is _studio:
            action.add_argument(
                "--port", type=int, default=0, help="default: a free one"
            )
            action.add_argument("--no-open", action="store_true", help="no browser")


def _up(_options: argparse.Namespace) -> int:
    if not migrations.up(DatabaseSettings.load(), progress=_say):
        _say("nothing is pending")
    return FINE


def _status(_options: argparse.Namespace) -> int:
    found = migrations.status(DatabaseSettings.load())
    for file in found.applied:
        _say(f"applied  {file}")
    for file in found.pending:
        _say(f"pending  {file}")
    return PENDING if found.pending else FINE


def _rollback(_options: argparse.Namespace) -> int:
    migrations.rollback(DatabaseSettings.load(), progress=_say)
    return FINE


def _new(options: argparse.Namespace) -> int:
    _say(migrations.new(options.name))
    return FINE


def _diagram(options: argparse.Namespace) -> int:
    if not diagram.update(DatabaseSettings.load(), check=options.check):
        return FINE
    if options.check:
        _say(f"{diagram.PAGE} does not show this schema: run make diagram")
        return PENDING
    _say(f"wrote {diagram.PAGE}")
    return FINE


def _studio(options: argparse.Namespace) -> int:
    studio.browse(
        DatabaseSettings.load(), port=options.port, opens_browser=not options.no_open
    )
    return FINE
