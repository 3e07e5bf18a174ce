"""Small projects that use the kit."""

import pytest


@pytest.fixture
def no_server_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is run choose the embedded server, whatever this session runs on."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_POSTGRES_BIN", raising=False)
    monkeypatch.delenv("TEST_KEEP_DATABASES", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
