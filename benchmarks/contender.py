"""What a contender is: a way to do one piece of work, and the pool it needs for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .carts import Cart

# One that blocks does so inside its coroutine: nothing else runs meanwhile.
Work: TypeAlias = Callable[[Cart], Awaitable[object]]
Opened: TypeAlias = Callable[[str], AbstractAsyncContextManager[Work]]


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work.

    `open` takes the URL of a database of its own, with the same data as the others'.
    """

    name: str
    face: Literal["sync", "async"]
    open: Opened

    def __str__(self) -> str:
        return f"{self.name} ({self.face})"
