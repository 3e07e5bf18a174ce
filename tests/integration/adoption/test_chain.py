"""The mirror of an adopted database goes on where the old indexer stopped."""

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from store.errors import MigrationError
from store_testing import chains
from tests.integration.adoption.conftest import Dump
from tests.support import adopted, stores
from tests.support.tables import Rows, Tables

CURSOR = '{"txDigest":"9vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi","eventSeq":"3"}'


def test_the_cursor_is_the_old_indexers(old_url: str) -> None:
    """It stands in the cursor's row, as it stood in Redis."""
    adopted.adopt(old_url, cursor=CURSOR)
    with stores.opened(old_url) as store:
        cursor = store.get_chain_cursor()
    assert cursor is not None
    assert cursor.as_json() == json.loads(CURSOR)


def test_without_a_cursor_the_mirror_begins_with_the_first_event(
    old_url: str, old: psycopg.Connection
) -> None:
    """There is no row, and that is said."""
    told: list[str] = []
    adopted.adopt(old_url, progress=told.append)
    assert old.execute("SELECT count(*) FROM chain_cursor").fetchone() == (0,)
    assert "-- there is no cursor: the mirror begins with the first event" in told


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "null",
        "[]",
        '{"txDigest":"x"}',
        '{"txDigest":"","eventSeq":"1"}',
        '{"txDigest":"x","eventSeq":1}',
        '{"txDigest":"x","eventSeq":"1","more":2}',
    ],
)
def test_another_form_of_cursor_is_refused(
    old_url: str, dump: Dump, cursor: str
) -> None:
    """Before anything is done."""
    before = dump(old_url)
    with pytest.raises(MigrationError, match="does not read"):
        adopted.adopt(old_url, cursor=cursor)
    assert dump(old_url) == before


def test_what_the_contract_still_holds_has_not_ended(
    old_url: str, old: psycopg.Connection
) -> None:
    """A duplicate variant that adoption takes out is there, and what awaits its digest.

    What the old indexer took out has ended: no event of it comes after the cursor.
    """
    old.execute(
        "INSERT INTO cart_items (user_id, product_id, product_name, price,"
        " on_chain_object_id, deleted_at)"
        " SELECT user_id, 'C0' || n, 'Gone', 1,"
        " 'a0000000-0000-4000-8000-10000000000' || n, '2026-03-20Z'"
        " FROM cart_items, generate_series(1, 2) AS n WHERE id::text LIKE '%a'"
    )
    old.execute(
        "UPDATE order_items SET cart_item_id = ("
        " SELECT id FROM cart_items WHERE on_chain_object_id LIKE '%00002')"
        " WHERE id::text LIKE '%e'"
    )
    adopted.adopt(old_url)
    ended = old.execute(
        "SELECT right(on_chain_object_id, 1), deleted_at IS NULL, ended_at IS NULL"
        " FROM cart_items WHERE on_chain_object_id LIKE 'a%' ORDER BY 1, 2"
    ).fetchall()
    assert ended == [
        ("1", False, False),
        ("2", False, True),
        ("a", True, True),
        ("b", True, True),
        ("c", False, True),
    ]


OWNER = "0x" + "d" * 64
ITEMS = {digit: f"a0000000-0000-4000-8000-00000000000{digit}" for digit in "abc"}
PRODUCTS: dict[str, dict[str, Any]] = {
    "a": {"product_id": "C01", "product_name": "Chair", "price": "4990"},
    "b": {"product_id": "C02", "product_name": "Cushion", "price": "990"},
    "c": {"product_id": "C02", "product_name": "Cushion", "price": "990"},
}
LAST = json.loads(CURSOR)


def happened(
    name: str,
    digit: str,
    number: int,
    tx: str | None = None,
    **more: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Make an event of one of the items that rows.sql has on chain."""
    return chains.happened(
        name,
        OWNER,
        ITEMS[digit],
        tx=tx or chains.digest(number),
        at=chains.FIRST + timedelta(minutes=number),
        **PRODUCTS[digit],
        **more,
    )


def without_times(rows: Rows) -> Rows:
    """Say of times only whether there is one."""
    return {
        table: {
            row_id: {
                column: value is None if column.endswith("_at") else value
                for column, value in row.items()
            }
            for row_id, row in rows.items()
        }
        for table, rows in rows.items()
        if table in {"cart_items", "orders", "order_items"}
    }


def test_items_whose_beginning_was_never_seen_come_to_their_end(
    old_url: str, old: psycopg.Connection
) -> None:
    """The next page takes them out, and a duplicate that waited comes up.

    All pages read again from the beginning leave the same rows.
    """
    adopted.adopt(old_url, cursor=CURSOR)

    def live() -> set[str]:
        query = "SELECT right(id::text, 1) FROM cart_items WHERE deleted_at IS NULL"
        return {digit for (digit,) in old.execute(query)} & {*ITEMS}

    assert live() == {"a", "b"}
    ends = [
        happened("CartItemRemoved", "b", 4),
        happened("OrderCreated", "a", 5, order_id="crossmint-a"),
    ]
    begins = [
        happened("CartItemAdded", digit, n, tx=tx)
        for n, (digit, tx) in enumerate(
            old.execute(
                "SELECT right(id::text, 1), tx_digest FROM cart_items"
                " WHERE right(id::text, 1) IN ('a', 'b', 'c') ORDER BY 1"
            ).fetchall()
        )
    ]
    with stores.opened(old_url, cart_service="onchain") as store:
        cursor = store.get_chain_cursor()
        following = (chains.digest(5), "0")
        store.record_chain_page(chains.page(ends, following), asked_with=cursor)
        assert live() == {"c"}
        hashes = old.execute("SELECT tx_hash FROM orders WHERE id::text LIKE '%a'")
        assert hashes.fetchall() == [(chains.digest(5),)]
        tables = Tables(old)
        before = without_times(tables.read())
        store.replay_chain_page(chains.page(begins, (LAST["txDigest"], "3")))
        store.replay_chain_page(chains.page(ends, following))
        after = without_times(tables.read())
    assert after == before
