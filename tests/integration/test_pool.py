"""The pool: at most five connections, each of them alive."""

from contextlib import ExitStack, suppress
from uuid import UUID

import psycopg
import pytest

from generated import users
from store import Store, errors
from store_testing import factories
from tests.support import stores

POOL_SIZE = 5


def test_idle_connections_that_died_are_replaced(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """After all of the pool's connections have died, the next calls just work."""
    with ExitStack() as stack:
        processes = {
            stack.enter_context(store.connection()).info.backend_pid
            for _ in range(POOL_SIZE)
        }
    for process_id in processes:
        factories.end_backend(conn, process_id)
    with ExitStack() as stack:
        for _ in range(POOL_SIZE):
            fresh = stack.enter_context(store.connection())
            assert users.get_user(fresh, id=user_id) is not None
            assert fresh.info.backend_pid not in processes


def test_a_store_has_at_most_five_connections(
    store: Store, conn: psycopg.Connection
) -> None:
    """The sixth borrower is told that none is to be had."""
    with ExitStack() as stack:
        for _ in range(POOL_SIZE):
            stack.enter_context(store.connection())
        with (
            pytest.raises(errors.PoolExhausted, match="none of the 5 connections"),
            store.limited(acquire=0.05).connection(),
        ):
            pass
        [(there,)] = conn.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'chat-commerce-store'"
            " AND datname = current_database()"
        )
    assert there == POOL_SIZE


def test_a_closed_store_has_none(database_url: str) -> None:
    """Who uses a store that is closed is told so by the store's error."""
    with stores.opened(database_url) as store:
        pass
    with pytest.raises(errors.Unavailable), store.connection():
        pass


@pytest.mark.parametrize("pooler", ["auto", "no", "yes"])
def test_nothing_is_prepared_behind_a_pooler(
    database_url: str, user_id: UUID, pooler: str
) -> None:
    """Statements are prepared where the server itself is found, or by a setting."""
    with (
        stores.opened(database_url, database_pooler=pooler) as store,
        store.connection() as conn,
    ):
        for _ in range(10):
            users.get_user(conn, id=user_id)
        prepared = conn.execute(
            "SELECT count(*) FROM pg_prepared_statements"
        ).fetchone()
    assert prepared == ((0,) if pooler == "yes" else (1,))


def test_what_the_pool_does_is_counted(store: Store) -> None:
    """`ping` tells how long an answer takes, `statistics` what came of all calls."""
    assert 0 < store.ping() < 10
    with store.connection():
        now = store.statistics
        assert (now.size, now.connections, now.idle) == (POOL_SIZE, 1, 0)
        with ExitStack() as stack:
            for _ in range(POOL_SIZE - 1):
                stack.enter_context(store.connection())
            with (
                suppress(errors.PoolExhausted),
                store.limited(acquire=0.01).connection(),
            ):
                pass
    then = store.statistics
    assert (then.idle, then.connected, then.timed_out, then.waited) == (5, 5, 1, 1)
    assert then.acquired == 8


def test_a_pool_has_the_size_that_is_set(database_url: str) -> None:
    """DATABASE_POOL_SIZE says how many connections there are at most."""
    with (
        stores.opened(database_url, database_pool_size=1) as store,
        store.connection(),
        pytest.raises(errors.PoolExhausted, match="of the 1 "),
        store.limited(acquire=0.01).connection(),
    ):
        pass
