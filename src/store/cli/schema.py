"""The commands of the schema as a whole: `store schema …` and `store studio`."""

from __future__ import annotations

import argparse

from ..schema_tools import diagram, dumps, scratch, studio
from ..settings import DatabaseSettings
from .terminal import FINE, PENDING, choose_directory, say

__all__ = ["add", "add_studio"]


def add(schema: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of `schema`."""
    actions = schema.add_subparsers(required=True, metavar="ACTION")
    dump = actions.add_parser(
        "dump", help=f"write the schema that the migrations make to {dumps.SCHEMA}"
    )
    choose_directory(dump)
    dump.add_argument("--check", action="store_true", help="compare; 1 if it differs")
    dump.set_defaults(command=_dump)
    draw = actions.add_parser(
        "diagram",
        help=f"write the database's tables and their diagram to {diagram.PAGE}",
    )
    draw.add_argument("--check", action="store_true", help="compare; 1 if it differs")
    draw.set_defaults(command=_diagram)


def add_studio(browse: argparse.ArgumentParser) -> None:
    """Make a parser that of `studio`."""
    browse.add_argument("--port", type=int, default=0, help="default: a free one")
    browse.add_argument("--no-open", action="store_true", help="no browser")
    browse.set_defaults(command=_studio)


def _dump(options: argparse.Namespace) -> int:
    difference = dumps.update(
        scratch.server(), directory=options.directory, check=options.check
    )
    if not (options.check and difference):
        return FINE
    say(difference)
    say(
        f"{dumps.SCHEMA} is not what the migrations make: run make schema-dump, or "
        "make migrate-draft"
    )
    return PENDING


def _diagram(options: argparse.Namespace) -> int:
    if not diagram.update(DatabaseSettings.load(), check=options.check):
        return FINE
    if options.check:
        say(f"{diagram.PAGE} does not show this schema: run make schema-diagram")
        return PENDING
    say(f"wrote {diagram.PAGE}")
    return FINE


def _studio(options: argparse.Namespace) -> int:
    studio.browse(
        DatabaseSettings.load(), port=options.port, opens_browser=not options.no_open
    )
    return FINE
