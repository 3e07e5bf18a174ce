"""Events that cannot be read are set aside, and retried."""

import json
import re
from uuid import UUID

import psycopg
import pytest

from generated import chain
from generated.internal import chain_steps
from store import Store, errors
from store_testing import chains
from store_testing.chains import item_id, page
from tests.integration.mirror.events import (
    LARGER,
    REMOVED_AT,
    SMALLER,
    SPARE,
    WALLETS,
    add_owner,
    event,
    items,
    reasons,
    record,
    states,
)
from tests.support import stores

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


@stores.not_on_citus("a rule that the store does not know has no name")
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
