"""The server: its version, its settings, its clock, and what the role may do there."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from psycopg import Connection

from generated.internal import plans
from generated.internal import server as queries
from generated.internal.server import GetServerRow

from ..migrations import dbmate, outside
from ..settings import Settings
from .findings import Finding, notice, ok, wrong
from .sessions import look

__all__ = ["is_pooled", "rights", "same", "settings", "state"]

_OLDEST, _NEWEST = 15, 18
# Of each version the first minor one without the faults of which its release notes say
# that they lose or corrupt something.
_SOUND_MINORS = {
    15: (10, "before 15.6 GIN indexes could be corrupted, before 15.10 slots lost WAL"),
    16: (6, "before 16.2 GIN indexes could be corrupted, before 16.6 slots lost WAL"),
    17: (2, "before 17.2 replication slots could lose WAL that was still needed"),
}
_SKEW_SECONDS = 60.0
_TOLERANCE_SECONDS = 300.0  # what a webhook's signature may be old, or early
_RESERVED = 10  # connections for migrations, people and monitoring

_DURABLE = "set it to on in postgresql.conf, and reload"


def is_pooled(conn: Connection[Any]) -> bool:
    """Tell whether a pooler stands between, whatever its host and port look like."""
    with look(conn):
        return not plans.is_backend(conn, backend_pid=conn.info.backend_pid)


def same(one: Connection[Any], other: Connection[Any]) -> bool:
    """Tell whether two sessions are in one database of one server."""
    seen: list[tuple[object, ...]] = []
    for conn in (one, other):
        with look(conn):
            row = queries.get_server(conn)
        seen.append((row.started_at, row.database_id, row.database_name))
    return seen[0] == seen[1]


def state(conn: Connection[Any]) -> Generator[Finding]:
    """Look at what the server is: version, primary, encoding, time."""
    with look(conn):
        before = monotonic()
        server = queries.get_server(conn)
        ours, took = datetime.now(UTC), monotonic() - before
    yield _version(server)
    if server.is_standby:
        yield wrong(
            "server",
            "is a standby, which takes no writes",
            "name the primary in the URL",
        )
    if server.encoding == "UTF8":
        yield ok("encoding", "UTF8")
    else:
        yield wrong(
            "encoding",
            f"the database is in {server.encoding}, which cannot hold every text",
            "make a database with ENCODING 'UTF8' TEMPLATE template0, and move there",
        )
    yield _clock(abs((server.now - ours).total_seconds()) - took)
    yield (
        ok("time zone", server.time_zone)
        if server.time_zone in {"UTC", "Etc/UTC", "GMT"}
        else notice(
            "time zone",
            f"sessions are in {server.time_zone}: nothing stored depends on it, but "
            "what people read in psql does",
            "ALTER DATABASE … SET timezone = 'UTC', unless it is meant",
        )
    )


def _version(server: GetServerRow) -> Finding:
    major, minor = divmod(server.version_number, 10_000)
    told = f"PostgreSQL {server.version}"
    if major < _OLDEST:
        return wrong(
            "server",
            f"{told} lacks NULLS NOT DISTINCT",
            f"upgrade to {_OLDEST} or newer",
        )
    sound, fault = _SOUND_MINORS.get(major, (0, ""))
    if minor < sound:
        return wrong("server", f"{told}: {fault}", f"upgrade to the newest {major}")
    if major > _NEWEST:
        return notice("server", f"{told} is newer than what is tested", "test it first")
    return ok("server", told)


def _clock(skew: float) -> Finding:
    if skew < _SKEW_SECONDS:
        return ok("clock", "this machine's and the server's agree")
    told = f"this machine's and the server's differ by {skew:.0f} s"
    remedy = "let both take their time from NTP"
    if skew < _TOLERANCE_SECONDS:
        return notice("clock", told, remedy)
    return wrong(
        "clock", f"{told}: webhooks are refused that are older than 300 s", remedy
    )


def settings(conn: Connection[Any], ours: Settings) -> Generator[Finding]:
    """Look at settings of the server that hurt, and at how many may connect."""
    with look(conn):
        found = {
            row.name: row.value
            for row in queries.list_server_settings(conn, names=[*_NAMES])
        }
        database = queries.get_server(conn)
        role = queries.get_role(conn)
        sessions = queries.count_sessions(conn)
    hurting = [*_durability(found), *_timeouts(found)]
    yield from hurting or [ok("server settings", "none that hurts")]
    limits = [database.database_limit, role.connection_limit]
    free = int(found["max_connections"]) - int(found["superuser_reserved_connections"])
    most = min([free, *(limit for limit in limits if limit >= 0)])
    yield _capacity(most, sessions.sessions, ours.database_pool_size)
    if sessions.idle_in_transaction:
        yield notice(
            "sessions",
            f"{sessions.idle_in_transaction} have been idle in a transaction for more "
            "than a minute: they hold locks, and keep VACUUM from its work",
            "find them in pg_stat_activity, and end what forgot them",
        )


_NAMES = (
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "max_connections",
    "superuser_reserved_connections",
    "statement_timeout",
    "idle_session_timeout",
    "default_transaction_read_only",
    "session_replication_role",
    "zero_damaged_pages",
)


def _durability(found: Mapping[str, str]) -> Generator[Finding]:
    for name in ("fsync", "full_page_writes"):
        if found.get(name) == "off":
            yield wrong(
                "server settings",
                f"{name} is off: a crash of the machine can destroy the database",
                _DURABLE,
            )
    if found.get("synchronous_commit") == "off":
        yield wrong(
            "server settings",
            "synchronous_commit is off: a crash loses orders that were acknowledged",
            _DURABLE,
        )
    if found.get("zero_damaged_pages") == "on":
        yield wrong(
            "server settings",
            "zero_damaged_pages is on: damaged rows vanish in silence",
            "set it to off, and restore from a backup what is damaged",
        )


def _timeouts(found: Mapping[str, str]) -> Generator[Finding]:
    if found.get("default_transaction_read_only") == "on":
        yield wrong(
            "server settings",
            "default_transaction_read_only is on: nothing can be written",
            "RESET it where pg_db_role_setting or postgresql.conf sets it",
        )
    if found.get("session_replication_role", "origin") != "origin":
        yield wrong(
            "server settings",
            "session_replication_role turns triggers and foreign keys off",
            "RESET it where pg_db_role_setting or postgresql.conf sets it",
        )
    if (ms := int(found.get("idle_session_timeout", "0"))) > 0:
        yield notice(
            "server settings",
            f"idle_session_timeout is {ms} ms: it ends what a pool keeps for later, so "
            "that the next call connects anew",
            "set it to 0 for this role: ALTER ROLE … SET idle_session_timeout = 0",
        )


def _capacity(most: int, sessions: int, pool: int) -> Finding:
    told = f"{sessions} of {most} are taken; a store takes up to {pool}"
    if pool > most:
        return wrong(
            "connections",
            f"a store takes up to {pool}, and there are but {most}",
            "lower DATABASE_POOL_SIZE, raise max_connections, or use a pooler",
        )
    if pool + _RESERVED > most - sessions:
        return notice(
            "connections",
            f"{told}: another process may find none",
            "count processes times DATABASE_POOL_SIZE, and raise max_connections or "
            "use a pooler",
        )
    return ok("connections", told)


def rights(
    conn: Connection[Any], variable: str, *, migrates: bool
) -> Generator[Finding]:
    """Look at what the role lacks to read and write rows, and what it has beyond."""
    with look(conn):
        role = queries.get_role(conn)
        tables = [
            table
            for table in queries.list_table_rights(conn)
            if table.name not in {dbmate.LEDGER, outside.UNFINISHED}
        ]
    lacking = {
        table.name: [*filter(None, table.lacking)] for table in tables if table.lacking
    }
    for name, missing in lacking.items():
        yield wrong(
            "rights",
            f"{role.name} lacks {', '.join(missing)} on {name}",
            f"GRANT {', '.join(missing)} ON {name}, or run db/roles.sql",
        )
    beyond = [
        word
        for word, has in (
            ("is a superuser", role.is_superuser),
            ("makes roles", role.creates_roles),
            ("makes databases", role.creates_databases),
            ("replicates", role.replicates),
            ("bypasses row security", role.bypasses_policies),
            ("makes tables", role.makes_tables and not migrates),
            ("owns tables", any(one.is_own for one in tables) and not migrates),
        )
        if has
    ]
    if beyond:
        yield notice(
            "rights",
            f"{role.name}, of {variable}, {', '.join(beyond)}: more than it needs",
            "log in as the application's role of db/roles.sql",
        )
    elif tables and not lacking:
        yield ok("rights", f"{role.name} has what it needs, and no more")
