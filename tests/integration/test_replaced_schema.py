"""Every table, column and rule of the system that this one replaces is here.

`docs/replaced.md` lists the rows of its document, each with the test that shows it.
"""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

DOCUMENT = Path(__file__).parents[2] / "docs/replaced.md"

# Table by table: the columns with their types, as its document spells them.
COLUMNS = {
    "users": """
        id UUID | crossmint_user_id varchar(255) | email varchar(320)
        | wallet_address varchar(66) | crossmint_wallet_id varchar(255)
        | wallet_status varchar(20) | onboarding_step integer
        | display_name varchar(100) | first_name varchar(50) | last_name varchar(50)
        | street varchar | apt varchar | city varchar | state varchar | zip varchar
        | country varchar | tops_size varchar(10) | bottoms_size varchar(10)
        | footwear_size varchar(10) | evm_address varchar(42)
        | sui_private_key_encrypted text | created_at timestamp | updated_at timestamp
    """,
    "chat_sessions": """
        id UUID | user_id UUID | title varchar(100) | created_at timestamp
        | updated_at timestamp
    """,
    "chat_messages": """
        id UUID | session_id UUID | msg_id varchar(100) | role varchar(20)
        | parts JSONB | created_at timestamp
    """,
    "cart_items": """
        id UUID | user_id UUID | product_id varchar(255) | product_name varchar(500)
        | price integer | image varchar(2048) | product_url varchar(2048)
        | size varchar(50) | color varchar(50) | retailer varchar(255)
        | tx_digest varchar(255) | on_chain_object_id varchar(255)
        | deleted_at timestamp | created_at timestamp
    """,
    "orders": """
        id UUID | user_id UUID | type varchar(20) | crossmint_order_id varchar(255)
        | status varchar(50) | amount_usdc numeric | tx_hash varchar(255)
        | payment_hash varchar(255) | created_at timestamp
    """,
    "order_items": """
        id UUID | order_id UUID | cart_item_id UUID | product_id varchar(255)
        | product_name varchar(500) | price integer | image varchar(2048)
        | product_url varchar(2048) | size varchar(50) | color varchar(50)
        | retailer varchar(255) | on_chain_object_id varchar(255) | created_at timestamp
    """,
}
FLAT = [
    (f"{table}.{column.split()[0]}", column.split()[1])
    for table, columns in COLUMNS.items()
    for column in columns.split("|")
]
UNIQUE = {
    "users.crossmint_user_id",
    "cart_items.on_chain_object_id",
    "orders.crossmint_order_id",
    "orders.tx_hash",
}
INDEXED = {
    "users.email",
    "users.wallet_address",
    "chat_sessions.created_at",
    "chat_sessions.updated_at",
    "chat_messages.session_id",
}
REFERENCES = {
    "chat_sessions.user_id": ("users", "c"),
    "chat_messages.session_id": ("chat_sessions", "c"),
    "cart_items.user_id": ("users", "c"),
    "orders.user_id": ("users", "c"),
    "order_items.order_id": ("orders", "c"),
    "order_items.cart_item_id": ("cart_items", "n"),
}
SETS = {
    "users.wallet_status": {"none", "pending", "active", "failed"},
    "users.onboarding_step": {"0", "1", "2", "3"},
    "chat_messages.role": {"user", "assistant", "system", "tool"},
    "orders.type": {"checkout", "deposit"},
    "orders.status": {
        "awaiting_approval",
        "payment_confirmed",
        "in_progress",
        "delivered",
        "cancelled",
    },
}


@pytest.mark.parametrize(("column", "type_"), FLAT)
def test_a_column_has_its_type(
    conn: psycopg.Connection, column: str, type_: str
) -> None:
    """A column has its type and length, a domain counting as what it is over."""
    table, name = column.split(".")
    [(found,)] = conn.execute(
        "SELECT format_type(coalesce(nullif(t.typbasetype, 0), t.oid),"
        " CASE WHEN t.typbasetype <> 0 THEN t.typtypmod ELSE a.atttypmod END)"
        " FROM pg_attribute a JOIN pg_type t ON a.atttypid = t.oid"
        " WHERE a.attrelid = %s::regclass AND a.attname = %s",
        (table, name),
    )
    found = found.replace("character varying", "varchar")
    if type_ == "timestamp":
        assert found == "timestamp with time zone"
    elif type_ == "varchar":
        assert re.fullmatch(r"varchar\(\d+\)", found)
    else:
        assert found == type_.lower()


def _indexes(conn: psycopg.Connection, column: str) -> list[tuple[list[str], bool]]:
    """Give the columns of each index over all rows, and whether it is unique."""
    table, _ = column.split(".")
    return conn.execute(
        "SELECT array(SELECT a.attname::text"
        " FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number"
        " ORDER BY k.place), i.indisunique"
        " FROM pg_index i WHERE i.indrelid = %s::regclass AND i.indpred IS NULL",
        (table,),
    ).fetchall()


@pytest.mark.parametrize("table", COLUMNS)
def test_the_id_is_the_primary_key(conn: psycopg.Connection, table: str) -> None:
    """Each table has its id as its key."""
    assert (["id"], True) in _indexes(conn, f"{table}.id")


@pytest.mark.parametrize("column", sorted(UNIQUE))
def test_a_unique_column_is_unique(conn: psycopg.Connection, column: str) -> None:
    """What was unique is so by itself, whatever else the row holds."""
    assert ([column.split(".")[1]], True) in _indexes(conn, column)


@pytest.mark.parametrize("column", sorted(INDEXED))
def test_an_indexed_column_is_indexed(conn: psycopg.Connection, column: str) -> None:
    """What was indexed is in an index, behind the user at most."""
    name = column.split(".")[1]
    found = [columns for columns, _ in _indexes(conn, column)]
    assert any([*columns, ""][columns[0] == "user_id"] == name for columns in found)


@pytest.mark.parametrize("column", sorted(REFERENCES))
def test_a_reference_ends_as_it_did(conn: psycopg.Connection, column: str) -> None:
    """A row goes with the one it belongs to; a snapshot outlives its cart item."""
    table, name = column.split(".")
    found = conn.execute(
        "SELECT c.confrelid::regclass::text, c.confdeltype::text FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND a.attname = %s",
        (table, name),
    ).fetchall()
    assert found == [REFERENCES[column]]


@pytest.mark.parametrize("column", sorted(SETS))
def test_a_closed_set_has_its_members(conn: psycopg.Connection, column: str) -> None:
    """Of all that may come, the column's type takes exactly the members."""
    table, name = column.split(".")
    [(domain,)] = conn.execute(
        "SELECT atttypid::regtype::text FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attname = %s",
        (table, name),
    )
    for member in set[str]().union(*SETS.values(), {"4", "-1", "other"}):
        cast = sql.SQL("SELECT {}::text::{}").format(member, sql.Identifier(domain))
        try:
            conn.execute(cast)
        except (psycopg.IntegrityError, psycopg.DataError):
            assert member not in SETS[column]
        else:
            assert member in SETS[column]


def test_the_document_lists_every_column() -> None:
    """`docs/replaced.md` has a line for each column, with its type and its tests."""
    lines = re.findall(
        r"^\| `(\w+\.\w+)` \| (\S+) \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    assert [(column, type_) for column, type_, _ in lines] == FLAT


def test_the_document_names_tests_that_exist() -> None:
    """Each test that `docs/replaced.md` names is there."""
    named = set(re.findall(r"`(test_\w+)\.py::(test_\w+)`", DOCUMENT.read_text()))
    tests = Path(__file__).parents[1]
    there = {
        (path.stem, name)
        for path in tests.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert named
    assert named <= there
