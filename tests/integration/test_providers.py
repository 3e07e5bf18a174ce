"""Wherever the session's server comes from, the tests find the same thing."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from postgres_testing import databases, embedded, servers
from postgres_testing.embedded import Server
from store_testing.schema import SCHEMA

PROJECT = Path(__file__).parents[2]


def test_a_given_server_comes_first(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TEST_DATABASE_URL` wins; TLS is turned off for it where the server has none."""
    plain = urlsplit(own_server.url)._replace(query="").geturl()
    monkeypatch.setenv("TEST_DATABASE_URL", plain)
    provider = servers.choose()
    assert isinstance(provider, servers.Given)
    with provider.start() as given:
        check(provider, given)
    assert reachable(own_server.url)


def test_a_container_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container of a local image serves, and goes in the end."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_POSTGRES_BIN", raising=False)
    try:
        provider = servers.Container.local()
    except servers.NoContainerError as reason:
        pytest.skip(str(reason))
    assert servers.choose() == provider
    with provider.start() as server:
        check(provider, server)
    assert not reachable(server.url)


def test_another_folder_of_programs_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TEST_POSTGRES_BIN` wins over containers; without a server it is refused."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folder = next(iter(found), embedded.wheel_binaries())
    monkeypatch.setenv("TEST_POSTGRES_BIN", str(folder))
    provider = servers.choose()
    assert provider == servers.Embedded(folder)
    with provider.start() as server:
        check(provider, server)
        assert server.bin == folder
    monkeypatch.setenv("TEST_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(embedded.ServerError, match="holds no postgres"):
        servers.choose()


def test_a_server_without_client_programs_has_the_wheels(tmp_path: Path) -> None:
    """As npm's have none."""
    wheel = embedded.wheel_binaries()
    alone = tmp_path / wheel.parent.name / "bin"
    alone.mkdir(parents=True)
    for name in ("lib", "share"):
        (alone.parent / name).symlink_to(wheel.parent / name)
    for name in ("postgres", "initdb"):
        (alone / name).symlink_to(wheel / name)
    with servers.Embedded(alone).start() as server:
        assert server.bin == wheel


def test_the_embedded_server_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a given server or an engine that answers, the wheel's server serves."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_POSTGRES_BIN", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    provider = servers.choose()
    assert isinstance(provider, servers.Embedded)
    with provider.start() as server:
        check(provider, server)
    assert not reachable(server.url)


def test_no_image_is_pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that lacks the image is passed over, and said to lack it."""
    monkeypatch.setenv("TEST_POSTGRES_IMAGE", "nobody/has-this:1")
    with pytest.raises(servers.NoContainerError) as caught:
        servers.Container.local()
    if "has no image" not in str(caught.value):
        pytest.skip(str(caught.value))


def test_a_session_names_its_server_and_forgets_the_application_s(
    postgres_server: Server,
) -> None:
    """The header says which server; `DATABASE_URL` does not reach the tests."""
    guard = "test_no_test_sees_the_application_s_databases"
    ran = pytest_run(
        f"tests/integration/test_databases.py::{guard}",
        TEST_DATABASE_URL=postgres_server.url,
        DATABASE_URL="postgresql://application",
        DATABASE_URL_DIRECT="postgresql://application",
    )
    assert f"PostgreSQL: {postgres_server.version}, TEST_DATABASE_URL" in ran.stdout
    assert "1 passed" in ran.stdout


@pytest.mark.long
@pytest.mark.parametrize(("given", "number"), [(True, 1), (False, os.cpu_count())])
def test_a_given_server_has_one_process(
    given: bool, number: int, postgres_server: Server
) -> None:
    """Tests run in as many processes as there are cores, but share no server."""
    url = {"TEST_DATABASE_URL": postgres_server.url if given else ""}
    ran = pytest_run("tests/unit/test_checkouts.py", "--numprocesses=logical", **url)
    assert f"created: {number}/{number} worker" in ran.stdout


def test_a_given_server_that_is_not_there_stops_the_session() -> None:
    """Tests never fall back from a given server; the message shows no password."""
    url = f"postgresql://user:hidden@127.0.0.1:{embedded.free_port()}/postgres"
    ran = pytest_run("tests/unit", TEST_DATABASE_URL=url)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "TEST_DATABASE_URL: connection failed" in ran.stderr
    assert "hidden" not in ran.stdout + ran.stderr


def check(provider: servers.Provider, server: Server) -> None:
    """Check what the tests rely on: the version, and databases made and dropped."""
    before = database_names(server.url)
    with (
        databases.template(server.url, SCHEMA.build) as template,
        template.clone() as url,
    ):
        with psycopg.connect(url, autocommit=True) as conn:
            version = conn.info.parameter_status("server_version") or ""
            conn.execute("SELECT FROM schema_migrations")
        assert len(database_names(server.url) - before) == 2
    assert version.split()[0] == server.version
    assert provider.description.startswith(f"{server.version}, ")
    assert database_names(server.url) == before


def database_names(url: str) -> set[str]:
    """List the server's databases."""
    with psycopg.connect(url) as conn:
        return {name for (name,) in conn.execute("SELECT datname FROM pg_database")}


def reachable(url: str) -> bool:
    """Say whether a server takes connections."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def pytest_run(
    *arguments: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a session of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, **environment},
    )
