"""Barriers in the database: transactions stop where a test can see them.

    with gates.shut(url) as gate, gate.running(store.checkout, …) as first:
        holder = gate.wait_for_arrival()      # all is done but the COMMIT
        …                                     # start the other, and wait for it too
        gate.open()

A deferred constraint trigger holds each transaction that wrote back within its COMMIT,
until the gate is opened. The code under test runs as it is.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from tests.support import citus, stores

__all__ = ["Gate", "shut", "wait_until_waiting"]

_PATIENCE_SECONDS = 20
_LOOK_AGAIN_SECONDS = 0.002

_INSTALL = """
CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1, 1);
    RETURN NULL;
END
$$;
DO $$
DECLARE
    written text;
BEGIN
    FOREACH written IN ARRAY ARRAY['users', 'cart_items', 'orders', 'order_events'] LOOP
        EXECUTE format(
            'CREATE CONSTRAINT TRIGGER wait_at_gate AFTER INSERT OR UPDATE ON %I'
            ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
            ' EXECUTE FUNCTION wait_at_gate()',
            written
        );
    END LOOP;
END
$$;
"""

# On a node of Citus a session acts for one of another node, whose number its name has.
_WAITING = r"""
SELECT waiting.pid, blocking.pids::bigint [] || ARRAY(
    SELECT substring(application_name FROM 'gpid=(\d+)')::bigint % 10000000000
    FROM pg_stat_activity
    WHERE pid = ANY(blocking.pids) AND application_name ~ 'gpid=\d'
)
FROM pg_stat_activity AS waiting
CROSS JOIN LATERAL pg_blocking_pids(pid) AS blocking (pids)
WHERE datname = current_database() AND cardinality(blocking.pids) > 0
"""


class Gate:
    """Holds back whoever commits; `open` lets all go, until it is closed again."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn
        self.close()

    def close(self) -> None:
        """Hold back whoever commits from now on."""
        self._conn.execute("SELECT pg_advisory_lock(1, 1)")

    def open(self) -> None:
        """Let everybody commit."""
        self._conn.execute("SELECT pg_advisory_unlock_all()")

    def wait_for_arrival(self) -> int:
        """Wait until somebody stands at the gate; give the backend's process id."""
        return self.wait_for_one_behind(self._conn.info.backend_pid)

    def wait_for_one_behind(self, holder: int) -> int:
        """Wait until somebody waits for a lock of this backend; give the process id."""
        return wait_until_waiting(self._conn, 1, behind=holder)[0]

    def wait_until_waiting(self, count: int) -> None:
        """Wait until so many backends wait, at the gate or for each other."""
        wait_until_waiting(self._conn, count)


@contextmanager
def shut(url: str) -> Generator[Gate]:
    """Put a shut gate before every COMMIT on this database."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(_INSTALL)
    # A trigger waits where its row is.
    where = citus.node(stores.SCHEMA) if stores.ON_CITUS else url
    with psycopg.connect(where, autocommit=True) as conn:
        yield Gate(conn)


def wait_until_waiting(
    conn: psycopg.Connection, count: int, *, behind: int | None = None
) -> list[int]:
    """Wait until so many backends wait for a lock (of one backend); give their ids.

    Raises TimeoutError where they never do.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with _where_locks_are(conn) as places:
        while time.monotonic() < deadline:
            waiting: list[int] = []
            for looking in places:
                # Inside a transaction the activity is else the same at each look.
                looking.execute("SELECT pg_stat_clear_snapshot()")
                waiting += [
                    pid
                    for pid, blockers in looking.execute(_WAITING)
                    if behind is None or behind in blockers
                ]
            if len(waiting) >= count:
                return waiting
            time.sleep(_LOOK_AGAIN_SECONDS)
    raise TimeoutError(f"not {count} backends came to wait for a lock")


@contextmanager
def _where_locks_are(
    conn: psycopg.Connection,
) -> Generator[list[psycopg.Connection]]:
    """Give a session of each server that may hold locks of this database's stores."""
    if not stores.ON_CITUS:
        yield [conn]
        return
    with (
        psycopg.connect(citus.URL, autocommit=True) as coordinator,
        psycopg.connect(citus.node(stores.SCHEMA), autocommit=True) as node,
    ):
        yield [coordinator, node]
