"""The mirror: pages of Sui's events, as they come, make carts and orders."""

import asyncio
import json
import re
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest

from generated import carts, chain, users
from generated.aio import carts as async_carts
from generated.enums import OrderStatus, OrderType
from generated.internal import chain_steps
from generated.models import CartItem, Order
from store import AsyncStore, ChainCursor, RecordedPage, Store, errors
from store_testing import chains, factories
from store_testing.chains import FIRST, happened, item_id, page
from tests.support import gates, stores
from tests.support.races import no_deadlock, race

WALLETS = [chains.wallet(n) for n in (10, 11)]
NAMES = {"added": "CartItemAdded", "removed": "CartItemRemoved", "sold": "OrderCreated"}
DELIVERY_FAILED = "orders.delivery.failed"
ADDED_AT, REMOVED_AT, SOLD_AT = (FIRST + timedelta(minutes=n) for n in range(3))

_T = TypeVar("_T")
_U = TypeVar("_U")


def event(
    kind: str,
    number: int,
    owner: str = WALLETS[0],
    **fields: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Make an event of an item; by its kind and number it is always the same."""
    place = [*NAMES].index(kind)
    given: dict[str, Any] = {
        "tx": chains.digest(number, place),
        "sequence": place,
        "at": FIRST + timedelta(minutes=place),
    }
    if kind == "sold":
        given["order_id"] = f"crossmint-{number}"
    return happened(NAMES[kind], owner, item_id(number), **(given | fields))


SMALLER, LARGER = event("added", 1), event("added", 2)
SPARE = event("added", 3, product_id="B02", product_name="Pen")


@pytest.fixture
def onchain(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store whose carts are on chain; a deadlock fails the test."""
    with (
        no_deadlock(conn),
        stores.opened(database_url, cart_service="onchain") as opened,
    ):
        yield opened


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Give a user with the first wallet."""
    return add_owner(conn, WALLETS[0])


def add_owner(conn: psycopg.Connection, wallet: str) -> UUID:
    """Create a user with this wallet."""
    user_id = factories.add_user(conn)
    conn.execute(
        "UPDATE users SET wallet_address = %s WHERE id = %s", (wallet, user_id)
    )
    return user_id


def record(store: Store, *events: object) -> RecordedPage:
    """Record these events as the page that follows the stored cursor."""
    cursor = store.get_chain_cursor()
    following = chains.digest(99, int(cursor.event_seq) + 1 if cursor else 0)
    place = str(int(cursor.event_seq) + 1 if cursor else 0)
    return store.record_chain_page(page(events, (following, place)), asked_with=cursor)


def at_once(
    url: str, first: Callable[[], _T], second: Callable[[], _U]
) -> tuple[_T, _U]:
    """Bring T1 to its COMMIT and T2 as far as it comes; give what both return."""
    with gates.shut(url) as gate:
        one, other = race(gate, first, second)
    return one.result(), other.result()


def items(conn: psycopg.Connection, user_id: UUID) -> list[CartItem]:
    """List a cart."""
    return carts.list_cart_items(conn, user_id=user_id, max_rows=9)


def states(conn: psycopg.Connection) -> dict[int, datetime | None]:
    """Give when each item left its cart, by the number in its name on chain."""
    rows = conn.execute("SELECT on_chain_object_id, deleted_at FROM cart_items")
    return {int(name[:8], 16): left_at for name, left_at in rows if name}


def orders_of(conn: psycopg.Connection, user_id: UUID) -> list[Order]:
    """Give a user's orders, the oldest first."""
    return [placed.order for placed in factories.orders_of(conn, user_id)]


def reasons(conn: psycopg.Connection) -> list[str]:
    """Give why events were set aside."""
    listed = chain_steps.list_set_aside_chain_events(
        conn, after_set_aside_at=None, after_id=None, max_rows=99
    )
    return [each.reason for each in listed]


# A page, as it comes


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "decoded": lambda page: page,
    "text": json.dumps,
    "bytes": lambda page: json.dumps(page).encode(),
    "answer": lambda page: json.dumps({"jsonrpc": "2.0", "id": 1, "result": page}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_page_is_taken_as_it_came(
    onchain: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    form: str,
) -> None:
    """A page of all the contract's events, decoded or not, makes carts and orders."""
    created = happened("CartCreated", WALLETS[0], tx=chains.digest(0))
    events = [created, SMALLER, LARGER, SPARE, event("removed", 3), event("sold", 1)]
    given = page(events, (chains.digest(9), "0"), more=True)
    recorded = onchain.record_chain_page(FORMS[form](given), asked_with=None)
    assert recorded == RecordedPage(
        cursor=ChainCursor(tx_digest=chains.digest(9), event_seq="0"),
        has_next_page=True,
        recorded=5,
        skipped=1,
    )
    assert onchain.get_chain_cursor() == recorded.cursor
    assert states(conn) == {1: SOLD_AT, 2: None, 3: REMOVED_AT}
    [item] = items(conn, user_id)
    assert (item.price, item.size, item.color) == (1490, None, None)
    assert (item.on_chain_object_id, item.tx_digest) == (
        item_id(2),
        chains.digest(2, 0),
    )
    assert item.created_at == FIRST
    assert [order.crossmint_order_id for order in orders_of(conn, user_id)] == [
        "crossmint-1"
    ]


@pytest.mark.parametrize(
    "name",
    [item_id(0xAB).upper(), "0xAB", "0X" + "0" * 62 + "ab", "0x" + "f" * 64],
)
def test_items_are_named_by_uuids_and_object_ids(
    onchain: Store, conn: psycopg.Connection, user_id: UUID, name: str
) -> None:
    """Either name is kept in one form, by which the item is found again."""
    added = happened("CartItemAdded", "0XA", name, tx=chains.digest(1))
    removed = happened("CartItemRemoved", "0XA", name.lower(), tx=chains.digest(2))
    record(onchain, added)
    [item] = items(conn, user_id)
    assert item.on_chain_object_id in {item_id(0xAB), f"0x{0xAB:064x}", "0x" + "f" * 64}
    record(onchain, removed)
    assert items(conn, user_id) == []


def test_wallets_that_nobody_has_and_unknown_types_are_skipped(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Nothing is stored of strangers' events, bad ones included, nor of new types."""
    strangers = [
        event("added", 1, WALLETS[1]),
        event("added", 2, WALLETS[1], price="x"),
    ]
    strangers += [event("removed", 3, WALLETS[1]), event("sold", 3, WALLETS[1])]
    unknown = [happened("CartBurnt", WALLETS[0], tx=chains.digest(7))]
    unknown += [{"type": "0x1::coin::CartItemAdded"}]
    recorded = record(onchain, SPARE, *strangers, *unknown)
    assert (recorded.recorded, recorded.skipped, recorded.set_aside) == (1, 6, 0)
    assert states(conn) == {3: None}
    assert orders_of(conn, user_id) == []
    assert conn.execute("SELECT count(*) FROM chain_events").fetchone() == (1,)


def test_a_replay_brings_what_was_skipped(
    onchain: Store, conn: psycopg.Connection
) -> None:
    """A page that came before its wallet can be replayed; the cursor stays."""
    given = page([SMALLER, LARGER], ("a", "1"))
    recorded = onchain.record_chain_page(given, asked_with=None)
    assert recorded.skipped == 2
    onchain.record_chain_page(page([], ("b", "2")), asked_with=recorded.cursor)
    user_id = add_owner(conn, WALLETS[0])
    assert items(conn, user_id) == []
    replayed = onchain.replay_chain_page(given)
    assert replayed.recorded == 2
    assert replayed.cursor == ChainCursor(tx_digest="b", event_seq="2")
    assert onchain.get_chain_cursor() == replayed.cursor
    assert states(conn) == {1: None, 2: FIRST}


def test_an_event_without_its_time_has_ours(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Its time of receipt is marked so, and gives way to the chain's."""
    before = datetime.now(UTC)
    record(
        onchain, event("added", 1, at=None), event("added", 2) | {"timestampMs": None}
    )
    marked = conn.execute("SELECT occurred_at, time_is_of_receipt FROM chain_events")
    assert all(at >= before and of_receipt for at, of_receipt in marked)
    record(onchain, SMALLER)
    [at] = conn.execute(
        "SELECT occurred_at, time_is_of_receipt FROM chain_events WHERE object_id = %s",
        [item_id(1)],
    )
    assert at == (FIRST, False)
    assert [item.on_chain_object_id for item in items(conn, user_id)] == [item_id(1)]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "[]",
        "null",
        b"\xff",
        "[" * 100_000,
        "{}",
        '{"data": {}}',
        '{"error": {"code": -32602}}',
        '{"data": [], "hasNextPage": "no"}',
        '{"data": [], "nextCursor": "later"}',
        '{"data": [], "nextCursor": {"txDigest": "a"}}',
        '{"data": [], "nextCursor": {"txDigest": "a\\u0000", "eventSeq": "1"}}',
        '{"data": [], "nextCursor": {"txDigest": "a", "eventSeq": 1}}',
    ],
    ids=range(13),
)
def test_what_is_no_page_is_refused(onchain: Store, given: str | bytes) -> None:
    """What has no list of events, or no cursor where one should be, is InvalidValue."""
    with pytest.raises(errors.InvalidValue, match=r"page|cursor"):
        onchain.record_chain_page(given, asked_with=None)
    assert onchain.get_chain_cursor() is None


# The cursor


def test_the_cursor_commits_with_its_page(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """It moves from the cursor that the page was asked with, and from no other."""
    first = record(onchain, SMALLER)
    late = page([LARGER], ("elsewhere", "1"))
    for asked_with in (None, ChainCursor(tx_digest="other", event_seq="0")):
        with pytest.raises(errors.ChainCursorMoved) as moved:
            onchain.record_chain_page(late, asked_with=asked_with)
        assert moved.value.stored == first.cursor
    assert onchain.get_chain_cursor() == first.cursor
    assert states(conn) == {1: None}
    assert len(items(conn, user_id)) == 1


def test_a_repeated_page_succeeds_and_writes_nothing(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A page that leads to the stored cursor was recorded, however it was asked."""
    given = page([SMALLER], ("a", "1"))
    onchain.record_chain_page(given, asked_with=None)
    conn.execute("DELETE FROM cart_items")
    stand = "SELECT pg_current_wal_insert_lsn(), xmin FROM chain_cursor"
    before = conn.execute(stand).fetchone()
    again = onchain.record_chain_page(given, asked_with=None)
    assert (again.repeated, again.recorded) == (True, 0)
    assert again.cursor == onchain.get_chain_cursor()
    after = conn.execute(stand).fetchone()
    assert before
    assert after
    assert before[1] == after[1]
    assert items(conn, user_id) == []


def test_an_empty_page_may_leave_the_cursor(onchain: Store) -> None:
    """At the end a node may give no cursor: the stored one stays."""
    assert onchain.record_chain_page(page([]), asked_with=None).cursor is None
    at = record(onchain).cursor
    recorded = onchain.record_chain_page(page([]), asked_with=at)
    assert (recorded.cursor, recorded.repeated) == (at, False)
    assert onchain.get_chain_cursor() == at


def test_the_cursor_of_another_indexer_is_taken_over_once(onchain: Store) -> None:
    """It is set where there is none, and never over another."""
    old = ChainCursor.of({"txDigest": chains.digest(5), "eventSeq": "3"})
    assert old.as_json() == {"txDigest": chains.digest(5), "eventSeq": "3"}
    for _ in range(2):
        onchain.adopt_chain_cursor(old)
        assert onchain.get_chain_cursor() == old
    with pytest.raises(errors.ChainCursorMoved) as moved:
        onchain.adopt_chain_cursor(ChainCursor(tx_digest="other", event_seq="0"))
    assert moved.value.stored == old


def test_the_mirror_stays_out_of_db_carts(store: Store) -> None:
    """In db mode the mirror refuses to write."""
    calls: list[Callable[[], object]] = [
        lambda: store.record_chain_page(page([]), asked_with=None),
        lambda: store.replay_chain_page(page([])),
        lambda: store.retry_chain_event(uuid4()),
        lambda: store.adopt_chain_cursor(ChainCursor(tx_digest="a", event_seq="b")),
    ]
    for call in calls:
        with pytest.raises(errors.WrongCartService) as refused:
            call()
        assert refused.value.required == "onchain"


# Bad events

BAD: dict[str, tuple[object, str]] = {
    "no object": ([1], "type"),
    "no type": ({"id": {}}, "type"),
    "no content": (SMALLER | {"parsedJson": None}, "parsedJson: it is no object"),
    "no owner": (SMALLER | {"parsedJson": {"item_id": item_id(1)}}, "parsedJson.owner"),
    "bad owner": (event("added", 1, owner="secret"), "parsedJson.owner"),
    "bad item": (event("added", 1, item_id="secret"), "parsedJson.item_id"),
    "empty item": (event("removed", 1, item_id=""), "parsedJson.item_id"),
    "bad digest": (event("added", 1, tx="secret"), "id.txDigest"),
    "bad sequence": (
        event("added", 1) | {"id": {"txDigest": chains.digest(1), "eventSeq": "-1"}},
        "id.eventSeq",
    ),
    "great sequence": (event("added", 1, sequence=2**63), "id.eventSeq"),
    "no id": (event("added", 1) | {"id": None}, "id"),
    "bad time": (event("added", 1) | {"timestampMs": "secret"}, "timestampMs"),
    "late time": (event("added", 1) | {"timestampMs": str(2**64 - 1)}, "timestampMs"),
    "great price": (event("added", 1, price=str(2**31)), "parsedJson.price"),
    "u64": (event("sold", 1, price=str(2**64 - 1)), "parsedJson.price"),
    "negative price": (event("added", 1, price="-1"), "parsedJson.price"),
    "fraction": (event("added", 1, price="14.90"), "parsedJson.price"),
    "float": (event("added", 1, price=14.9), "parsedJson.price"),
    "boolean": (event("added", 1, price=True), "parsedJson.price"),
    "other digits": (event("added", 1, price="١٢"), "parsedJson.price"),
    "no price": (event("added", 1, price=None), "parsedJson.price"),
    "no product": (event("added", 1, product_id=""), "parsedJson.product_id"),
    "no name": (event("added", 1, product_name=""), "parsedJson.product_name"),
    "long name": (event("added", 1, product_name="s" * 501), "parsedJson.product_name"),
    "long size": (event("added", 1, size="s" * 51), "parsedJson.size"),
    "NUL": (event("added", 1, retailer="a\0b"), "parsedJson.retailer"),
    "surrogate": (event("added", 1, image="\ud800"), "parsedJson.image"),
    "list": (event("added", 1, color=["red"]), "parsedJson.color"),
    "no order": (event("sold", 1, order_id=""), "parsedJson.order_id"),
    "long order": (event("sold", 1, order_id="s" * 256), "parsedJson.order_id"),
    "not a number": (event("added", 1, price=float("nan")), "parsedJson.price"),
}


def test_a_bad_event_is_set_aside(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The rest of its page is recorded; its reason names the field and no value."""
    for number, (name, (bad, place)) in enumerate(BAD.items()):
        for table in ("chain_events", "set_aside_chain_events", "cart_items"):
            conn.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
        text = json.dumps(page([SPARE, bad, LARGER], ("a", str(number))))
        asked_with = onchain.get_chain_cursor()
        recorded = onchain.record_chain_page(text, asked_with=asked_with)
        assert (recorded.recorded, recorded.set_aside) == (2, 1), name
        assert onchain.get_chain_cursor() == recorded.cursor
        assert states(conn) == {2: None, 3: None}
        [reason] = reasons(conn)
        assert reason.startswith(place)
        assert not re.search("secret|sss|Input|Value|String", reason), reason
        again = onchain.replay_chain_page(text)
        assert (again.recorded, again.set_aside) == (0, 1)
        assert reasons(conn) == [reason]
        assert len(items(conn, user_id)) == 2


@pytest.mark.parametrize(
    "text",
    ["9" * 5_000, "[" * 300 + "]" * 300, '"' + "\\u0000" * 200_000 + '"'],
    ids=["digits", "levels", "large"],
)
def test_what_no_column_holds_is_set_aside_bounded(
    onchain: Store, conn: psycopg.Connection, user_id: UUID, text: str
) -> None:
    """What is out of bounds is kept up to a MiB, and holds nothing up."""
    bad = json.dumps(event("added", 1, size="HERE")).replace('"HERE"', text)
    whole = f'{{"data": [{bad}, {json.dumps(LARGER)}], "nextCursor": null}}'
    recorded = onchain.replay_chain_page(whole.encode())
    assert (recorded.recorded, recorded.set_aside) == (1, 1)
    assert states(conn) == {2: None}
    [(kept, is_whole)] = conn.execute(
        "SELECT octet_length(event), is_whole FROM set_aside_chain_events"
    )
    assert kept <= 1 << 20
    assert is_whole == (len(bad) <= 1 << 20)
    assert len(items(conn, user_id)) == 1


def test_a_removal_needs_no_product(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """It names its item; what it repeats of the product may be anything."""
    record(onchain, SMALLER, event("removed", 1, product_name="s" * 501, price="free"))
    assert states(conn) == {1: REMOVED_AT}
    assert items(conn, user_id) == []


def test_set_aside_events_are_retried_and_dropped(
    onchain: Store, conn: psycopg.Connection
) -> None:
    """What can be recorded by now leaves the list; what cannot stays, or is dropped."""
    owner = add_owner(conn, WALLETS[0])
    conn.execute("ALTER DOMAIN usd_cents ADD CONSTRAINT cheap CHECK (VALUE < 1000)")
    long = event("added", 2, product_id="B02", product_name="s" * 501)
    recorded = record(onchain, SMALLER, long, event("added", 3, price="5"))
    assert (recorded.recorded, recorded.set_aside) == (1, 2)
    assert reasons(conn) == [
        "the database refuses it: cheap",
        "parsedJson.product_name: it has more than 500 characters",
    ]
    listed = chain_steps.list_set_aside_chain_events(
        conn, after_set_aside_at=None, after_id=None, max_rows=9
    )
    first, second = sorted(listed, key=lambda each: each.reason, reverse=True)
    assert (first.wallet_address, json.loads(first.event)) == (WALLETS[0], SMALLER)
    assert [
        each.id
        for each in chain_steps.list_set_aside_chain_events(
            conn,
            after_set_aside_at=listed[0].set_aside_at,
            after_id=listed[0].id,
            max_rows=9,
        )
    ] == [listed[1].id]
    conn.execute("ALTER DOMAIN usd_cents DROP CONSTRAINT cheap")
    tried = onchain.retry_chain_event(first.id)
    assert (tried.recorded, tried.set_aside) == (1, 0)
    tried = onchain.retry_chain_event(second.id)
    assert (tried.recorded, tried.set_aside) == (0, 1)
    with pytest.raises(errors.ChainEventNotFound) as refused:
        onchain.retry_chain_event(first.id)
    assert refused.value.event_id == first.id
    assert chain.drop_set_aside_chain_events(conn, ids=[first.id, second.id]) == 1
    assert reasons(conn) == []
    assert len(items(conn, owner)) == 1


def test_an_event_that_was_cut_is_not_tried(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What was not kept whole stays set aside."""
    assert user_id
    record(onchain, event("added", 1, product_name="s" * (1 << 20)))
    [(event_id,)] = conn.execute("SELECT id FROM set_aside_chain_events")
    tried = onchain.retry_chain_event(event_id)
    assert (tried.recorded, tried.set_aside) == (0, 1)
    assert len(reasons(conn)) == 1


# What it costs

HISTORY = """
INSERT INTO chain_events (
    tx_digest, event_sequence, type, object_id, wallet_address, occurred_at,
    product_id, product_name, price
)
SELECT
    %(digest)s, n * 2 + ending, CASE ending WHEN 0 THEN 'added' ELSE 'removed' END,
    lpad(to_hex(n + 1000), 8, '0') || %(name)s, %(wallet)s, %(at)s,
    'B01', 'Notebook', 1490
FROM generate_series(1, %(count)s) AS n, generate_series(0, 1) AS ending
"""

MIRRORED = """
INSERT INTO cart_items (
    user_id, product_id, product_name, price, tx_digest, on_chain_object_id, deleted_at,
    ended_at
)
SELECT users.id, product_id, product_name, price, tx_digest, object_id, %(at)s, %(at)s
FROM chain_events
INNER JOIN users ON users.wallet_address = chain_events.wallet_address
WHERE type = 'added'
"""

READS = """
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
FROM pg_stat_xact_user_tables
WHERE relname IN ('cart_items', 'chain_events', 'order_items', 'orders')
"""


def test_an_event_costs_what_it_names(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """With 3,000 past items of its variant before it an event reads a few rows."""
    values = {"digest": chains.digest(70), "name": item_id(0)[8:], "at": FIRST}
    conn.execute(HISTORY, values | {"wallet": WALLETS[0], "count": 3_000})
    conn.execute(MIRRORED, values)
    conn.execute("ANALYZE cart_items, chain_events")
    for number, tx in ((5001, 72), (5002, 73)):
        added = (NAMES["added"], WALLETS[0], item_id(number))
        record(onchain, happened(*added, tx=chains.digest(tx)))
    with conn.transaction():
        [(before,)] = conn.execute(READS)
        conn.execute(
            "INSERT INTO chain_events (tx_digest, event_sequence, type, object_id,"
            " wallet_address, occurred_at) VALUES (%s, 0, 'removed', %s, %s, %s)",
            [chains.digest(71), item_id(5001), WALLETS[0], REMOVED_AT],
        )
        for work in (
            chain_steps.adopt_cart_items,
            partial(chain_steps.mirror_cart_items, order_ids=[]),
        ):
            work(conn, object_ids=[item_id(5001)], user_ids=[user_id])
        [(after,)] = conn.execute(READS)
    assert (states(conn)[5001], states(conn)[5002]) == (REMOVED_AT, None)
    assert after - before < 60


# Orders


def test_an_order_made_on_chain(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """OrderCreated takes the item out and makes its order, if none has the id."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    sold = event("sold", 1, size="M", image="https://x/y.png")
    record(onchain, sold)
    [placed] = factories.orders_of(conn, user_id)
    order, snapshot = placed.order, placed.item
    assert (order.type, order.status) == (
        OrderType.CHECKOUT,
        OrderStatus.AWAITING_APPROVAL,
    )
    assert (order.crossmint_order_id, order.checkout_id) == ("crossmint-1", None)
    assert (order.tx_hash, order.amount_usdc) == (chains.digest(1, 2), Decimal("14.9"))
    assert order.created_at == SOLD_AT
    assert (snapshot.cart_item_id, snapshot.on_chain_object_id) == (item.id, item_id(1))
    assert (snapshot.product_name, snapshot.price) == ("Notebook", 1490)
    assert (snapshot.size, snapshot.image) == ("M", "https://x/y.png")
    assert snapshot.color is None
    assert states(conn) == {1: SOLD_AT}
    before = factories.orders_of(conn, user_id)
    onchain.replay_chain_page(page([sold, SMALLER]))
    assert factories.orders_of(conn, user_id) == before


def test_an_order_on_chain_starts_as_its_events_say(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Crossmint's events that came first decide its status; the chain's never do."""
    onchain.record_order_event(
        factories.event(factories.PAYMENT_SUCCEEDED, "crossmint-1")
    )
    record(onchain, SMALLER, event("sold", 1))
    [order] = orders_of(conn, user_id)
    assert order.status == OrderStatus.PAYMENT_CONFIRMED
    onchain.record_order_event(
        factories.event("orders.delivery.completed", "crossmint-1")
    )
    onchain.replay_chain_page(page([event("sold", 1)]))
    [order] = orders_of(conn, user_id)
    assert order.status == OrderStatus.DELIVERED


def test_a_free_item_has_no_amount(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A price of nothing makes an order without an amount."""
    record(onchain, event("sold", 1, price="0"))
    [order] = orders_of(conn, user_id)
    assert order.amount_usdc is None


def test_an_order_that_is_here_gets_its_digest_once(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """OrderCreated records its transaction on the order, and nothing else."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    sold = event("sold", 1)
    assert record(onchain, sold).set_aside == 0
    [after] = factories.orders_of(conn, user_id)
    assert after.order.tx_hash == chains.digest(1, 2)
    assert after.order.status == placed.order.status
    assert after.item == placed.item
    assert states(conn) == {1: SOLD_AT}
    other = event("sold", 1, tx=chains.digest(77))
    assert record(onchain, other, sold).set_aside == 1
    assert reasons(conn) == ["its order has another transaction"]
    assert factories.orders_of(conn, user_id) == [after]


def test_an_order_of_somebody_else_is_left_alone(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An OrderCreated that names it is set aside; its item has left the contract."""
    other = add_owner(conn, WALLETS[1])
    theirs = event("added", 9, WALLETS[1])
    record(onchain, theirs, SMALLER, LARGER)
    [item] = items(conn, other)
    placed = onchain.checkout(other, [factories.line(item, "crossmint-1")])
    assert record(onchain, event("sold", 1)).set_aside == 1
    assert reasons(conn) == ["its order is another user's"]
    assert factories.orders_of(conn, other) == placed
    assert orders_of(conn, user_id) == []
    assert [each.on_chain_object_id for each in items(conn, user_id)] == [item_id(2)]


def test_an_order_of_another_item_is_left_alone(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An OrderCreated that names an item's order for another one is set aside."""
    record(onchain, SMALLER, SPARE)
    item = next(each for each in items(conn, user_id) if each.product_id == "B02")
    placed = onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    first, second = event("sold", 1), event("sold", 2, order_id="crossmint-2")
    third = event("sold", 4, order_id="crossmint-2")
    assert record(onchain, first, second, third).set_aside == 2
    assert reasons(conn) == ["its order is of another item"] * 2
    kept = factories.orders_of(conn, user_id)
    assert placed[0] in kept
    assert [each.item.on_chain_object_id for each in kept if each not in placed] == [
        item_id(2)
    ]


def test_an_order_without_snapshot_gets_its_digest_alone(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What the replaced indexer made of an OrderCreated stays without its product."""
    conn.execute(
        "INSERT INTO orders (user_id, type, crossmint_order_id)"
        " VALUES (%s, 'checkout', 'crossmint-1')",
        [user_id],
    )
    assert record(onchain, event("sold", 1)).set_aside == 0
    assert conn.execute("SELECT tx_hash, amount_usdc FROM orders").fetchall() == [
        (chains.digest(1, 2), None)
    ]
    assert conn.execute("SELECT count(*) FROM order_items").fetchone() == (0,)


def test_two_orders_of_one_transaction(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A digest is one order's: the other is made without, and set aside to be seen."""
    both = [event("sold", n, tx=chains.digest(50), sequence=n) for n in (1, 2)]
    assert record(onchain, SMALLER, LARGER, *both).set_aside == 1
    assert reasons(conn) == ["its transaction is another order's"]
    hashes = {
        each.crossmint_order_id: each.tx_hash for each in orders_of(conn, user_id)
    }
    assert hashes == {"crossmint-1": chains.digest(50), "crossmint-2": None}
    assert items(conn, user_id) == []


def test_an_order_may_come_before_its_item(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An item whose OrderCreated is here comes as ended, and is the order's."""
    record(onchain, event("sold", 1))
    [placed] = factories.orders_of(conn, user_id)
    assert placed.item.cart_item_id is None
    record(onchain, SMALLER)
    assert states(conn) == {1: SOLD_AT}
    [placed] = factories.orders_of(conn, user_id)
    [item] = conn.execute("SELECT id FROM cart_items")
    assert (placed.item.cart_item_id,) == item


def test_what_a_deleted_user_has_bought_does_not_come_back(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A wallet's events go with its last user; a retired order is not made again."""
    onchain.record_order_event(factories.event(factories.PAYMENT_FAILED, "crossmint-1"))
    bad = event("added", 9, product_name="")
    record(onchain, SMALLER, event("sold", 1), bad)
    heir = add_owner(conn, WALLETS[0])
    onchain.delete_user(user_id)
    assert conn.execute("SELECT count(*) FROM chain_events").fetchone() == (2,)
    assert onchain.replay_chain_page(page([SMALLER, event("sold", 1)])).set_aside == 0
    assert orders_of(conn, heir) == []
    onchain.delete_user(heir)
    for table in ("chain_events", "set_aside_chain_events", "orders", "cart_items"):
        assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - ours
    assert (
        onchain.replay_chain_page(page([SMALLER, event("sold", 1), bad])).skipped == 3
    )


# The states of an item's row


def test_the_smallest_live_object_is_in_the_cart(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A duplicate variant waits since it was added, until the smaller one ends."""
    record(onchain, LARGER)
    assert states(conn) == {2: None}
    record(onchain, SMALLER)
    assert states(conn) == {1: None, 2: ADDED_AT}
    record(onchain, event("added", 4), event("added", 3))
    record(onchain, event("sold", 1))
    waiting = {3: ADDED_AT, 4: ADDED_AT}
    assert states(conn) == {1: SOLD_AT, 2: None} | waiting
    record(onchain, event("removed", 1))
    assert states(conn) == {1: REMOVED_AT, 2: None} | waiting
    assert [item.price for item in items(conn, user_id)] == [1490]


def test_variants_do_not_displace_each_other(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Items that differ in size or colour alone are all in the cart."""
    variants: list[dict[str, str]] = [{}, {"size": "M"}, {"color": "red"}]
    variants += [{"size": "Default"}, {"color": "M"}]
    record(onchain, *(event("added", n, **each) for n, each in enumerate(variants)))
    assert set(states(conn).values()) == {None}
    assert len(items(conn, user_id)) == 5


def test_an_order_holds_its_object(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """It leaves the cart, and keeps its place before a duplicate, until cancelled."""
    record(onchain, SMALLER, LARGER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    record(onchain, SMALLER, LARGER)
    assert states(conn) == {1: placed.order.created_at, 2: ADDED_AT}
    onchain.cancel_order(user_id, placed.order.id)
    assert states(conn) == {1: None, 2: ADDED_AT}


def test_a_held_object_gives_way_to_a_smaller_one(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """When its order is cancelled, it waits behind the one that came meanwhile."""
    record(onchain, LARGER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    record(onchain, SMALLER)
    assert states(conn) == {1: None, 2: placed.order.created_at}
    onchain.cancel_order(user_id, placed.order.id)
    assert states(conn) == {1: None, 2: ADDED_AT}


@pytest.mark.parametrize("service", ["onchain", "db"])
@pytest.mark.parametrize(
    "types",
    [[factories.PAYMENT_FAILED], [factories.PAYMENT_SUCCEEDED, DELIVERY_FAILED]],
)
def test_what_was_sold_does_not_come_back_with_its_order(
    onchain: Store,
    conn: psycopg.Connection,
    database_url: str,
    user_id: UUID,
    *,
    service: str,
    types: list[str],
) -> None:
    """A cancelled order gives nothing back that its OrderCreated took out.

    Nor does it where carts are no longer on chain.
    """
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    record(onchain, event("sold", 1))
    with stores.opened(database_url, cart_service=service) as store:
        statuses: list[OrderStatus | None] = []
        for type_ in types:
            received = store.record_order_event(factories.event(type_, "crossmint-1"))
            statuses.append(received.status_after)
            assert states(conn) == {1: SOLD_AT}
    assert statuses[-1] == OrderStatus.CANCELLED


def test_of_two_orders_the_first_holds(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An object that two orders hold left the cart with the first."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [first] = onchain.checkout(user_id, [factories.line(item, "x")])
    onchain.cancel_order(user_id, first.order.id)
    onchain.checkout(user_id, [factories.line(item, "y")])
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == {1: first.order.created_at}


def test_an_order_that_was_adopted_holds_once_it_is_paid(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An order that no checkout made leaves its item in the cart until the payment."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    conn.execute("UPDATE orders SET checkout_id = NULL")
    record(onchain, SMALLER)
    assert states(conn) == {1: None}
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == {1: placed.order.created_at}


def test_a_paid_order_holds_what_its_item_has_become(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An item that went on chain after its order is the order's item as before."""
    item = factories.add_item(conn, user_id, product_id="B01")
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    onchain.record_order_event(factories.event(factories.PAYMENT_FAILED, "x"))
    record(onchain, SMALLER)
    assert [each.id for each in items(conn, user_id)] == [item.id]
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == {1: placed.order.created_at}


# Rows from before


def test_what_is_off_chain_in_the_cart_is_adopted(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The item keeps its id and becomes the smallest object that has no row yet."""
    item = factories.add_item(conn, user_id, product_id="B01")
    record(onchain, LARGER, SMALLER)
    [there] = items(conn, user_id)
    assert (there.id, there.tx_digest) == (item.id, chains.digest(1, 0))
    assert there.on_chain_object_id == item_id(1)
    record(onchain, event("added", 0))
    [there] = items(conn, user_id)
    assert there.on_chain_object_id == item_id(0)
    assert there.id != item.id


def test_a_row_without_its_added_ends(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A removed or OrderCreated takes out what the replaced indexer put in."""
    for number, size in ((1, "S"), (2, "M")):
        item = factories.add_item(conn, user_id, product_id="B01", size=size)
        conn.execute(
            "UPDATE cart_items SET on_chain_object_id = %s WHERE id = %s",
            [item_id(number), item.id],
        )
    assert chain.count_items_on_chain(conn, user_id=user_id) == 2
    record(onchain, event("removed", 1), event("sold", 2, size="M"))
    assert states(conn) == {1: REMOVED_AT, 2: SOLD_AT}
    [placed] = factories.orders_of(conn, user_id)
    assert placed.item.cart_item_id == item.id
    assert chain.count_items_on_chain(conn, user_id=user_id) == 0


def test_what_had_ended_before_does_not_come_back(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A row that had ended stays so, and takes the chain's time when it comes."""
    factories.add_item(conn, user_id, product_id="B01")
    conn.execute(
        "UPDATE cart_items SET on_chain_object_id = %s, deleted_at = %s, ended_at = %s",
        [item_id(1), SOLD_AT, SOLD_AT],
    )
    record(onchain, SMALLER)
    assert states(conn) == {1: SOLD_AT}
    record(onchain, event("removed", 1))
    assert states(conn) == {1: REMOVED_AT}
    assert items(conn, user_id) == []


def test_a_live_row_that_no_event_told_of_is_an_object_like_others(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """It waits behind a smaller one, and comes up after it."""
    old = factories.add_item(conn, user_id, product_id="B01")
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", [item_id(9)])
    record(onchain, SMALLER)
    assert states(conn) == {1: None, 9: old.created_at}
    record(onchain, event("removed", 1))
    assert [item.id for item in items(conn, user_id)] == [old.id]


def test_of_duplicates_from_before_the_smallest_comes_up(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Where an adoption left another one in the cart, that one leaves it."""
    for number, left_at in ((9, None), (2, SOLD_AT)):
        item = factories.add_item(conn, user_id, product_id="B01", size=str(number))
        conn.execute(
            "UPDATE cart_items SET size = NULL, on_chain_object_id = %s,"
            " deleted_at = %s, created_at = %s WHERE id = %s",
            [item_id(number), left_at, REMOVED_AT, item.id],
        )
    record(onchain, event("added", 5))
    assert states(conn) == {2: None, 5: ADDED_AT, 9: REMOVED_AT}


def test_what_was_changed_in_a_row_is_mended(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Details that the chain did not give give way to the chain's."""
    record(onchain, SMALLER)
    conn.execute("UPDATE cart_items SET product_name = 'X', price = 1")
    onchain.replay_chain_page(page([SMALLER]))
    [item] = items(conn, user_id)
    assert (item.product_name, item.price) == ("Notebook", 1490)


def test_an_item_off_chain_has_its_place(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """While it is in the cart again, objects of its variant wait for it to go."""
    item = factories.add_item(conn, user_id, product_id="B01")
    onchain.checkout(user_id, [factories.line(item, "x")])
    record(onchain, LARGER)
    [larger] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(larger, "y")])
    onchain.record_order_event(factories.event(factories.PAYMENT_FAILED, "x"))
    onchain.cancel_order(user_id, placed.order.id)
    # An object that has its row already is not what the item becomes.
    onchain.replay_chain_page(page([LARGER]))
    assert [each.id for each in items(conn, user_id)] == [item.id]
    assert states(conn) == {2: ADDED_AT}
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert [each.id for each in items(conn, user_id)] == [larger.id]


# Whose they are


def test_of_two_users_with_one_wallet_the_eldest_is_meant(
    onchain: Store, conn: psycopg.Connection
) -> None:
    """New items are the first one's; what the other has already stays there."""
    elder, other = add_owner(conn, WALLETS[0]), add_owner(conn, WALLETS[0])
    theirs = factories.add_item(conn, other, product_id="B01")
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", [item_id(2)])
    record(onchain, SMALLER, LARGER)
    assert [item.on_chain_object_id for item in items(conn, elder)] == [item_id(1)]
    assert [item.id for item in items(conn, other)] == [theirs.id]
    record(onchain, event("sold", 2))
    assert items(conn, other) == []
    assert [order.user_id for order in orders_of(conn, other)] == [other]


def test_another_wallet_ends_nothing(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The contract knows items by cart: one name in two carts is two items."""
    other = add_owner(conn, WALLETS[1])
    record(onchain, SMALLER)
    foreign = [event("added", 1, WALLETS[1], tx=chains.digest(7))]
    foreign += [event("removed", 1, WALLETS[1], tx=chains.digest(8))]
    record(onchain, *foreign)
    record(onchain, SMALLER)
    assert states(conn) == {1: None}
    assert (len(items(conn, user_id)), items(conn, other)) == (1, [])


def test_the_contract_holds_what_has_not_ended(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """In the cart, waiting and ordered items count; removed and sold ones do not."""
    factories.add_item(conn, user_id)

    def count() -> int:
        return chain.count_items_on_chain(conn, user_id=user_id)

    assert count() == 0
    record(onchain, SMALLER, LARGER, SPARE)
    assert count() == 3
    item = next(each for each in items(conn, user_id) if each.on_chain_object_id)
    onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    onchain.record_order_event(
        factories.event(factories.PAYMENT_SUCCEEDED, "crossmint-1")
    )
    assert count() == 3
    record(onchain, event("removed", 2))
    assert count() == 2
    number = int((item.on_chain_object_id or "")[:8], 16)
    record(onchain, event("sold", number, order_id="crossmint-1"))
    assert count() == 1


def test_both_faces_mirror(database_url: str, user_id: UUID) -> None:
    """The awaited face does what the blocking one does."""

    async def shop() -> list[list[str | None]]:
        seen: list[list[str | None]] = []
        settings = stores.settings(database_url, cart_service="onchain")
        async with AsyncStore(settings) as mirror:
            for kind in ("added", "sold"):
                cursor = await mirror.get_chain_cursor()
                given = page([event(kind, 1)], (kind, "0"))
                await mirror.record_chain_page(given, asked_with=cursor)
                async with mirror.connection() as conn:
                    listed = await async_carts.list_cart_items(
                        conn, user_id=user_id, max_rows=9
                    )
                seen.append([each.on_chain_object_id for each in listed])
        return seen

    assert asyncio.run(shop()) == [[item_id(1)], []]


# Races


def outcome(call: Callable[[], RecordedPage]) -> RecordedPage | Exception:
    """Give what a worker gets."""
    try:
        return call()
    except errors.ChainCursorMoved as moved:
        return moved


@pytest.mark.usefixtures("user_id")
def test_two_workers_with_one_page(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: record a page; T2: the same page. One records, the other repeats."""
    given = page([SMALLER, LARGER], ("a", "1"))
    one, other = at_once(
        database_url,
        lambda: onchain.record_chain_page(given, asked_with=None),
        lambda: onchain.record_chain_page(given, asked_with=None),
    )
    assert (one.recorded, one.repeated) == (2, False)
    assert (other.recorded, other.repeated) == (0, True)
    assert states(conn) == {1: None, 2: ADDED_AT}


@pytest.mark.usefixtures("user_id")
def test_a_worker_that_is_behind(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: record a page; T2: another one after the same cursor. T2 writes nothing."""
    one, other = at_once(
        database_url,
        lambda: onchain.record_chain_page(page([SMALLER], ("a", "1")), asked_with=None),
        lambda: outcome(
            lambda: onchain.record_chain_page(
                page([SMALLER, LARGER], ("b", "2")), asked_with=None
            )
        ),
    )
    assert isinstance(other, errors.ChainCursorMoved)
    assert other.stored == one.cursor == onchain.get_chain_cursor()
    assert states(conn) == {1: None}


def test_replays_of_the_same_users_at_once(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: replay for two users; T2: the same the other way round. No deadlock."""
    for wallet in WALLETS:
        add_owner(conn, wallet)
    events = [event("added", n, wallet) for n, wallet in enumerate(WALLETS, 1)]
    at_once(
        database_url,
        lambda: onchain.replay_chain_page(page(events)),
        lambda: onchain.replay_chain_page(page(events[::-1])),
    )
    assert states(conn) == {1: None, 2: None}


def test_a_wallet_given_while_its_events_come(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: give a wallet; T2: record its events. They are skipped, until replayed."""
    late = factories.add_user(conn)
    users.begin_wallet(conn, id=late)
    with gates.shut(database_url) as gate, ThreadPoolExecutor(1) as threads:
        one = threads.submit(
            onchain.provision_wallet, late, wallet_address=WALLETS[0], key=None
        )
        gate.wait_for_arrival()
        recorded = record(onchain, SMALLER)
        gate.open()
        assert one.result()
    assert (recorded.recorded, recorded.skipped) == (0, 1)
    onchain.replay_chain_page(page([SMALLER]))
    assert len(items(conn, late)) == 1


def test_an_event_while_its_object_is_checked_out(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: check an item out; T2: its `added` again. It stays out of the cart."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed], _ = at_once(
        database_url,
        lambda: onchain.checkout(user_id, [factories.line(item, "x")]),
        lambda: record(onchain, SMALLER, LARGER),
    )
    assert states(conn) == {1: placed.order.created_at, 2: ADDED_AT}


def test_a_checkout_while_its_order_comes(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: check an item out as Crossmint's order; T2: its OrderCreated. One order."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed], recorded = at_once(
        database_url,
        lambda: onchain.checkout(user_id, [factories.line(item, "crossmint-1")]),
        lambda: record(onchain, event("sold", 1)),
    )
    assert recorded.set_aside == 0
    [order] = orders_of(conn, user_id)
    assert (order.id, order.tx_hash) == (placed.order.id, chains.digest(1, 2))
    assert states(conn) == {1: SOLD_AT}


def test_a_payment_while_its_order_comes(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: an OrderCreated makes an order; T2: its payment comes. It is paid."""
    record(onchain, SMALLER)
    at_once(
        database_url,
        lambda: record(onchain, event("sold", 1)),
        lambda: onchain.record_order_event(
            factories.event(factories.PAYMENT_SUCCEEDED, "crossmint-1")
        ),
    )
    [order] = orders_of(conn, user_id)
    assert order.status == OrderStatus.PAYMENT_CONFIRMED


def test_a_digest_that_is_used_meanwhile(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: a deposit claims a transaction; T2: an OrderCreated of it is set aside."""
    other = factories.add_user(conn)

    def claim() -> None:
        with onchain.connection() as inside:
            inside.execute(
                "INSERT INTO orders (user_id, type, tx_hash)"
                " VALUES (%s, 'deposit', %s)",
                [other, chains.digest(1, 2)],
            )

    _, recorded = at_once(
        database_url, claim, lambda: record(onchain, SMALLER, event("sold", 1))
    )
    assert (recorded.recorded, recorded.set_aside) == (2, 1)
    assert reasons(conn) == ["its transaction is another order's"]
    [order] = orders_of(conn, user_id)
    assert order.tx_hash is None


def test_a_deletion_while_its_events_come(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: record events of a user; T2: delete the user. Nothing of them is left."""
    record(onchain, SMALLER)
    at_once(
        database_url,
        lambda: record(onchain, LARGER, event("removed", 1)),
        lambda: onchain.delete_user(user_id),
    )
    for table in ("chain_events", "cart_items", "users"):
        assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - ours
