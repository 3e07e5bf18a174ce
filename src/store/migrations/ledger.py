"""The ledger: dbmate's table of what a database has applied.

dbmate knows a migration by its number alone. Beside the number we keep the file's name
and hash, when it was applied and how long that took, in columns that dbmate does not
mind. Name and hash are empty for what dbmate applied by itself, or in a run that was
cut off, until the next run fills them in. When and how long stay empty where nobody
knows: for what was applied before there were such columns, or by dbmate itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from psycopg import Connection, errors, sql

from .files import MigrationFile
from .journal import Finding, short
from .stopwatch import Lap

__all__ = [
    "Applied",
    "Ledger",
    "compare",
    "forget",
    "make",
    "make_schema",
    "newer",
    "note",
    "put",
    "read",
]

# What is not dbmate's own is read from the row as JSON: it may not be there yet.
_READ = """
SELECT version, to_jsonb(schema_migrations) ->> 'name',
    to_jsonb(schema_migrations) ->> 'sha256',
    (to_jsonb(schema_migrations) ->> 'applied_at')::timestamptz,
    extract(
        EPOCH FROM (to_jsonb(schema_migrations) ->> 'duration')::interval
    )::double precision
FROM schema_migrations ORDER BY version"""

_CREATE = """
CREATE TABLE IF NOT EXISTS schema_migrations (version varchar PRIMARY KEY)"""

_EXTEND = """
ALTER TABLE schema_migrations
    ADD COLUMN IF NOT EXISTS name text, ADD COLUMN IF NOT EXISTS sha256 text,
    ADD COLUMN IF NOT EXISTS applied_at timestamptz,
    ADD COLUMN IF NOT EXISTS duration interval"""

# The ages are of the client's clock, the times of the server's alone.
_NOTE = """
UPDATE schema_migrations SET name = %(name)s, sha256 = %(sha256)s,
    applied_at = now() - make_interval(secs => %(ago)s),
    duration = make_interval(secs => %(seconds)s)
WHERE version = %(number)s AND sha256 IS NULL"""

_PUT = """
INSERT INTO schema_migrations (version, name, sha256, applied_at)
VALUES (%(number)s, %(name)s, %(sha256)s, clock_timestamp())
ON CONFLICT (version) DO UPDATE SET name = excluded.name, sha256 = excluded.sha256"""

_FORGET = "DELETE FROM schema_migrations WHERE version = %s"


@dataclass(frozen=True, slots=True)
class Applied:
    """What was applied under a number; name and hash are None where only dbmate knows.

    `applied_at` and `seconds`, which it took, are None where nobody does.
    """

    name: str | None
    sha256: str | None
    applied_at: datetime | None = None
    seconds: float | None = None


Ledger: TypeAlias = Mapping[str, Applied]
"""What a database has applied, by number (four digits), in order."""


def make_schema(conn: Connection[Any], name: str) -> None:
    """Create the schema in which all is to be, unless it is there."""
    # IF NOT EXISTS asks for the right to create one, also where it is there.
    if conn.execute("SELECT to_regnamespace(%s)", [name]).fetchone() == (None,):
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


def make(conn: Connection[Any]) -> None:
    """Create the ledger as dbmate would, unless it is there."""
    conn.execute(_CREATE)


def read(conn: Connection[Any]) -> Ledger:
    """Read what is applied, on an autocommit connection; nothing without a ledger."""
    try:
        rows = conn.execute(_READ).fetchall()
    except errors.UndefinedTable:
        return {}
    return {version: Applied(*known) for version, *known in rows}


def note(
    conn: Connection[Any],
    migrations: Sequence[MigrationFile],
    laps: Mapping[str, Lap] | None = None,
) -> None:
    """Fill in what is missing of what is applied; `laps` are those of this run."""
    ledger = read(conn)
    new = [
        file
        for file in migrations
        if file.number in ledger and ledger[file.number].sha256 is None
    ]
    if not new:
        return
    conn.execute(_EXTEND)
    for file in new:
        lap = (laps or {}).get(file.name)
        took = {"ago": lap and lap.ago, "seconds": lap and lap.seconds}
        conn.execute(_NOTE, _values(file) | took)


def put(conn: Connection[Any], file: MigrationFile) -> None:
    """Have the file stand in the ledger as it is, whatever stood there."""
    make(conn)
    conn.execute(_EXTEND)
    conn.execute(_PUT, _values(file))


def forget(conn: Connection[Any], number: str) -> None:
    """Take a number out of the ledger."""
    conn.execute(_FORGET, [number])


def compare(migrations: Sequence[MigrationFile], ledger: Ledger) -> list[Finding]:
    """List where the database has not applied the files as they are, in their order.

    What is `newer` is no difference.
    """
    present = {file.number: file for file in migrations}
    newest = max(ledger, default="")
    beyond = {finding.name for finding in newer(migrations, ledger)}
    found = [
        finding
        for number, applied in ledger.items()
        for finding in _differing(number, applied, present)
        if finding.name not in beyond
    ]
    found.extend(
        _late(file, newest)
        for file in migrations
        if file.number not in ledger and file.number < newest
    )
    return found


def newer(migrations: Sequence[MigrationFile], ledger: Ledger) -> list[Finding]:
    """List what is applied beyond the last of the files: this is an older checkout.

    Code goes back and the schema stays. A file that got another number is not here.
    Nothing tells it from a checkout that has lost its newest files and their lines in
    the journal: only the repository's history knows.
    """
    last = max((file.number for file in migrations), default="")
    hashes = {file.sha256 for file in migrations}
    return [
        Finding(
            applied.name or number,
            f"is applied in the database and newer than this checkout, whose last is "
            f"{last or 'none'}: nothing is to be done for older code that lives with "
            "it; the checkout that it is from can take it back. If this is no older "
            "checkout, the file and its line in the journal are gone: take both back "
            "with git",
        )
        for number, applied in ledger.items()
        if number > last and applied.sha256 not in hashes
    ]


def _values(file: MigrationFile) -> dict[str, object]:
    return {"number": file.number, "name": file.name, "sha256": file.sha256}


def _differing(
    number: str, applied: Applied, present: Mapping[str, MigrationFile]
) -> list[Finding]:
    file = present.get(number)
    if file and applied.sha256 in {None, file.sha256}:
        return []
    was = f"is applied in the database with {short(applied.sha256 or 'no hash')}"
    name = applied.name or number
    moved = [one for one in present.values() if one.sha256 == applied.sha256]
    if moved:
        problem = f"{was} and is now {moved[0].name}: a migration keeps its number"
    elif file is None:
        problem = f"{was}, and no file here has its number"
    else:
        problem = f"{was}, and {file.name} is {short(file.sha256)}"
    return [
        Finding(
            name,
            f"{problem}; take the checkout that applied it, or run make "
            "migrate-rollback there before you go on with this one. If the database is "
            "as the files want it, run make migrate-repair "
            f"name={file.name if file else number} database=1",
        )
    ]


def _late(file: MigrationFile, newest: str) -> Finding:
    return Finding(
        file.name,
        f"({short(file.sha256)}) is not applied, but {newest} is: a merge brought it "
        "in below, to run here out of order. If no database has run it, give it the "
        "next number; else take back here what is newer, from the checkout without "
        "it, and go up again",
    )
