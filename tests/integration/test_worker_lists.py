"""Each list for a worker reads an index made for it, however many rows there are."""

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from generated import deposits, orders
from generated.internal import order_steps
from tests.support import stores

ROWS = 20_000

# Among very many rows that no list is about, a few that each list is about.
FILL: LiteralString = """
INSERT INTO users (id, crossmint_user_id)
SELECT gen_random_uuid(), 'user-' || n FROM generate_series(1, 200) AS n;

CREATE TEMPORARY TABLE made AS
SELECT
    n, gen_random_uuid() AS id, users.id AS user_id,
    (ARRAY['delivered', 'cancelled', 'payment_confirmed'])[n % 3 + 1] AS status
FROM generate_series(1, current_setting('test.rows')::int) AS n
INNER JOIN users ON crossmint_user_id = 'user-' || (n % 200 + 1);

INSERT INTO orders (
    id, user_id, type, status, crossmint_order_id, tx_hash, created_at,
    quoted_usdc, received_usdc, settled_at
)
SELECT
    id, user_id, type, status, 'crossmint-' || n,
    '0x' || lpad(to_hex(n), 64, '0'), now() - make_interval(mins => n),
    1, 1, CASE type WHEN 'deposit' THEN now() END
FROM (SELECT *, (ARRAY['checkout', 'deposit'])[n % 2 + 1] AS type FROM made) AS typed;

INSERT INTO order_events (
    id, type, crossmint_order_id, received_at, applied_at, announced_at, payload
)
SELECT 'old-' || n, 'orders.payment.succeeded', 'crossmint-' || n, at, at, at, NULL
FROM (SELECT n, now() - make_interval(mins => n) AS at FROM made) AS timed;

INSERT INTO orders (user_id, type, tx_hash)
SELECT user_id, 'deposit', '0xf' || lpad(to_hex(n), 63, '0') FROM made WHERE n <= 5;
INSERT INTO orders (
    id, user_id, type, status, checkout_id, quoted_usdc, received_usdc, paid_late
)
SELECT
    gen_random_uuid(), user_id, 'checkout',
    (ARRAY['awaiting_approval', 'payment_confirmed'])[n % 2 + 1],
    gen_random_uuid(), 1, n, n % 2 = 1
FROM made WHERE n <= 10;
INSERT INTO order_items (order_id, product_id, product_name, price, on_chain_object_id)
SELECT
    id, 'B01', '', 1,
    CASE status WHEN 'payment_confirmed' THEN '0x' || repeat('0', 64) END
FROM orders WHERE checkout_id IS NOT NULL;
INSERT INTO order_events (id, type, crossmint_order_id, payload, applied_at)
SELECT
    'new-' || n,
    (ARRAY['orders.payment.succeeded', 'orders.quote.updated'])[n % 2 + 1],
    'crossmint-' || n, '{}', CASE WHEN n > 5 THEN now() END
FROM made WHERE n <= 10;
"""

Query = Callable[..., Any]
NO_TIME = timedelta(days=-1)
AFTER: dict[str, Any] = {"after_created_at": None, "after_id": None}

LISTS: dict[str, tuple[Query, dict[str, Any], int]] = {
    "order_events_to_announce_idx": (orders.list_events_to_announce, {}, 5),
    "order_events_unmatched_payment_idx": (
        order_steps.list_payments_without_order,
        {"older_than": NO_TIME, "after_received_at": None, "after_id": None},
        2,
    ),
    "order_events_to_forget_idx": (
        order_steps.forget_order_events,
        {"older_than": NO_TIME},
        10,
    ),
    "orders_awaiting_approval_idx": (
        order_steps.list_checkouts_to_give_up,
        {"older_than": NO_TIME, **AFTER},
        5,
    ),
    "orders_without_digest_idx": (order_steps.list_orders_without_digest, AFTER, 5),
    "orders_open_deposit_idx": (deposits.list_deposits_to_check, {}, 5),
    "orders_payment_differs_idx": (order_steps.list_payments_that_differ, AFTER, 9),
    "orders_paid_late_idx": (
        order_steps.list_items_paid_twice,
        {"user_id": None, **AFTER},
        0,
    ),
}


def plan_of(conn: psycopg.Connection, query: Query, arguments: dict[str, Any]) -> str:
    """Explain a generated function's statement, as a prepared one is planned."""
    module = sys.modules[query.__module__]
    statement: LiteralString = getattr(module, query.__name__.upper())
    names = [name for name in query.__annotations__ if name in arguments]
    conn.execute("SET plan_cache_mode = force_generic_plan")
    cursor = psycopg.RawCursor(conn)
    cursor.execute(f"EXPLAIN {statement}", [arguments[name] for name in names])
    return "\n".join(str(line) for (line,) in cursor)


@pytest.fixture
def filled(conn: psycopg.Connection) -> psycopg.Connection:
    """Give a database with very many rows."""
    conn.execute("SELECT set_config('test.rows', %s, FALSE)", [str(ROWS)])
    conn.execute(FILL)
    conn.execute("ANALYZE")
    return conn


@stores.not_on_citus("plans are the node's, which EXPLAIN here does not show")
def test_each_list_reads_its_index(filled: psycopg.Connection) -> None:
    """Each plan names the list's index, and reads neither table from end to end."""
    for index, (query, arguments, _) in LISTS.items():
        plan = plan_of(filled, query, arguments | {"max_rows": 100})
        assert f"using {index}" in plan or f"on {index}" in plan, plan
        assert "Seq Scan on orders" not in plan, plan
        assert "Seq Scan on order_events" not in plan, plan
    for index, (query, arguments, count) in LISTS.items():
        found = query(filled, **arguments, max_rows=100)
        if query is order_steps.forget_order_events:
            assert (found.stripped, found.deleted) == (5, 5)
        else:
            assert len(found) == count, index


def test_each_list_s_index_says_what_it_is_for(conn: psycopg.Connection) -> None:
    """Each of them has a comment, and is partial."""
    rows = conn.execute(
        "SELECT indexrelid::regclass::text, indpred IS NOT NULL,"
        " obj_description(indexrelid) FROM pg_index"
        " WHERE indexrelid::regclass::text = ANY(%s)",
        [list(LISTS)],
    ).fetchall()
    assert {name for name, _, _ in rows} == LISTS.keys()
    assert all(partial and comment for _, partial, comment in rows)
