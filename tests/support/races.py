"""Two at once, brought to the point of their race by locks, never by time."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from tests.support import stores
from tests.support.gates import Gate

__all__ = ["no_deadlock", "race"]

_T = TypeVar("_T")
_U = TypeVar("_U")


def race(
    gate: Gate, first: Callable[[], _T], second: Callable[[], _U]
) -> tuple[Future[_T], Future[_U]]:
    """Bring T1 to its COMMIT, T2 as far as it comes, then let both end."""
    with ThreadPoolExecutor(2) as threads:
        try:
            one = threads.submit(first)
            gate.wait_for_arrival()
            other = threads.submit(second)
            gate.wait_until_waiting(2)
        finally:
            gate.open()
    return one, other


@contextmanager
def no_deadlock(conn: psycopg.Connection) -> Generator[None]:
    """Fail if there was a deadlock, which a retry hides.

    In the block all other connections to the database are closed.
    """
    yield
    if stores.ON_CITUS:
        return  # whose own sessions stay, and report nothing
    others = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    # A backend reports its deadlocks when it ends, at the latest.
    while conn.execute(others).fetchone() != (0,):
        time.sleep(0.002)
    [(deadlocks,)] = conn.execute(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert deadlocks == 0
