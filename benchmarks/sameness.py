"""Whether all contenders did the same work: the rows that they left, and returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from itertools import zip_longest
from typing import Any, LiteralString

import psycopg

from .contender import Contender

# Each without the ids and times that differ from call to call.
_LEFT: dict[str, LiteralString] = {
    "users": "SELECT to_jsonb(users) FROM users ORDER BY id",
    "order_events": "SELECT to_jsonb(order_events) FROM order_events ORDER BY id",
    "cart_items, order_items, orders": """
        SELECT
            to_jsonb(cart_items) - 'deleted_at',
            cart_items.deleted_at IS NULL,
            to_jsonb(order_items) - '{id,order_id,created_at}'::text [],
            to_jsonb(orders) - '{id,checkout_id,created_at}'::text [],
            CASE
                WHEN orders.checkout_id IS NOT NULL
                    THEN count(*) OVER (PARTITION BY orders.checkout_id)
            END
        FROM cart_items
        FULL JOIN order_items ON cart_items.id = order_items.cart_item_id
        FULL JOIN orders ON order_items.order_id = orders.id
        ORDER BY cart_items.id, orders.crossmint_order_id
    """,
}


class RowsDifferError(Exception):
    """Two contenders did not do the same, so that their times cannot be compared."""


def check(urls: Mapping[Contender, str], *, orders: int) -> None:
    """Compare what the databases hold, ids and times apart.

    Raises RowsDifferError where two differ, or hold another number of orders.
    """
    first, *others = urls
    expected = _left(urls[first])
    if (found := _orders(urls[first])) != orders:
        raise RowsDifferError(f"{first} left {found} orders instead of {orders}")
    for other in others:
        left = _left(urls[other])
        for tables, rows in expected.items():
            _compare(f"{first} and {other} left in {tables}", rows, left[tables])


def check_results(results: Mapping[Contender, object], record: type) -> None:
    """Compare what the contenders returned, by the names of the record's fields.

    Raises RowsDifferError where two differ.
    """
    names = [field.name for field in fields(record)]
    (first, expected), *others = results.items()
    for other, result in others:
        _compare(
            f"{first} and {other} returned",
            [(name, getattr(expected, name)) for name in names],
            [(name, getattr(result, name)) for name in names],
        )


def _left(url: str) -> dict[str, list[Any]]:
    with psycopg.connect(url) as conn:
        return {tables: conn.execute(q).fetchall() for tables, q in _LEFT.items()}


def _orders(url: str) -> int:
    with psycopg.connect(url) as conn:
        # Those of the users' past are delivered.
        new = "SELECT count(*) FROM orders WHERE status = 'awaiting_approval'"
        [(count,)] = conn.execute(new).fetchall()
        return int(count)


def _compare(where: str, one: list[Any], other: list[Any]) -> None:
    for mine, theirs in zip_longest(one, other):
        if mine != theirs:
            raise RowsDifferError(f"{where} different rows:\n{mine}\n{theirs}")
