"""The command that takes over the replaced backend's database: `store adopt`."""

from __future__ import annotations

import argparse

from .. import adoption
from ..errors import ConfigurationError
from ..settings import DatabaseSettings
from .terminal import FINE, PENDING, allow_pooler, choose_directory, say

__all__ = ["add"]


def add(adopt: argparse.ArgumentParser) -> None:
    """Make a parser that of `adopt`."""
    choose_directory(adopt)
    adopt.add_argument(
        "--dry-run",
        action="store_true",
        help="take all back; exits with 1 if there is something to do",
    )
    adopt.add_argument(
        "--cursor",
        metavar="JSON",
        help="where the old indexer stopped: its {txDigest, eventSeq}, from Redis",
    )
    adopt.add_argument(
        "--time-zone",
        metavar="NAME",
        help="the server's while the old backend ran; default: its settings'",
    )
    allow_pooler(adopt)
    adopt.set_defaults(command=_adopt)


def _adopt(options: argparse.Namespace) -> int:
    dry_run: bool = options.dry_run
    settings = DatabaseSettings.load()
    if settings.database_schema:
        raise ConfigurationError(
            "DATABASE_SCHEMA is set, and what is adopted stays in the schema where it"
            " is: leave it out"
        )
    found = adoption.adopt(
        settings,
        directory=options.directory,
        cursor=options.cursor,
        time_zone=options.time_zone,
        dry_run=dry_run,
        progress=say,
        pooler_allowed=options.allow_pooler,
    )
    if not found.converted:
        say("it was adopted before")
    if found.unvalidated:
        say(
            f"{found.unvalidated} rules are not valid, since rows break them (see "
            "above): mend these, and run this again"
        )
    if dry_run:
        say("nothing was changed")
    return PENDING if found.unvalidated or (dry_run and found.converted) else FINE
