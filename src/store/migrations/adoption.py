"""Adoption: a database that Drizzle made becomes one that these migrations made.

The work is in `db/adoption/*.sql`, which run in one transaction, with the migrations
that they were written for among them: these are applied to a schema beside, and what is
there is made like that. Rules about values come in NOT VALID, and a transaction of its
own validates those that no row breaks. So a run that is cut off has converted all or
nothing, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg.errors import Diagnostic

from generated import catalog

from ..constraints import RULES
from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import files, ledger, runs, sessions
from .dbmate import Progress
from .files import MigrationFile

__all__ = ["DIRECTORY", "Adoption", "Row", "adopt"]

DIRECTORY = Path("db/adoption")

_FIRST: Final = "01_report.sql"
_BEFORE_MIGRATIONS: Final = "04_wish.sql"
_VALIDATION: Final = "11_validate.sql"

# The migration whose schema it is all about; later ones are for `up`.
_LAST: Final = "0007"

_MENDED: Final = "01000"
_BREAKING: Final = "23514"
_LOST: Final = "57P"

_REMEDIES = {
    "55P03": "another session works with the database: stop the old backend first",
    "42501": "run it as the owner of the tables",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was mended, or that breaks a rule; `id` may say "and 7 more"."""

    table: str
    id: str
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.what} ({self.rule})"


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
    dry_run: bool = False,
    progress: Progress,
    pooler_allowed: bool = False,
) -> Adoption:
    """Take over a database of the seed's stack, where it is; again changes nothing.

    Needs the database for itself while it converts. A dry run does the same, locks
    included, and takes all back. `progress` gets each statement and each row.

    Raises:
        MigrationError: it is no such database, or has rows that the new schema cannot
            hold (both are listed first); nothing was changed.
    """
    migrations = [file for file in runs.recorded(directory) if file.number <= _LAST]
    texts = _texts(scripts)
    report = _Report(progress)
    with (
        sessions.locked(
            settings, progress=progress, pooler_allowed=pooler_allowed
        ) as conn,
        _reported(conn, report),
        conn.transaction(force_rollback=True) if dry_run else nullcontext(),
    ):
        with conn.transaction():
            converted = _convert(conn, migrations, texts)
        with conn.transaction():
            unvalidated = _validate(conn, texts)
    return Adoption(
        converted, tuple(report.mended), tuple(report.breaking), unvalidated
    )


class _Report:
    """Takes the messages of the scripts, whose fields say what they are about."""

    def __init__(self, progress: Progress) -> None:
        self.mended: list[Row] = []
        self.breaking: list[Row] = []
        self._progress = progress

    def __call__(self, diag: Diagnostic) -> None:
        if diag.severity_nonlocalized != "INFO":
            return
        what = " ".join((diag.message_primary or "").split())
        if not diag.table_name:
            self._progress(what)
            return
        mended = diag.sqlstate == _MENDED
        rule = diag.constraint_name or ""
        if diag.sqlstate == _BREAKING:
            what = f"breaks the rule: {RULES.get(rule, 'see its definition')}"
        row = Row(diag.table_name, diag.message_detail or "", rule, what)
        (self.mended if mended else self.breaking).append(row)
        self._progress(str(row))


@contextmanager
def _reported(conn: psycopg.Connection, report: _Report) -> Generator[None]:
    """Report what the server tells; errors say what failed, without a row's values."""
    conn.add_notice_handler(report)
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate.startswith(_LOST):
            raise  # who holds the lock tells what this means
        raise MigrationError(_explained(error)) from None


def _convert(
    conn: psycopg.Connection,
    migrations: Sequence[MigrationFile],
    scripts: Mapping[str, bytes],
) -> bool:
    """Convert the database, unless that was done; tell which."""
    ledgers = catalog.get_ledgers(conn)
    if not ledgers.of_drizzle and not ledgers.of_dbmate:
        raise MigrationError(
            "there is no ledger of Drizzle (drizzle.__drizzle_migrations), so this is "
            "no database to adopt; an empty one is for `make migrate`"
        )
    if ledgers.of_drizzle:
        for name, script in scripts.items():
            if name != _VALIDATION:
                conn.execute(script)
            if name == _BEFORE_MIGRATIONS:
                _apply(conn, migrations)
        for file in migrations:
            ledger.put(conn, file)
    return ledgers.of_drizzle


def _apply(conn: psycopg.Connection, migrations: Sequence[MigrationFile]) -> None:
    for file in migrations:
        if part := file.part("up"):
            conn.execute(part.sql.encode())


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


def _explained(error: psycopg.Error) -> str:
    """Say it in one line. Messages about data (class 22) may show them."""
    state = error.sqlstate
    if state is None:
        return " ".join(str(error).split())
    message = f"{error.diag.message_primary} ({state})"
    if state.startswith("22"):
        message = f"a value does not fit ({type(error).__name__})"
    if remedy := _REMEDIES.get(state):
        message += f": {remedy}"
    return message
