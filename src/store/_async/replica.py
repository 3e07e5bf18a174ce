"""A store that reads a standby, as new as the caller has to see it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from time import monotonic
from types import TracebackType
from typing import Self, TypeAlias

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import SecretStr

from generated.internal.aio import sessions
from store import errors
from store.arguments import checked
from store.bookmarks import Position
from store.constraints import translated
from store.settings import Settings
from store.statistics import Observer

from .pool import AsyncPool, PoolConnection
from .store import AsyncStore
from .waiting import sleep

_Lend: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection[TupleRow]]]

# Seconds between two looks at how far a replica is. The server cannot wait instead: a
# statement that does holds a snapshot, for which the replay itself may have to wait.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05

# A replica that does not serve, where another store can.
_AWAY = (errors.Unavailable, errors.TransientError, errors.TimeLimitReached)


class _CurrentBlock(AbstractAsyncContextManager[AsyncConnection[TupleRow]]):
    """A block on what shows enough, or else on another store.

    It holds nothing between two looks, so that those who wait do not keep others from
    reading. A class, since a generator costs each read a fifth more.
    """

    __slots__ = ("_block", "_lend", "_otherwise", "_seconds")

    def __init__(self, lend: _Lend, seconds: float, otherwise: _Lend | None) -> None:
        self._lend = lend
        self._seconds = seconds
        self._otherwise = otherwise

    async def __aenter__(self) -> AsyncConnection[TupleRow]:
        over = monotonic() + self._seconds
        pause = _FIRST_PAUSE
        while True:
            self._block = self._lend()
            try:
                return await self._block.__aenter__()
            except errors.ReplicaBehind:
                left = over - monotonic()
                if left <= 0 and self._otherwise is None:
                    raise
            except _AWAY:
                left = 0.0
                if self._otherwise is None:
                    raise
            if left <= 0 and self._otherwise is not None:
                self._block = self._otherwise()
                return await self._block.__aenter__()
            await sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._block.__aexit__(kind, error, traceback)


class AsyncReplica(AsyncStore):
    """A store that reads DATABASE_URL_REPLICA, and writes nothing.

    What it shows may be older than what was written, unless it is read with `at_least`.
    Whatever writes is refused by the server, as `ReplicaWritten`. The primary itself
    will do where there is no standby, as in development.

    Raises:
        ConfigurationError: a setting is missing or bad.
    """

    _reads_only = True
    _setting = "DATABASE_URL_REPLICA"
    _bookmark: Position | None = None
    _within: float | None = None
    _primary: AsyncStore | None = None

    def __init__(
        self, settings: Settings | None = None, *, observer: Observer | None = None
    ) -> None:
        super().__init__(settings, observer=observer)
        self.settings.replica_url()

    @checked
    def at_least(
        self,
        bookmark: str | None,
        *,
        within: float | None = None,
        otherwise: AsyncStore | None = None,
    ) -> Self:
        """Give this replica as a caller may read it who has seen what a bookmark names.

        Each block or method begins as soon as the replica shows all of that, ``within``
        so many seconds (the limit ``statement`` if None). If it does not, or is away,
        the store given as ``otherwise`` is read instead, in transactions that write
        nothing. Of several bookmarks the latest counts; None is none.

        Raises:
            InvalidValue: the bookmark is none, or (in reading) of another database
                system; or ``within`` is below 0, or ``otherwise`` a replica.

        Example:
            ```python
            await store.add_cart_item(user.id, pen)
            written = await store.bookmark()
            reading = replica.at_least(written, within=0.2, otherwise=store)
            async with reading.connection() as conn:
                assert await carts.count_cart_items(conn, user_id=user.id) == 2
            ```
        """
        if within is not None and not within >= 0:
            raise errors.InvalidValue("seconds, 0 or more", place="within")
        if isinstance(otherwise, AsyncReplica):
            raise errors.InvalidValue("a store of the primary", place="otherwise")
        copied = self._copied()
        if bookmark is not None:
            copied._bookmark = Position.parse(bookmark).later(self._bookmark)
        if within is not None:
            copied._within = within
        if otherwise is not None:
            copied._primary = otherwise._copied()
            copied._primary._reads_only = True
            copied._primary._writes = None
        return copied

    def connection(  # type: ignore[override]  # entered in the same way
        self,
    ) -> AbstractAsyncContextManager[AsyncConnection[TupleRow]]:
        """Lend a connection for single queries that only read.

        Through a pooler, where no session can be told to write nothing, and where each
        query may go to another server, they are in one transaction; so are those that
        the store given as ``otherwise`` answers.

        Raises:
            ReplicaBehind: it did not show in time what the bookmark names.
            ReplicaWritten: a query writes, or locks rows.
            DatabaseError, InvalidValue: as a store's does.

        Example:
            ```python
            async with replica.connection() as conn:
                found = await users.get_user(conn, id=user.id)
            ```
        """
        pooled = self._pool.behind_pooler
        return self._current(super().transaction if pooled else super().connection)

    def transaction(  # type: ignore[override]  # entered in the same way
        self,
    ) -> AbstractAsyncContextManager[AsyncConnection[TupleRow]]:
        """Lend a connection for queries that only read, in one transaction.

        READ COMMITTED: each query sees what is there as it begins.

        Raises:
            ReplicaBehind: it did not show in time what the bookmark names.
            ReplicaWritten: a query writes, or locks rows.
            DatabaseError, InvalidValue: as a store's does.

        Example:
            ```python
            async with replica.transaction() as conn:
                found = await users.get_user(conn, id=user.id)
            ```
        """
        return self._current(super().transaction)

    def _current(
        self, lend: _Lend
    ) -> AbstractAsyncContextManager[AsyncConnection[TupleRow]]:
        otherwise = self._primary.transaction if self._primary is not None else None
        if self._bound is not None or (self._bookmark is None and otherwise is None):
            return lend()
        seconds = self._limits.statement if self._within is None else self._within
        return _CurrentBlock(lend, seconds, otherwise)

    async def _refuse_older(self, conn: PoolConnection) -> None:
        """Refuse a connection to a replica that does not show what the bookmark names.

        A session's server never goes back, so it is asked until it has come so far;
        through a pooler each time, since each transaction may go to another server.
        """
        needed = self._bookmark
        if needed is None:
            return
        if conn.is_direct and conn.position and conn.position.covers(needed):
            return
        row = await sessions.get_wal_position(conn, own_writes=False)
        conn.position = position = Position.of(row)
        if not position.covers(needed):
            raise errors.ReplicaBehind(position.behind(needed))

    def _url(self) -> SecretStr:
        return self.settings.replica_url()

    def _lends_of(self, pool: AsyncPool) -> bool:
        return pool is self._pool or (
            self._primary is not None and self._primary._lends_of(pool)
        )

    async def _connect(self) -> PoolConnection:
        conn = await super()._connect()
        try:
            if conn.is_direct:
                with translated():
                    await conn.execute(
                        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
                    )
        except BaseException:
            conn.shut()
            raise
        return conn
