"""What `up` would do, without doing it: the SQL, and whom it would keep waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from generated.internal import plans

from ..errors import MigrationError
from ..settings import DatabaseSettings
from ..sql import effects, statements
from ..sql.effects import Effect, Effects
from ..sql.statements import Statement
from . import connections, dbmate, files, indexes, ledger, runner
from .files import MigrationFile

__all__ = ["Planned", "PlannedFile", "Preview", "Touched", "lines", "preview"]

_NO_DATABASE = "3D000"
_UNIT = 1024


@dataclass(frozen=True, slots=True)
class Touched:
    """A table that a statement would touch, as it is on this server.

    Where it is not there yet `present` is False. `rows` is the server's estimate, None
    before the first ANALYZE; partitions and children count in.
    """

    effect: Effect
    present: bool
    size: int = 0
    rows: int | None = None
    children: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """A statement, where it begins, and what is known of what it would do."""

    line: int
    sql: str
    touched: tuple[Touched, ...]
    known: bool
    note: str


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A pending migration."""

    file: str
    in_transaction: bool
    statements: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What is pending.

    Each lock is waited for `lock_timeout` seconds at a time, 0: ever. `creates` tells
    that the database is not there yet.
    """

    files: tuple[PlannedFile, ...]
    lock_timeout: float
    creates: bool = False


def preview(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    pooler_allowed: bool = False,
    unrecorded_allowed: bool = False,
) -> Preview:
    """Tell what `up` would do; run and write nothing, and take no lock.

    With `unrecorded_allowed` new files need not be in the journal yet.

    Raises:
        MigrationError: `up` would refuse to begin, or PostgreSQL's parser is missing.
    """
    statements.split("")  # is the parser there?
    migrations = runner.recorded(directory, but_new=unrecorded_allowed)
    if not pooler_allowed:
        connections.refuse_pooled(settings)
    try:
        with connections.opened(settings) as conn:
            if not pooler_allowed:
                connections.refuse_behind(conn)
            applied = ledger.read(conn)
            runner.refuse(ledger.compare(migrations, applied))
            pending = [file for file in migrations if file.number not in applied]
            runner.refuse(indexes.passed_over(conn, pending))
            conn.read_only = True
            with conn.transaction():
                walk = _Walk(conn)
                planned = tuple(walk.file(file) for file in pending)
                return Preview(planned, _lock_timeout(conn))
    except MigrationError as error:
        if error.sqlstate != _NO_DATABASE:
            raise
    planned = tuple(_Walk(None).file(file) for file in migrations)
    return Preview(planned, dbmate.LOCK_SECONDS, creates=True)


def _lock_timeout(conn: Connection[Any]) -> float:
    """Give what dbmate's session will have: ours, unless its client says otherwise."""
    setting = plans.get_lock_timeout(conn)
    if setting is None or not setting.is_client_s:
        return dbmate.LOCK_SECONDS
    return setting.milliseconds / 1000


class _Walk:
    """Goes through what is pending, and remembers what it makes and renames."""

    def __init__(self, conn: Connection[Any] | None) -> None:
        self._conn = conn
        self._was: dict[str, str] = {}

    def file(self, file: MigrationFile) -> PlannedFile:
        part = file.part("up")
        if part is None:
            return PlannedFile(file.name, in_transaction=True, statements=())
        try:
            found: Sequence[Statement] = statements.split(part.sql)
        except MigrationError as error:
            line = part.line + 1
            whole = Planned(line, part.sql.strip(), (), known=False, note=str(error))
            return PlannedFile(file.name, part.in_transaction, (whole,))
        return PlannedFile(
            file.name, part.in_transaction, tuple(self._planned(file, found))
        )

    def _planned(
        self, file: MigrationFile, found: Sequence[Statement]
    ) -> Iterator[Planned]:
        place = file.text.index("migrate:up")
        for statement in found:
            place = file.text.index(statement.text, place)
            line = file.text.count("\n", 0, place) + 1
            place += len(statement.text)
            conn = self._conn
            does = effects.effects(statement, conn) if conn else Effects()
            touched = tuple(self._touched(effect) for effect in does.on)
            yield Planned(line, statement.text, touched, does.known, does.note)
            if statement.kind == "RenameStmt" and does.on:
                self._renamed(statement, does.on[0].table)

    def _renamed(self, statement: Statement, table: str) -> None:
        if statement.node["renameType"] == "OBJECT_TABLE":
            schema, dot, _ = table.rpartition(".")
            name = f"{schema}{dot}{statement.node['newname']}"
            self._was[name] = self._was.get(table, table)

    def _touched(self, effect: Effect) -> Touched:
        name = self._was.get(effect.table, effect.table)
        found = plans.get_planned_table(self._conn, name=name) if self._conn else None
        if found is None:
            return Touched(effect, present=False)
        return Touched(effect, True, found.size, found.rows, found.children)


def lines(found: Preview) -> Iterator[str]:
    """Tell it for people: as SQL, with what it would do in comments."""
    if found.creates:
        yield "-- the database is not there yet: it would be created, and nobody waits"
    for file in found.files:
        yield ""
        timeout = found.lock_timeout
        wait = f"for at most {timeout:g} s" if timeout else "without end"
        held = (
            "one transaction, each lock is held to its end"
            if file.in_transaction
            else "outside of a transaction"
        )
        yield f"-- {file.file}: {held}, and waited {wait}"
        for statement in file.statements:
            yield ""
            yield f"-- line {statement.line}"
            yield f"{statement.sql};"
            yield from (f"-- > {_told(one)}" for one in statement.touched)
            if statement.note:
                yield f"-- > {statement.note}"
            elif not statement.touched and not found.creates:
                yield "-- > locks no table that is there"


def _told(one: Touched) -> str:
    effect = one.effect
    if not one.present:
        return (
            f"{effect.table}: not here by this name; if this run makes it, nobody waits"
        )
    rows = "rows were never counted" if one.rows is None else f"about {one.rows:,} rows"
    family = f" in it and {one.children} below it" if one.children else ""
    return (
        f"{effect.table}: {effect.lock} lock, blocks {effect.lock.blocks}; "
        f"{effect.work.sentence}; {_size(one.size)}, {rows}{family}"
    )


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < _UNIT:
            return f"{size:.0f} {unit}"
        size /= _UNIT
    return f"{size:.1f} TB"
