"""Events of carts on chain, and what has become of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from generated import carts
from generated.internal import chain_steps
from generated.models import CartItem, Order
from store import RecordedPage, Store
from store_testing import chains, factories
from store_testing.chains import FIRST, happened, item_id, page

WALLETS = [chains.wallet(n) for n in (10, 11)]
NAMES = {"added": "CartItemAdded", "removed": "CartItemRemoved", "sold": "OrderCreated"}
DELIVERY_FAILED = "orders.delivery.failed"
ADDED_AT, REMOVED_AT, SOLD_AT = (FIRST + timedelta(minutes=n) for n in range(3))


def event(
    kind: str,
    number: int,
    owner: str = WALLETS[0],
    **fields: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Make an event of an item; by its kind and number it is always the same."""
    place = [*NAMES].index(kind)
    given: dict[str, Any] = {
        "tx": chains.digest(number, place),
        "sequence": place,
        "at": FIRST + timedelta(minutes=place),
    }
    if kind == "sold":
        given["order_id"] = f"crossmint-{number}"
    return happened(NAMES[kind], owner, item_id(number), **(given | fields))


SMALLER, LARGER = event("added", 1), event("added", 2)
SPARE = event("added", 3, product_id="B02", product_name="Pen")


def add_owner(conn: psycopg.Connection, wallet: str) -> UUID:
    """Create a user with this wallet."""
    user_id = factories.add_user(conn)
    conn.execute(
        "UPDATE users SET wallet_address = %s WHERE id = %s", (wallet, user_id)
    )
    return user_id


def record(store: Store, *events: object) -> RecordedPage:
    """Record these events as the page that follows the stored cursor."""
    cursor = store.get_chain_cursor()
    following = chains.digest(99, int(cursor.event_seq) + 1 if cursor else 0)
    place = str(int(cursor.event_seq) + 1 if cursor else 0)
    return store.record_chain_page(page(events, (following, place)), asked_with=cursor)


def items(conn: psycopg.Connection, user_id: UUID) -> list[CartItem]:
    """List a cart."""
    return carts.list_cart_items(conn, user_id=user_id, max_rows=9)


def states(conn: psycopg.Connection) -> dict[int, datetime | None]:
    """Give when each item left its cart, by the number in its name on chain."""
    rows = conn.execute("SELECT on_chain_object_id, deleted_at FROM cart_items")
    return {int(name[:8], 16): left_at for name, left_at in rows if name}


def orders_of(conn: psycopg.Connection, user_id: UUID) -> list[Order]:
    """Give a user's orders, the oldest first."""
    return [placed.order for placed in factories.orders_of(conn, user_id)]


def reasons(conn: psycopg.Connection) -> list[str]:
    """Give why events were set aside."""
    listed = chain_steps.list_set_aside_chain_events(
        conn, after_set_aside_at=None, after_id=None, max_rows=99
    )
    return [each.reason for each in listed]
