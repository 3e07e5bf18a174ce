"""Which server the session has, and what of the kit is otherwise for the store."""

import os
import signal
from collections.abc import Generator
from contextlib import ExitStack

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from postgres_testing import databases, embedded, pooler, servers
from postgres_testing.databases import Template
from postgres_testing.embedded import Server, ServerError
from postgres_testing.schemas import Schema
from store import Settings
from tests.support import adopted, citus, stores

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
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    for name in ("DATABASE_URL", "DATABASE_URL_DIRECT", "DATABASE_URL_REPLICA"):
        os.environ.pop(name, None)
    if stores.ON_CITUS:
        os.environ["TEST_DATABASE_URL"] = citus.URL
    try:
        config.stash[_PROVIDER] = servers.choose()
    except psycopg.Error as error:
        raise pytest.UsageError(f"TEST_DATABASE_URL: {error}") from error
    except ServerError as error:
        raise pytest.UsageError(f"TEST_POSTGRES_BIN: {error}") from error


def pytest_xdist_auto_num_workers() -> int | None:
    """Run in one process on a given server: some tests look at it as a whole.

    Elsewhere each process has a server of its own.
    """
    return 1 if os.environ.get("TEST_DATABASE_URL") else None


def pytest_report_header(config: pytest.Config) -> str:
    """Say which server the tests run on, and if their schema was not migrated there."""
    adopted = ", databases adopted from Drizzle" if ADOPTED else ""
    schema = f", in the schema {stores.SCHEMA}" if stores.SCHEMA else ""
    schema += ", which Citus has distributed" if stores.ON_CITUS else ""
    pooled = ", behind PgBouncer" if pooler.program() else ""
    return f"PostgreSQL: {config.stash[_PROVIDER].description}{adopted}{schema}{pooled}"


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
def postgres_server(postgres_server: Server) -> Generator[Server]:
    """Put PgBouncer before the session's server, where that is asked for."""
    with ExitStack() as stack:
        if pgbouncer := pooler.program():
            between = stack.enter_context(pooler.start(pgbouncer, postgres_server.url))
            stores.poolers.append(between)
            stack.callback(stores.poolers.clear)
        yield postgres_server


@pytest.fixture(scope="session")
def own_server() -> Generator[Server]:
    """Give a server that nobody else uses: whoever counts its databases finds all."""
    with embedded.start() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(
    postgres_server: Server, postgres_schema: Schema
) -> Generator[Template | citus.OneSchema]:
    """Give the migrated database, to be cloned.

    The adopted one, and one with a schema of its own, are built each time.
    """
    url = postgres_server.url
    if stores.ON_CITUS:
        yield citus.OneSchema(stores.SCHEMA)
        return
    with (
        databases.template(url, adopted.make if ADOPTED else stores.migrate)
        if ADOPTED or stores.SCHEMA
        else databases.cached_template(url, postgres_schema)
    ) as template:
        yield template


@pytest.fixture
def database_url(database_url: str) -> str:
    """Give the URL of a fresh database, with its schema if that is not the default."""
    is_plain = stores.SCHEMA and not stores.ON_CITUS
    return stores.in_schema(database_url) if is_plain else database_url


@pytest.fixture
def store_settings(database_url: str) -> Settings:
    """Give settings for the test's own database, by way of PgBouncer if it is there."""
    return stores.settings(database_url)
