"""A checkout as a single statement: the floor, which is not quite the same promise.

It neither waits for others who work on the same Crossmint orders nor looks for events
that came before them; the rows it leaves are the same where there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from .records import CartItem, Order, OrderItem

# What an order keeps of its item: whatever both tables have.
_ITEM = {column.name for column in fields(CartItem)} - {"id", "created_at"}
_KEPT = [column.name for column in fields(OrderItem) if column.name in _ITEM]
_CLAIMED = [f"claimed.{name}" for name in _KEPT]

_ORDER = [field.name for field in fields(Order)]
_RETURNED = [f"created.{name}" for name in _ORDER] + [
    f"kept.{field.name}" for field in fields(OrderItem)
]

ONE_CTE = f"""
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = $1 FOR NO KEY UPDATE
),

line AS (
    SELECT * FROM unnest($3::uuid [], $4::uuid [], $5::text [], $6::numeric [])
    AS line (order_id, cart_item_id, crossmint_order_id, amount_usdc)
),

created AS (
    INSERT INTO orders
        (id, user_id, type, checkout_id, crossmint_order_id, amount_usdc, quoted_usdc)
    SELECT
        line.order_id, owner.id, 'checkout', $2::uuid,
        line.crossmint_order_id, line.amount_usdc, line.amount_usdc
    FROM owner CROSS JOIN line
    RETURNING *
),

claimed AS (
    UPDATE cart_items
    SET deleted_at = now()
    FROM owner CROSS JOIN line
    WHERE
        cart_items.id = line.cart_item_id
        AND cart_items.user_id = owner.id
        AND cart_items.deleted_at IS NULL
    RETURNING cart_items.*
),

kept AS (
    INSERT INTO order_items (
        order_id, cart_item_id, {", ".join(_KEPT)}
    )
    SELECT
        line.order_id, line.cart_item_id, {", ".join(_CLAIMED)}
    FROM line LEFT JOIN claimed ON line.cart_item_id = claimed.id
    RETURNING *
)

SELECT {", ".join(_RETURNED)}
FROM created INNER JOIN kept ON kept.order_id = created.id
"""  # noqa: S608 - the names are our columns'


def order_and_item(row: Sequence[Any]) -> tuple[Order, OrderItem]:
    """Make the two records of one row of `ONE_CTE`."""
    return Order(*row[: len(_ORDER)]), OrderItem(*row[len(_ORDER) :])
