"""The commands that try migrations on databases of their own: `draft` and `verify`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..migrations import checks, files
from ..schema_tools import draft_steps, drafts, dumps, scratch, verification
from ..settings import DatabaseSettings
from .terminal import FINE, PENDING, say

if TYPE_CHECKING:
    # At run time the class has no type arguments.
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

__all__ = ["add"]


def add(actions: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `migrate`."""
    draft = actions.add_parser(
        "draft", help=f"draft the migration to what {dumps.SCHEMA} wishes"
    )
    draft.add_argument("name", metavar="NAME", help="what it does: add_x")
    draft.add_argument(
        "--allow-destructive",
        action="store_true",
        help="write it though it loses values",
    )
    draft.add_argument(
        "--rename",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="this was renamed, and keeps what it holds: things.name=title",
    )
    draft.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="OLD",
        help="this was not renamed but is dropped: things.name",
    )
    draft.set_defaults(command=_draft)
    verify = actions.add_parser(
        "verify", help="run all up, down and up on rows, and compare the database"
    )
    verify.set_defaults(command=_verify)


def _draft(options: argparse.Namespace) -> int:
    found = drafts.draft(
        scratch.server(),
        directory=options.directory,
        renamed=options.rename,
        dropped=options.drop,
    )
    if found.questions:
        for question in found.questions:
            say(question)
        say("nothing is written: say which (to make: rename=OLD=NEW or drop=OLD)")
        return PENDING
    if not found.texts:
        say(f"nothing to draft: the migrations make what {dumps.SCHEMA} wishes")
        return FINE
    if found.remaining:
        say(*found.texts, sep="\n")
        say(f"nothing is written: this draft would not do it\n{found.remaining}")
        return PENDING
    for loss in found.losses:
        say(f"LOSES: it {loss}")
    for name in found.recreated:
        say(draft_steps.RECREATES.format(name))
    if found.unsaid and not options.allow_destructive:
        say(*found.texts, sep="\n")
        say(
            "nothing is written: read this, then say --allow-destructive, or --drop "
            "each; if something was renamed, say --rename OLD=NEW"
        )
        return PENDING
    for lock in found.locks:
        say(lock)
    for path in drafts.write(found, options.name, directory=options.directory):
        say(path)
        for finding in checks.findings(files.read(path)):
            say(finding)
    return FINE


def _verify(options: argparse.Namespace) -> int:
    found = verification.verify(
        DatabaseSettings.load(),
        server=scratch.server(),
        directory=options.directory,
        progress=say,
    )
    for finding in found:
        say(finding)
    return PENDING if found else FINE
