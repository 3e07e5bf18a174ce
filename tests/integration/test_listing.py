"""A user's orders by pages, of one type or status."""

import itertools
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from generated import deposits, orders
from generated.enums import OrderStatus, OrderType
from generated.internal import order_steps
from generated.internal.order_steps import ListOrdersRow
from generated.models import Order, OrderItem
from store import Store, errors
from store_testing import factories


@pytest.fixture
def everything(store: Store, conn: psycopg.Connection, user_id: UUID) -> UUID:
    """Give a user with three checkouts, one cancelled, and two deposits."""
    for owner, prefix in ((user_id, "a"), (factories.add_user(conn), "b")):
        items = [factories.add_item(conn, owner) for _ in range(3)]
        placed = store.checkout(owner, [factories.line(item) for item in items])
        store.cancel_order(owner, placed[0].order.id)
        for number in range(2):
            tx_hash = f"0x{prefix}{number:063}"
            deposits.claim_deposit(conn, user_id=owner, tx_hash=tx_hash)
    return user_id


def pages(
    conn: psycopg.Connection,
    user_id: UUID,
    *,
    max_rows: int,
    type: OrderType | None = None,  # noqa: A002 - the column's name
    status: OrderStatus | None = None,
) -> Iterator[ListOrdersRow]:
    """Read all pages."""
    last = None
    while True:
        page = order_steps.list_orders(
            conn,
            user_id=user_id,
            type=type,
            status=status,
            before_created_at=last.created_at if last else None,
            before_id=last.id if last else None,
            max_rows=max_rows,
        )
        yield from page
        if len(page) < max_rows:
            return
        last = page[-1].order


@pytest.mark.parametrize("max_rows", [1, 2, 5, 100])
def test_pages_show_each_order_once(
    conn: psycopg.Connection, everything: UUID, max_rows: int
) -> None:
    """However long a page is, all of the user's orders come, the newest first."""
    rows = [row.order for row in pages(conn, everything, max_rows=max_rows)]
    assert len({order.id for order in rows}) == len(rows) == 5
    assert {order.user_id for order in rows} == {everything}
    times = [(order.created_at, order.id) for order in rows]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("type_", [None, *OrderType])
@pytest.mark.parametrize("status", [None, *OrderStatus])
def test_a_list_has_what_was_asked_for(
    conn: psycopg.Connection,
    everything: UUID,
    type_: OrderType | None,
    status: OrderStatus | None,
) -> None:
    """Of one type or status come exactly those orders that have it."""
    every = list(pages(conn, everything, max_rows=100))
    some = list(pages(conn, everything, max_rows=2, type=type_, status=status))
    assert some == [
        row
        for row in every
        if type_ in {None, row.order.type} and status in {None, row.order.status}
    ]


def test_a_checkout_has_its_product_and_a_deposit_none(
    conn: psycopg.Connection, everything: UUID
) -> None:
    """Each checkout comes with its own snapshot, a deposit without one."""
    for row in pages(conn, everything, max_rows=100):
        if row.order.type == OrderType.DEPOSIT:
            assert row.order_item is None
        else:
            assert row.order_item is not None
            assert row.order_item.order_id == row.order.id


# Numbered pages


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize(
    "filters",
    [*itertools.product([None, *OrderType], [None, *OrderStatus])],
    ids=str,
)
def test_a_numbered_page_has_the_total(
    store: Store,
    conn: psycopg.Connection,
    everything: UUID,
    filters: tuple[OrderType | None, OrderStatus | None],
    limit: int,
) -> None:
    """All pages together are the list; each has the total, those past the end too."""
    type_, status = filters
    every = list(pages(conn, everything, max_rows=100, type=type_, status=status))
    total = orders.count_orders(conn, user_id=everything, type=type_, status=status)
    assert total == len(every)
    seen: list[tuple[Order, OrderItem | None]] = []
    for number in range(1, len(every) // limit + 3):
        page = store.page_orders(
            everything, page=number, limit=limit, type=type_, status=status
        )
        assert page.total == len(every)
        assert len(page.orders) <= limit
        seen += [(row.order, row.order_item) for row in page.orders]
    assert seen == [(row.order, row.order_item) for row in every]


def test_a_page_has_a_number_and_a_limit(store: Store, everything: UUID) -> None:
    """There is no page before the first, and none without room."""
    for page, limit in ((0, 1), (-1, 1), (1, 0)):
        with pytest.raises(errors.InvalidValue):
            store.page_orders(everything, page=page, limit=limit)


def test_one_order_has_its_snapshot(conn: psycopg.Connection, everything: UUID) -> None:
    """An order by its id comes with its snapshot; to nobody but its user."""
    for row in pages(conn, everything, max_rows=100):
        found = orders.get_order_with_item(conn, id=row.order.id, user_id=everything)
        assert found is not None
        assert (found.order, found.order_item) == (row.order, row.order_item)
        stranger = factories.add_user(conn)
        assert not orders.get_order_with_item(conn, id=row.order.id, user_id=stranger)
