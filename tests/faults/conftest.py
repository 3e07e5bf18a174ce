"""Workers, and a server of their own that may be harmed."""

import os
from collections.abc import Generator
from itertools import count

import psycopg
import pytest
from psycopg import sql

from tests.history import farm
from tests.history.farm import Farm
from tests.support import clusters
from tests.support.clusters import Cluster

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
        clusters.migrate(started, "shop")
        yield started


@pytest.fixture
def shop(cluster: Cluster) -> Generator[str]:
    """Give the URL of a migrated database on that server."""
    name = f"shop_{next(_numbers)}"
    quoted = sql.Identifier(name)
    with psycopg.connect(cluster.url, autocommit=True) as conn:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE shop STRATEGY file_copy")
        conn.execute(made.format(quoted))
    yield clusters.urls_of(name, cluster)
    with psycopg.connect(cluster.url, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))
