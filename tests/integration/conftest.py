"""A store on the test's own database."""

from collections.abc import Generator

import pytest

from store import Store
from tests.support import stores


@pytest.fixture
def store(database_url: str) -> Generator[Store]:
    """Give an open store on a fresh, migrated database."""
    with stores.opened(database_url) as opened:
        yield opened
