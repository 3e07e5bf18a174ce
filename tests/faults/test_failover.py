"""A store whose URL names two servers goes on with the one that was promoted.

docs/failover.md tells how to set this up.
"""

import os
import time
from collections.abc import Callable, Generator

import psycopg
import pytest

from postgres_testing import clusters, databases
from postgres_testing.clusters import Cluster
from store_testing.history.farm import Farm, Running
from store_testing.schema import SCHEMA
from tests.faults.load import CALLS, LIMITS, under_load


@pytest.fixture
def servers() -> Generator[tuple[Cluster, Cluster]]:
    """Give a primary and its synchronous standby."""
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server of TEST_DATABASE_URL has no standby of ours")
    with clusters.pair() as started:
        SCHEMA.build(databases.create(started[0].url, "shop"))
        yield started


@pytest.mark.parametrize(
    "how",
    [
        "dead",
        pytest.param("frozen", marks=pytest.mark.long),
        pytest.param("alone", marks=pytest.mark.long),
    ],
)
def test_failover(
    workers: Farm,
    servers: tuple[Cluster, Cluster],
    how: str,
    record_property: Callable[[str, object], None],
) -> None:
    """The primary is dead or frozen: the standby serves, and nothing is lost.

    Nor is any where the standby was away as the primary died (`alone`): what it did not
    get was not acknowledged. The figures are in the report, under "counted".
    """
    primary, standby = servers
    options = {"target_session_attrs": "read-write", "connect_timeout": "2"}
    both = clusters.urls_of("shop", primary, standby, **options)

    def fault(running: Running) -> None:
        if how == "frozen":
            primary.freeze()
        else:
            if how == "alone":
                standby.kill()
                time.sleep(0.5)
            primary.kill()
        running.struck = time.monotonic()
        if how == "alone":
            standby.start()
        standby.promote()
        # Until all that was under way on the old primary has come to its limits.
        running.wait_for_calls(CALLS)

    after = under_load(
        workers,
        clusters.urls_of("shop", primary),
        fault,
        through=both,
        checked=clusters.urls_of("shop", standby),
    )
    print(how, f"first success after {after.first_success:.2f} s,", end=" ")
    print(f"longest call {after.longest:.2f} s", dict(after.failed))
    record_property("first_success_ms", round(after.first_success * 1000))
    assert after.failed.total() or how == "dead"  # repeated before the caller hears
    assert after.first_success < LIMITS["statement"] + 4 + 2 * LIMITS["connect"]
    with psycopg.connect(both) as conn:
        assert conn.info.port == standby.port
