"""Taking a database from one migration to the next, and back, with the guards.

Before anything changes, the files are compared with the journal, and the database with
the files; what does not agree stops the run, with its name and both hashes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import (
    citus,
    connections,
    dbmate,
    files,
    indexes,
    journal,
    ledger,
    lock,
    outside,
    steps,
)
from .dbmate import Progress
from .files import MigrationFile
from .journal import Finding
from .ledger import Applied, Ledger
from .stopwatch import Stopwatch

__all__ = ["Status", "recorded", "refuse", "repair", "rollback", "status", "up"]

_ALREADY_THERE = {"42P06", "42P07", "42701", "42710"}


@dataclass(frozen=True, slots=True)
class Status:
    """File names, in their order, and what would stop a run, in sentences.

    `notices` stop none: what is applied and newer than this checkout, and the INVALID
    indexes that no pending file would make. `ledger` has what the database knows of
    each applied number.
    """

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    findings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    ledger: Ledger = field(default_factory=dict[str, Applied], compare=False)


def up(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    progress: Progress = dbmate.silent,
    pooler_allowed: bool = False,
    lock_seconds: float = lock.SECONDS,
    unrecorded_allowed: bool = False,
) -> tuple[str, ...]:
    """Apply what is pending and give the file names; create the database if missing.

    Waits up to 10 seconds for the server, and 5 minutes for a run elsewhere. With
    `unrecorded_allowed` new files need not be in the journal yet.

    Raises:
        MigrationError: the migrations before the one that failed stay applied.
    """
    migrations = recorded(directory, but_new=unrecorded_allowed)
    with lock.held(
        settings,
        create=True,
        progress=progress,
        pooler_allowed=pooler_allowed,
        lock_seconds=lock_seconds,
    ) as conn:
        if place := citus.look(conn, settings.database_schema):
            place = citus.prepare(conn, place)
        elif settings.database_schema:
            ledger.make_schema(conn, settings.database_schema)
        before = _agreed(conn, migrations)
        pending = [file for file in migrations if file.number not in before]
        _resume(conn, pending, progress)
        refuse(indexes.passed_over(conn, pending))
        for finding in [*ledger.newer(migrations, before), *indexes.invalid(conn)]:
            progress(f"Notice: {finding}")
        if pending:
            watch = Stopwatch(progress)
            with _explained(conn, migrations, watch):
                one = citus.reached(connections.reached(settings, conn), place)
                steps.up(conn, one, citus.singly(pending, place), progress=watch)
        citus.distribute(conn, place, progress)
    return tuple(file.name for file in pending)


def rollback(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    progress: Progress = dbmate.silent,
    pooler_allowed: bool = False,
    lock_seconds: float = lock.SECONDS,
) -> str:
    """Take back the newest applied migration and give its file name.

    Raises:
        MigrationError: nothing is applied, or its down part failed.
    """
    migrations = recorded(directory)
    with lock.held(
        settings,
        progress=progress,
        pooler_allowed=pooler_allowed,
        lock_seconds=lock_seconds,
    ) as conn:
        place = citus.look(conn, settings.database_schema)
        applied = _agreed(conn, migrations)
        if not applied:
            raise MigrationError("no migrations have been applied")
        refuse(ledger.newer(migrations, applied))
        [newest] = [file for file in migrations if file.number == max(applied)]
        _resume(conn, [newest], progress)
        watch = Stopwatch(progress)
        with _explained(conn, migrations, watch):
            one = citus.reached(connections.reached(settings, conn), place)
            [file] = citus.singly([newest], place)
            steps.down(conn, one, file, progress=watch)
    return newest.name


def status(settings: DatabaseSettings, *, directory: Path = files.DIRECTORY) -> Status:
    """Compare the directory with its journal and with the database; change nothing.

    Raises:
        MigrationError: the database cannot be reached or does not exist.
    """
    migrations = files.load(directory)
    with connections.opened(settings) as conn:
        applied = ledger.read(conn)
        pending = [file for file in migrations if file.number not in applied]
        findings = [
            *journal.compare(migrations, journal.read(directory)),
            *ledger.compare(migrations, applied),
            *(stopping := indexes.passed_over(conn, pending)),
            *([left.finding] if (left := outside.read(conn)) else []),
        ]
        notices = [
            *ledger.newer(migrations, applied),
            *(one for one in indexes.invalid(conn, pending) if one not in stopping),
        ]
    return Status(
        tuple(file.name for file in migrations if file.number in applied),
        tuple(file.name for file in pending),
        tuple(map(str, findings)),
        tuple(map(str, notices)),
        applied,
    )


def repair(
    settings: DatabaseSettings, name: str, *, directory: Path = files.DIRECTORY
) -> str:
    """Make the database's ledger agree with a file, and say what became of it.

    Runs nothing: the database has to be as if the file had run, by hand or by a run
    that was cut off. What is in the ledger without a file, named by its number, goes.

    Raises:
        MigrationError: neither a file nor the ledger knows the name, or it is newer
            than this checkout, whose next version would apply it once more.
    """
    migrations = recorded(directory)
    present = {file.name: file for file in migrations}
    with lock.held(settings, progress=dbmate.silent) as conn:
        citus.look(conn, settings.database_schema)
        if file := present.get(name):
            with conn.transaction():
                ledger.put(conn, file)
                outside.forget(conn)
            return f"{name} is in the ledger with {journal.short(file.sha256)}"
        number = name[:4]
        applied = ledger.read(conn)
        if number in {file.number for file in migrations} or number not in applied:
            raise MigrationError(f"neither a file nor the ledger knows {name}")
        refuse(ledger.newer(migrations, {number: applied[number]}))
        ledger.forget(conn, number)
        return f"{number} is out of the ledger"


def recorded(directory: Path, *, but_new: bool = False) -> Sequence[MigrationFile]:
    """Read the migrations, all as the journal says, or all but the new ones.

    Raises:
        MigrationError: they are not.
    """
    migrations = files.load(directory)
    found = journal.compare(migrations, journal.read(directory))
    refuse(one for one in found if not (but_new and one.is_notice))
    return migrations


def _agreed(conn: Connection[Any], migrations: Sequence[MigrationFile]) -> Ledger:
    """Read what is applied, all of it as the files say."""
    applied = ledger.read(conn)
    refuse(ledger.compare(migrations, applied))
    ledger.note(conn, migrations)
    return applied


def refuse(findings: Iterable[Finding]) -> None:
    """Stop where anything is wrong.

    Raises:
        MigrationError: it is, and how.
    """
    if said := "\n".join(map(str, findings)):
        raise MigrationError(said)


def _resume(
    conn: Connection[Any], due: Sequence[MigrationFile], progress: Progress
) -> None:
    """Go on where a run was cut off outside of a transaction, or refuse to guess."""
    left = outside.read(conn)
    if left is None or left.name not in {file.name for file in due}:
        return
    if not left.repeatable:
        raise MigrationError(str(left.finding))
    progress(f"Repeating: {left.name}, which was cut off")
    outside.tidy(conn, left)


@contextmanager
def _explained(
    conn: Connection[Any], migrations: Sequence[MigrationFile], watch: Stopwatch
) -> Generator[None]:
    """Fill the ledger in after a step, and say what a failure has left behind."""
    before = indexes.invalid(conn)
    try:
        yield
    except MigrationError as error:
        raise _with_remains(error, conn, migrations, watch) from None
    except BaseException:
        lock.end_migrations(conn)
        raise
    ledger.note(conn, migrations, watch.laps)
    refuse(finding for finding in indexes.invalid(conn) if finding not in before)


def _with_remains(
    error: MigrationError,
    conn: Connection[Any],
    migrations: Sequence[MigrationFile],
    watch: Stopwatch,
) -> MigrationError:
    """Say also what a failure has left behind."""
    lines = str(error).splitlines()
    if error.sqlstate in _ALREADY_THERE:
        lines.append(
            "If an earlier run was cut off after it had made this and before it was "
            "recorded, and it is as the file says, run make migrate-repair name=FILE "
            "database=1; else drop it. Then run the same again."
        )
    try:
        ledger.note(conn, migrations, watch.laps)
        applied = ledger.read(conn)
        pending = [file for file in migrations if file.number not in applied]
        # What the next run removes by itself needs nobody's hand.
        if not outside.read(conn):
            lines.extend(map(str, indexes.invalid(conn, pending)))
    except psycopg.OperationalError:
        lines.append(outside.LOST)
    return MigrationError("\n".join(dict.fromkeys(lines)), sqlstate=error.sqlstate)
