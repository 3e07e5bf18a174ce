"""Connections and transactions: one pool, one way to begin, commit and try again."""

from __future__ import annotations

import random
from asyncio import sleep
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from store import errors
from store.constraints import translated
from store.settings import Settings

from .connection import AsyncLoggedConnection

_T = TypeVar("_T")

# Waits before the second to the last attempt, in seconds; each is jittered.
_BACKOFF = (0.02, 0.05, 0.1, 0.2)


class AsyncDatabase:
    """The pool that queries go through: at most 5 connections, in autocommit.

    Use it as a context manager, or call `open` and `close`. Without settings it reads
    them from the environment.

    Raises:
        ConfigurationError: a setting is missing or bad.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self._pool: AsyncConnectionPool[AsyncConnection[TupleRow]] = (
            AsyncConnectionPool(
                self.settings.database_url.get_secret_value(),
                connection_class=AsyncLoggedConnection[TupleRow],
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
        )

    async def open(self) -> None:
        """Open the pool and wait for its first connection.

        Raises:
            Unavailable: there was none within 10 seconds.
        """
        with translated():
            await self._pool.open(wait=True, timeout=10)

    async def close(self) -> None:
        """Close the pool's connections."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[AsyncConnection[TupleRow]]:
        """Lend a connection for single queries, each of which commits by itself.

        Raises:
            DatabaseError: in place of the driver's errors, as they leave the block.
        """
        with translated():
            conn = await self._acquire()
            try:
                yield conn
            finally:
                await self._pool.putconn(conn)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection[TupleRow]]:
        """Lend a connection for queries that are committed together, or not at all.

        They travel as a pipeline: BEGIN goes out with the first query that waits for
        its rows and COMMIT with what was queued after the last. READ COMMITTED.

        Raises:
            DatabaseError: in place of the driver's errors, as they leave the block;
                `OutcomeUnknown` if the connection died after COMMIT was sent.
        """
        async with self.connection() as conn:
            committing = False
            try:
                async with conn.pipeline() as pipeline:
                    try:
                        await conn.execute("BEGIN")
                        yield conn
                        committing = True
                        commit = await conn.execute("COMMIT")
                    except BaseException:
                        # What is still queued may fail too. The driver would log that
                        # error, with the values it tells, on leaving the pipeline.
                        with suppress(psycopg.Error):
                            await pipeline.sync()
                        raise
            except BaseException as error:
                await self._abandon(conn)
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

    async def atomically(
        self, work: Callable[[AsyncConnection[TupleRow]], Awaitable[_T]]
    ) -> _T:
        """Run the work in a transaction, and anew if it failed for a passing reason.

        Raises:
            TransientError: it failed so at each of 5 attempts.
            DatabaseError: as `transaction` does.
        """

        async def attempt() -> _T:
            async with self.transaction() as conn:
                return await work(conn)

        return await self._retried(attempt)

    async def _retried(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        for pause in _BACKOFF:
            try:
                return await attempt()
            except errors.TransientError:
                # Jitter spares colliding transactions the next collision.
                await sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        return await attempt()

    async def _acquire(self) -> AsyncConnection[TupleRow]:
        conn = await self._pool.getconn()
        if not _ended(conn):
            return conn
        # All may have died at once, as at a restart of the server: replace them now.
        # The pool's own check on lending would pause longer after each dead one.
        await self._pool.putconn(conn)
        await self._pool.check()
        return await self._pool.getconn()

    async def _abandon(self, conn: AsyncConnection[TupleRow]) -> None:
        if conn.info.transaction_status in {
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        }:
            # Not execute(): rollback() also makes the driver forget what it prepared,
            # for it counts statements that the error kept from being prepared.
            await conn.rollback()


def _ended(conn: AsyncConnection[Any]) -> bool:
    """Tell whether the server ended this idle connection, by a look at the socket."""
    try:
        # The first look may find the server's last words, and only the next the end.
        conn.pgconn.consume_input()
        conn.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return conn.closed
