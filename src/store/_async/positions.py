"""How far a connection's server is, asked in the round trip of a COMMIT."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from generated.internal.aio import sessions
from store.bookmarks import Position

from .pool import PoolConnection

Told: TypeAlias = "Position | None"
Fetch: TypeAlias = Callable[[], Awaitable[Told]]


async def send(conn: PoolConnection) -> Fetch:
    """Queue the question behind a COMMIT, and return the function that fetches it.

    That gives None where COMMIT does not wait for the disk. What stays the
    same, the system, is asked once for each connection, since it costs the server more
    than all else; through a pooler, which may be turned to another one, each time.
    """
    known = conn.position
    if known is None or not conn.is_direct:
        fetch_all = await sessions.send_get_wal_position(conn, own_writes=True)

        async def learn() -> Told:
            conn.position = Position.of(await fetch_all())
            return conn.position

        return learn
    fetch_flushed = await sessions.send_get_flushed_position(conn)

    async def compose() -> Told:
        flushed = await fetch_flushed()
        if flushed is None:
            return None
        timeline = int(flushed.wal_file[:8], base=16)
        return Position(known.system_id, timeline, flushed.position)

    return compose
