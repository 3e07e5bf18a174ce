"""How one waits: in threads. `store._async` has its own, for tasks; both by hand."""

from __future__ import annotations

from inspect import iscoroutine
from queue import Empty, SimpleQueue
from threading import get_ident as caller
from time import sleep
from typing import Generic, TypeVar

from psycopg.waiting import wait as round_trip

from store import errors

__all__ = ["Waiter", "caller", "finish", "result_of", "round_trip", "sleep"]

_T = TypeVar("_T")


def finish(work: _T) -> _T:
    """Give what the work gave: in a thread it has been done to its end by now."""
    return work


def result_of(given: _T) -> _T:
    """Give what a caller's function gave.

    Raises:
        InvalidValue: it is still to be awaited, so the function is of the other face.
    """
    if iscoroutine(given):
        given.close()
        raise errors.InvalidValue("a function that blocks", place="work")
    return given


class Waiter(Generic[_T]):
    """One who waits to be given something, once."""

    __slots__ = ("_gone", "_queue")

    def __init__(self) -> None:
        # Its methods can be called again from within themselves, as a weak reference's
        # callback does when the garbage is collected at that moment.
        self._queue: SimpleQueue[_T | None] = SimpleQueue()
        self._gone = False

    def give(self, thing: _T | None) -> bool:
        """Give something, or wake with None; say whether anybody was there."""
        if self._gone:
            return False
        self._gone = True
        self._queue.put(thing)
        return True

    def take(self, seconds: float) -> _T | None:
        """Wait; None after so many seconds, or if only woken."""
        try:
            return self._queue.get(timeout=seconds)
        except Empty:
            return self.leave()[1]

    def leave(self) -> tuple[bool, _T | None]:
        """Stop waiting, after an interrupt; say whether and what was given before."""
        self._gone = True
        try:
            # What is put at this very moment dies with this object, and its seat with
            # it: the pool connects anew.
            return True, self._queue.get_nowait()
        except Empty:
            return False, None
