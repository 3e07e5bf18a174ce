"""How one waits: in tasks. `store._sync` has its own, for threads; both by hand."""

from __future__ import annotations

import asyncio
from asyncio import current_task, sleep
from collections.abc import Awaitable, Coroutine
from inspect import isawaitable
from typing import Any, Generic, TypeVar

from store import errors

__all__ = ["Waiter", "caller", "finish", "result_of", "sleep"]

_T = TypeVar("_T")


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
