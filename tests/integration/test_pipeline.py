"""A transaction's commands leave together; in between the server can end it."""

from uuid import UUID

import psycopg
import pytest

from generated import carts, users
from generated.internal import user_steps
from store import Store
from store_testing import factories

_STATE = "SELECT state FROM pg_stat_activity WHERE pid = %s"


def state_of(conn: psycopg.Connection, inside: psycopg.Connection) -> str:
    """Read what the server says that a session does."""
    conn.execute("SELECT pg_stat_clear_snapshot()")
    row = conn.execute(_STATE, [inside.info.backend_pid]).fetchone()
    assert row
    return str(row[0])


def test_nothing_is_sent_before_a_result_is_needed(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """BEGIN and what needs no result are kept back, so no lock is taken early."""
    with store.transaction() as inside:
        inside.execute("SELECT * FROM users FOR UPDATE")
        assert state_of(conn, inside) == "idle"
        users.set_display_name(conn, id=user_id, display_name="not held up")


def test_between_round_trips_the_server_is_idle_in_transaction(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """After a fetch the server waits for the client, for which it has a limit."""
    with store.transaction() as inside:
        user_steps.lock_user(inside, id=user_id)
        assert state_of(conn, inside) == "idle in transaction"
        with inside.pipeline():
            assert users.get_user(inside, id=user_id)
            assert state_of(conn, inside) == "idle in transaction"


def test_many_commands_are_not_kept_back(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What is kept back is bounded; all of it is done, in order."""
    with store.transaction() as inside:
        for number in range(250):
            inside.execute("UPDATE users SET display_name = %s", [str(number)])
        assert state_of(conn, inside) == "idle in transaction"
    user = users.get_user(conn, id=user_id)
    assert user
    assert user.display_name == "249"


def test_more_than_a_buffer_in_one_round_trip(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Commands and results that fill every buffer between the two do not block."""
    megabyte = "x" * (1 << 20)
    with store.transaction() as inside:
        cursors = [inside.execute("SELECT %s", [megabyte]) for _ in range(30)]
    assert all(cursor.fetchone() == (megabyte,) for cursor in cursors)
    assert carts.count_cart_items(conn, user_id=user_id) == 0


def test_what_was_queued_at_an_error_is_not_sent(
    store: Store, conn: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in the block drops what is kept back; nobody logs what it would say."""

    def fail() -> None:
        with store.transaction() as inside, inside.pipeline():
            inside.execute("SELECT pg_sleep(30)")
            inside.execute("SELECT 'private'::int")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not caplog.records
    # The same connection goes on, also with what it had prepared.
    for number in range(12):
        with store.transaction() as inside:
            factories.add_user(inside, f"google|{number}")
    assert conn.execute("SELECT count(*) FROM users").fetchone() == (12,)
