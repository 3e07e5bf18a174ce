"""An order is what the set of its events says, however they arrive."""

import dataclasses
import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from generated.enums import OrderStatus
from store import OrderEvent, Store, errors
from store.constraints import translated
from store_testing import factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED, event
from store_testing.model import GIVEN_UP, USER_CANCELLED, status_of
from store_testing.strategies import EVENT_TYPES
from tests.support import gates, races, stores

_T = TypeVar("_T")

TYPES = (*EVENT_TYPES, USER_CANCELLED, GIVEN_UP, "")

STATUS_OF = """
SELECT (
    SELECT order_status_of(array_agg(each.type))
    FROM jsonb_array_elements_text(subset.types) AS each (type)
)
FROM jsonb_array_elements(%s) WITH ORDINALITY AS subset (types, place)
ORDER BY subset.place
"""


def subsets(of: Sequence[_T], sizes: range) -> Iterator[tuple[_T, ...]]:
    """Give every subset of these sizes."""
    for size in sizes:
        yield from itertools.combinations(of, size)


def test_the_rule_holds_for_every_set_of_events(conn: psycopg.Connection) -> None:
    """`order_status_of` is the model's rule, unknown types and duplicates included."""
    every = [[*subset, *subset[:1]] for subset in subsets(TYPES, range(len(TYPES) + 1))]
    given = conn.execute(STATUS_OF, [Jsonb(every)]).fetchall()
    assert len(every) == 2 ** len(TYPES)
    assert [status for (status,) in given] == [status_of(subset) for subset in every]
    assert {status for (status,) in given} == set(OrderStatus)


def test_no_events_await_approval(conn: psycopg.Connection) -> None:
    """An empty array is as good as none."""
    [(status,)] = conn.execute("SELECT order_status_of('{}')")
    assert status == OrderStatus.AWAITING_APPROVAL


# Arrivals: what happens to one item of a cart, and to its order

CHECKOUT = event("", "")
"""Stands for the order's creation."""
CANCELLATION = event(USER_CANCELLED, "")
"""Stands for the user's wish, which is no event of Crossmint's."""
GIVING_UP = event(GIVEN_UP, "")
"""Stands for the store's giving up, which is none either."""

CROSSMINT_EVENTS = (
    # Three payments: the first by id has no hash, the second no amount.
    event(
        PAYMENT_SUCCEEDED,
        "",
        event_id="a",
        amount_usdc=Decimal("1.5"),
        quoted_usdc=Decimal("1.5"),
    ),
    event(PAYMENT_SUCCEEDED, "", event_id="b", payment_hash="0xb"),
    event(
        PAYMENT_SUCCEEDED,
        "",
        event_id="c",
        amount_usdc=Decimal("2.5"),
        received_usdc=Decimal("2.5"),
        payment_hash="0xc",
    ),
    event(PAYMENT_FAILED, ""),
    event("orders.delivery.initiated", ""),
    event("orders.delivery.completed", ""),
    event("orders.delivery.failed", ""),
)
OUR_EVENTS = (CANCELLATION, GIVING_UP)
EVENTS = (*CROSSMINT_EVENTS, *OUR_EVENTS)


def is_ours(each: OrderEvent) -> bool:
    """Tell whether it stands for what the user or the store did."""
    return each in OUR_EVENTS


OUTCOME = """
SELECT
    orders.status,
    orders.payment_hash,
    orders.amount_usdc,
    orders.quoted_usdc,
    orders.received_usdc,
    cart_items.deleted_at IS NULL
FROM orders
INNER JOIN order_items ON order_items.order_id = orders.id
INNER JOIN cart_items ON cart_items.id = order_items.cart_item_id
WHERE orders.crossmint_order_id = %s
"""

HISTORY = """
SELECT event.status_before, event.status_after
FROM orders
INNER JOIN order_events AS event
    ON
        event.order_id = orders.id
        OR event.crossmint_order_id = orders.crossmint_order_id
WHERE orders.crossmint_order_id = %s
ORDER BY event.applied_at, event.received_at, event.id COLLATE "C"
"""


class Outcome(NamedTuple):
    """What is left in the end."""

    status: str
    payment_hash: str | None
    amount_usdc: Decimal | None
    quoted_usdc: Decimal | None
    received_usdc: Decimal | None
    in_cart: bool


def expected(arrived: Iterable[OrderEvent]) -> Outcome:
    """Status by the rule; hash and amounts of the first payment that has one.

    The user, who does nothing else, has the item in the cart again if the order is
    cancelled.
    """
    events: list[OrderEvent] = []
    for each in arrived:
        status = status_of(event.type or "" for event in events)
        if not is_ours(each) or status == OrderStatus.AWAITING_APPROVAL:
            events.append(each)
    status = status_of(event.type or "" for event in events)
    events.sort(key=lambda event: event.id)
    hashes = [event.payment_hash for event in events if event.payment_hash]
    amounts = [event.amount_usdc for event in events if event.amount_usdc]
    quoted = [event.quoted_usdc for event in events if event.quoted_usdc]
    received = [event.received_usdc for event in events if event.received_usdc]
    return Outcome(
        status,
        hashes[0] if hashes else None,
        amounts[0] if amounts else Decimal(9),
        quoted[0] if quoted else Decimal(9),
        received[0] if received else None,
        status == OrderStatus.CANCELLED,
    )


class Scene:
    """An item in a cart, whose order Crossmint will call by this name."""

    def __init__(self, store: Store, conn: Connection[TupleRow], name: str) -> None:
        self.store, self.conn, self.name = store, conn, name
        self.user_id = factories.add_user(conn)
        self.item = factories.add_item(conn, self.user_id)
        self.order_id = UUID(int=0)
        self.compared = 0

    def happen(self, each: OrderEvent) -> None:
        """Let the order be made, be cancelled, or have an event."""
        if each is CHECKOUT:
            line = factories.line(self.item, self.name, Decimal(9))
            [placed] = self.store.checkout(self.user_id, [line])
            self.order_id = placed.order.id
        elif each is CANCELLATION:
            with suppress(errors.OrderNotCancellable):
                self.store.cancel_order(self.user_id, self.order_id)
        elif each is GIVING_UP:
            # Its own order only: those of the other scenes are younger.
            aged = "UPDATE orders SET created_at = now() - interval '1 h' WHERE id = %s"
            self.conn.execute(aged, [self.order_id])
            self.store.give_up_checkouts(timedelta(minutes=30))
        else:
            event_id = f"{self.name}-{each.id}"
            self.store.record_order_event(
                dataclasses.replace(each, id=event_id, crossmint_order_id=self.name)
            )

    def compare(self, arrived: Sequence[OrderEvent]) -> None:
        """Look if the order and its item are as they have to be after all this."""
        [there] = self.conn.execute(OUTCOME, [self.name])
        assert Outcome(*there) == expected(arrived), [each.type for each in arrived]
        # What each event did is one story, from the order's beginning to its status.
        status = OrderStatus.AWAITING_APPROVAL
        for before, after in self.conn.execute(HISTORY, [self.name]):
            assert before == status
            status = after
        assert status == there[0]
        self.compared += 1


class OneTransaction(Store):
    """A store whose calls all take place in one transaction, for speed."""

    def __init__(self, url: str, conn: Connection[TupleRow]) -> None:
        super().__init__(stores.settings(url))
        self._lent = conn

    @contextmanager
    def connection(self) -> Generator[Connection[TupleRow]]:
        """Lend the one connection."""
        yield self._lent

    @contextmanager
    def transaction(self) -> Generator[Connection[TupleRow]]:
        """Lend it for what is undone where it fails."""
        with translated():
            self._lent.pgconn.exec_(b"SAVEPOINT part")
            try:
                yield self._lent
            except BaseException:
                self._lent.pgconn.exec_(b"ROLLBACK TO part; RELEASE part")
                raise
            self._lent.pgconn.exec_(b"RELEASE part")


@pytest.fixture
def scene(database_url: str, conn: psycopg.Connection) -> Generator[Scene]:
    """Give a scene in one transaction."""
    with conn.transaction():
        yield Scene(OneTransaction(database_url, conn), conn, "crossmint-1")


@contextmanager
def taken_back(conn: Connection[TupleRow]) -> Generator[None]:
    """Undo what the block does, so that another one can begin as this one did."""
    # Not through psycopg, which would forget what it has prepared at each ROLLBACK.
    conn.pgconn.exec_(b"SAVEPOINT before")
    try:
        yield
    finally:
        conn.pgconn.exec_(b"ROLLBACK TO before; RELEASE before")


def continuations(arrived: Sequence[OrderEvent]) -> Iterator[OrderEvent]:
    """Give what may come next.

    Up to 4 events, if the order is there before or after all of them, else up to 3.
    """
    there = CHECKOUT in arrived
    if not there:
        yield CHECKOUT
    longest = 3 if there and arrived[0] is not CHECKOUT else 4
    if len(arrived) - there < longest:
        for each in EVENTS if there else CROSSMINT_EVENTS:
            # Of the two of our own one stands for the other.
            if each not in arrived and not (
                is_ours(each) and any(map(is_ours, arrived))
            ):
                yield each


def walk(scene: Scene, arrived: tuple[OrderEvent, ...] = ()) -> None:
    """Go through all arrivals that begin so, as through a tree."""
    if CHECKOUT in arrived:
        scene.compare(arrived)
    for each in continuations(arrived):
        with taken_back(scene.conn):
            scene.happen(each)
            walk(scene, (*arrived, each))


def test_any_arrival_gives_the_same_order(scene: Scene) -> None:
    """Each permutation of up to 4 events, with the order there or not, ends alike."""
    walk(scene)
    assert scene.compared == 4889


def neighbours(arrival: Sequence[_T]) -> Iterator[list[_T]]:
    """Give the arrival as it is, and with each two that follow one another swapped."""
    yield [*arrival]
    for place in range(1, len(arrival)):
        swapped = [*arrival]
        swapped[place - 1 : place + 1] = arrival[place], arrival[place - 1]
        yield swapped


def test_two_events_can_change_places(scene: Scene) -> None:
    """Each adjacent swap in a set of 5 or more, the order there or not, ends alike."""
    for chosen in subsets(CROSSMINT_EVENTS, range(5, len(CROSSMINT_EVENTS) + 1)):
        for events in neighbours(chosen):
            for arrived in ([CHECKOUT, *events], [*events, CHECKOUT]):
                with taken_back(scene.conn):
                    for each in arrived:
                        scene.happen(each)
                    scene.compare(arrived)
    assert scene.compared == 2 * (21 * 5 + 7 * 6 + 7)


def test_two_at_once_end_alike(database_url: str, conn: psycopg.Connection) -> None:
    """T1: one of them, up to its COMMIT; T2: the other. They end as if in turn."""
    pairs = [
        pair
        for pair in itertools.permutations((CHECKOUT, *EVENTS), 2)
        if not (CHECKOUT in pair and any(map(is_ours, pair)))
    ]
    with races.no_deadlock(conn), stores.opened(database_url) as store:
        scenes = [Scene(store, conn, f"crossmint-{n}") for n in range(len(pairs))]
        for scene, pair in zip(scenes, pairs, strict=True):
            if CHECKOUT not in pair:
                scene.happen(CHECKOUT)
        with gates.shut(database_url) as gate:
            for scene, (first, second) in zip(scenes, pairs, strict=True):
                one, other = races.race(
                    gate, partial(scene.happen, first), partial(scene.happen, second)
                )
                one.result()
                other.result()
                scene.compare((first, second))
                gate.close()
