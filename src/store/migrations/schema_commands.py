"""The commands about the schema as a whole: `dump`, `generate` and `verify`.

They try things in databases of their own, on the server of SCRATCH_DATABASE_URL: one
that was started for this. Without it they take the one of DATABASE_URL_DIRECT, where
what is of the whole cluster is refused.
"""

from __future__ import annotations

import argparse
import functools
import os
from typing import TYPE_CHECKING

from ..settings import DatabaseSettings
from . import checks, draft_steps, drafts, dumps, files, scratch, verification

if TYPE_CHECKING:
    # At run time the class has no type arguments.
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

__all__ = ["add"]

_FINE, _FOUND = 0, 1

# Line by line, also into a pipe.
_say = functools.partial(print, flush=True)


def add(actions: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `migrate`."""
    dump = actions.add_parser(
        "dump", help=f"write the schema that the migrations make to {dumps.SCHEMA}"
    )
    dump.add_argument("--check", action="store_true", help="compare; 1 if it differs")
    dump.set_defaults(command=_dump)
    generate = actions.add_parser(
        "generate", help=f"draft the migration to what {dumps.SCHEMA} wishes"
    )
    generate.add_argument("name", metavar="NAME", help="what it does: add_x")
    generate.add_argument(
        "--allow-destructive",
        action="store_true",
        help="write it though it loses values",
    )
    generate.add_argument(
        "--rename",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="this was renamed, and keeps what it holds: things.name=title",
    )
    generate.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="OLD",
        help="this was not renamed but is dropped: things.name",
    )
    generate.set_defaults(command=_generate)
    verify = actions.add_parser(
        "verify", help="run all up, down and up on rows, and compare the database"
    )
    verify.set_defaults(command=_verify)


def _server() -> DatabaseSettings:
    if url := os.environ.get("SCRATCH_DATABASE_URL"):
        return scratch.OwnServer.load(database_url=url, database_url_direct=url)
    return DatabaseSettings.load()


def _dump(options: argparse.Namespace) -> int:
    difference = dumps.update(
        _server(), directory=options.directory, check=options.check
    )
    if not (options.check and difference):
        return _FINE
    _say(difference)
    _say(f"{dumps.SCHEMA} is not what the migrations make: run `make schema`, or draft")
    return _FOUND


def _generate(options: argparse.Namespace) -> int:
    found = drafts.draft(
        _server(),
        directory=options.directory,
        renamed=options.rename,
        dropped=options.drop,
    )
    if found.questions:
        for question in found.questions:
            _say(question)
        _say("nothing is written: say which (to make: rename=OLD=NEW or drop=OLD)")
        return _FOUND
    if not found.texts:
        _say(f"nothing to draft: the migrations make what {dumps.SCHEMA} wishes")
        return _FINE
    if found.remaining:
        _say(*found.texts, sep="\n")
        _say(f"nothing is written: this draft would not do it\n{found.remaining}")
        return _FOUND
    for loss in found.losses:
        _say(f"LOSES: it {loss}")
    for name in found.recreated:
        _say(draft_steps.RECREATES.format(name))
    if found.unsaid and not options.allow_destructive:
        _say(*found.texts, sep="\n")
        _say(
            "nothing is written: read this, then say --allow-destructive, or --drop "
            "each; if something was renamed, say --rename OLD=NEW"
        )
        return _FOUND
    for lock in found.locks:
        _say(lock)
    for path in drafts.write(found, options.name, directory=options.directory):
        _say(path)
        for finding in checks.findings(files.read(path)):
            _say(finding)
    return _FINE


def _verify(options: argparse.Namespace) -> int:
    found = verification.verify(
        DatabaseSettings.load(),
        server=_server(),
        directory=options.directory,
        progress=_say,
    )
    for finding in found:
        _say(finding)
    return _FOUND if found else _FINE
