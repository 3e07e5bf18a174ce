"""Behind a transaction pooler each transaction may be on another connection."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import users
from store import Store
from tests.support import factories, pooler

pytestmark = pytest.mark.skipif(
    pooler.program() is None, reason="TEST_PGBOUNCER names no PgBouncer"
)
THREADS, TIMES = 8, 12


def test_often_and_at_once(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Reads and checkouts that share the pooler's connections all come through."""
    assert store.settings.pooled

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
