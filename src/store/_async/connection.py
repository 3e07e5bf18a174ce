"""The connection that the pool lends: what it waits for ends, or the connection does.

It logs each round trip at DEBUG, to the logger `store`: the query's name, its time, and
how it ended. Never a statement's text, its values, or a row.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from inspect import currentframe
from logging import DEBUG, getLogger
from time import monotonic, perf_counter
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout  # pyright: ignore[reportPrivateUsage]
from psycopg.pq import ConnStatus, PipelineStatus, TransactionStatus
from psycopg.rows import Row

from store import errors
from store.bookmarks import Position
from store.constraints import LimitReached, is_stale
from store.limits import Limits
from store.statistics import Observer, RoundTrip

from .pipeline import AsyncHeldPipeline, AsyncSinglePipeline
from .waiting import finish, round_trip

if TYPE_CHECKING:
    from .loans import Loan
    from .pool import Seat

_logger = getLogger("store")

# The server ends what takes too long; the client does if it was not heard of by then.
_GRACE = 2.0
# How long to wait for a cancellation to be delivered, and then for what it cancelled.
_CANCELLING = _DRAINING = 1.0
# A clean-up after an error may take no longer.
_CLEANING = 2.0

_FOREVER = float("inf")


class AsyncStoreConnection(AsyncConnection[Row]):
    """What the pool lends. It is not for two tasks (or threads) at a time."""

    # With this, the driver does not warn if it is dropped without being closed: that
    # is how it is given back where nothing else could run any more.
    _pool = None

    seat: Seat | None = None
    loan: Loan | None = None
    # Whether the server itself is at the other end, which then has our limits.
    is_direct: bool = True
    expires_at: float = _FOREVER
    idle_since: float = 0.0
    # How long a round trip may take, and until when (`monotonic`) the transaction.
    patience: float = _FOREVER
    deadline: float = _FOREVER
    # Whether the connection was lost while a statement may have committed by itself.
    in_doubt: bool = False
    # How far the replica at the other end was as it was last asked.
    position: Position | None = None

    # Who is told of each round trip.
    observer: Observer | None = None

    # Waiting

    async def wait(
        self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None
    ) -> RV:
        """Do one round trip, or a part of it."""
        if self.observer is None and not _logger.isEnabledFor(DEBUG):
            return await self._wait(gen, interval, timeout)
        start, failure, sqlstate = perf_counter(), None, None
        try:
            return await self._wait(gen, interval, timeout)
        except BaseException as error:
            failure = type(error).__name__
            sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
            raise
        finally:
            self._tell(
                RoundTrip(
                    query=_query(),
                    seconds=perf_counter() - start,
                    sqlstate=sqlstate,
                    failure=failure,
                )
            )

    def _tell(self, ended: RoundTrip) -> None:
        how = (
            f"SQLSTATE {ended.sqlstate}" if ended.sqlstate else ended.failure or "done"
        )
        _logger.debug("%s: %s in %.1f ms", ended.query, how, ended.seconds * 1000)
        if self.observer is not None:
            try:
                self.observer(ended)
            except Exception:
                # Whoever measures must not break what is measured.
                _logger.exception("the observer failed")

    async def _wait(self, gen: PQGen[RV], interval: float, timeout: float | None) -> RV:
        limit = timeout
        if timeout is None:
            limit = self.patience
            if self.deadline != _FOREVER:
                limit = max(0.0, min(limit, self.deadline - monotonic()))
            if limit == _FOREVER:
                limit = None
        before = self.pgconn.transaction_status
        try:
            return await round_trip(gen, self.pgconn.socket, interval, limit)
        except _WaitTimeout:
            if timeout is not None:
                raise
            return await self._end(gen, before)
        except psycopg.Error as error:
            if is_stale(error) and (again := self._anew(error, before)):
                done: RV = await self._wait(again, interval, timeout)
                return done
            self._note_doubt(_execution(error), error.sqlstate, before)
            raise
        except BaseException:
            await finish(self._interrupt(gen))
            raise

    async def _interrupt(self, gen: PQGen[Any]) -> bool:
        """Where the caller goes away, make it able to go on, or close it; say which."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                await self._cancel(gen)
            self._shut_if_busy()
        return not self.closed

    async def _cancel(self, gen: PQGen[RV]) -> RV:
        """Have the server end what it does, and take what it says to that."""
        await self.cancel_safe(timeout=_CANCELLING)
        return await waiting.wait_async(
            gen, self.pgconn.socket, interval=0.1, timeout=_DRAINING
        )

    async def _end(self, gen: PQGen[RV], before: int) -> RV:
        """End what has taken too long; give its result if it comes after all."""
        in_time = monotonic() < self.deadline
        said = _arguments(gen)
        try:
            return await finish(self._cancel(gen))
        except psycopg.Error:
            self._shut_if_busy()
            if not self.closed and in_time:
                raise  # the server has cancelled it, and says so
            self._note_doubt(said, None, before)
        raise LimitReached(
            errors.StatementTimeout if in_time else errors.TransactionTimeout
        )

    def _shut_if_busy(self) -> None:
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            self.shut()

    def _note_doubt(
        self, said: dict[str, Any], sqlstate: str | None, before: int
    ) -> None:
        """Note where the reply to what commits by itself was lost."""
        if self.pgconn.status == ConnStatus.OK or sqlstate is not None:
            return  # the server said that it did not commit
        if self.deadline != _FOREVER:
            return  # in a transaction of ours, which knows what it has sent
        statement = said.get("query")
        if before in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
            self.in_doubt = _begins(statement, "COMMIT", "END", "PREPARE")
        elif before in {TransactionStatus.IDLE, TransactionStatus.ACTIVE}:
            self.in_doubt = not _begins(statement, "SELECT", "BEGIN", "SET", "SHOW")

    def _anew(self, error: psycopg.Error, before: int) -> PQGen[Any] | None:
        """Forget what was prepared before a column changed; do a single query again.

        A batch of one is, too: its pipeline is one implicit transaction, which failed.
        """
        self._prepared.clear()
        if before == TransactionStatus.IDLE and not self.is_held:
            batch = _execution(error, "_executemany_gen_pipeline")
            # What was drawn from an iterator is gone.
            if isinstance(batch.get("params_seq"), Sequence):
                return self._batch_anew(batch)
        said = _execution(error)
        if not said or before != TransactionStatus.IDLE or self._pipeline:
            return None
        again: PQGen[Any] = said["self"]._execute_gen(
            said["query"],
            said["params"],
            prepare=said["prepare"],
            binary=said["binary"],
        )
        return again

    def _batch_anew(self, said: dict[str, Any]) -> PQGen[None]:
        pipeline = said["pipeline"]
        while pipeline.result_queue:
            with suppress(psycopg.errors.PipelineAborted):
                yield from pipeline._fetch_gen(flush=True)
        yield from pipeline._sync_gen()
        # Or it would forget, afterwards, what the batch prepares.
        yield from self._prepared.maintain_gen(self)
        yield from said["self"]._executemany_gen_pipeline(
            said["query"], said["params_seq"], said["returning"]
        )

    # Transactions

    def begin_pipeline(self) -> AsyncHeldPipeline:
        """Keep commands back from now on; send them whenever a result is needed."""
        pipeline = self._pipeline = AsyncHeldPipeline(self)
        self.pgconn.enter_pipeline_mode()
        pipeline.level += 1
        return pipeline

    def end_pipeline(self) -> None:
        """Leave the pipeline, all of whose results have come."""
        self._pipeline = None
        self.deadline = _FOREVER
        self.pgconn.exit_pipeline_mode()

    def begin_singles(self, path: str) -> None:
        """Send each statement with its search path from now on."""
        self._pipeline = AsyncSinglePipeline(self, path)
        self.pgconn.enter_pipeline_mode()
        self._pipeline.level += 1

    def end_singles(self) -> None:
        """Leave that, or close what is still busy."""
        self._pipeline = None
        if self.pgconn.status == ConnStatus.OK:
            try:
                self.pgconn.exit_pipeline_mode()
            except psycopg.OperationalError:
                self.shut()

    @property
    def is_held(self) -> bool:
        """Whether it is in a transaction whose commands are kept back."""
        return type(self._pipeline) is AsyncHeldPipeline

    def held_pipeline(self) -> AsyncHeldPipeline:
        """Give the pipeline of the transaction that it is in.

        Raises:
            InvalidValue: it is in none.
        """
        pipeline = self._pipeline
        if isinstance(pipeline, AsyncHeldPipeline) and self.is_held:
            return pipeline
        raise errors.InvalidValue("a transaction that has not ended", place="conn")

    async def abandon_pipeline(self) -> bool:
        """Leave the pipeline and its transaction, neither of which will be completed.

        Where that is not possible, as after an interrupt, the connection is closed; say
        whether it can go on.
        """
        pipeline, self._pipeline = self._pipeline, None
        if isinstance(pipeline, AsyncHeldPipeline):
            pipeline.drop()
        if self.pgconn.status != ConnStatus.OK:
            return False
        self.deadline = monotonic() + _CLEANING
        try:
            self.pgconn.exit_pipeline_mode()
            if self.pgconn.transaction_status == TransactionStatus.IDLE:
                # What was dropped counts as prepared, as far as the driver knows.
                self._prepared.clear()
            else:
                await self.rollback()
        except psycopg.Error:
            self.shut()
        self.deadline = _FOREVER
        return not self.closed

    async def abandon_savepoint(self) -> bool:
        """Undo what came after the savepoint, and forget what has not been sent.

        Say whether the transaction can go on.
        """
        pipeline = self.held_pipeline()
        pipeline.drop()
        try:
            await self.execute("ROLLBACK TO SAVEPOINT store")
            await self.execute("RELEASE SAVEPOINT store")
            await pipeline.sync()
        except psycopg.Error:
            return False  # as whoever goes on in it will hear
        finally:
            self._prepared.clear()
        return True

    # Lending

    def be_lent(self, loan: Loan, limits: Limits, default: Limits) -> None:
        """Go to somebody, with limits that the server has been told, or lower ones."""
        self.loan = loan
        self.in_doubt = False
        self.deadline = _FOREVER
        told = self.is_direct and limits.statement >= default.statement
        self.patience = limits.statement + _GRACE if told else limits.statement

    def be_in_transaction(self, limits: Limits) -> None:
        """Begin a transaction, for which the server is told the limits in any case."""
        self.patience = limits.statement + _GRACE
        self.deadline = monotonic() + limits.transaction

    def is_fresh(self) -> bool:
        """Tell by a look at the socket whether the server has not ended the session."""
        try:
            # The first look may find the server's last words, and the next the end.
            self.pgconn.consume_input()
            self.pgconn.consume_input()
        except psycopg.OperationalError:
            return False
        return self.pgconn.status == ConnStatus.OK

    def is_clean(self) -> bool:
        """Tell whether somebody else can go on with it."""
        return (
            self.pgconn.status == ConnStatus.OK
            and self.pgconn.transaction_status == TransactionStatus.IDLE
            and self.pgconn.pipeline_status == PipelineStatus.OFF
            and self._pipeline is None
            and not self.lock.locked()
            and self.expires_at > 0
        )

    def shut(self) -> None:
        """Close it, in whatever state it is."""
        self._closed = True
        self.pgconn.finish()

    def detach(self) -> None:
        """Let go of the socket, in a forked process: the session is the parent's."""
        self.expires_at = 0
        try:
            socket = self.pgconn.socket
        except psycopg.OperationalError:
            return  # it is closed
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, socket)
        os.close(nowhere)


def _execution(error: BaseException, by: str = "_execute_gen") -> dict[str, Any]:
    """Give the arguments with which a cursor of the driver's executed what failed."""
    for frame, _ in walk_tb(error.__traceback__):
        if frame.f_code.co_name == by:
            return dict(frame.f_locals)
    return {}


def _arguments(gen: PQGen[Any]) -> dict[str, Any]:
    """Give the arguments with which a cursor of the driver's executes what goes on."""
    code, frame = getattr(gen, "gi_code", None), getattr(gen, "gi_frame", None)
    is_ours = code is not None and code.co_name == "_execute_gen"
    return dict(frame.f_locals) if is_ours and frame is not None else {}


def _begins(statement: object, *words: str) -> bool:
    return isinstance(statement, str) and statement.lstrip().upper().startswith(words)


def _query() -> str:
    """Name the generated function that waits; a pipeline's end waits for several."""
    frame = currentframe()
    while frame:
        package, _, module = frame.f_globals["__name__"].rpartition(".")
        if package.partition(".")[0] == "generated":
            return f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "pipeline"
