"""The pool: at most five connections, each of them alive."""

from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest

from generated import users
from store import Store, errors
from tests.support import factories, stores

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
    store: Store, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sixth borrower is told that none is to be had."""
    pool = store._pool  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(pool, "timeout", 0.05)
    with ExitStack() as stack:
        for _ in range(POOL_SIZE):
            stack.enter_context(store.connection())
        with pytest.raises(errors.Unavailable), store.connection():
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


@pytest.mark.parametrize("pooled", [False, True])
def test_nothing_is_prepared_behind_a_pooler(
    database_url: str, user_id: UUID, *, pooled: bool
) -> None:
    """Statements are prepared exactly when the two URLs are the same."""
    direct = database_url + "&application_name=direct" if pooled else database_url
    with (
        stores.opened(database_url, database_url_direct=direct) as store,
        store.connection() as conn,
    ):
        for _ in range(10):
            users.get_user(conn, id=user_id)
        prepared = conn.execute(
            "SELECT count(*) FROM pg_prepared_statements"
        ).fetchone()
    assert prepared == ((0,) if pooled else (1,))
