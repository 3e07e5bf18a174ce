"""A store with keys, and a gate before a deletion's COMMIT."""

from collections.abc import Generator

import psycopg
import pytest

from store import Store
from tests.support import gates, stores
from tests.support.gates import Gate
from tests.support.races import no_deadlock


@pytest.fixture
def store(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store; a deadlock fails the test."""
    with (
        no_deadlock(conn),
        stores.opened(database_url, wallet_encryption_keys="0f" * 32) as opened,
    ):
        yield opened


@pytest.fixture
def gate(database_url: str) -> Generator[Gate]:
    """Give a shut gate, also before the COMMIT of a deletion."""
    with gates.shut(database_url) as shut:
        with psycopg.connect(database_url) as conn:
            conn.execute(
                "CREATE CONSTRAINT TRIGGER wait_at_gate_to_delete AFTER DELETE ON users"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                " EXECUTE FUNCTION wait_at_gate()"
            )
        yield shut
