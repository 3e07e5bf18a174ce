"""Signals end a command in order: what it has begun elsewhere is ended with it.

Python itself knows that for Ctrl-C alone; by the others it is gone at once, while its
children and the server go on.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["Ended", "Received", "came", "caught", "held"]

# They end nothing by themselves, or are the system's word that this process is broken.
_LEFT_ALONE = {
    *("SIGCHLD", "SIGCONT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"),
    *("SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGKILL", "SIGSTOP"),
}


class Ended(KeyboardInterrupt):
    """A signal came. psycopg cancels on a KeyboardInterrupt what it waits for."""


class Received:
    """The signal that came first: `number` is 0 as long as there was none."""

    number = 0

    @property
    def name(self) -> str:
        """Give its name, like SIGTERM; the real-time ones have a number."""
        try:
            return signal.Signals(self.number).name
        except ValueError:
            return f"signal {self.number}"


@contextmanager
def caught() -> Generator[Received]:
    """Raise Ended on the first signal that would end the process, within the block.

    Later ones do nothing: the block is ending already. Signals that are ignored, as by
    nohup, stay so. Outside of the main thread there is nothing to catch.
    """
    received = Received()

    def end(number: int, _frame: object) -> None:
        if not received.number:
            received.number = number
            raise Ended(f"ended by {received.name}")

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in _ending()}
        for number in before:
            signal.signal(number, end)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Generator[None]:
    """Have a signal wait for the end of the block, which is short or asks for `came`.

    Threads that it begins hold it, too; one that was there before would take it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def came() -> bool:
    """Tell whether a signal waits for the end of such a block, to be raised there."""
    return any(callable(signal.getsignal(number)) for number in signal.sigpending())


def _ending() -> Generator[int]:
    """Go through the signals that would end this process, and that it can catch."""
    alone = {getattr(signal, name, 0) for name in _LEFT_ALONE}
    for number in signal.valid_signals():
        defaults = {signal.SIG_DFL, signal.default_int_handler}
        if number not in alone and signal.getsignal(number) in defaults:
            yield number
