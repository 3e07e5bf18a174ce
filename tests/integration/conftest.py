"""A store on the test's own database, with a user and what the user buys."""

from collections.abc import Generator
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated.models import CartItem
from store import PlacedOrder, Store
from tests.support import factories, stores


@pytest.fixture
def store(database_url: str) -> Generator[Store]:
    """Give an open store on a fresh, migrated database."""
    with stores.opened(database_url) as opened:
        yield opened


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
