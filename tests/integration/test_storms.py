"""However calls are cut off, nothing is lost: no connection, no session, no half row.

`make storm` does the same for longer.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress

import psycopg
import pytest

from store import Store
from tests.support import storms

CALLS = 400


@pytest.mark.parametrize("kind", storms.KINDS)
def test_a_storm_leaves_all_as_it_was(kind: str, database_url: str) -> None:
    """Half of the calls are cut off; then five connections answer, and all is whole."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.storms", kind, str(CALLS)],
        env={**os.environ, "STORM_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    outcome = json.loads(done.stdout)
    assert (outcome["lost"], outcome["unforeseen"], outcome["logged"]) == ([], [], [])
    assert outcome["most_sessions"] <= storms.POOL_SIZE
    assert outcome["calls"]["cut"] > CALLS / 5, outcome


def test_what_is_dropped_is_given_back(store: Store) -> None:
    """A block that nobody leaves ends with the last reference to it."""
    for _ in range(20):
        block = store.limited(acquire=1).connection()
        conn: psycopg.Connection | None = block.__enter__()
        assert conn
        conn.execute("SELECT 1")
        del block, conn
    assert store.statistics.connections <= storms.POOL_SIZE


def test_a_circle_of_references_gives_back_too(store: Store) -> None:
    """Connections that only garbage holds are found by who waits for one."""
    for _ in range(storms.POOL_SIZE):
        block = store.connection()
        circle: list[object] = [block, block.__enter__()]
        circle.append(circle)
        del block, circle
    with store.limited(acquire=8).connection() as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("statement", ["BEGIN", "SELECT 1; BEGIN; SELECT 'x'::int"])
def test_what_is_not_idle_is_not_lent_again(store: Store, statement: str) -> None:
    """Who gives a connection back within a transaction of their own ends it."""
    with store.connection() as conn:
        process_id = conn.info.backend_pid
        with suppress(psycopg.Error):
            conn.execute(statement.encode())
    with store.connection() as conn:
        assert conn.info.backend_pid != process_id
    assert store.statistics.discarded == 1
