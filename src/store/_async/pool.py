"""The pool: connections that cannot be lost, because nobody counts them.

Each connection owns a `Seat`; the pool knows the seats weakly, and the idle
connections. So there are as many connections as seats alive: whoever drops a
connection, wherever a cancellation or a signal may strike, gives it back by that.
Giving back waits for nothing. Why the library's is not used:
docs/decisions/0001-a-pool-of-our-own.md.
"""

from __future__ import annotations

import gc
import os
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TypeAlias
from weakref import WeakSet, ref

from psycopg.rows import TupleRow

from store import errors
from store.statistics import PoolStatistics

from .connection import AsyncStoreConnection
from .waiting import Waiter

PoolConnection: TypeAlias = AsyncStoreConnection[TupleRow]

# Seconds between attempts to connect to a server that is starting or full.
_PAUSE = 0.2
# A connection is replaced after so many seconds of life, and of idleness.
_LIFETIME, _IDLENESS = 3600.0, 600.0
# Who has waited so long looks whether the garbage holds a connection; not too often.
_SUSPICIOUS, _COLLECTING = 1.0, 5.0


class Seat:
    """The right to be one of the pool's connections; it ends with its owner."""

    __slots__ = ("__weakref__", "conn")

    def __init__(self) -> None:
        self.conn: ref[PoolConnection] | None = None


class AsyncPool:
    """At most so many connections, which `connect` makes.

    A caller takes an idle connection, or connects by itself while there is a free seat,
    or waits; whoever gives a connection back hands it to who waits longest.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[PoolConnection]], size: int
    ) -> None:
        self._connect = connect
        self._size = size
        self._is_open = False
        self._was_open = False
        self._acquired = self._waited = self._timed_out = 0
        self._connected = self._refused = self._discarded = 0
        self.behind_pooler = False
        self._collected = 0.0
        self._not_before = 0.0
        self._empty()
        _pools.add(self)

    def _empty(self) -> None:
        self._idle: deque[PoolConnection] = deque()
        self._waiters: deque[Waiter[PoolConnection]] = deque()
        self._seats: list[ref[Seat]] = []
        self._lock = Lock()

    def open(self) -> None:
        """Lend from now on."""
        self._is_open = self._was_open = True

    def close(self) -> None:
        """Lend no more, and close what is idle; the rest as it is given back."""
        self._is_open = False
        while self._idle:
            self._idle.pop().shut()
        for _ in range(len(self._waiters)):
            self._wake()

    async def acquire(self, seconds: float, *, patient: bool = True) -> PoolConnection:
        """Give a connection that is alive, or was a moment ago.

        A server that is starting or full is asked again until the time is over; so is
        one that does not listen or is a standby, unless the caller is not `patient`.

        Raises:
            NotOpen: the pool is closed, or was never opened.
            PoolExhausted: there was none within so many seconds.
            DatabaseError: one could not be made; the class says why.
        """
        self._acquired += 1
        deadline = 0.0
        is_first = False
        while True:
            if not self._is_open:
                raise errors.NotOpen(was_open=self._was_open)
            conn: PoolConnection | None = None
            with suppress(IndexError):
                conn = self._idle.pop()
            if conn is None:
                deadline = deadline or monotonic() + seconds
                conn = await self._connect_or_wait(deadline, patient, is_first)
                is_first = True
            if conn is not None:
                if conn.is_fresh():
                    return conn
                self._discard(conn)
                del conn
            elif monotonic() >= deadline and not self._idle and self._is_full():
                self._timed_out += 1
                raise errors.PoolExhausted(self._size, seconds)

    async def _connect_or_wait(
        self, deadline: float, patient: bool, is_first: bool
    ) -> PoolConnection | None:
        """Connect if there is a free seat, else wait; None is to look again."""
        now = monotonic()
        pausing = now < self._not_before and now < deadline
        if not pausing and (seat := self._free_seat()):
            try:
                return await self._occupy(seat)
            except errors.DatabaseError as error:
                self._refused += 1
                pause = _PAUSE * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                now = monotonic()
                if not self._will_pass(error, patient) or now + pause > deadline:
                    raise
                self._not_before = now + pause
                pausing = True
            finally:
                if seat.conn is None:
                    self._give_up(seat)
                del seat
        pause = self._not_before - now if pausing else _SUSPICIOUS
        left = max(0.0, min(pause, deadline - now))
        conn = await self._wait(left, is_first=is_first, only_idle=pausing)
        if conn is None and not pausing and left == _SUSPICIOUS:
            self._collect_garbage()
        return conn

    def _will_pass(self, error: errors.DatabaseError, patient: bool) -> bool:
        """Tell whether to connect again may succeed where this failed."""
        if isinstance(error, errors.ServerNotReady):
            return True
        # A standby may be promoted; but who opens the store has named the wrong one.
        is_gone = isinstance(
            error, errors.ServerUnreachable | errors.ConnectionLost | errors.ReadOnly
        )
        return is_gone and patient and self._connected > 0

    def release(self, conn: PoolConnection) -> None:
        """Take a connection back. Waits for nothing, so nothing can interrupt it."""
        conn.loan = None
        if not conn.is_clean() or not self._is_open:
            self._discard(conn)
            return
        conn.idle_since = now = monotonic()
        if now > conn.expires_at:
            self._discard(conn)
            return
        self._idle.append(conn)
        self._serve()
        # The one at the other end has been idle longest.
        if len(self._idle) > 1 and now - self._idle[0].idle_since > _IDLENESS:
            with suppress(IndexError):
                self._discard(self._idle.popleft())

    def statistics(self) -> PoolStatistics:
        """Count."""
        return PoolStatistics(
            size=self._size,
            idle=len(self._idle),
            connections=sum(each() is not None for each in tuple(self._seats)),
            waiting=len(self._waiters),
            acquired=self._acquired,
            waited=self._waited,
            timed_out=self._timed_out,
            connected=self._connected,
            refused=self._refused,
            discarded=self._discarded,
            behind_pooler=self.behind_pooler,
        )

    def _free_seat(self) -> Seat | None:
        with self._lock:
            if len(self._seats) >= self._size:
                # Not left to the callback alone: an error in one is lost, and so is a
                # signal's.
                self._seats = [each for each in self._seats if each() is not None]
                if len(self._seats) >= self._size:
                    return None
            seat = Seat()
            self._seats.append(ref(seat, self._vacated))
            return seat

    def _give_up(self, seat: Seat) -> None:
        """Free a seat for which there is no connection.

        Not by dropping it, since the driver's error holds itself in a circle, and the
        frames that have the seat.
        """
        with self._lock:
            self._seats = [each for each in self._seats if each() is not seat]
        self._wake()

    def _vacated(self, _: ref[Seat]) -> None:
        self._wake()

    async def _occupy(self, seat: Seat) -> PoolConnection:
        conn = await self._connect()
        conn.seat = seat
        seat.conn = ref(conn)
        conn.expires_at = monotonic() + _LIFETIME * random.uniform(0.9, 1)  # noqa: S311 - no secret
        self._connected += 1
        self.behind_pooler = not conn.is_direct
        return conn

    async def _wait(
        self, seconds: float, *, is_first: bool, only_idle: bool
    ) -> PoolConnection | None:
        """Wait for a connection, or for a free seat; in front of all, or behind."""
        waiter: Waiter[PoolConnection] = Waiter()
        if is_first:
            self._waiters.appendleft(waiter)
        else:
            self._waited += 1
            self._waiters.append(waiter)
        try:
            # One may have been given back, or have died, since the last look.
            self._serve()
            if not only_idle and not self._is_full():
                waiter.give(None)
            return await waiter.take(seconds)
        except BaseException:
            # The handing over and the interrupt may have met.
            was_given, conn = waiter.leave()
            if conn is not None:
                self.release(conn)
            elif was_given:
                self._wake()
            del conn
            raise
        finally:
            with suppress(ValueError):  # whoever gave took it out
                self._waiters.remove(waiter)

    def _is_full(self) -> bool:
        with self._lock:
            return sum(each() is not None for each in self._seats) >= self._size

    def _serve(self) -> None:
        """Hand idle connections to those who wait."""
        while self._waiters:
            try:
                conn = self._idle.pop()
            except IndexError:
                return
            try:
                waiter = self._waiters.popleft()
            except IndexError:
                self._idle.append(conn)
                continue
            if not waiter.give(conn):
                self._idle.append(conn)

    def _wake(self) -> None:
        """Let the one who waits longest look again."""
        while True:
            try:
                waiter = self._waiters.popleft()
            except IndexError:
                return
            if waiter.give(None):
                return

    def _discard(self, conn: PoolConnection) -> None:
        self._discarded += 1
        conn.shut()
        # Its seat is free from now on, though somebody may still hold the connection.
        seat = conn.seat
        conn.seat = None
        del seat

    def _collect_garbage(self) -> None:
        """Free connections that only a circle of references holds, as errors do."""
        now = monotonic()
        if now - self._collected > _COLLECTING:
            self._collected = now
            gc.collect()

    def leave_to_parent(self) -> None:
        """Start anew in a forked process: the connections there are its parent's."""
        for each in self._seats:
            if (seat := each()) and seat.conn and (conn := seat.conn()):
                conn.detach()
        self._empty()


_pools: WeakSet[AsyncPool] = WeakSet()


def _after_fork() -> None:
    for pool in tuple(_pools):
        pool.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
