"""How one waits: in tasks. `store._sync` has its own, for threads; both by hand."""

from __future__ import annotations

import asyncio
import select
from asyncio import current_task, sleep
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from inspect import isawaitable
from math import inf
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout  # pyright: ignore[reportPrivateUsage]
from psycopg.waiting import Ready, Wait

from store import errors

__all__ = ["Waiter", "caller", "finish", "result_of", "round_trip", "sleep"]

_T = TypeVar("_T")

# As numbers, which compare in a third of the time.
_READ, _BOTH = int(Wait.R), int(Wait.RW)

# What needs no waiting, as a block of COPY, lets others run after so many seconds.
_MOST_BUSY = 0.005


def caller() -> int:
    """Identify who calls, among all who are there at this time."""
    return id(current_task())


async def result_of(given: Awaitable[_T]) -> _T:
    """Wait for what a caller's function gives.

    Raises:
        InvalidValue: it is nothing to wait for, so the function is of the other face.
    """
    if not isawaitable(given):
        raise errors.InvalidValue("a function to await", place="work")
    return await given


async def finish(work: Coroutine[Any, Any, _T]) -> _T:
    """Do the work to its end, however often the task that waits for it is cancelled.

    anyio repeats a cancellation at each await until its block is left. If there was
    one, it is raised in the end.
    """
    task = asyncio.ensure_future(work)
    interruption: asyncio.CancelledError | None = None
    try:
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError as cancelled:
                interruption = cancelled
        if interruption is not None:
            task.exception()  # or asyncio would complain that nobody looked
            raise interruption
        return task.result()
    finally:
        # Or the traceback would be in a circle of references, which keeps what it
        # holds, such as a connection, until the garbage is collected.
        del interruption, task


async def round_trip(
    gen: PQGen[RV], fileno: int, interval: float, seconds: float | None
) -> RV:
    """Do what `psycopg.waiting.wait_async` does, in less time.

    That wakes the task, and tells the loop of the socket anew, for each piece of an
    answer. Here the loop knows the socket until the answer is whole, and what comes is
    read without the task. An answer that has no more than that is left to psycopg, from
    where it is, as what must be written in pieces.
    """
    try:
        state = next(gen)
        if state == _BOTH and _is_writable(fileno):
            state = gen.send(Ready.W)
    except StopIteration as done:
        await _let_others_run()
        ended: RV = done.value
        return ended
    if state == _READ:
        reading = _Reading(gen, fileno)
        next_state = await reading.go_through(interval, seconds)
        if next_state is None:
            return reading.value
        state = next_state
    return await waiting.wait_async(_resumed(gen, state), fileno, interval, seconds)


def _is_writable(fileno: int) -> bool:
    # Not by select(), which refuses numbers above 1,023.
    poll = select.poll()
    poll.register(fileno, select.POLLOUT)
    return any(event & select.POLLOUT for _, event in poll.poll(0))


async def _let_others_run() -> None:
    if monotonic() - _Reading.last > _MOST_BUSY:
        await sleep(0)
        _Reading.last = monotonic()


def _resumed(gen: PQGen[RV], state: Wait) -> PQGen[RV]:
    """Be what has begun, for somebody who begins it."""
    while True:
        ready = yield state
        try:
            state = gen.send(ready)
        except StopIteration as done:
            ended: RV = done.value
            return ended


class _Reading(Generic[RV]):
    """The part of a round trip in which there is nothing but to read."""

    # When the loop last ran.
    last = 0.0

    value: RV

    def __init__(self, gen: PQGen[RV], fileno: int) -> None:
        self.fileno = fileno
        self._gen = gen
        self._state: Wait | None = Wait.R
        self._failure: BaseException | None = None
        self.loop = asyncio.get_running_loop()
        self._ended = self.loop.create_future()

    async def go_through(self, interval: float, seconds: float | None) -> Wait | None:
        """Read; None at the end, or else what must be waited for then.

        Raises:
            _WaitTimeout: that took longer; or whatever the round trip raises.
        """
        now = monotonic()
        self._interval = interval
        self._deadline = inf if seconds is None else now + seconds
        self.next_look = min(now + interval, self._deadline)
        self._watch = _Watch.of(self.loop)
        try:
            self._watch.begin(self, now)
            await self._ended
            if self._failure is not None:
                raise self._failure
            return self._state
        except OSError:
            raise psycopg.OperationalError(
                "the connection's socket is closed"
            ) from None
        finally:
            self._watch.end(self)
            _Reading.last = monotonic()
            self._failure = None  # or its traceback would be in a circle of references

    def go_on(self, ready: Ready) -> None:
        """Read what there is."""
        if self._ended.done():
            return
        try:
            self._state = self._gen.send(ready)
        except StopIteration as done:
            self._state, self.value = None, done.value
        except BaseException as error:
            self._failure = error
        if self._state != _READ or self._failure is not None:
            self._end()

    def _end(self) -> None:
        # Not only as the task runs again: where the driver has closed the socket, its
        # number may be that of another one by then.
        self._watch.end(self)
        self._ended.set_result(None)

    def look(self, now: float) -> None:
        """See whether the connection is still there, and is in time."""
        self.go_on(Ready.NONE)
        if now >= self._deadline and not self._ended.done():
            self._failure = _WaitTimeout("the round trip took too long")
            self._end()
        still = not self._ended.done()
        self.next_look = min(now + self._interval, self._deadline) if still else inf


class _Watch:
    """All the sockets that a loop's tasks wait for, and when to look at them unasked.

    The loop could be told of each of them. But telling it of a socket and of a time,
    and then to forget both, takes half of what a round trip costs in it. So it knows
    one epoll, which knows the sockets, and one timer at a time. Where there is no
    epoll, it is told of the sockets.
    """

    def __init__(self) -> None:
        # Not the loop, which this would keep alive.
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._readings: dict[int, _Reading[Any]] = {}
        self._next_look = inf

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> _Watch:
        """Give the one of the loop that runs."""
        watch = _watches.get(loop)
        if watch is None:
            watch = _watches[loop] = cls()
            watch._be_told(loop)
        return watch

    def _be_told(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._read, self._epoll)

    def begin(self, reading: _Reading[Any], now: float) -> None:
        """Tell a reading of what comes, and when it is time to look."""
        self._readings[reading.fileno] = reading
        if self._epoll is not None:
            self._epoll.register(reading.fileno, select.EPOLLIN)
        else:
            reading.loop.add_reader(reading.fileno, reading.go_on, Ready.R)
        self._look_at(reading.next_look, now)

    def end(self, reading: _Reading[Any]) -> None:
        """Forget a reading."""
        # If its socket was closed, another's may have the number by now.
        if self._readings.get(reading.fileno) is reading:
            del self._readings[reading.fileno]
            if self._epoll is None:
                reading.loop.remove_reader(reading.fileno)
                return
            with suppress(OSError):  # it is closed, and forgotten by that
                self._epoll.unregister(reading.fileno)

    def _read(self, epoll: select.epoll) -> None:
        is_haunted = False
        for fileno, _ in epoll.poll(0):
            if reading := self._readings.get(fileno):
                reading.go_on(Ready.R)
            else:
                is_haunted = True
        if is_haunted:
            self._renew(epoll)

    def _renew(self, epoll: select.epoll) -> None:
        """Take another epoll, where one tells of a socket that was closed here.

        It does as long as a child of this process has it open, and no number is left by
        which it could be told to stop: the loop would not come to rest.
        """
        loop = asyncio.get_running_loop()
        loop.remove_reader(epoll.fileno())
        epoll.close()
        self._epoll = select.epoll()
        for fileno in self._readings:
            with suppress(OSError):  # it will be told at the next look
                self._epoll.register(fileno, select.EPOLLIN)
        self._be_told(loop)

    def _look_at(self, time: float, now: float) -> None:
        if time < self._next_look:
            self._next_look = time
            loop = asyncio.get_running_loop()
            loop.call_later(time - now, self._look, time)

    def _look(self, time: float) -> None:
        if time != self._next_look:
            return  # something had to be looked at before, and this with it
        self._next_look = inf
        now = monotonic()
        for reading in tuple(self._readings.values()):
            if reading.next_look <= now:
                reading.look(now)
        if self._readings:
            time = min(reading.next_look for reading in self._readings.values())
            self._look_at(time, now)


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


class Waiter(Generic[_T]):
    """One who waits to be given something, once."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[_T | None] = self._loop.create_future()

    def give(self, thing: _T | None) -> bool:
        """Give something, or wake with None; say whether anybody was there."""
        if self._future.done():
            return False
        self._future.set_result(thing)
        return True

    async def take(self, seconds: float) -> _T | None:
        """Wait; None after so many seconds, or if only woken."""
        timer = self._loop.call_later(seconds, self.give, None)
        try:
            return await self._future
        finally:
            timer.cancel()

    def leave(self) -> tuple[bool, _T | None]:
        """Stop waiting, after an interrupt; say whether and what was given before."""
        future = self._future
        if future.done() and not future.cancelled():
            return True, future.result()
        future.cancel()
        return False, None
