# Generated from store/_async/database.py by tools/make_sync.py. DO NOT EDIT.
"""Connections and transactions: one pool, one way to begin, commit and try again."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from time import sleep
from typing import Any, Self, TypeVar

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from store import errors
from store.constraints import translated
from store.settings import Settings

from .connection import LoggedConnection

_T = TypeVar("_T")

# Waits before the second to the last attempt, in seconds; each is jittered.
_BACKOFF = (0.02, 0.05, 0.1, 0.2)


class Database:
    """The pool that queries go through: at most 5 connections, in autocommit.

    Use it as a context manager, or call `open` and `close`. Without settings it reads
    them from the environment.

    Raises:
        ConfigurationError: a setting is missing or bad.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self._pool: ConnectionPool[Connection[TupleRow]] = ConnectionPool(
            self.settings.database_url.get_secret_value(),
            connection_class=LoggedConnection[TupleRow],
            min_size=1,
            max_size=5,
            open=False,
            name="store-queries",
            timeout=10,
            kwargs={
                "autocommit": True,
                # Behind a pooler, what was prepared on one connection is missing
                # on the next.
                "prepare_threshold": None if self.settings.pooled else 5,
                "fallback_application_name": "chat-commerce-store",
            },
        )

    def open(self) -> None:
        """Open the pool and wait for its first connection.

        Raises:
            Unavailable: there was none within 10 seconds.
        """
        with translated():
            self._pool.open(wait=True, timeout=10)

    def close(self) -> None:
        """Close the pool's connections."""
        self._pool.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def connection(self) -> Generator[Connection[TupleRow]]:
        """Lend a connection for single queries, each of which commits by itself.

        Raises:
            DatabaseError: in place of the driver's errors, as they leave the block.
        """
        with translated():
            conn = self._acquire()
            try:
                yield conn
            finally:
                self._pool.putconn(conn)

    @contextmanager
    def transaction(self) -> Generator[Connection[TupleRow]]:
        """Lend a connection for queries that are committed together, or not at all.

        They travel as a pipeline: BEGIN goes out with the first query that waits for
        its rows and COMMIT with what was queued after the last. READ COMMITTED.

        Raises:
            DatabaseError: in place of the driver's errors, as they leave the block;
                `OutcomeUnknown` if the connection died after COMMIT was sent.
        """
        with self.connection() as conn:
            committing = False
            try:
                with conn.pipeline() as pipeline:
                    try:
                        conn.execute("BEGIN")
                        yield conn
                        committing = True
                        commit = conn.execute("COMMIT")
                    except BaseException:
                        # What is still queued may fail too. The driver would log that
                        # error, with the values it tells, on leaving the pipeline.
                        with suppress(psycopg.Error):
                            pipeline.sync()
                        raise
            except BaseException as error:
                self._abandon(conn)
                lost = isinstance(error, psycopg.OperationalError) and conn.closed
                if committing and lost:
                    raise errors.OutcomeUnknown(
                        "the connection was lost during COMMIT, so the transaction may"
                        " have been committed: repeat the same call"
                    ) from None
                raise
            if commit.statusmessage != "COMMIT":
                raise errors.DatabaseError(
                    "the transaction was rolled back, because an error in it was caught"
                    " and not raised again"
                )

    def atomically(self, work: Callable[[Connection[TupleRow]], _T]) -> _T:
        """Run the work in a transaction, and anew if it failed for a passing reason.

        Raises:
            TransientError: it failed so at each of 5 attempts.
            DatabaseError: as `transaction` does.
        """

        def attempt() -> _T:
            with self.transaction() as conn:
                return work(conn)

        return self._retried(attempt)

    def _retried(self, attempt: Callable[[], _T]) -> _T:
        for pause in _BACKOFF:
            try:
                return attempt()
            except errors.TransientError:
                # Jitter spares colliding transactions the next collision.
                sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        return attempt()

    def _acquire(self) -> Connection[TupleRow]:
        conn = self._pool.getconn()
        if not _ended(conn):
            return conn
        # All may have died at once, as at a restart of the server: replace them now.
        # The pool's own check on lending would pause longer after each dead one.
        self._pool.putconn(conn)
        self._pool.check()
        return self._pool.getconn()

    def _abandon(self, conn: Connection[TupleRow]) -> None:
        if conn.info.transaction_status in {
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        }:
            # Not execute(): rollback() also makes the driver forget what it prepared,
            # for it counts statements that the error kept from being prepared.
            conn.rollback()


def _ended(conn: Connection[Any]) -> bool:
    """Tell whether the server ended this idle connection, by a look at the socket."""
    try:
        # The first look may find the server's last words, and only the next the end.
        conn.pgconn.consume_input()
        conn.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return conn.closed
