"""An order is what the set of its events says, however they arrive."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from generated.enums import OrderStatus
from store import OrderEvent, Store
from tests.property.model import USER_CANCELLED, status_of
from tests.property.strategies import EVENT_TYPES
from tests.support import factories, stores
from tests.support.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED, event

_T = TypeVar("_T")

TYPES = (*EVENT_TYPES, USER_CANCELLED, "")

STATUS_OF = """
SELECT (
    SELECT order_status_of(array_agg(each.type))
    FROM jsonb_array_elements_text(subset.types) AS each (type)
)
FROM jsonb_array_elements(%s) WITH ORDINALITY AS subset (types, place)
ORDER BY subset.place
"""


def subsets(of: Sequence[_T], size: int) -> Iterator[tuple[_T, ...]]:
    """Give every subset of at most this size."""
    for count in range(size + 1):
        yield from itertools.combinations(of, count)


def test_the_rule_holds_for_every_set_of_events(conn: psycopg.Connection) -> None:
    """`order_status_of` is the model's rule, unknown types and duplicates included."""
    every = [[*subset, *subset[:1]] for subset in subsets(TYPES, len(TYPES))]
    given = conn.execute(STATUS_OF, [Jsonb(every)]).fetchall()
    assert len(every) == 2 ** len(TYPES)
    assert [status for (status,) in given] == [status_of(subset) for subset in every]
    assert {status for (status,) in given} == set(OrderStatus)


def test_no_events_await_approval(conn: psycopg.Connection) -> None:
    """An empty array is as good as none."""
    [(status,)] = conn.execute("SELECT order_status_of('{}')")
    assert status == OrderStatus.AWAITING_APPROVAL


EVENTS = (
    # Three payments: the first by id has no hash, the last no amount.
    event(PAYMENT_SUCCEEDED, "", event_id="a", amount_usdc=Decimal("1.5")),
    event(
        PAYMENT_SUCCEEDED,
        "",
        event_id="b",
        amount_usdc=Decimal("2.5"),
        payment_hash="0xb",
    ),
    event(PAYMENT_SUCCEEDED, "", event_id="c", payment_hash="0xc"),
    event(PAYMENT_FAILED, ""),
    event("orders.delivery.initiated", ""),
    event("orders.delivery.completed", ""),
    event("orders.delivery.failed", ""),
)


class Outcome(NamedTuple):
    """What is left of a scenario."""

    status: str
    payment_hash: str | None
    amount_usdc: Decimal | None
    in_cart: bool


OUTCOMES = """
SELECT
    orders.crossmint_order_id,
    orders.status,
    orders.payment_hash,
    orders.amount_usdc,
    cart_items.deleted_at IS NULL
FROM orders
INNER JOIN order_items ON order_items.order_id = orders.id
INNER JOIN cart_items ON cart_items.id = order_items.cart_item_id
"""


def test_any_arrival_gives_the_same_order(
    database_url: str, conn: psycopg.Connection
) -> None:
    """Each permutation of up to 3 events, the order there at any time, ends alike."""
    expected: dict[str, Outcome] = {}
    with stores.opened(database_url) as store:
        user_id = factories.add_user(conn)
        for chosen in subsets(EVENTS, 3):
            for arrival in itertools.permutations(chosen):
                for place in range(len(arrival) + 1):
                    name = f"crossmint-{len(expected)}"
                    _deliver(
                        store=store,
                        conn=conn,
                        user_id=user_id,
                        name=name,
                        arrival=arrival,
                        place=place,
                    )
                    expected[name] = _expected(chosen)
    there = {name: Outcome(*rest) for name, *rest in conn.execute(OUTCOMES)}
    assert there == expected
    assert len(there) > 900


def _deliver(
    *,
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    name: str,
    arrival: Sequence[OrderEvent],
    place: int,
) -> None:
    item = factories.add_item(conn, user_id, product_id=name)
    for number in range(len(arrival) + 1):
        if number == place:
            store.checkout(user_id, [factories.line(item, name, Decimal(9))])
        if number < len(arrival):
            event_id = f"{name}-{arrival[number].id}"
            sent = dataclasses.replace(
                arrival[number], id=event_id, crossmint_order_id=name
            )
            store.record_order_event(sent)


def _expected(events: Sequence[OrderEvent]) -> Outcome:
    """Status by the rule; hash and amount of the first payment that has one."""
    status = status_of(event.type for event in events)
    ordered = sorted(events, key=lambda event: event.id)
    hashes = [event.payment_hash for event in ordered if event.payment_hash]
    amounts = [event.amount_usdc for event in ordered if event.amount_usdc]
    return Outcome(
        status,
        hashes[0] if hashes else None,
        amounts[0] if amounts else Decimal(9),
        status == OrderStatus.CANCELLED,
    )
