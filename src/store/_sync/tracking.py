# Generated from store/_async/tracking.py by tools/make_sync.py. DO NOT EDIT.
"""What a replica has to show at least: bookmarks, taken from the primary."""

from __future__ import annotations

from typing import Self

from generated.internal import sessions
from store.bookmarks import Position, Writes

from .database import Database


class Tracking(Database):
    """The bookmarks of a store, which its replicas are read with.

    Where DATABASE_URL_REPLICA is not set there are none, and nothing is asked for them.
    """

    def tracked(self) -> Self:
        """Give this store with a memory of what is written through it.

        The server tells how far its log is in the round trip of each COMMIT, so that
        `bookmark` needs none of its own. One for each request, say; it has the same
        connections, and may be used by many tasks (or threads).

        Example:
            ```python
            tracked = store.tracked()
            tracked.add_cart_item(user.id, pen)
            written = tracked.bookmark()
            ```
        """
        copied = self._copied()
        if self.settings.database_url_replica is not None:
            copied._writes = Writes(self._writes)
        return copied

    def bookmark(self) -> str | None:
        """Name all that is committed by now; of a tracked store, all that it has.

        None if that is nothing, or if there is no replica. A replica is read with it by
        `Replica.at_least`. It is no secret, and no signature is on it. What a tracked
        store has written with SET LOCAL synchronous_commit TO off only that of another
        store names.

        Raises:
            DatabaseError: the server had to be asked, since single queries were sent or
                a reply was lost, and did not answer; its class says why.

        Example:
            ```python
            store.add_cart_item(user.id, pen)
            written = store.bookmark()
            with replica.at_least(written).connection() as conn:
                assert carts.count_cart_items(conn, user_id=user.id) == 2
            ```
        """
        writes = self._writes
        if self.settings.database_url_replica is None:
            return None
        if writes and not writes.are_untold:
            return writes.position.bookmark() if writes.position else None
        untracked = self._copied()
        untracked._writes = None
        asked = writes.asking() if writes else 0
        with untracked.connection() as conn:
            own = writes is not None
            row = sessions.get_wal_position(conn, own_writes=own)
            if row.flush_is_due:
                sessions.have_wal_flushed(conn)
        position = Position.of(row)
        if writes:
            writes.cover(asked, position)
        return position.bookmark()
