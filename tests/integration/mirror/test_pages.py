"""Pages of Sui's events, as they come, and the cursor that commits with them."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from generated.aio import carts as async_carts
from generated.internal import chain_steps
from store import AsyncStore, ChainCursor, RecordedPage, Store, errors
from store_testing import chains
from store_testing.chains import FIRST, happened, item_id, page
from tests.integration.mirror.events import (
    LARGER,
    NAMES,
    REMOVED_AT,
    SMALLER,
    SOLD_AT,
    SPARE,
    WALLETS,
    add_owner,
    event,
    items,
    orders_of,
    record,
    states,
)
from tests.support import stores

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
