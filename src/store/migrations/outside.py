"""Parts that run outside of a transaction: once, statement by statement, by ourselves.

dbmate's driver repeats a statement on a new connection when it loses its own, and what
is outside of a transaction may have happened by then. So these statements go through a
connection of ours, and none is sent twice. A row beside the ledger says which one is
being run: it outlives a run that is killed, and goes with the ledger's own line.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import psycopg
from psycopg import Connection, errors, sql
from psycopg.errors import Diagnostic
from psycopg.rows import class_row

from generated.internal import catalog

from .. import signals
from ..errors import MigrationError
from ..settings import DatabaseSettings
from ..sql import statements
from ..sql.statements import Statement
from . import connections, dbmate, indexes, ledger, lock, relay
from .dbmate import Progress
from .files import MigrationFile, Section
from .journal import Finding

__all__ = [
    "LOST",
    "UNFINISHED",
    "Unfinished",
    "forget",
    "is_atomic",
    "read",
    "run",
    "tidy",
]

UNFINISHED = "schema_migrations_unfinished"
"""The table in which a statement stands while it is run; else there is none."""

LOST = "The connection was lost: look with make migrate-status."
"""Is said where nobody could look at what a failure has left."""

_CANCEL_SECONDS = 5.0
_LOOK_SECONDS = 1.0

_CREATE = """
CREATE TABLE IF NOT EXISTS schema_migrations_unfinished (
    name text NOT NULL, section text NOT NULL, position integer NOT NULL,
    count integer NOT NULL, line integer NOT NULL, statement text NOT NULL,
    invalid bigint[] NOT NULL, since timestamptz NOT NULL
)"""

_NOTE = """
INSERT INTO schema_migrations_unfinished
VALUES (
    %(name)s, %(section)s, %(position)s, %(count)s, %(line)s, %(statement)s,
    %(invalid)s, %(since)s
)"""

_READ = """
SELECT name, section, position, count, line, statement, invalid, since
FROM schema_migrations_unfinished"""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The statement that a run had begun, of which nobody has heard the end.

    `position` counts from 1, `line` is the file's. `invalid` are the indexes (oid) that
    were INVALID before it.
    """

    name: str
    section: Section
    position: int
    count: int
    line: int
    statement: str
    invalid: list[int]
    since: datetime

    @property
    def repeatable(self) -> bool:
        """Tell what the server takes again as if it had not begun."""
        [parsed] = statements.split(self.statement)
        return self.count == 1 and parsed.repeatable

    @property
    def finding(self) -> Finding:
        """Say what is not known, and what to do."""
        where = (
            f"was cut off, begun at {self.since:%Y-%m-%d %H:%M:%S %Z}, at statement "
            f"{self.position} of {self.count} ({statements.shortened(self.statement)}, "
            f"line {self.line}) of its {self.section} part, outside of a transaction"
        )
        if self.repeatable:
            return Finding(self.name, f"{where}: the next run repeats it")
        verb = "is applied" if self.section == "up" else "is taken back"
        entry = (
            f"make migrate-repair name={self.name} database=1"
            if self.section == "up"
            else f"DROP TABLE {UNFINISHED} and take {self.name[:4]} out of the table "
            f"{dbmate.LEDGER}"
        )
        return Finding(
            self.name,
            f"{where}: what is before it is done, it may be, and what is behind it is "
            f"not. Look at what is there: if all of it {verb}, or you complete it by "
            f"hand, run {entry}; if it may run from its first statement again, run "
            f"DROP TABLE {UNFINISHED}; then run the same again",
        )


def is_atomic(file: MigrationFile, section: Section) -> bool:
    """Tell whether nothing of a part is done where it failed."""
    part = file.part(section)
    found = statements.split(part.sql) if part else []
    return len(found) == 1 and found[0].atomic


def read(conn: Connection[Any]) -> Unfinished | None:
    """Read what a run that was cut off has left, on an autocommit connection."""
    try:
        return conn.cursor(row_factory=class_row(Unfinished)).execute(_READ).fetchone()
    except errors.UndefinedTable:
        return None


def forget(conn: Connection[Any]) -> None:
    """Take it for done, or for not begun."""
    conn.execute("DROP TABLE IF EXISTS schema_migrations_unfinished")


def tidy(conn: Connection[Any], left: Unfinished) -> None:
    """Remove the INVALID indexes that this statement made, for up to 5 seconds each.

    Raises:
        MigrationError: one is still in use; the next run tries it again.
    """
    [parsed] = statements.split(left.statement)
    indexes.remove(conn, parsed, left.invalid)


def run(
    conn: Connection[Any],
    settings: DatabaseSettings,
    file: MigrationFile,
    section: Section,
    *,
    progress: Progress = dbmate.silent,
) -> None:
    """Run a part, and enter the file in the ledger, or take it out.

    `conn` is an autocommit connection of which the part sees nothing.

    Raises:
        MigrationError: a statement failed; those before it are done.
    """
    part = file.part(section)
    if part is None:
        raise MigrationError(f"{file.path} has no part that goes {section}")
    doing, done = (
        ("Applying", "Applied") if section == "up" else ("Rolling back", "Rolled back")
    )
    progress(f"{doing}: {file.name}")
    started = time.monotonic()
    found = statements.split(part.sql)
    interruption = None
    # What CONCURRENTLY waits for are older transactions, and it holds nobody up: it may
    # wait as long as they last. What may have committed a part is not begun again.
    timeout = "5s"
    if any(statement.concurrent for statement in found):
        timeout = "0"
    elif all(statement.atomic for statement in found):
        timeout = f"{dbmate.LOCK_SECONDS}s"

    def tell(said: Diagnostic) -> None:
        severity, message = said.severity_nonlocalized, said.message_primary
        more = said.message_detail, said.message_hint
        progress(relay.notice(file.name, severity or "NOTICE", message or "", *more))

    with connections.connected(
        settings, dbmate.APPLICATION_NAME, f"-c lock_timeout={timeout}"
    ) as session:
        session.add_notice_handler(tell)
        for position, statement in enumerate(found, 1):
            begun = Unfinished(
                file.name,
                section,
                position,
                len(found),
                part.line + statement.line,
                statement.text,
                [one.index_id for one in catalog.list_invalid_indexes(conn)],
                datetime.now(UTC),
            )
            _note(conn, begun)
            text = _as_it_stands(conn, statement)
            error, interruption = _outcome(conn, session, text, progress)
            if error:
                _fail(conn, session, interruption or error, begun, file)
            if interruption and position < len(found):
                raise interruption
    with conn.transaction():
        if section == "up":
            ledger.put(conn, file)
        else:
            ledger.forget(conn, file.number)
        forget(conn)
    if interruption:
        raise interruption
    milliseconds = (time.monotonic() - started) * 1000
    progress(f"{done}: {file.name} in {milliseconds:.0f}ms")


def _note(conn: Connection[Any], begun: Unfinished) -> None:
    with conn.transaction():
        forget(conn)
        conn.execute(_CREATE)
        conn.execute(_NOTE, asdict(begun))


def _as_it_stands(conn: Connection[Any], statement: Statement) -> str:
    """Give the statement, or the end of a DETACH that was cut off half way."""
    for command in statement.commands("AT_DetachPartition"):
        parent, partition = (
            sql.Identifier(*filter(None, [one.get("schemaname"), one["relname"]]))
            for one in (
                statement.node["relation"],
                command["def"]["PartitionCmd"]["name"],
            )
        )
        pending = (
            "SELECT FROM pg_inherits WHERE inhdetachpending"
            " AND inhrelid = to_regclass(%s)"
        )
        if conn.execute(pending, [partition.as_string(conn)]).rowcount:
            finalize = sql.SQL("ALTER TABLE {} DETACH PARTITION {} FINALIZE")
            return finalize.format(parent, partition).as_string(conn)
    return statement.text


def _outcome(
    conn: Connection[Any],
    session: Connection[Any],
    statement: str,
    progress: Progress,
) -> tuple[BaseException | None, BaseException | None]:
    """Run a statement; give the error with which it ended, and a signal that came.

    It is run beside, as psycopg itself would not tell whether what it cancels was done.
    """
    ended: BaseException | None = None
    interruption: BaseException | None = None
    told = None
    try:
        # A signal that were raised inside of a lock of these threads would leave it.
        with signals.held(), ThreadPoolExecutor(1) as beside:
            running = beside.submit(session.execute, statement.encode())
            try:
                while not (wait([running], _LOOK_SECONDS).done or signals.came()):
                    waiting = lock.waits_for(conn, session.info.backend_pid)
                    if waiting and waiting != told:
                        progress(f"Waiting: {waiting}")
                        told = waiting
            except BaseException as error:
                interruption = error
            if not running.done():
                with suppress(psycopg.Error):
                    session.cancel_safe(timeout=_CANCEL_SECONDS)
                if not wait([running], _CANCEL_SECONDS).done:
                    lock.end_migrations(conn)
            ended = running.exception()
    except BaseException as error:
        interruption = error
    return ended, interruption


def _fail(
    conn: Connection[Any],
    session: Connection[Any],
    error: BaseException,
    begun: Unfinished,
    file: MigrationFile,
) -> NoReturn:
    """Leave nothing of the statement behind, as far as that can be known."""
    lines: list[str] = []
    lost = session.broken
    # The server may not have noticed that nobody listens any more.
    session.close()
    try:
        lock.end_migrations(conn)
        tidy(conn, begun)
        # What the server refused, or was told to give up, is known not to be done.
        if begun.position == 1 and not lost:
            forget(conn)
    except MigrationError as remains:
        lines.append(str(remains))
    except psycopg.OperationalError:
        lines.append(LOST)
    if not isinstance(error, psycopg.Error):
        raise MigrationError("\n".join(lines)) if lines else error
    sqlstate = error.sqlstate
    what = error.diag.message_primary or " ".join(str(error).split())
    message = dbmate.with_remedy(f"{what} ({sqlstate})" if sqlstate else what, sqlstate)
    if lost:
        message += (
            f": its connection was lost during {statements.shortened(begun.statement)},"
            " which is not sent again; run the same again, which says what is there"
        )
    where = f"{file.path}:{begun.line}"
    raise MigrationError("\n".join([f"{where}: {message}", *lines]), sqlstate=sqlstate)
