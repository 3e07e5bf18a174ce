"""A server of one's own to test the kit on, and small projects that use the kit."""

from collections.abc import Generator

import pytest

from postgres_testing import embedded
from postgres_testing.embedded import Server


@pytest.fixture(scope="session")
def own_server() -> Generator[Server]:
    """Give a server that nobody else uses, on which no template lies."""
    with embedded.start() as server:
        yield server


@pytest.fixture
def no_server_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is run choose the embedded server, whatever this session runs on."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_KEEP_DATABASES", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
