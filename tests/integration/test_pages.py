"""Lists that are read page after page, each from the cursor of the one before."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString, TypeAlias
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from store import CursorPage, Store, errors
from tests.integration.test_worker_lists import FILL

List: TypeAlias = Callable[..., CursorPage[Any]]

ROWS = 30

# Rows of one statement share their time, so that pages end between equals.
MORE: LiteralString = """
INSERT INTO chat_sessions (user_id, title)
SELECT id, 't' || n FROM users, generate_series(1, 7) AS n
WHERE crossmint_user_id = 'user-1';
INSERT INTO orders (user_id, type, tx_hash)
SELECT id, 'deposit', '0xe' || lpad(to_hex(n), 63, '0')
FROM users, generate_series(1, 9) AS n WHERE crossmint_user_id = 'user-1';
INSERT INTO set_aside_chain_events (id, event, is_whole, reason)
SELECT gen_random_uuid(), '{}', TRUE, 'a reason' FROM generate_series(1, 8);
INSERT INTO order_events (id, type, crossmint_order_id, payload)
SELECT 'lost-' || n, 'orders.payment.succeeded', 'lost-' || n, '{}'
FROM generate_series(1, 5) AS n;
WITH item AS (
    INSERT INTO cart_items (user_id, product_id, product_name, price, deleted_at)
    SELECT id, 'twice-' || n, '', 1, now() FROM users, generate_series(1, 4) AS n
    WHERE crossmint_user_id = 'user-1'
    RETURNING id, user_id
),
twice AS MATERIALIZED (
    SELECT gen_random_uuid() AS order_id, item.*, late
    FROM item, (VALUES (TRUE), (FALSE)) AS paid (late)
),
placed AS (
    INSERT INTO orders (id, user_id, type, status, checkout_id, paid_late)
    SELECT order_id, user_id, 'checkout', 'payment_confirmed', order_id, late
    FROM twice
)
INSERT INTO order_items (order_id, cart_item_id, product_id, product_name, price)
SELECT order_id, id, 'B01', '', 1 FROM twice;
"""


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Fill all lists, and give the user whose own lists are long."""
    conn.execute(sql.SQL("SET test.rows = {}").format(ROWS))
    conn.execute(FILL)
    conn.execute(MORE)
    query = "SELECT id FROM users WHERE crossmint_user_id = 'user-1'"
    [(found,)] = conn.execute(query).fetchall()
    return UUID(str(found))


def lists(store: Store, user_id: UUID) -> dict[str, List]:
    """Give each list that has pages, with what it asks for beside them."""
    return {
        "list_orders": partial(store.list_orders, user_id),
        "list_chat_sessions": partial(store.list_chat_sessions, user_id),
        "list_payments_without_order": partial(
            store.list_payments_without_order, timedelta(days=-1)
        ),
        "list_orders_without_digest": store.list_orders_without_digest,
        "list_items_paid_twice": store.list_items_paid_twice,
        "list_payments_that_differ": store.list_payments_that_differ,
        "list_set_aside_chain_events": store.list_set_aside_chain_events,
    }


def test_each_list_with_a_cursor_is_tested(store: Store, user_id: UUID) -> None:
    """The tests below are about all of them."""
    known = {name for name in dir(Store) if name.startswith("list_")}
    assert lists(store, user_id).keys() == known


def pages(read: List, max_rows: int) -> Iterator[list[Any]]:
    """Read page after page."""
    page = read(max_rows=max_rows)
    yield page.rows
    while page.next_cursor is not None:
        page = read(cursor=page.next_cursor, max_rows=max_rows)
        yield page.rows


@pytest.mark.parametrize("max_rows", [1, 2, 3, 4, 7, 1000])
def test_pages_of_any_size_are_the_list(
    store: Store, user_id: UUID, max_rows: int
) -> None:
    """Pages have each row once, in the list's order, and none is empty or too long."""
    for name, read in lists(store, user_id).items():
        [whole] = pages(read, 10_000)
        found = list(pages(read, max_rows))
        assert [row for page in found for row in page] == whole, name
        assert len(whole) > 3, name
        assert {len(page) for page in found[:-1]} <= {max_rows}
        assert 0 < len(found[-1]) <= max_rows


def test_a_cursor_is_of_one_list(store: Store, user_id: UUID) -> None:
    """A list refuses the cursor of another, whose order may be another."""
    every = lists(store, user_id)
    cursors = {name: read(max_rows=1).next_cursor for name, read in every.items()}
    for name, read in every.items():
        for other, cursor in cursors.items():
            if cursor is not None and other != name:
                with pytest.raises(errors.InvalidValue):
                    read(cursor=cursor)


def as_cursor(value: object) -> str:
    """Encode as a cursor is, whatever it may be."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
foreign = (
    st.text()
    | st.text(alphabet="ABab01-_=", min_size=1)
    | st.builds(as_cursor, json_values)
    | st.tuples(
        st.just("list_orders"),
        json_values | st.datetimes().map(str),
        st.text(max_size=9),  # no id is so short
    ).map(as_cursor)
)


@given(cursor=foreign)
def test_what_no_list_gave_is_refused(store: Store, cursor: str) -> None:
    """A text that is no cursor is refused by a typed error, before the database."""
    with pytest.raises(errors.InvalidValue):
        store.list_orders(UUID(int=0), cursor=cursor)


@pytest.mark.parametrize("max_rows", [0, -1])
def test_a_page_has_a_row_at_least(store: Store, user_id: UUID, max_rows: int) -> None:
    """A page of nothing would have no cursor to go on from."""
    for read in lists(store, user_id).values():
        with pytest.raises(errors.InvalidValue):
            read(max_rows=max_rows)
