"""Workers, and a server of their own that may be harmed."""

import os
from collections.abc import Generator
from itertools import count

import pytest
from psycopg import sql

from postgres_testing import clusters, databases
from postgres_testing.clusters import Cluster
from store_testing.history import farm
from store_testing.history.farm import Farm
from store_testing.schema import SCHEMA

_numbers = count()


@pytest.fixture(scope="session")
def workers() -> Generator[Farm]:
    """Give four processes of workers, two of them asynchronous."""
    with farm.start() as started:
        yield started


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """Give a server that tests may kill or freeze, if it runs again afterwards."""
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server of TEST_DATABASE_URL is not ours to be harmed")
    with clusters.start(max_connections="30") as started:
        SCHEMA.build(databases.create(started.url, "shop"))
        yield started


@pytest.fixture
def shop(cluster: Cluster) -> Generator[str]:
    """Give the URL of a migrated database on that server."""
    name = f"shop_{next(_numbers)}"
    copying = sql.SQL("TEMPLATE shop STRATEGY file_copy")
    yield databases.create(cluster.url, name, copying)
    databases.drop(cluster.url, name)
