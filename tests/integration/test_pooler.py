"""Behind a transaction pooler each transaction may be on another connection."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import users
from generated.internal import user_steps
from postgres_testing import pooler
from store import Settings, Store, errors
from store_testing import factories
from tests.support import stores

pytestmark = pytest.mark.skipif(
    pooler.program() is None, reason="TEST_PGBOUNCER names no PgBouncer"
)
THREADS, TIMES = 8, 12


def test_often_and_at_once(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Reads and checkouts that share the pooler's connections all come through."""
    assert store.statistics.behind_pooler

    def shop(thread: int) -> None:
        for time in range(TIMES):
            with store.connection() as reading:
                assert users.get_user(reading, id=user_id) is not None
            name = f"{thread}-{time}"
            item = factories.add_item(conn, user_id, product_id=name)
            store.checkout(user_id, [factories.line(item, name, Decimal(1))])

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(shop, range(THREADS)))
    counted = conn.execute("SELECT count(*) FROM orders").fetchone()
    assert counted == (THREADS * TIMES,)


@pytest.mark.parametrize("prepared_before", [False, True])
def test_a_pooler_that_was_not_announced(
    database_url: str, conn: psycopg.Connection, user_id: UUID, *, prepared_before: bool
) -> None:
    """With DATABASE_URL alone the store finds out, and no call fails or is mixed up."""
    ids = [user_id, *(factories.add_user(conn) for _ in range(THREADS))]
    [between] = stores.poolers
    url = between.url(database_url)
    if prepared_before:  # by somebody else, on the sessions that are shared
        with psycopg.connect(url, autocommit=True, prepare_threshold=0) as other:
            other.execute("SELECT 1")
    with Store(Settings.load(database_url=url)) as store:

        def look_up(thread: int) -> None:
            for time in range(4 * THREADS):
                wanted = ids[(thread + time) % len(ids)]
                with store.connection() as reading:
                    user = users.get_user(reading, id=wanted)
                assert user
                assert user.id == wanted
                with store.transaction() as writing:
                    users.set_display_name(writing, id=wanted, display_name="Ada")

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(look_up, range(THREADS)))
        assert store.statistics.behind_pooler


def test_limits_behind_a_pooler(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A transaction tells the server its limits, and leaves none on the session."""
    with stores.opened(database_url, database_lock_timeout=0.3) as store:
        with store.transaction() as inside:
            shown = inside.execute("SHOW lock_timeout").fetchone()
        assert shown == ("300ms",)
        with store.connection() as single:
            assert single.execute("SHOW lock_timeout").fetchone() == ("0",)
        with conn.transaction():
            user_steps.lock_user(conn, id=user_id)
            with pytest.raises(errors.LockTimeout):
                store.cancel_order(user_id, user_id)


def test_a_single_statement_behind_a_pooler_has_a_limit(
    database_url: str, conn: psycopg.Connection
) -> None:
    """The server cannot be told, so the client itself has the statement cancelled."""
    with (
        stores.opened(database_url, database_statement_timeout=0.5) as store,
        pytest.raises(errors.StatementTimeout),
        store.connection() as single,
    ):
        single.execute("SELECT pg_sleep(60)")
    conn.execute("SELECT pg_stat_clear_snapshot()")
    [(left,)] = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'"
        " AND state = 'active' AND datname = current_database()"
    )
    assert left == 0


@pytest.mark.parametrize("setting", ["yes", "no"])
def test_a_setting_overrides_what_is_found(database_url: str, setting: str) -> None:
    """`no` takes the pooler for the server, as one of sessions may be."""
    with stores.opened(database_url, database_pooler=setting) as store:
        assert store.statistics.behind_pooler == (setting == "yes")
