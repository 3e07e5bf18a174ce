# Generated from store/_async/database.py by tools/make_sync.py. DO NOT EDIT.
"""Connections and transactions: one pool, one way to begin, commit and try again."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from inspect import isfunction
from math import inf
from time import monotonic, perf_counter
from typing import Any, Self, TypeVar

import psycopg
from psycopg import Connection, conninfo
from psycopg.rows import TupleRow
from pydantic import SecretStr

from generated.internal import sessions
from store import adapters, errors
from store.arguments import Parameters, checked
from store.bookmarks import Writes
from store.constraints import refused, translated
from store.limits import milliseconds
from store.settings import Settings
from store.statistics import Observer, PoolStatistics

from . import positions
from .connection import StoreConnection
from .loans import Loan, refuse_nested
from .pipeline import HeldPipeline
from .pool import Pool, PoolConnection
from .waiting import finish, result_of, sleep

_T = TypeVar("_T")

# Waits before the second to the last attempt, in seconds; each is jittered.
_BACKOFF = (0.02, 0.05, 0.1, 0.2)

_17 = 170000  # knows transaction_timeout

_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_READ_ONLY = _BEGIN + b" READ ONLY"
# What the server says to COMMIT.
_ENDS = {b"COMMIT", b"ROLLBACK"}

_LOST_IN_COMMIT = (
    "the connection was lost during COMMIT, so the transaction may have been committed"
)
_ROLLED_BACK = (
    "the transaction was rolled back, because an error in it was caught and not raised"
    " again"
)


class Database:
    """The pool that queries go through, whose connections are in autocommit.

    Use it as a context manager, or call `open` and `close`. Without settings it reads
    them from the environment. An `observer` is told of each round trip. After a fork
    the child connects anew; it cannot be pickled.

    Raises:
        ConfigurationError: a setting is missing or bad.
    """

    # The caller's connection, in the copy that `within` gives.
    _bound: PoolConnection | None = None
    # What was committed, in the copy that `tracked` gives.
    _writes: Writes | None = None
    # Whether its transactions say that they write nothing.
    _reads_only = False
    # The name of the URL's setting, for errors.
    _setting = "DATABASE_URL"

    def __init__(
        self, settings: Settings | None = None, *, observer: Observer | None = None
    ) -> None:
        self.settings = settings or Settings.load()
        self._observer = observer
        self._limits = self._default_limits = self.settings.limits
        self._pool = Pool(self._connect, self.settings.database_pool_size)

    def __init_subclass__(cls) -> None:
        """Have public methods be repeated, and refuse wrong types and a block."""
        if not cls.__module__.startswith("store."):
            return  # what another's methods take, and whether to repeat them, is theirs
        for name, method in list(vars(cls).items()):
            if isfunction(method) and not name.startswith("_"):
                setattr(cls, name, _guarded(method))

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied."""
        raise TypeError(
            "a store has connections, which cannot be pickled: give its settings, and"
            " make a store of them where it is used"
        )

    def open(self) -> None:
        """Connect for the first time, to hear at once what is wrong.

        Raises:
            Unavailable: no connection could be had; its class and message say why.

        Example:
            ```python
            store = Store(settings)
            store.open()  # as the process starts
            store.close()
            ```
        """
        self._pool.open()
        try:
            conn = self._pool.acquire(self._limits.acquire, patient=False)
        except BaseException:
            self._pool.close()
            raise
        self._pool.release(conn)

    def close(self) -> None:
        """Close the connections; those that are lent, as they are given back.

        Example:
            ```python
            with Store(settings) as store:  # opens, and closes at the end
                store.ping()
            ```
        """
        self._pool.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ping(self) -> float:
        """Ask the server for an answer, and tell how many seconds that took.

        Raises:
            DatabaseError: there was none; its class and message say why.

        Example:
            ```python
            def is_ready() -> bool:
                try:
                    return store.limited(acquire=1, statement=1).ping() < 1
                except errors.StoreError:
                    return False
            ```
        """
        self._refuse_nested("ping")
        start = perf_counter()
        with self.connection() as conn:
            sessions.ping(conn)
        return perf_counter() - start

    @property
    def statistics(self) -> PoolStatistics:
        """What the pool is doing, and has done.

        Example:
            ```python
            pool = store.statistics
            print(pool.connections, "of", pool.size, "connections")
            ```
        """
        return self._pool.statistics()

    @checked
    def limited(
        self,
        *,
        acquire: float | None = None,
        statement: float | None = None,
        lock: float | None = None,
        transaction: float | None = None,
    ) -> Self:
        """Give this store with lower limits of time, in seconds, for some calls.

        It has the same connections.

        Raises:
            InvalidValue: a limit is no number, or not above 0.

        Example:
            ```python
            hurried = store.limited(acquire=0.5, statement=1)
            hurried.clear_cart(user.id)
            ```
        """
        copied = self._copied()
        copied._limits = self._limits.lowered(
            acquire=acquire, statement=statement, lock=lock, transaction=transaction
        )
        return copied

    @checked
    def within(self, conn: Connection[Any]) -> Self:
        """Give this store bound to a connection that its `transaction` lends.

        Its methods are part of that transaction: they are not tried again, and where
        one raises, what it wrote is undone and the transaction goes on.

        Raises:
            InvalidValue: it is another connection, or in no transaction of
                `transaction`.

        Example:
            ```python
            with store.transaction() as conn:
                users.set_display_name(conn, id=user.id, display_name="Ada")
                store.within(conn).clear_cart(user.id)
            ```
        """
        if isinstance(conn, StoreConnection) and conn.is_held:
            ours: PoolConnection = conn
            if ours.loan and self._lends_of(ours.loan.pool):
                copied = self._copied()
                copied._bound = ours
                return copied
        raise errors.InvalidValue("a connection that transaction() lends", place="conn")

    def _lends_of(self, pool: Pool) -> bool:
        return pool is self._pool

    def _refuse_nested(self, method: str) -> None:
        if self._bound is None:
            refuse_nested(self._pool, method)

    def _copied(self) -> Self:
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    @contextmanager
    def connection(self) -> Generator[Connection[TupleRow]]:
        """Lend a connection for single queries, each of which commits by itself.

        Raises:
            DatabaseError, InvalidValue: in place of the driver's errors, as they leave
                the block; `OutcomeUnknown` if the reply was lost to what may have been
                committed.

        Example:
            ```python
            with store.connection() as conn:
                items = carts.list_cart_items(conn, user_id=user.id, max_rows=50)
            ```
        """
        if self._bound is not None:
            with self._savepoint(self._bound) as bound:
                yield bound
            return
        with translated(reads_only=self._reads_only):
            conn = self._pool.acquire(self._limits.acquire)
            loan = Loan(self._pool, conn)
            writes = self._writes
            if writes is not None:
                writes.begin_singles()
            try:
                conn.be_lent(loan, self._limits, self._default_limits)
                loan.begin()
                self._refuse_older(conn)
                if path := self._path_to_tell(conn):
                    conn.begin_singles(path)
                yield conn
            except psycopg.Error:
                if conn.in_doubt and not self._reads_only:
                    raise errors.OutcomeUnknown(
                        "the reply to a statement was lost, which may have been"
                        " committed"
                    ) from None
                raise
            finally:
                if writes is not None:
                    writes.end_singles()
                if self._path_to_tell(conn):
                    conn.end_singles()
                self._pool.release(conn)
                loan.end()

    def _path_to_tell(self, conn: PoolConnection) -> str | None:
        """Give the search path, where no session has it: behind a pooler."""
        return None if conn.is_direct else self.settings.search_path

    @contextmanager
    def transaction(self) -> Generator[Connection[TupleRow]]:
        """Lend a connection for queries that are committed together, or not at all.

        They travel as a pipeline: BEGIN goes out with the first query that waits for
        its rows and COMMIT with what was queued after the last. READ COMMITTED.

        Raises:
            DatabaseError, InvalidValue: in place of the driver's errors, as they leave
                the block; `OutcomeUnknown` if the connection died after COMMIT was
                sent.

        Example:
            ```python
            with store.transaction() as conn:
                users.set_display_name(conn, id=user.id, display_name="Ada")
                users.set_email(conn, id=user.id, email="ada@example.org")
            ```
        """
        if self._bound is not None:
            with self._savepoint(self._bound) as bound:
                yield bound
            return
        with translated(reads_only=self._reads_only):
            conn = self._pool.acquire(self._limits.acquire)
            loan = Loan(self._pool, conn)
            try:
                conn.be_lent(loan, self._limits, self._default_limits)
                loan.begin()
                committing = False
                position: positions.Fetch | None = None
                pipeline = conn.begin_pipeline()
                try:
                    self._begin(conn, pipeline)
                    self._refuse_older(conn)
                    yield conn
                    committing = True
                    pipeline.queue(b"COMMIT")
                    if self._writes is not None:
                        position = positions.send(conn)
                    pipeline.sync()
                    conn.end_pipeline()
                except BaseException as error:
                    if self._writes is not None:
                        self._writes.leave_untold()
                    finish(conn.abandon_pipeline())
                    # An interrupt is the caller's, whatever has happened.
                    if not committing or not isinstance(error, psycopg.Error):
                        raise
                    has_ended = pipeline.completed in _ENDS
                    if not has_ended and conn.closed and not self._reads_only:
                        raise errors.OutcomeUnknown(_LOST_IN_COMMIT) from None
                    if not has_ended:
                        raise
                    position = None  # it is committed, and that alone went wrong
            finally:
                self._pool.release(conn)
                loan.end()
            if pipeline.completed != b"COMMIT":
                raise errors.DatabaseError(_ROLLED_BACK)
            if self._writes is not None and position is not None:
                self._writes.reach(position())

    def _begin(self, conn: PoolConnection, pipeline: HeldPipeline) -> None:
        limits = self._limits
        conn.be_in_transaction(limits)
        pipeline.queue(_BEGIN_READ_ONLY if self._reads_only else _BEGIN)
        if path := self._path_to_tell(conn):
            pipeline.queue(f"SET LOCAL search_path = {path}".encode())
        if conn.is_direct and limits == self._default_limits:
            return  # the session has them
        # No queries, so that SET TRANSACTION may still come.
        for name, seconds in (
            ("statement_timeout", limits.statement),
            ("lock_timeout", limits.lock),
            ("idle_in_transaction_session_timeout", limits.idle),
            ("transaction_timeout", limits.transaction),
        ):
            if name != "transaction_timeout" or conn.info.server_version >= _17:
                pipeline.queue(f"SET LOCAL {name} = {milliseconds(seconds)}".encode())

    def _refuse_older(self, conn: PoolConnection) -> None:
        """Refuse a connection that would not show enough, as a replica's may."""

    @contextmanager
    def _savepoint(self, conn: PoolConnection) -> Generator[PoolConnection]:
        """Make a part of the caller's transaction, which is undone if it fails."""
        if self._writes is not None:
            self._writes.leave_untold()  # the caller's COMMIT may tell another store
        with translated(reads_only=self._reads_only):
            pipeline = conn.held_pipeline()
            conn.execute("SAVEPOINT store")
            try:
                yield conn
                conn.execute("RELEASE SAVEPOINT store")
                pipeline.sync()
            except BaseException:
                finish(conn.abandon_savepoint())
                raise

    @checked
    def atomically(self, work: Callable[[Connection[TupleRow]], _T]) -> _T:
        """Run the work in a transaction, and anew if it failed for a passing reason.

        Raises:
            TransientError: it failed so at each of 5 attempts.
            DatabaseError: as `transaction` does.
            InvalidValue: ``work`` is no function, or one of the other face; or as
                `transaction` does.

        Example:
            ```python
            def rename(conn: Connection[Any]) -> None:
                users.set_display_name(conn, id=user.id, display_name="Ada")

            store.atomically(rename)
            ```
        """
        self._refuse_nested("atomically")

        def attempt() -> _T:
            with self.transaction() as conn:
                return result_of(work(conn))

        return self._retried(attempt)

    def _retried(self, attempt: Callable[[], _T]) -> _T:
        if self._bound is not None:
            return attempt()  # what failed may be the caller's part
        over = monotonic() + self._limits.transaction
        pauses = iter(_BACKOFF)
        while True:
            try:
                return attempt()
            except errors.TransientError as error:
                # Jitter spares colliding transactions the next collision.
                pause = next(pauses, inf) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                # What a part of the attempt has tried five times is over, too.
                if error.was_repeated or monotonic() + pause > over:
                    error.was_repeated = True
                    raise
            sleep(pause)

    def _url(self) -> SecretStr:
        return self.settings.database_url

    def _connect(self) -> PoolConnection:
        """Connect, find out to what, and tell the server our limits if it is one.

        Raises:
            DatabaseError: that was not possible; the class and message say why.
        """
        limits = self._default_limits
        pooler = self.settings.database_pooler
        conn: PoolConnection | None = None
        try:
            conn = StoreConnection[TupleRow].connect(
                self._url().get_secret_value(),
                autocommit=True,
                **_keywords(self.settings, self._url()),
            )
            adapters.register(conn.adapters)
            conn.patience = limits.connect
            conn.observer = self._observer
            if pooler != "yes":
                entered = sessions.enter_session(
                    conn,
                    known_direct=pooler == "no",
                    backend_pid=conn.info.backend_pid,
                    search_path=self.settings.search_path,
                    statement_timeout=milliseconds(limits.statement),
                    lock_timeout=milliseconds(limits.lock),
                    idle_timeout=milliseconds(limits.idle),
                    transaction_timeout=milliseconds(limits.transaction),
                )
                conn.is_direct = entered is not None and entered.direct
            else:
                conn.is_direct = False
            if not conn.is_direct:
                # What was prepared on one session is missing on the next.
                conn.prepare_threshold = None
        except psycopg.Error as error:
            failure = refused(error, self._setting)
        except BaseException:
            if conn is not None:
                conn.shut()
            raise
        else:
            return conn
        if conn is not None:
            conn.shut()
        try:
            # Outside, since the frames of the driver's own error know the password.
            raise failure
        finally:
            del failure, conn  # or the traceback would be in a circle of references


def _keywords(settings: Settings, url: SecretStr) -> dict[str, Any]:
    """Give what the connection is made with; what the URL says itself goes first."""
    limits = settings.limits
    third = max(1, round(limits.network / 3))
    ours: dict[str, Any] = {
        "connect_timeout": max(2, round(limits.connect)),
        "keepalives_idle": third,
        "keepalives_interval": third,
        "keepalives_count": 2,
        "tcp_user_timeout": milliseconds(limits.network),
        "fallback_application_name": "chat-commerce-store",
    }
    said = conninfo.conninfo_to_dict(url.get_secret_value())
    return {name: value for name, value in ours.items() if name not in said}


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    parameters = Parameters(method)

    @wraps(method)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any method's
        self._refuse_nested(method.__name__)
        parameters.check(self, *args, **kwargs)

        def attempt() -> Any:  # noqa: ANN401 - any method's
            return method(self, *args, **kwargs)

        try:
            return self._retried(attempt)
        except errors.OutcomeUnknown as unknown:
            unknown.retryable = True  # all of them find what is done already
            raise

    return guarded
