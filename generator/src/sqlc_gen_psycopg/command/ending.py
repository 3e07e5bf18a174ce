"""Ctrl-C and SIGTERM end a command as an exception, so that it can clean up."""

import signal
import sys
import types
from collections.abc import Generator
from contextlib import contextmanager

# The signals that came while they are held; None while they are not.
_held: list[int] | None = None


def by_signals() -> None:
    """Exit with the shell's code for the signal that comes, unless it is ignored.

    On the KeyboardInterrupt that Python raises by itself, subprocess would kill a child
    without waiting for its end.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _: types.FrameType | None) -> None:
    if _held is None:
        sys.exit(128 + number)
    _held.append(number)


@contextmanager
def held() -> Generator[None]:
    """Have a signal wait until the block ends: between making a thing and owning it."""
    global _held  # noqa: PLW0603 - handlers of signals are the process's
    came: list[int] = []
    _held = came
    try:
        yield
    finally:
        _held = None
    if came:
        _end(came[0], None)
