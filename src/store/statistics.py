"""What a store's pool is doing, for metrics."""

from __future__ import annotations

from dataclasses import dataclass


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
