"""One notice an event: none is lost, none is repeated, whenever the API crashes."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from generated import orders
from generated.enums import OrderStatus
from generated.models import CartItem
from store import PlacedOrder, ReceivedEvent, Store
from store_testing import crossmint, factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support import gates

PAID = OrderStatus.PAYMENT_CONFIRMED
UNPAID = {OrderStatus.AWAITING_APPROVAL, OrderStatus.CANCELLED}
INITIATED = "orders.delivery.initiated"
COMPLETED = "orders.delivery.completed"


def deliver(store: Store, event_id: str, type_: str, name: str = "x") -> ReceivedEvent:
    """Let Crossmint deliver an event."""
    event = crossmint.event(type_, crossmint.order(name))
    return store.receive_order_event(*crossmint.delivery(event_id, event))


def waiting(conn: psycopg.Connection) -> list[tuple[str, str | None, str | None]]:
    """Read which events wait to be announced, with the status before and after."""
    rows = orders.list_events_to_announce(conn, max_rows=99)
    return [(row.id, row.status_before, row.status_after) for row in rows]


class Crash(Exception):
    """Stands for the end of the API's process."""


class Api:
    """A handler of webhooks that writes the e-mails to be sent into a table of its own.

    It crashes where it is told to.
    """

    def __init__(self, store: Store, conn: psycopg.Connection) -> None:
        self.store, self.conn = store, conn
        conn.execute("CREATE TABLE emails (event_id text, order_id uuid, about text)")

    def handle(self, event_id: str, type_: str, crash: str = "nowhere") -> None:
        """Take a webhook; the one `if` of its documentation decides."""
        received = deliver(self.store, event_id, type_)
        if crash == "after the commit":
            raise Crash
        if received.pays:
            self.send(event_id, crash)

    def send(self, event_id: str, crash: str = "nowhere") -> None:
        """Write an e-mail in the transaction that marks its event."""
        with self.store.transaction() as inside:
            if orders.mark_event_announced(inside, id=event_id):
                inside.execute(
                    "INSERT INTO emails SELECT %s, id, 'paid' FROM orders", [event_id]
                )
            if crash == "before the e-mail is committed":
                raise Crash

    def work(self) -> None:
        """Do what a worker does for those that crashed."""
        with self.store.connection() as conn:
            rows = orders.list_events_to_announce(conn, max_rows=9)
        for row in rows:
            if row.status_before in UNPAID and row.status_after not in UNPAID:
                self.send(row.id)

    def emails(self) -> list[tuple[str, str]]:
        """Read what is to be sent."""
        return self.conn.execute("SELECT event_id, about FROM emails").fetchall()


@pytest.fixture
def api(store: Store, conn: psycopg.Connection) -> Api:
    """Give an API."""
    return Api(store, conn)


CRASHES = ["nowhere", "after the commit", "before the e-mail is committed"]


@pytest.mark.parametrize("first", CRASHES)
@pytest.mark.parametrize("second", CRASHES)
@pytest.mark.parametrize("rescue", ["delivery", "worker"])
@pytest.mark.usefixtures("placed")
def test_each_change_to_paid_is_one_email(
    api: Api, first: str, second: str, rescue: str
) -> None:
    """Wherever the API crashes, the next delivery or the worker writes the e-mail."""
    for crash in (first, second):
        with suppress(Crash):
            api.handle("evt", PAYMENT_SUCCEEDED, crash)
    if rescue == "delivery":
        api.handle("evt", PAYMENT_SUCCEEDED)
    else:
        api.work()
    api.handle("evt", PAYMENT_SUCCEEDED)
    api.work()
    assert api.emails() == [("evt", "paid")]


@pytest.mark.usefixtures("placed")
def test_another_event_of_a_paid_order_is_no_change(api: Api) -> None:
    """A second payment event, and what comes after it, brings no second e-mail."""
    for number, type_ in enumerate(
        (PAYMENT_SUCCEEDED, PAYMENT_SUCCEEDED, "orders.quote.updated", INITIATED)
    ):
        api.handle(f"evt-{number}", type_)
    api.work()
    assert api.emails() == [("evt-0", "paid")]


def test_what_came_before_its_order_is_announced_when_it_comes(
    store: Store, conn: psycopg.Connection, api: Api, item: CartItem
) -> None:
    """Events of an order that is not here wait; with it come all, as if one by one."""
    api.handle("c", INITIATED)
    api.handle("b", PAYMENT_SUCCEEDED)
    api.handle("a", COMPLETED)
    assert (waiting(conn), api.emails()) == ([], [])
    assert not orders.mark_event_announced(conn, id="b")
    [placed] = store.checkout(item.user_id, [factories.line(item, "x")])
    assert placed.order.status == OrderStatus.DELIVERED
    assert waiting(conn) == [
        ("c", "awaiting_approval", "in_progress"),
        ("b", "in_progress", "in_progress"),
        ("a", "in_progress", "delivered"),
    ]
    api.work()
    assert api.emails() == [("c", "paid")]


def test_what_was_applied_first_is_listed_first(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """An event that waited for its order comes after those applied meanwhile."""
    early, late = (factories.event(PAYMENT_SUCCEEDED, name) for name in ("y", "x"))
    store.record_order_event(early)
    store.record_order_event(late)
    item = factories.add_item(conn, placed.order.user_id)
    store.checkout(placed.order.user_id, [factories.line(item, "y")])
    listed = orders.list_events_to_announce(conn, max_rows=9)
    assert [each.id for each in listed] == [late.id, early.id]


def test_the_first_payment_of_an_attached_order_is_announced(
    store: Store, conn: psycopg.Connection, api: Api, item: CartItem
) -> None:
    """An order that is named later brings what came before it, too."""
    for number, type_ in enumerate((PAYMENT_FAILED, PAYMENT_SUCCEEDED, INITIATED)):
        api.handle(f"evt-{number}", type_)
    [placed] = store.checkout(item.user_id, [factories.line(item)])
    assert waiting(conn) == []
    store.attach_crossmint_order(item.user_id, placed.order.id, "x")
    assert waiting(conn) == [
        ("evt-0", "awaiting_approval", "cancelled"),
        ("evt-1", "cancelled", "payment_confirmed"),
        ("evt-2", "payment_confirmed", "in_progress"),
    ]
    api.work()
    assert api.emails() == [("evt-1", "paid")]


def test_an_event_tells_what_it_changed(store: Store, placed: PlacedOrder) -> None:
    """Each delivery tells what its event did, and the order as it is now."""
    first = deliver(store, "evt-0", PAYMENT_SUCCEEDED)
    deliver(store, "evt-1", INITIATED)
    again = deliver(store, "evt-0", PAYMENT_SUCCEEDED)
    for received in (first, again):
        assert received.status_before == OrderStatus.AWAITING_APPROVAL
        assert received.status_after == PAID
        assert received.to_announce
        assert received.pays
        assert received.brings(PAID)
        assert not received.brings(OrderStatus.IN_PROGRESS)
    assert (first.is_first, again.is_first) == (True, False)
    assert first.order is not None
    assert again.order is not None
    assert first.order.id == again.order.id == placed.order.id
    assert (first.order.status, again.order.status) == (PAID, OrderStatus.IN_PROGRESS)


def test_an_announced_event_is_announced(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """Once it is marked, no delivery and no list asks for it again; others wait on."""
    deliver(store, "evt-0", PAYMENT_SUCCEEDED)
    deliver(store, "evt-1", INITIATED)
    assert orders.mark_event_announced(conn, id="evt-0") == 1
    assert orders.mark_event_announced(conn, id="evt-0") == 0
    assert orders.mark_event_announced(conn, id="nothing") == 0
    again = deliver(store, "evt-0", PAYMENT_SUCCEEDED)
    assert again.is_announced
    assert not again.to_announce
    assert not again.pays
    assert not again.brings(PAID)
    [row] = orders.list_events_to_announce(conn, max_rows=9)
    assert (row.id, row.type, row.order.id) == ("evt-1", INITIATED, placed.order.id)


def test_of_two_who_announce_at_once_one_does(
    store: Store, conn: psycopg.Connection, database_url: str, placed: PlacedOrder
) -> None:
    """T1: marks, and is about to commit; T2: marks. T2 is told that it is done."""
    assert placed.order.crossmint_order_id == "x"
    deliver(store, "evt", PAYMENT_SUCCEEDED)

    def mark() -> int:
        with store.connection() as inside:
            return orders.mark_event_announced(inside, id="evt")

    with psycopg.connect(database_url) as first, ThreadPoolExecutor(1) as threads:
        assert orders.mark_event_announced(first, id="evt") == 1
        second = threads.submit(mark)
        gates.wait_until_waiting(conn, 1, behind=first.info.backend_pid)
        first.commit()
        assert second.result() == 0


def test_who_gives_up_announcing_leaves_it_to_the_next(
    store: Store, conn: psycopg.Connection, database_url: str, placed: PlacedOrder
) -> None:
    """T1: marks, and rolls back; T2: marks. It falls to T2."""
    assert placed.order.crossmint_order_id == "x"
    deliver(store, "evt", PAYMENT_SUCCEEDED)
    with psycopg.connect(database_url) as first:
        assert orders.mark_event_announced(first, id="evt") == 1
        first.rollback()
    assert waiting(conn) == [("evt", "awaiting_approval", "payment_confirmed")]
    assert orders.mark_event_announced(conn, id="evt") == 1


def test_events_of_our_own(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Who gave up is told the user by a worker; what the user cancelled, nobody."""
    items = [factories.add_item(conn, user_id) for _ in range(2)]
    cancelled, _ = store.checkout(user_id, [factories.line(item) for item in items])
    store.cancel_order(user_id, cancelled.order.id)
    assert waiting(conn) == []
    [given_up] = store.give_up_checkouts(timedelta(0))
    assert waiting(conn) == [
        (f"store.given_up:{given_up.order.id}", "awaiting_approval", "cancelled")
    ]


@pytest.fixture
def gate(database_url: str) -> Generator[gates.Gate]:
    """Give a shut gate; ask for it after the fixtures that write."""
    with gates.shut(database_url) as shut:
        yield shut


def test_an_event_and_its_order_at_once_are_announced_once(
    store: Store, conn: psycopg.Connection, item: CartItem, gate: gates.Gate
) -> None:
    """T1: an event of an unknown order; T2: creates it. The event waits, once."""
    with ThreadPoolExecutor(2) as threads:
        receiving = threads.submit(deliver, store, "evt", PAYMENT_SUCCEEDED)
        gate.wait_for_arrival()
        placing = threads.submit(
            store.checkout, item.user_id, [factories.line(item, "x")]
        )
        gate.wait_until_waiting(2)
        gate.open()
        assert receiving.result().order is None
        placing.result()
    assert waiting(conn) == [("evt", "awaiting_approval", "payment_confirmed")]
    again = deliver(store, "evt", PAYMENT_SUCCEEDED)
    assert again.brings(PAID)
