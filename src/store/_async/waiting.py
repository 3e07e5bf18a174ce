"""How one waits: in tasks. `store._sync` has its own, for threads; both by hand."""

from __future__ import annotations

import asyncio
import select
from asyncio import current_task, sleep
from collections.abc import Awaitable, Coroutine
from inspect import isawaitable
from time import monotonic
from typing import Any, Generic, TypeVar

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
        self._gen, self._fileno = gen, fileno
        self._state: Wait | None = Wait.R
        self._failure: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()

    async def go_through(self, interval: float, seconds: float | None) -> Wait | None:
        """Read; None at the end, or else what must be waited for then.

        Raises:
            _WaitTimeout: that took longer; or whatever the round trip raises.
        """
        self._interval = interval
        self._deadline = None if seconds is None else monotonic() + seconds
        self._timer = self._loop.call_later(self._pause(), self._look)
        try:
            self._loop.add_reader(self._fileno, self._go_on, Ready.R)
            await self._ended
            if self._failure is not None:
                raise self._failure
            return self._state
        except OSError:
            raise psycopg.OperationalError(
                "the connection's socket is closed"
            ) from None
        finally:
            if self._ended.cancelled() or not self._ended.done():
                self._leave()
            _Reading.last = monotonic()
            self._failure = None  # or its traceback would be in a circle of references

    def _go_on(self, ready: Ready) -> None:
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
        self._leave()
        self._ended.set_result(None)

    def _leave(self) -> None:
        self._timer.cancel()
        self._loop.remove_reader(self._fileno)

    def _look(self) -> None:
        """See whether the connection is still there, and is in time."""
        self._go_on(Ready.NONE)
        if self._ended.done():
            return
        if self._deadline is not None and monotonic() >= self._deadline:
            self._failure = _WaitTimeout("the round trip took too long")
            self._end()
        else:
            self._timer = self._loop.call_later(self._pause(), self._look)

    def _pause(self) -> float:
        if self._deadline is None:
            return self._interval
        return max(0.0, min(self._interval, self._deadline - monotonic()))


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
