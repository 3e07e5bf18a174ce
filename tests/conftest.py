"""The server of the session, and a database of its own for each test that asks."""

import os
import signal
from collections.abc import Generator
from contextlib import ExitStack

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from devserver import databases, servers
from devserver.databases import Template
from devserver.embedded import Server
from tests.support import adopted, pooler, stores

# An example's time says more of the machine than of the code, and a clone per test
# function, not per example, is what `database_url` is meant to give.
settings.register_profile(
    "database",
    settings.default,
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("database")
# With CI set, examples are the same each time; these are not.
settings.register_profile(
    "random",
    settings.get_profile("database"),
    max_examples=100,
    derandomize=False,
    print_blob=True,
)

# Has the tests run on a database that Drizzle made and `baseline` has adopted.
ADOPTED = "TEST_ADOPTED" in os.environ

_PROVIDER = pytest.StashKey[servers.Provider]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the server, and forget databases that are not for tests."""
    # In the background, or under nohup, they are ignored, and so by every child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name in ("DATABASE_URL", "DATABASE_URL_DIRECT"):
        os.environ.pop(name, None)
    try:
        config.stash[_PROVIDER] = servers.choose()
    except psycopg.Error as error:
        raise pytest.UsageError(f"TEST_DATABASE_URL: {error}") from error


def pytest_xdist_auto_num_workers() -> int | None:
    """Run in one process on a given server: some tests look at it as a whole.

    Elsewhere each process has a server of its own.
    """
    return 1 if os.environ.get("TEST_DATABASE_URL") else None


def pytest_report_header(config: pytest.Config) -> str:
    """Say which server the tests run on, and if their schema was not migrated there."""
    adopted = ", databases adopted from Drizzle" if ADOPTED else ""
    pooled = ", behind PgBouncer" if pooler.program() else ""
    return f"PostgreSQL: {config.stash[_PROVIDER].description}{adopted}{pooled}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what tests have counted: examples that ran, queries that were covered."""
    counted = [
        f"{count:6} {what} in {report.nodeid}"
        for report in terminalreporter.getreports("passed")
        for what, count in report.user_properties
    ]
    if counted:
        terminalreporter.section("counted")
        terminalreporter.write_line("\n".join(counted))


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Generator[Server]:
    """Give the session's server; databases on it are the tests' own business."""
    with pytestconfig.stash[_PROVIDER].start() as running, ExitStack() as stack:
        if pgbouncer := pooler.program():
            between = stack.enter_context(pooler.start(pgbouncer, running.url))
            stores.poolers.append(between)
            stack.callback(stores.poolers.clear)
        yield running


@pytest.fixture(scope="session")
def template(server: Server) -> Generator[Template]:
    """Give the migrated database, to be cloned; or the adopted one."""
    if ADOPTED:
        made = databases.template(server.url, adopted.make)
    else:
        made = databases.migrated_template(server.url)
    with made as template:
        yield template


@pytest.fixture
def database_url(template: Template) -> Generator[str]:
    """Give the URL of a fresh, migrated database."""
    with template.clone() as url:
        yield url


@pytest.fixture
def conn(database_url: str) -> Generator[psycopg.Connection]:
    """Give an autocommit connection to a fresh, migrated database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection
