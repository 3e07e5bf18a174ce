"""On a Citus that TEST_CITUS_URL names: a distributed schema, one for each test.

It leads to the coordinator, to a database that has the extension on all nodes; the role
may create schemas. A clone by template is no way there: Citus holds a session on each
database that has it. What does not run there is told in docs/scaling.md.
"""

import os
import secrets
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from generated import carts
from generated.internal import order_steps
from store import CheckoutLine, OrderEvent, Settings, Store, errors, migrations
from store.settings import DatabaseSettings
from store_testing.schema import MIGRATIONS

URL = os.environ.get("TEST_CITUS_URL", "")
pytestmark = pytest.mark.skipif(not URL, reason="TEST_CITUS_URL names no Citus")

# What no table depends on is not brought to the workers with the tables.
_FUNCTIONS = """
SELECT create_distributed_function(oid::regprocedure)
FROM pg_proc
WHERE pronamespace = %s::regnamespace AND proname IN (
    'order_status_of', 'order_holds_item', 'jsonb_or_null', 'next_chat_session_time'
)"""


def with_options(options: str) -> str:
    """Give the URL with options for each session."""
    parts = urlsplit(URL)
    query = f"{parts.query}&options={options}".removeprefix("&")
    return parts._replace(query=query).geturl()


@pytest.fixture
def schema() -> Generator[str]:
    """Give a distributed schema that has the migrations, and drop it afterwards."""
    name = f"test_{secrets.token_hex(4)}"
    locally = with_options("-ccitus.enable_ddl_propagation%3Doff")
    with psycopg.connect(
        with_options("-ccitus.enable_unsafe_triggers%3Don"), autocommit=True
    ) as conn:
        try:
            migrations.up(
                DatabaseSettings.load(database_url=locally, database_schema=name),
                directory=MIGRATIONS,
                unrecorded_allowed=True,
            )
            conn.execute("SELECT citus_schema_distribute(%s)", [name])
            conn.execute("SELECT set_config('search_path', %s, false)", [name])
            conn.execute(_FUNCTIONS, [name])
            yield name
        finally:
            conn.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())


@pytest.fixture
def conn(schema: str) -> Generator[psycopg.Connection]:
    """Give a session that finds the schema."""
    with psycopg.connect(
        with_options(f"-csearch_path%3D{schema}"), autocommit=True
    ) as session:
        yield session


@pytest.fixture
def store(schema: str) -> Generator[Store]:
    """Give a store in the schema."""
    given = {"database_url": URL, "database_schema": schema}
    with Store(Settings.model_validate(given)) as opened:
        yield opened


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Give a user, who is not made by the store: it writes them through a view."""
    [(made,)] = conn.execute(
        "INSERT INTO users (crossmint_user_id) VALUES ('google|1') RETURNING id"
    )
    assert isinstance(made, UUID)
    return made


def add_item(conn: psycopg.Connection, user_id: UUID) -> UUID:
    """Put an item into the cart; not by the store, whose statement Citus refuses."""
    [(made,)] = conn.execute(
        "INSERT INTO cart_items (user_id, product_id, product_name, price)"
        " VALUES (%s, gen_random_uuid()::text, 'Notebook', 1490) RETURNING id",
        [user_id],
    )
    assert isinstance(made, UUID)
    return made


def test_a_store_is_on_one_node(schema: str, conn: psycopg.Connection) -> None:
    """All of its tables are distributed, as one group."""
    rows = conn.execute(
        "SELECT DISTINCT colocation_id, nodename, nodeport FROM citus_shards"
        " WHERE table_name IN"
        " (SELECT oid FROM pg_class WHERE relnamespace = %s::regnamespace)",
        [schema],
    )
    assert len(rows.fetchall()) == 1


def test_an_order_from_the_cart_to_its_payment(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Checkout, events, and a cancellation that gives the item back."""
    items = [add_item(conn, user_id) for _ in range(3)]
    lines = [
        CheckoutLine(cart_item_id=item, crossmint_order_id=f"x{n}")
        for n, item in enumerate(items)
    ]
    placed = store.checkout(user_id, lines)
    assert store.checkout(user_id, lines) == placed
    paid = OrderEvent(
        id="msg_1", type="orders.payment.succeeded", crossmint_order_id="x0"
    )
    received = store.record_order_event(paid)
    assert received.status_after == "payment_confirmed"
    assert store.cancel_order(user_id, placed[1].order.id).status == "cancelled"
    with store.connection() as single:
        listed = carts.list_cart_items(single, user_id=user_id, max_rows=9)
    assert [each.id for each in listed] == [items[1]]


def test_a_refused_checkout_says_why(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A worker's error, which has no names, is understood."""
    item = add_item(conn, user_id)
    line = CheckoutLine(cart_item_id=item, crossmint_order_id="x")
    store.checkout(user_id, [line])
    again = CheckoutLine(cart_item_id=item, crossmint_order_id="y")
    with pytest.raises(errors.ItemUnavailable):
        store.checkout(user_id, [again])
    other = add_item(conn, user_id)
    taken = CheckoutLine(cart_item_id=other, crossmint_order_id="x")
    with pytest.raises(errors.AlreadyExists) as raised:
        store.checkout(user_id, [taken])
    assert raised.value.constraint == "orders_crossmint_order_id_key"


def test_callers_exclude_each_other(store: Store, conn: psycopg.Connection) -> None:
    """Who locks a Crossmint order that is not here yet holds others up until COMMIT."""
    order: list[str] = []

    def second() -> None:
        with store.transaction() as inside:
            order_steps.lock_crossmint_orders(inside, crossmint_order_ids=["x"])
            inside.execute("SELECT 1").fetchone()
            order.append("second")

    with ThreadPoolExecutor(1) as thread:
        with conn.transaction():
            order_steps.lock_crossmint_orders(conn, crossmint_order_ids=["x"])
            waiting = thread.submit(second)
            with psycopg.connect(URL, autocommit=True) as looking:
                while not looking.execute(
                    "SELECT FROM citus_stat_activity WHERE query LIKE '%mutexes%'"
                    " AND state = 'active' AND pid <> pg_backend_pid()"
                ).rowcount:
                    assert not waiting.done()
            order.append("first")
        waiting.result()
    assert order == ["first", "second"]
