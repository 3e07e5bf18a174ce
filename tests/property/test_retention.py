"""Forgetting takes payloads and what never counts, and nothing of any order."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

import psycopg
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import TupleRow

from generated import orders
from store import Store
from store_testing import crossmint, factories
from store_testing.strategies import EVENT_TYPES
from tests.support import stores
from tests.support.tables import Row, Tables

WITH_EFFECT = {
    "orders.payment.failed",
    "orders.payment.succeeded",
    "orders.delivery.initiated",
    "orders.delivery.completed",
    "orders.delivery.failed",
    "user.cancelled",
    "store.given_up",
}
LIMIT = 10  # days


class Arrival(NamedTuple):
    """An event as it came, some days ago."""

    type: str | None
    name: str
    days_ago: int
    is_json: bool


arrivals = st.lists(
    st.builds(
        Arrival,
        type=st.none() | st.sampled_from(EVENT_TYPES),
        name=st.sampled_from(["x", "unknown"]),
        days_ago=st.integers(LIMIT - 2, LIMIT + 2).filter(lambda days: days != LIMIT),
        is_json=st.booleans(),
    ),
    max_size=8,
)


def arrive(
    store: Store, conn: Connection[TupleRow], number: int, arrival: Arrival
) -> None:
    """Receive an event, so many days ago."""
    event = crossmint.event("t", crossmint.order(arrival.name))
    event |= {"type": arrival.type, "more": 1 if arrival.is_json else "\0"}
    store.receive_order_event(*crossmint.delivery(f"evt-{number}", event))
    conn.execute(
        "UPDATE order_events SET received_at = received_at - make_interval(days => %s)"
        " WHERE id = %s",
        [arrival.days_ago, f"evt-{number}"],
    )


@given(
    arrived=arrivals,
    cancelled=st.booleans(),
    then=st.tuples(st.integers(1, 9), st.sampled_from(EVENT_TYPES)),
)
@example(
    arrived=[Arrival(each, "x", 12, is_json=True) for each in EVENT_TYPES],
    cancelled=True,
    then=(3, "orders.quote.updated"),
)
def test_orders_stay_what_their_events_said(
    database_url: str,
    conn: psycopg.Connection,
    arrived: list[Arrival],
    cancelled: bool,
    then: tuple[int, str],
) -> None:
    """Whatever came, and however little is forgotten at a time, orders are the same.

    So is what they become with the next event. Events that count keep all but payloads.
    """
    max_events, later = then
    conn.execute("DELETE FROM users")
    conn.execute("DELETE FROM order_events")
    tables = Tables(conn)
    with stores.opened(database_url) as store:
        user_id = factories.add_user(conn)
        item = factories.add_item(conn, user_id)
        [placed] = store.checkout(user_id, [factories.line(item, "x")])
        if cancelled:
            store.cancel_order(user_id, placed.order.id)
        for number, arrival in enumerate(arrived):
            arrive(store, conn, number, arrival)
        before = tables.read()
        stripped = deleted = 0
        while True:
            forgotten = store.forget_order_events(
                timedelta(days=LIMIT), max_events=max_events
            )
            stripped += forgotten.stripped
            deleted += forgotten.deleted
            if forgotten.stripped + forgotten.deleted == 0:
                break
            assert forgotten.stripped + forgotten.deleted <= max_events
        after = tables.read()
        expected = _forgotten(before["order_events"], arrived)
        assert after.pop("order_events") == expected
        del before["order_events"]
        assert after == before
        old = [each for each in arrived if each.days_ago > LIMIT]
        assert stripped == sum(each.type in WITH_EFFECT for each in old)
        assert deleted == sum(each.type not in WITH_EFFECT for each in old)

        store.record_order_event(factories.event(later, "x"))
        kept = {each.type or "" for each in arrived if each.name == "x"}
        happened = [*kept, later, *(["user.cancelled"] if cancelled else [])]
        [(status, expected_status)] = conn.execute(
            "SELECT status, order_status_of(%s) FROM orders", [happened]
        )
        assert status == expected_status


def _forgotten(events: dict[str, Row], arrived: list[Arrival]) -> dict[str, Row]:
    """Give what is left of events, by plain rules."""
    left: dict[str, Row] = {}
    for event_id, event in events.items():
        number = event_id.removeprefix("evt-")
        old = number.isdigit() and arrived[int(number)].days_ago > LIMIT
        if not old:
            left[event_id] = event
        elif event["type"] in WITH_EFFECT:
            left[event_id] = event | {"payload": None, "raw": None}
    return left


def test_what_has_effect_is_what_the_rule_knows(conn: psycopg.Connection) -> None:
    """A type counts for retention exactly if the status rule looks for it."""
    [(rule,)] = conn.execute("SELECT pg_get_functiondef('order_status_of'::regproc)")
    types = [*WITH_EFFECT, "orders.quote.created", "", None]
    for type_ in types:
        [(has_effect,)] = conn.execute("SELECT order_event_has_effect(%s)", [type_])
        assert has_effect == (bool(type_) and f"'{type_}'" in str(rule))
    assert str(rule).count("WHEN") == len(WITH_EFFECT)


def test_what_somebody_works_on_is_passed_over(
    database_url: str, conn: psycopg.Connection
) -> None:
    """An event that is locked is forgotten the next time; nobody waits for it."""
    with stores.opened(database_url) as store:
        for number in range(3):
            arrive(store, conn, number, Arrival("orders.new", "x", 12, is_json=True))
        with psycopg.connect(database_url) as other, ThreadPoolExecutor(1) as threads:
            other.execute("SELECT FROM order_events WHERE id = 'evt-1' FOR UPDATE")
            forgetting = threads.submit(
                store.forget_order_events, timedelta(days=LIMIT)
            )
            try:
                assert forgetting.result(timeout=20).deleted == 2
            finally:
                other.rollback()
        assert store.forget_order_events(timedelta(days=LIMIT)).deleted == 1


def test_nothing_is_forgotten_unasked(
    database_url: str, conn: psycopg.Connection
) -> None:
    """However old an event is, what the store does otherwise leaves its payload."""
    with stores.opened(database_url) as store:
        arrive(store, conn, 0, Arrival("orders.new", "x", 4000, is_json=True))
        store.record_order_event(factories.event("orders.new", "x"))
        store.give_up_checkouts(timedelta(0))
        orders.list_events_to_announce(conn, max_rows=9)
    [(payload,)] = conn.execute("SELECT payload FROM order_events WHERE id = 'evt-0'")
    assert payload["type"] == "orders.new"
