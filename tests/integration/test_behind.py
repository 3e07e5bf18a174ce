"""A schema that is behind and a server that is a standby are told at once."""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import pytest

from postgres_testing import clusters, databases, schemas
from postgres_testing.clusters import Cluster
from postgres_testing.embedded import Server
from store import Product, Store, errors
from store_testing.schema import MIGRATIONS, SCHEMA
from tests.support import stores

AT_ONCE = 2.0  # seconds, of the 10 that a store waits for a connection
TURN: list[dict[str, Any]] = [{"id": "m", "role": "user", "parts": []}]
NOBODY = UUID(int=1)


def at_once(call: Callable[[], object]) -> errors.StoreError:
    """Give the error that comes at once."""
    start = monotonic()
    with pytest.raises(errors.StoreError) as refused:
        call()
    assert monotonic() - start < AT_ONCE
    return refused.value


# The schema is behind


# How many migrations were applied, and a call that needs a later one.
BEHIND: dict[int, Callable[[Store], object]] = {
    1: lambda store: store.list_chat_sessions(NOBODY),
    4: lambda store: store.get_chain_cursor(),
    10: lambda store: store.save_turn(NOBODY, NOBODY, TURN),
    13: lambda store: store.list_payments_that_differ(),
}


@pytest.mark.parametrize("applied", BEHIND)
def test_a_schema_that_is_behind_says_what_to_run(
    postgres_server: Server, tmp_path: Path, applied: int
) -> None:
    """What needs a migration that was not applied names the command at once."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in sorted(MIGRATIONS.glob("*.sql"))[:applied]:
        shutil.copy(path, folder)
    with (
        databases.template(
            postgres_server.url, schemas.migrated(folder).build
        ) as template,
        template.clone() as url,
        stores.opened(url) as store,
    ):
        error = at_once(lambda: BEHIND[applied](store))
    assert type(error) is errors.SchemaMismatch
    assert "make migrate" in str(error)
    assert not error.retryable


# The server is a standby


@pytest.fixture(scope="module")
def standby() -> Generator[Cluster]:
    """Give a standby of a primary that has a migrated database `shop`."""
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server of TEST_DATABASE_URL has no standby of ours")
    with clusters.start() as primary:
        SCHEMA.build(databases.create(primary.url, "shop"))
        with clusters.standby_of(primary) as started:
            yield started


def test_a_standby_is_read_and_says_so_to_who_writes(standby: Cluster) -> None:
    """What writes on a standby names the setting that finds the primary, at once."""
    with stores.opened(clusters.urls_of("shop", standby)) as store:
        assert store.list_orders(NOBODY).rows == []
        for write in (
            lambda: store.create_user("google|1", email=None),
            lambda: store.add_cart_item(
                NOBODY, Product(product_id="B01", product_name="Pen", price=1)
            ),
        ):
            error = at_once(write)
            assert type(error) is errors.ReadOnly
            assert "target_session_attrs=read-write" in str(error)


@pytest.mark.parametrize("wanted", ["read-write", "primary"])
def test_a_store_is_not_opened_on_a_standby_alone(
    standby: Cluster, wanted: str
) -> None:
    """Where a primary is asked for and only a standby named, that is said at once."""
    url = clusters.urls_of("shop", standby, target_session_attrs=wanted)
    error = at_once(lambda: Store(stores.settings(url)).open())
    assert type(error) is errors.ReadOnly
    assert "name the primary's host" in str(error)
