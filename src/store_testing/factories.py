"""Rows and arguments that tests need but do not care about, and what is stored."""

import itertools
from dataclasses import fields
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection, sql
from psycopg.rows import class_row

from generated import carts, models
from generated.internal import cart_steps, user_steps
from generated.models import CartItem
from store import CheckoutLine, OrderEvent, PlacedOrder

__all__ = [
    "PAYMENT_FAILED",
    "PAYMENT_SUCCEEDED",
    "add_item",
    "add_user",
    "cart_of",
    "end_backend",
    "event",
    "line",
    "orders_of",
]

PAYMENT_SUCCEEDED = "orders.payment.succeeded"
PAYMENT_FAILED = "orders.payment.failed"

_numbers = itertools.count()


def add_user(conn: Connection[Any], name: str | None = None) -> UUID:
    """Create a user; give the id."""
    name = name or f"user-{next(_numbers)}"
    user = user_steps.create_user(conn, crossmint_user_id=name, email=None)
    assert user is not None
    return user.id


def add_item(
    conn: Connection[Any],
    user_id: UUID,
    *,
    product_id: str | None = None,
    product_name: str = "Squared notebook",
    price: int = 1490,
    image: str | None = None,
    product_url: str | None = None,
    size: str | None = None,
    color: str | None = None,
    retailer: str | None = None,
) -> CartItem:
    """Put a product into the user's cart, a new one unless it is named."""
    details: dict[str, Any] = {
        "product_id": product_id or f"product-{next(_numbers)}",
        "product_name": product_name,
        "price": price,
        "image": image,
        "product_url": product_url,
        "size": size,
        "color": color,
        "retailer": retailer,
    }
    cart_steps.replace_cart_item(conn, user_id=user_id, **details)
    item = cart_steps.add_cart_item(
        conn, id=uuid4(), user_id=user_id, max_items=1_000_000, **details
    )
    assert item is not None
    return item


def line(
    item: CartItem,
    crossmint_order_id: str | None = None,
    amount_usdc: Decimal | None = None,
) -> CheckoutLine:
    """Make a checkout's line for an item."""
    return CheckoutLine(
        cart_item_id=item.id,
        crossmint_order_id=crossmint_order_id,
        amount_usdc=amount_usdc,
    )


def event(
    type_: str,
    crossmint_order_id: str,
    *,
    event_id: str | None = None,
    payment_hash: str | None = None,
    amount_usdc: Decimal | None = None,
    quoted_usdc: Decimal | None = None,
    received_usdc: Decimal | None = None,
) -> OrderEvent:
    """Make an event of a Crossmint order, a new one unless its id is given."""
    return OrderEvent(
        id=event_id or f"event-{next(_numbers)}",
        type=type_,
        crossmint_order_id=crossmint_order_id,
        payment_hash=payment_hash,
        amount_usdc=amount_usdc,
        quoted_usdc=quoted_usdc,
        received_usdc=received_usdc,
        payload={"type": type_},
    )


def cart_of(conn: Connection[Any], user_id: UUID) -> list[CartItem]:
    """Read what is in a user's cart."""
    return carts.list_cart_items(conn, user_id=user_id, max_rows=1000)


def orders_of(conn: Connection[Any], user_id: UUID) -> list[PlacedOrder]:
    """Read a user's orders that have a snapshot, the oldest first."""
    orders = conn.cursor(row_factory=class_row(models.Order)).execute(
        sql.SQL(
            "SELECT {} FROM orders WHERE user_id = %s ORDER BY created_at, id"
        ).format(_columns(models.Order)),
        [user_id],
    )
    items = conn.cursor(row_factory=class_row(models.OrderItem)).execute(
        sql.SQL("SELECT {} FROM order_items").format(_columns(models.OrderItem))
    )
    item_by_order = {item.order_id: item for item in items}
    return [PlacedOrder(each, item_by_order[each.id]) for each in orders]


def _columns(model: type[models.Order | models.OrderItem]) -> sql.Composed:
    """Name the columns in the model's order: an adopted table has another one."""
    return sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(model))


def end_backend(conn: Connection[Any], process_id: int) -> None:
    """End a backend, and wait until it is gone."""
    ended = conn.execute(
        "SELECT pg_terminate_backend(%s::integer, 20000)", [process_id]
    )
    assert ended.fetchone() == (True,)
