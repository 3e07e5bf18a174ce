"""A checkout is one network flight, and safe to repeat whatever the network does."""

import itertools
from collections.abc import Callable, Generator
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import carts
from generated.enums import OrderStatus
from postgres_testing import proxy
from postgres_testing.proxy import Proxy
from store import CheckoutLine, PlacedOrder, Store, errors
from store_testing import factories
from store_testing.factories import PAYMENT_SUCCEEDED
from tests.support import stores
from tests.support.tables import Tables

WARM = 10  # more runs than the driver waits for before it prepares a statement


@pytest.fixture
def tap(database_url: str) -> Generator[Proxy]:
    """Give a proxy before the database."""
    with proxy.before(database_url) as opened:
        yield opened


@pytest.fixture
def tapped(tap: Proxy) -> Generator[Store]:
    """Give a store that goes through the proxy."""
    with stores.opened(tap.url) as opened:
        yield opened


def lines_of(
    conn: psycopg.Connection, user_id: UUID, prefix: str, count: int = 2
) -> list[CheckoutLine]:
    """Put items into the cart, and give the lines to check them out."""
    return [
        factories.line(
            factories.add_item(conn, user_id, price=number),
            f"{prefix}-{number}",
            Decimal(number + 1) / 8,
        )
        for number in range(count)
    ]


# Flights


@pytest.mark.parametrize("count", [1, 3, 20])
@pytest.mark.parametrize("warm", [False, True])
def test_a_checkout_is_one_flight(
    tap: Proxy,
    tapped: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    count: int,
    *,
    warm: bool,
) -> None:
    """However many lines, BEGIN to COMMIT cross the network together."""
    for number in range(WARM * warm):
        tapped.checkout(user_id, lines_of(conn, user_id, f"warm-{number}"))
    lines = lines_of(conn, user_id, "x", count)
    tap.reset()
    placed = tapped.checkout(user_id, lines)
    assert tap.flights == 1
    assert [each.item.cart_item_id for each in placed] == [
        line.cart_item_id for line in lines
    ]


def test_an_order_of_which_an_event_came_before_takes_a_second_flight(
    tap: Proxy, tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The first is refused for its sake; the second makes it what the event says."""
    lines = lines_of(conn, user_id, "x", 3)
    tapped.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x-1"))
    tap.reset()
    placed = tapped.checkout(user_id, lines)
    assert [each.order.status for each in placed] == [
        OrderStatus.AWAITING_APPROVAL,
        OrderStatus.PAYMENT_CONFIRMED,
        OrderStatus.AWAITING_APPROVAL,
    ]
    # BEGIN to COMMIT, ROLLBACK, and once more.
    assert tap.flights == 3


def test_an_item_by_its_uuid_on_chain_is_found_in_a_second_try(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A UUID that is no item's id may be an item's name on chain."""
    item = factories.add_item(conn, user_id)
    conn.execute(
        "UPDATE cart_items SET on_chain_object_id = %s WHERE id = %s",
        (str(UUID(int=7)), item.id),
    )
    [placed] = store.checkout(user_id, [CheckoutLine(cart_item_id=UUID(int=7))])
    assert placed.item.cart_item_id == item.id
    assert placed.order.on_chain


def test_a_pooled_read_is_one_flight(tap: Proxy, tapped: Store, user_id: UUID) -> None:
    """Borrowing a connection, and giving it back, crosses no network."""
    for _ in range(WARM):  # the driver prepares on its own, once, in one more flight
        tap.reset()
        with tapped.connection() as conn:
            carts.list_cart_items(conn, user_id=user_id, max_rows=9)
    assert tap.flights == 1


# What is stored


def test_a_line_becomes_an_order_with_its_snapshot(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What a checkout returns is what is stored, in the order of the lines."""
    lines = lines_of(conn, user_id, "x", 3)
    placed = store.checkout(user_id, lines)
    for price, (line, each) in enumerate(zip(lines, placed, strict=True)):
        assert each.item.price == price
        assert each.order.crossmint_order_id == line.crossmint_order_id
        assert each.order.amount_usdc == line.amount_usdc
        assert each.order.status == OrderStatus.AWAITING_APPROVAL
        assert each.item.order_id == each.order.id
        assert each.item.cart_item_id == line.cart_item_id
    assert len({each.order.checkout_id for each in placed}) == 1
    assert factories.orders_of(conn, user_id) == sorted(
        placed, key=lambda each: each.order.id
    )
    assert factories.cart_of(conn, user_id) == []


def test_nobody_s_checkout_is_refused(store: Store, conn: psycopg.Connection) -> None:
    """Who does not exist has no cart to check out."""
    nobody = UUID(int=0)
    item = factories.add_item(conn, factories.add_user(conn))
    with pytest.raises(errors.ItemUnavailable) as refused:
        store.checkout(nobody, [factories.line(item)])
    assert refused.value.cart_item_ids == {item.id}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ({"crossmint_order_id": ""}, "crossmint_id_is_not_empty"),
        ({"amount_usdc": Decimal(-1)}, "usdc_amount_is_not_negative"),
        ({"amount_usdc": Decimal("NaN")}, "usdc_amount_is_finite"),
        ({"amount_usdc": Decimal("Infinity")}, "usdc_amount_is_finite"),
        ({"amount_usdc": Decimal("0.0000001")}, "usdc_amount_has_6_decimals"),
    ],
)
def test_a_value_against_the_rules_is_named(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    line: dict[str, str],
    rule: str,
) -> None:
    """A bad id or amount is refused by the rule's name, and writes nothing."""
    item = factories.add_item(conn, user_id)
    tables = Tables(conn)
    before = tables.read()
    with pytest.raises(errors.InvalidValue) as refused:
        store.checkout(user_id, [CheckoutLine(cart_item_id=item.id, **line)])  # type: ignore[arg-type] # one of two fields
    assert refused.value.constraint == rule
    assert tables.read() == before


# Faults

FEWEST_MESSAGES = 5

FAULTS: dict[str, Callable[[Proxy, int], None]] = {
    "before": Proxy.cut_before_message,
    "after": Proxy.cut_after_message,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_repeating_after_a_fault_is_safe(
    fault: str, tap: Proxy, tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Wherever the connection is cut, the same call again gives the one result."""
    for number in itertools.count(1):
        lines = lines_of(conn, user_id, f"{fault}-{number}")
        tap.reset()
        FAULTS[fault](tap, number)
        outcome = attempt(tapped, user_id, lines)
        missed = tap.is_armed
        tap.reset()
        again = tapped.checkout(user_id, lines)
        assert {each.order.id for each in again} == stored_orders(
            conn, user_id, f"{fault}-{number}"
        )
        assert len(again) == len(lines)
        # A cut that the client sees before it sends COMMIT is followed by a retry.
        if isinstance(outcome, list):
            assert outcome == again
        if missed:
            assert number > FEWEST_MESSAGES, "the faults did not come at each message"
            return


def test_a_lost_reply_to_commit_is_told(
    tap: Proxy, tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A checkout that was committed unseen says so; repeating it gives its result."""
    lines = lines_of(conn, user_id, "x")
    tap.cut_reply_to(b"COMMIT")
    with pytest.raises(errors.OutcomeUnknown):
        tapped.checkout(user_id, lines)
    committed = stored_orders(conn, user_id, "x")
    assert len(committed) == len(lines)
    again = tapped.checkout(user_id, lines)
    assert {each.order.id for each in again} == committed
    assert stored_orders(conn, user_id, "x") == committed


def attempt(
    store: Store, user_id: UUID, lines: list[CheckoutLine]
) -> list[PlacedOrder] | errors.OutcomeUnknown:
    """Check out; a fault may leave the outcome unknown, but nothing else."""
    try:
        return store.checkout(user_id, lines)
    except errors.OutcomeUnknown as unknown:
        return unknown


def stored_orders(conn: psycopg.Connection, user_id: UUID, prefix: str) -> set[UUID]:
    """Read which orders are stored whose Crossmint ids begin so."""
    stored = [each.order for each in factories.orders_of(conn, user_id)]
    return {
        order.id
        for order in stored
        if str(order.crossmint_order_id).startswith(f"{prefix}-")
    }
