"""A user, and what the user buys."""

from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated.models import CartItem
from store import PlacedOrder, Store
from store_testing import factories


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Give a user."""
    return factories.add_user(conn)


@pytest.fixture
def item(conn: psycopg.Connection, user_id: UUID) -> CartItem:
    """Give an item in the user's cart."""
    return factories.add_item(conn, user_id, product_id="B01")


@pytest.fixture
def placed(store: Store, user_id: UUID, item: CartItem) -> PlacedOrder:
    """Give the order of that item, which Crossmint knows as `x`."""
    [placed] = store.checkout(user_id, [factories.line(item, "x", Decimal(1))])
    return placed
