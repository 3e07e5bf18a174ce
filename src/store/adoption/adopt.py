"""Adoption: a database that Drizzle made becomes one that these migrations made.

The work is in `db/adoption/*.sql`, which run in one transaction. They convert the
tables to the schema of the migrations that they were written for: these are applied to
a schema beside, and what is there is made like that. Every later migration then runs on
the tables themselves, as it does on any database that stood there, with what it does to
rows. So the scripts stay as they are when the schema moves on.

Rules about values come in NOT VALID, and a transaction of its own validates those that
no row breaks. So a run that is cut off has converted all or nothing, and the next one
goes on.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from generated.internal import catalog

from ..errors import MigrationError
from ..migrations import files, ledger, lock, runner
from ..migrations.dbmate import Progress
from ..migrations.files import MigrationFile
from ..settings import DatabaseSettings
from .report import Report, Row, explained, reported

__all__ = ["DIRECTORY", "Adoption", "adopt"]

DIRECTORY = files.FOLDER / "adoption"

_FIRST: Final = "01_report.sql"
_VALIDATION: Final = "13_validate.sql"

# The migration whose schema the scripts convert to.
_LAST: Final = "0007"

# After which scripts the migrations up to that one run, and the later ones.
_BEFORE_BASE: Final = {"02_base.sql", "06_obstacles.sql"}
_BEFORE_LATER: Final = {"03_target.sql", "11_take_over.sql"}


@dataclass(frozen=True, slots=True)
class Adoption:
    """What a run has done, or would do.

    `converted` is False where an earlier run did that. `breaking` are rows that break
    rules for new rows; `unvalidated` is how many rules they keep from being valid.
    """

    converted: bool
    mended: tuple[Row, ...]
    breaking: tuple[Row, ...]
    unvalidated: int


def adopt(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    scripts: Path = DIRECTORY,
    cursor: str | None = None,
    time_zone: str | None = None,
    dry_run: bool = False,
    progress: Progress,
    pooler_allowed: bool = False,
) -> Adoption:
    """Take over a database of the replaced backend, where it is; again changes nothing.

    Needs the database for itself while it converts. A dry run does the same, locks
    included, and takes all back. `progress` gets each statement and each row.

    `cursor` is what the old indexer kept in Redis under `sui:indexer:cursor`, as JSON:
    there the mirror goes on. `time_zone` is the server's while the old backend ran, as
    PostgreSQL spells it; by default what the server's settings say.

    Migrations that cannot run in a transaction, and what comes after, are left to `up`.

    Raises:
        MigrationError: it is no such database, or has rows that the new schema cannot
            hold (both are listed first), or an argument is not of its form; nothing
            was changed.
    """
    migrations = runner.recorded(directory)
    texts = _texts(scripts)
    cursor = cursor and _cursor(cursor)
    report = Report(progress)
    with (
        lock.held(settings, progress=progress, pooler_allowed=pooler_allowed) as conn,
        reported(conn, report),
        conn.transaction(force_rollback=True) if dry_run else nullcontext(),
    ):
        with conn.transaction():
            converted = _convert(
                conn, migrations, texts, cursor, time_zone, progress=progress
            )
        with conn.transaction():
            unvalidated = _validate(conn, texts)
    return Adoption(
        converted, tuple(report.mended), tuple(report.breaking), unvalidated
    )


def _convert(
    conn: psycopg.Connection,
    migrations: Sequence[MigrationFile],
    scripts: Mapping[str, bytes],
    cursor: str | None,
    time_zone: str | None,
    *,
    progress: Progress,
) -> bool:
    """Convert the database, unless that was done; tell which."""
    ledgers = catalog.get_ledgers(conn)
    if not ledgers.of_drizzle and not ledgers.of_dbmate:
        raise MigrationError(
            "there is no ledger of Drizzle (drizzle.__drizzle_migrations), so this is "
            "no database to adopt; an empty one is for `make migrate`"
        )
    if not ledgers.of_drizzle:
        if cursor:
            progress("-- the cursor is not set: an adopted database has its own")
        return False
    reached = [*itertools.takewhile(_in_transaction, migrations)]
    base = [file for file in reached if file.number <= _LAST]
    later = reached[len(base) :]
    _set(conn, "cursor", cursor or "")
    _set(conn, "time_zone", _time_zone(conn, time_zone, progress))
    for name, script in scripts.items():
        if name != _VALIDATION:
            conn.execute(script)
        if name in _BEFORE_BASE:
            _apply(conn, base)
        if name in _BEFORE_LATER:
            _apply(conn, later)
    for file in reached:
        ledger.put(conn, file)
    if left := migrations[len(reached) :]:
        progress(f"-- left to make migrate, from {left[0].name} on")
    return True


def _in_transaction(file: MigrationFile) -> bool:
    part = file.part("up")
    return part is None or part.in_transaction


def _apply(conn: psycopg.Connection, migrations: Sequence[MigrationFile]) -> None:
    """Run migrations in the schema that is first in the search path."""
    path = conn.execute("SELECT current_setting('search_path')").fetchone()
    for file in migrations:
        if part := file.part("up"):
            try:
                conn.execute(part.sql.encode())
            except psycopg.Error as error:
                if conn.broken or error.sqlstate is None:
                    raise
                raise MigrationError(f"{file.path}: {explained(error)}") from None
        # As after the end of its own transaction.
        conn.execute("SELECT set_config('search_path', %s, TRUE)", path)


def _set(conn: psycopg.Connection, name: str, value: str) -> None:
    """Give the scripts an argument, for as long as the transaction lasts."""
    conn.execute("SELECT set_config(%s, %s, TRUE)", [f"adoption.{name}", value])


def _time_zone(conn: psycopg.Connection, given: str | None, progress: Progress) -> str:
    """Give the zone in which DEFAULT now() wrote times, and tell it."""
    setting = catalog.get_time_zone(conn)
    if given is None and setting.source == "client":
        raise MigrationError(
            "the time zone of this session comes from its environment or its URL, not "
            "from the server: name the one that the old backend had, with time_zone="
        )
    zone = given or setting.name
    try:
        conn.execute("SELECT timezone(%s, now())", [zone])
    except psycopg.errors.InvalidParameterValue:
        raise MigrationError(f"PostgreSQL knows no time zone {zone!r}") from None
    progress(
        f"-- times by default (created_at) are read as of the time zone {zone}, "
        f"{'as given' if given else 'the setting of the server'}; others are UTC"
    )
    return zone


def _cursor(text: str) -> str:
    """Check the cursor's form, and give it as JSON of two texts."""
    try:
        match json.loads(text):
            case {"txDigest": str(digest), "eventSeq": str(sequence), **others} if (
                digest and sequence and not others
            ):
                return json.dumps({"txDigest": digest, "eventSeq": sequence})
            case _:
                pass
    except ValueError:
        pass
    raise MigrationError(
        'the cursor does not read {"txDigest":"…","eventSeq":"…"}, as the old indexer '
        "kept it in Redis under sui:indexer:cursor"
    )


def _validate(conn: psycopg.Connection, scripts: Mapping[str, bytes]) -> int:
    """Validate what no row breaks; give the number of the other rules."""
    conn.execute(scripts[_FIRST])
    conn.execute(scripts[_VALIDATION])
    return catalog.count_unvalidated_constraints(conn)


def _texts(scripts: Path) -> dict[str, bytes]:
    """Read the scripts, by name, in their order."""
    texts = {path.name: path.read_bytes() for path in sorted(scripts.glob("*.sql"))}
    if not {_FIRST, _VALIDATION} <= texts.keys():
        raise MigrationError(
            f"there are no scripts of adoption in {scripts}, which is looked for in "
            "the working directory"
        )
    return texts
