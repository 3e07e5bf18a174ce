"""Every row survives adoption, and what is mended is told."""

from uuid import UUID

import psycopg

from generated import carts
from store.migrations.adoption import Row
from tests.support import adopted
from tests.support.tables import Rows, Tables

ADA = UUID("10000000-0000-4000-8000-000000000001")

SUI = "0x" + "abc".zfill(64)
OBJECTS = {"6": "0x" + "def".zfill(64), "2": "0x" + "fed".zfill(64)}

# By rule and last digit of the id, what the rows of rows.sql need.
MENDED = {
    ("cart_items_active_variant_key", "1"),
    ("sui_address_is_normalised", "1"),
    ("evm_address_is_normalised", "1"),
    ("sui_object_id_is_normalised", "6"),
    ("sui_object_id_is_normalised", "2"),
    ("transaction_hash_is_of_a_chain", "6"),
    ("chat_messages_parts_is_array", "2"),
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
        ("cart_items", "6", "on_chain_object_id"): OBJECTS["6"],
        ("order_items", "2", "on_chain_object_id"): OBJECTS["2"],
        ("orders", "6", "tx_hash"): "0x" + "abcdef" * 10 + "abcd",
        ("chat_messages", "2", "parts"): [{"type": "text", "text": "A notebook"}],
    }
    assert found.breaking == ()
    assert {(row.rule, row.id[-1]) for row in found.mended} == MENDED


def test_the_older_of_live_twins_leaves_the_cart(
    old_url: str, old: psycopg.Connection
) -> None:
    """One live row of each kind stays, the newest; the other is listed."""
    found = adopted.adopt(old_url)
    live = {
        item.id.hex[-1] for item in carts.list_cart_items(old, user_id=ADA, max_rows=9)
    }
    assert live == {"2", "4", "6"}
    assert found.mended[0] == Row(
        "cart_items",
        "40000000-0000-4000-8000-000000000001",
        "cart_items_active_variant_key",
        "taken out of the cart, which holds a newer one of its kind",
    )
    deleted = "SELECT id FROM cart_items WHERE deleted_at = '2026-02-01 23:00Z'"
    assert [row_id.hex[-1] for (row_id,) in old.execute(deleted)] == ["3"]


def test_times_are_read_as_utc(old_url: str, old: psycopg.Connection) -> None:
    """Drizzle wrote UTC, whatever the zone of the database or of a role."""
    name = old.info.dbname
    old.execute(f"ALTER DATABASE \"{name}\" SET TimeZone = 'Asia/Tokyo'".encode())
    adopted.adopt(old_url)
    found = old.execute(
        "SELECT created_at = '2026-01-02 03:04:05.678901Z' AND"
        " updated_at = '2026-02-03 04:05:06Z' FROM users WHERE id = %s",
        [ADA],
    ).fetchone()
    assert found == (True,)


def test_messages_are_in_the_order_of_their_times(
    old_url: str, old: psycopg.Connection
) -> None:
    """Those of one turn, which share theirs, are as they were inserted."""
    adopted.adopt(old_url)
    in_order = "SELECT id FROM chat_messages ORDER BY position"
    digits = [row_id.hex[-1] for (row_id,) in old.execute(in_order)]
    assert digits == ["2", "1", "4", "3", "5"]
    old.execute(
        "INSERT INTO chat_messages (session_id, msg_id, role, parts)"
        " SELECT id, 'new', 'user', '[]' FROM chat_sessions WHERE title IS NULL"
    )
    last = "SELECT msg_id FROM chat_messages ORDER BY position DESC LIMIT 1"
    assert old.execute(last).fetchone() == ("new",)


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
    assert [(row.rule, row.id[-1]) for row in found.breaking] == [
        ("transaction_hash_is_of_a_chain", "6")
    ]
