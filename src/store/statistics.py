"""What a store is doing, for metrics and traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatistics:
    """Counts of connections: now, and (from ``acquired`` on) since the store was made.

    ``waiting`` are callers that wait for a connection, ``waited`` those that had to,
    ``timed_out`` those that got none. ``connected`` are connections that were made,
    ``refused`` those that could not be, and ``discarded`` those that were found dead,
    too old, or in the middle of something. Many threads at once may be counted as one.
    """

    size: int
    idle: int
    connections: int
    waiting: int
    acquired: int
    waited: int
    timed_out: int
    connected: int
    refused: int
    discarded: int
    behind_pooler: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """A round trip to the server that has ended, or a part of one.

    ``query`` is the generated function that waited (``carts.count_cart_items``), or
    ``pipeline`` where several did. ``sqlstate`` is the code of a refusal; None if it
    went well, or if the server did not answer: ``failure`` then has the error's class.
    """

    query: str
    seconds: float
    sqlstate: str | None
    failure: str | None


Observer: TypeAlias = Callable[[RoundTrip], None]
"""What is told of each round trip, at once and in its thread: it must not wait."""
