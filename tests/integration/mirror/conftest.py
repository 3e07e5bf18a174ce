"""A store whose carts are on chain, and a user with a wallet."""

from collections.abc import Generator
from uuid import UUID

import psycopg
import pytest

from store import Store
from tests.integration.mirror.events import WALLETS, add_owner
from tests.support import stores
from tests.support.races import no_deadlock


@pytest.fixture
def onchain(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store whose carts are on chain; a deadlock fails the test."""
    with (
        no_deadlock(conn),
        stores.opened(database_url, cart_service="onchain") as opened,
    ):
        yield opened


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Give a user with the first wallet."""
    return add_owner(conn, WALLETS[0])
