"""The commands of migrations: `store migrate …`."""

from __future__ import annotations

import argparse
from datetime import UTC

from .. import migrations
from ..migrations import checks, files, journal, lint, preview, runner
from ..migrations.dbmate import Progress
from ..migrations.ledger import Applied
from ..migrations.stopwatch import Stopwatch
from ..settings import DatabaseSettings
from . import drafting, reports
from .terminal import (
    FINE,
    PENDING,
    Command,
    allow_pooler,
    choose_directory,
    may_be_json,
    say,
    sayer,
)

__all__ = ["add"]


def add(migrate: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of `migrate`."""
    choose_directory(migrate)
    actions = migrate.add_subparsers(required=True, metavar="ACTION")

    def action(command: Command, does: str) -> argparse.ArgumentParser:
        parser = actions.add_parser(command.__name__.strip("_"), help=does)
        parser.set_defaults(command=command)
        return parser

    up = action(_up, "create the database if missing, and apply what is pending")
    allow_pooler(up)
    may_be_json(up)
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
    may_be_json(
        action(_status, "list the migrations; exits with 1 if any is pending or wrong")
    )
    allow_pooler(action(_rollback, "take back the newest applied migration"))
    new = action(_new, "write the skeleton of the next migration")
    new.add_argument("name", metavar="NAME", help="what it does: add_x")
    may_be_json(
        action(_check, "list what is wrong with the files; exits with 1 if anything is")
    )
    action(_record, "add new migrations to the journal, after which they are final")
    repair = action(_repair, "make the journal, or a database, agree with one file")
    repair.add_argument("name", metavar="FILE", help="the file name: 0008_add_x.sql")
    repair.add_argument(
        "--database", action="store_true", help="the database's ledger, not the journal"
    )
    drafting.add(actions)


def _up(options: argparse.Namespace) -> int:
    tell = sayer(options)
    if options.dry_run:
        return _preview(options, tell)
    watch = Stopwatch(tell)
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
        tell("nothing is pending")
    return FINE


def _preview(options: argparse.Namespace, tell: Progress) -> int:
    with reports.document("up", wanted=options.json) as document:
        found = preview.preview(
            DatabaseSettings.load(),
            directory=options.directory,
            pooler_allowed=options.allow_pooler,
            unrecorded_allowed=options.allow_unrecorded,
        )
        document.update(reports.preview(found))
    for line in preview.lines(found):
        tell(line)
    tell("-- nothing was changed" if found.files else "nothing is pending")
    return PENDING if found.files else FINE


def _status(options: argparse.Namespace) -> int:
    tell = sayer(options)
    with reports.document("status", wanted=options.json) as document:
        found = migrations.status(DatabaseSettings.load(), directory=options.directory)
        document.update(reports.status(found))
    width = max(map(len, found.applied), default=0)
    for file in found.applied:
        tell(f"applied  {file:{width}}  {_when(found.ledger[file[:4]])}".rstrip())
    for file in found.pending:
        tell(f"pending  {file}")
    for notice in found.notices:
        tell(f"notice   {notice}")
    for finding in found.findings:
        tell(f"wrong    {finding}")
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
        progress=say,
        pooler_allowed=options.allow_pooler,
    )
    return FINE


def _new(options: argparse.Namespace) -> int:
    say(migrations.new(options.name, directory=options.directory))
    return FINE


def _check(options: argparse.Namespace) -> int:
    tell = sayer(options)
    with reports.document("check", wanted=options.json) as document:
        found = checks.check(options.directory)
        document.update(reports.check(found))
    for finding in found:
        tell(str(finding))
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
            say(finding)
        say("nothing is recorded: what is recorded is final")
        return PENDING
    for name in migrations.record(options.directory) or ["nothing is new"]:
        say(name)
    return FINE


def _repair(options: argparse.Namespace) -> int:
    if options.database:
        settings = DatabaseSettings.load()
        say(runner.repair(settings, options.name, directory=options.directory))
    else:
        say(journal.repair(options.name, options.directory))
    return FINE
