"""Processes of workers that the tests share."""

from collections.abc import Generator

import pytest

from store_testing.history import farm
from store_testing.history.farm import Farm


@pytest.fixture(scope="session")
def workers() -> Generator[Farm]:
    """Give four processes of workers, two of them asynchronous."""
    with farm.start() as started:
        yield started
