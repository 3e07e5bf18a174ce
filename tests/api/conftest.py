"""The API on a database of the test's own, with carts there or on chain."""

from collections.abc import Generator

import httpx
import pytest

from tests.api.serving import Api, served


@pytest.fixture
def api(database_url: str) -> Generator[Api]:
    """Serve the API; its workers run when a test has them run."""
    with served(database_url) as running:
        yield running


@pytest.fixture
def onchain(database_url: str) -> Generator[Api]:
    """Serve the API with carts on chain."""
    with served(database_url, cart_service="onchain") as running:
        yield running


@pytest.fixture
def user(api: Api) -> httpx.Client:
    """Give the client of a user who has finished the onboarding."""
    return api.user()
