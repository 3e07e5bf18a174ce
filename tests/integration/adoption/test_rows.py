"""Every row survives adoption, and what is mended is told."""

import contextlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postgres_testing.databases import Template
from store.adoption import Row
from tests.support import adopted
from tests.support.tables import Rows, Tables

ADA = UUID("10000000-0000-4000-8000-000000000001")
DAVE = UUID("10000000-0000-4000-8000-000000000004")

SUI = "0x" + "abc".zfill(64)
OBJECTS = {"6": "0x" + "def".zfill(64), "2": "0x" + "fed".zfill(64)}
CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

# By rule, table and last digit of the id, what the rows of rows.sql need.
MENDED = {
    ("cart_items_active_variant_key", "cart_items", "1"),
    ("cart_items_active_variant_key", "cart_items", "7"),
    ("cart_items_active_variant_key", "cart_items", "c"),
    ("chat_messages_parts_is_array", "chat_messages", "2"),
    ("chat_messages_parts_is_array", "chat_messages", "6"),
    ("chat_messages_parts_is_array", "chat_messages", "7"),
    ("chat_messages_session_id_msg_id_key", "chat_messages", "5"),
    ("empty_text", "cart_items", "7"),
    ("empty_text", "order_items", "1"),
    ("empty_text", "users", "4"),
    ("evm_address_is_normalised", "users", "1"),
    ("evm_address_is_normalised", "users", "4"),
    ("msg_id", "chat_messages", "6"),
    ("msg_id", "chat_messages", "7"),
    ("on_chain_object_id", "cart_items", "d"),
    ("order_holds_item", "cart_items", "e"),
    ("sui_address_is_normalised", "users", "1"),
    ("sui_object_id_is_normalised", "cart_items", "6"),
    ("sui_object_id_is_normalised", "cart_items", "b"),
    ("sui_object_id_is_normalised", "order_items", "2"),
    ("transaction_hash_is_of_a_chain", "orders", "6"),
    ("usdc_amount_has_6_decimals", "orders", "f"),
    ("users_updated_after_created", "users", "3"),
}


def changed(before: Rows, after: Rows) -> dict[tuple[str, str, str], object]:
    """Give what changed, by table, last digit of the id and column."""
    return {
        (table, row_id[-1], column): after[table][row_id][column]
        for table, rows in before.items()
        for row_id, row in rows.items()
        for column, value in row.items()
        if after[table][row_id][column] != value and not column.endswith("_at")
    }


def text(said: str) -> list[dict[str, str]]:
    """Give parts of one text."""
    return [{"type": "text", "text": said}]


def test_rows_keep_what_needs_no_mending(old_url: str, old: psycopg.Connection) -> None:
    """No row goes, none comes, and no value changes but those that are told."""
    tables = Tables(old)
    before = tables.read()
    found = adopted.adopt(old_url)
    after = tables.read()
    assert {table: rows.keys() for table, rows in after.items()} == {
        table: rows.keys() for table, rows in before.items()
    }
    assert changed(before, after) == {
        ("users", "1", "wallet_address"): SUI,
        ("users", "1", "evm_address"): "0x" + "abcdef" * 6 + "abcd",
        ("users", "4", "evm_address"): CHECKSUMMED.lower(),
        ("users", "4", "state"): None,
        ("cart_items", "6", "on_chain_object_id"): OBJECTS["6"],
        ("cart_items", "7", "size"): None,
        ("cart_items", "7", "color"): None,
        (
            "cart_items",
            "b",
            "on_chain_object_id",
        ): "a0000000-0000-4000-8000-00000000000b",
        ("cart_items", "d", "on_chain_object_id"): None,
        ("order_items", "1", "size"): None,
        ("order_items", "2", "on_chain_object_id"): OBJECTS["2"],
        ("orders", "6", "tx_hash"): "0x" + "abcdef" * 10 + "abcd",
        ("orders", "f", "amount_usdc"): Decimal("0.001235"),
        ("chat_messages", "2", "parts"): text("A notebook"),
        ("chat_messages", "5", "msg_id"): "30000000-0000-4000-8000-000000000005",
        ("chat_messages", "6", "msg_id"): "30000000-0000-4000-8000-000000000006",
        ("chat_messages", "6", "parts"): text("A notebook, and a pen"),
        ("chat_messages", "7", "msg_id"): "30000000-0000-4000-8000-000000000007",
        ("chat_messages", "7", "parts"): text('{"answer": 42}'),
    }
    told = {(row.rule, row.table, row.id[-1]) for row in found.mended}
    assert told == MENDED
    assert found.breaking == ()


def test_one_live_row_of_each_variant_stays(
    old_url: str, old: psycopg.Connection
) -> None:
    """The newest, or on chain the smallest; the others are listed, and what is paid."""
    found = adopted.adopt(old_url)
    live = {
        (row_id.hex[-1], user_id)
        for row_id, user_id in old.execute(
            "SELECT id, user_id FROM cart_items WHERE deleted_at IS NULL"
        )
        if user_id in {ADA, DAVE}
    }
    assert live == {*((digit, ADA) for digit in "24689"), ("a", DAVE), ("b", DAVE)}
    assert Row(
        "cart_items",
        "40000000-0000-4000-8000-000000000001",
        "cart_items_active_variant_key",
        "taken out of the cart, which holds another one of its kind",
    ) in list(found.mended)
    deleted = "SELECT id FROM cart_items WHERE deleted_at = '2026-02-01 23:00Z'"
    assert [row_id.hex[-1] for (row_id,) in old.execute(deleted)] == ["3"]


def test_messages_are_in_the_order_of_their_times(
    old_url: str, old: psycopg.Connection
) -> None:
    """Those of one turn, which share theirs, are as they were inserted."""
    adopted.adopt(old_url)
    in_order = "SELECT id FROM chat_messages ORDER BY position"
    digits = [row_id.hex[-1] for (row_id,) in old.execute(in_order)]
    assert digits == ["2", "1", "4", "3", "5", "6", "7", "8"]
    old.execute(
        "INSERT INTO chat_messages (session_id, msg_id, role, parts)"
        " SELECT id, 'new', 'user', '[]' FROM chat_sessions WHERE title IS NULL"
    )
    last = "SELECT msg_id FROM chat_messages ORDER BY position DESC LIMIT 1"
    assert old.execute(last).fetchone() == ("new",)


@pytest.mark.parametrize("names", [["m", "m", "m"], ["m", None, "m"], ["", "", "m"]])
def test_the_last_of_several_messages_keeps_the_name(
    old_url: str, old: psycopg.Connection, names: Sequence[str | None]
) -> None:
    """The others, and those without one, are called by their ids, as the API showed."""
    old.execute("DELETE FROM chat_messages")
    ids = [
        old.execute(
            "INSERT INTO chat_messages (session_id, msg_id, role, parts, created_at)"
            " VALUES ('20000000-0000-4000-8000-000000000001', %s, 'user', '[]',"
            " '2026-01-01') RETURNING id::text",
            [name],
        ).fetchone()
        for name in names
    ]
    adopted.adopt(old_url)
    kept = old.execute("SELECT msg_id FROM chat_messages ORDER BY position").fetchall()
    assert kept == [*ids[:-1], ("m",)]


def meant(value: Any) -> Any:  # noqa: ANN401 - any JSON, a list by now
    """Give what Drizzle read from a row's parts, in a list."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    return cast("Any", value) if isinstance(value, list) else [value]


def is_part(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Tell what the AI SDK takes for a part."""
    match value:
        case {"type": str()}:
            return True
        case _:
            return False


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.sampled_from(["", "Hello", "[1]", '"x"', "{", "null", '[{"type": "text"}]']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(st.lists(JSON, min_size=100, max_size=100))
@settings(max_examples=3)
@example(["[{}]", [], "[]", [[]], {"type": "text"}, {"type": 1}, None, [None], 1, "1"])
def test_any_parts_become_an_array_of_parts(
    old_template: Template, values: list[Any]
) -> None:
    """A part stays as it is, a text becomes one, anything else what it reads as."""
    with old_template.clone() as url, psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DELETE FROM chat_messages")
        conn.cursor().executemany(
            "INSERT INTO chat_messages (session_id, role, parts)"
            " VALUES ('20000000-0000-4000-8000-000000000001', 'user', %s)",
            [[json.dumps(value)] for value in values],
        )
        adopted.adopt(url)
        rows = conn.execute("SELECT parts FROM chat_messages ORDER BY position")
        for value, (parts,) in zip(values, rows, strict=True):
            for each, was in zip(parts, meant(value), strict=True):
                if is_part(was):
                    assert each == was
                    continue
                said = each["text"]
                assert each == {"type": "text", "text": said}
                assert (said if isinstance(was, str) else json.loads(said)) == was


def test_forms_that_would_collide_stay_and_are_told(
    old_url: str, old: psycopg.Connection
) -> None:
    """Two spellings of one transaction are two rows still: somebody has to decide."""
    old.execute(
        "UPDATE orders SET tx_hash = lower(tx_hash) WHERE id::text LIKE '%7';"
        "UPDATE orders SET tx_hash = (SELECT lower(tx_hash) FROM orders"
        " WHERE id::text LIKE '%6') WHERE id::text LIKE '%7'"
    )
    found = adopted.adopt(old_url)
    assert ("transaction_hash_is_of_a_chain", "6") in {
        (row.rule, row.id[-1]) for row in found.breaking
    }
