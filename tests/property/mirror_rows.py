"""Rows of the mirror, and what is compared of them."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from store_testing import factories
from tests.property.mirror_model import BAD, Goods, Key, Row, Variant


def empty(conn: psycopg.Connection) -> None:
    """Delete what an earlier example has left."""
    for table in (
        "users",
        "order_events",
        "chain_events",
        "chain_cursor",
        "set_aside_chain_events",
        "retired_orders",
    ):
        conn.execute(f"DELETE FROM {table}")  # noqa: S608 - our names


def add_user(conn: psycopg.Connection, name: str, wallet: str | None) -> UUID:
    """Create a user with this wallet."""
    user_id = factories.add_user(conn, name)
    set_wallet(conn, user_id, wallet)
    return user_id


def set_wallet(conn: psycopg.Connection, user_id: UUID, wallet: str | None) -> None:
    """Give a user a wallet, as its provisioning does."""
    conn.execute(
        "UPDATE users SET wallet_address = %s WHERE id = %s", (wallet, user_id)
    )


def stored(conn: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    """Read rows by name of column."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(query.encode()).fetchall()


def shown(row: dict[str, Any]) -> tuple[Any, ...]:
    """Give what is compared of a row that is stored: of one off chain less."""
    item, left_at = row["on_chain_object_id"], row["deleted_at"]
    variant = Variant(row["product_id"], row["size"], row["color"])
    return (
        row["user_id"],
        Goods(variant, row["product_name"], row["price"]),
        row["tx_digest"],
        item,
        left_at if item else left_at is None,
        row["ended_at"],
    )


def expected(rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    """Give the same of the model's rows."""
    return [
        (
            row.owner,
            row.goods,
            row.tx,
            row.item,
            row.left_at if row.item else row.left_at is None,
            row.ended_at,
        )
        for row in rows
    ]


def refused(conn: psycopg.Connection) -> dict[Key, str]:
    """Give what was set aside, with the reason; of bad entries that they are bad."""
    found: dict[Key, str] = {}
    for row in stored(conn, "SELECT event, reason FROM set_aside_chain_events"):
        name = json.loads(row["event"])["id"]
        about_order = row["reason"].startswith("its ")
        key = Key(name["txDigest"], int(name["eventSeq"]))
        found[key] = row["reason"] if about_order else BAD
    return found
