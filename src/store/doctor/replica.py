"""The replica: whether it copies the database that is written, and how far it is."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from psycopg import Connection

from generated.internal import sessions as queries

from .findings import Finding, notice, ok, wrong
from .sessions import look

__all__ = ["examine"]


def examine(primary: Connection[Any], replica: Connection[Any]) -> Generator[Finding]:
    """Look at the logs of both."""
    with look(primary):
        written = queries.get_wal_position(primary, own_writes=True)
    with look(replica):
        shown = queries.get_wal_position(replica, own_writes=True)
    if shown.system_id != written.system_id:
        yield wrong(
            "replica",
            "DATABASE_URL_REPLICA leads to no copy of DATABASE_URL's server: each"
            " bookmark is refused",
            "name a standby that streams from it",
        )
    elif not shown.is_standby:
        yield notice(
            "replica",
            "DATABASE_URL_REPLICA leads to a primary: nothing is read elsewhere",
            "name a standby, unless this is for development",
        )
    elif shown.received_timeline is None:
        yield notice(
            "replica",
            f"{replica.info.user} does not see what the standby receives, or that is"
            " nothing: after a failover its reads wait for longer than they have to",
            "GRANT pg_read_all_stats to the role, on the primary; see that it streams",
        )
    else:
        behind = max(0, written.position - shown.position)
        yield ok("replica", f"a standby, {behind} bytes of WAL behind")
