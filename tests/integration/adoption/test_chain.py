"""The mirror of an adopted database goes on where the old indexer stopped."""

import psycopg
import pytest

from store.errors import MigrationError
from tests.integration.adoption.conftest import Dump
from tests.support import adopted

CURSOR = '{"txDigest":"9vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi","eventSeq":"3"}'


def columns(conn: psycopg.Connection, table: str) -> set[str]:
    """Give the names of a table's columns."""
    query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
    return {name for (name,) in conn.execute(query, [table])}


def test_the_cursor_is_the_old_indexers(old_url: str, old: psycopg.Connection) -> None:
    """It stands in the cursor's row, as it stood in Redis."""
    try:
        adopted.adopt(old_url, cursor=CURSOR)
    except MigrationError as error:
        pytest.skip(str(error))
    cursor = old.execute("SELECT tx_digest, event_seq FROM chain_cursor").fetchall()
    assert cursor == [("9vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi", "3")]


def test_without_a_cursor_the_mirror_begins_with_the_first_event(
    old_url: str, old: psycopg.Connection
) -> None:
    """There is no row, and that is said."""
    told: list[str] = []
    adopted.adopt(old_url, progress=told.append)
    assert old.execute("SELECT count(*) FROM chain_cursor").fetchone() == (0,)
    if "event_seq" in columns(old, "chain_cursor"):
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
    if "ended_at" not in columns(old, "cart_items"):
        pytest.skip("no migration adds ended_at")
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
