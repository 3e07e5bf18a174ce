"""The command line of migrations: `store migrate …`, behind make.

Each command gives its exit code: 0 fine, 1 pending or found, 2 failure.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import TypeAlias

from .. import migrations
from ..settings import DatabaseSettings
from . import (
    adoption,
    checks,
    diagram,
    files,
    journal,
    lint,
    preview,
    reports,
    runs,
    schema_commands,
    studio,
)
from .dbmate import Progress
from .ledger import Applied
from .stopwatch import Stopwatch

__all__ = ["add"]

FINE, PENDING = 0, 1

Command: TypeAlias = Callable[[argparse.Namespace], int]

# Line by line, also into a pipe.
_say = functools.partial(print, flush=True)


def add(migrate: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of `migrate`."""
    migrate.add_argument(
        "--directory",
        type=Path,
        default=files.DIRECTORY,
        help="where the migrations are; default: %(default)s",
    )
    actions = migrate.add_subparsers(required=True, metavar="ACTION")

    def action(command: Command, does: str) -> argparse.ArgumentParser:
        parser = actions.add_parser(command.__name__.strip("_"), help=does)
        parser.set_defaults(command=command)
        return parser

    up = action(_up, "create the database if missing, and apply what is pending")
    _allow_pooler(up)
    _json(up)
    up.add_argument(
        "--allow-unrecorded",
        action="store_true",
        help="new files need not be final: for databases of your own",
    )
    up.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing; show the SQL and whom it would keep waiting; exits with "
        "1 if anything is pending",
    )
    _json(
        action(_status, "list the migrations; exits with 1 if any is pending or wrong")
    )
    _allow_pooler(action(_rollback, "take back the newest applied migration"))
    new = action(_new, "write the skeleton of the next migration")
    new.add_argument("name", metavar="NAME", help="what it does: add_x")
    _json(
        action(_check, "list what is wrong with the files; exits with 1 if anything is")
    )
    action(_record, "add new migrations to the journal, after which they are final")
    repair = action(_repair, "make the journal, or a database, agree with one file")
    repair.add_argument("name", metavar="FILE", help="the file name: 0008_add_x.sql")
    repair.add_argument(
        "--database", action="store_true", help="the database's ledger, not the journal"
    )

    adopt = action(
        _baseline, "adopt a database of Drizzle's; exits with 1 if a rule is broken"
    )
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
    _allow_pooler(adopt)
    draw = action(_diagram, "write the schema's page, or with --check compare it")
    draw.add_argument("--check", action="store_true")
    browse = action(_studio, "browse the database in a visual UI, read-only")
    browse.add_argument("--port", type=int, default=0, help="default: a free one")
    browse.add_argument("--no-open", action="store_true", help="no browser")
    schema_commands.add(actions)


def _allow_pooler(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-pooler",
        action="store_true",
        help="take the URL for the server's, though it looks like a pooler's",
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON document on stdout; what people read goes to stderr",
    )


def _sayer(options: argparse.Namespace) -> Progress:
    """Give what tells people: on stderr where a program reads stdout."""
    return functools.partial(_say, file=sys.stderr) if options.json else _say


def _up(options: argparse.Namespace) -> int:
    say = _sayer(options)
    if options.dry_run:
        return _preview(options, say)
    watch = Stopwatch(say)
    with reports.document("up", wanted=options.json) as document:
        try:
            applied = migrations.up(
                DatabaseSettings.load(),
                directory=options.directory,
                progress=watch,
                pooler_allowed=options.allow_pooler,
                unrecorded_allowed=options.allow_unrecorded,
            )
        finally:
            document.update(reports.applied(watch))
    if not applied:
        say("nothing is pending")
    return FINE


def _preview(options: argparse.Namespace, say: Progress) -> int:
    with reports.document("up", wanted=options.json) as document:
        found = preview.preview(
            DatabaseSettings.load(),
            directory=options.directory,
            pooler_allowed=options.allow_pooler,
            unrecorded_allowed=options.allow_unrecorded,
        )
        document.update(reports.preview(found))
    for line in preview.lines(found):
        say(line)
    say("-- nothing was changed" if found.files else "nothing is pending")
    return PENDING if found.files else FINE


def _status(options: argparse.Namespace) -> int:
    say = _sayer(options)
    with reports.document("status", wanted=options.json) as document:
        found = migrations.status(DatabaseSettings.load(), directory=options.directory)
        document.update(reports.status(found))
    width = max(map(len, found.applied), default=0)
    for file in found.applied:
        say(f"applied  {file:{width}}  {_when(found.ledger[file[:4]])}".rstrip())
    for file in found.pending:
        say(f"pending  {file}")
    for notice in found.notices:
        say(f"notice   {notice}")
    for finding in found.findings:
        say(f"wrong    {finding}")
    return PENDING if found.pending or found.findings else FINE


def _when(applied: Applied) -> str:
    told: list[str] = []
    if applied.applied_at is not None:
        told.append(f"{applied.applied_at.astimezone(UTC):%F %T} UTC")
    if applied.seconds is not None:
        told.append(f"in {applied.seconds:.3f} s")
    return "  ".join(told)


def _rollback(options: argparse.Namespace) -> int:
    settings = DatabaseSettings.load()
    migrations.rollback(
        settings,
        directory=options.directory,
        progress=_say,
        pooler_allowed=options.allow_pooler,
    )
    return FINE


def _new(options: argparse.Namespace) -> int:
    _say(migrations.new(options.name, directory=options.directory))
    return FINE


def _check(options: argparse.Namespace) -> int:
    say = _sayer(options)
    with reports.document("check", wanted=options.json) as document:
        found = checks.check(options.directory)
        document.update(reports.check(found))
    for finding in found:
        say(str(finding))
    return FINE if all(one.is_notice for one in found) else PENDING


def _record(options: argparse.Namespace) -> int:
    recorded = {entry.name for entry in journal.read(options.directory)}
    ignored = lint.read(options.directory)
    found = [
        finding
        for file in files.load(options.directory)
        if file.name not in recorded
        for finding in checks.findings(file, ignored=ignored)
    ]
    if found:
        for finding in found:
            _say(finding)
        _say("nothing is recorded: what is recorded is final")
        return PENDING
    for name in migrations.record(options.directory) or ["nothing is new"]:
        _say(name)
    return FINE


def _repair(options: argparse.Namespace) -> int:
    if options.database:
        settings = DatabaseSettings.load()
        _say(runs.repair(settings, options.name, directory=options.directory))
    else:
        _say(journal.repair(options.name, options.directory))
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


def _baseline(options: argparse.Namespace) -> int:
    dry_run: bool = options.dry_run
    found = adoption.adopt(
        DatabaseSettings.load(),
        directory=options.directory,
        cursor=options.cursor,
        time_zone=options.time_zone,
        dry_run=dry_run,
        progress=_say,
        pooler_allowed=options.allow_pooler,
    )
    if not found.converted:
        _say("it was adopted before")
    if found.unvalidated:
        _say(
            f"{found.unvalidated} rules are not valid, since rows break them (see "
            "above): mend these, and run this again"
        )
    if dry_run:
        _say("nothing was changed")
    return PENDING if found.unvalidated or (dry_run and found.converted) else FINE
