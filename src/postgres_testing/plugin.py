"""pytest fixtures: a server for the session, and a database of its own for each test.

Nothing is imported or started before a test asks for a fixture. Which schema the
databases have is yours to say, by a session fixture `postgres_schema`:

    @pytest.fixture(scope="session")
    def postgres_schema() -> Schema:
        return schemas.migrated(Path("db/migrations"))
"""

# Imports are in the fixtures, lest a project that has this installed pays for it.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import shlex
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    import psycopg

    from postgres_testing.databases import Template
    from postgres_testing.embedded import Server
    from postgres_testing.schemas import Schema

__all__ = ["cloned"]


class _Clone(NamedTuple):
    url: str
    template: Template
    server: Server


_CLONES = pytest.StashKey[list[_Clone]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that keeps the databases of failed tests."""
    parser.getgroup("postgres").addoption(
        "--keep-databases",
        action="store_true",
        default=bool(os.environ.get("TEST_KEEP_DATABASES")),
        help="keep the database of each test that fails, and say how to see it"
        " (or set TEST_KEEP_DATABASES)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the databases of a test that failed, if that is asked for."""
    report = yield
    if report.failed and item.config.getoption("keep_databases"):
        for url, template, server in item.stash.get(_CLONES, list[_Clone]()):
            left = server.leave_running()
            template.keep(url, item.nodeid)
            from postgres_testing import databases

            kept = databases.url_of(left.url, databases.name_of(url))
            # For a shell, in which the URL's & and ? would mean something.
            look = shlex.join([str(server.bin / "psql"), kept])
            report.sections.append(
                ("PostgreSQL", f"The database is kept: {look}\n{left.ending}")
            )
    return report


@contextmanager
def cloned(request: pytest.FixtureRequest, template: Template) -> Generator[str]:
    """Have a clone of a template for a test; give its URL.

    It is dropped with the block, or kept where the test fails and that is asked for.
    For fixtures beside `database_url`, with a template of their own.
    """
    server: Server = request.getfixturevalue("postgres_server")
    with template.clone() as url:
        clones = request.node.stash.setdefault(_CLONES, list[_Clone]())
        clones.append(_Clone(url, template, server))
        yield url
        clones.pop()


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Generator[Server]:
    """Give the session's server: that of TEST_DATABASE_URL, a container, or embedded.

    With xdist each process has its own, unless it is given.
    """
    from postgres_testing import servers

    try:
        schema: Schema | None = request.getfixturevalue("postgres_schema")
    except pytest.FixtureLookupError as error:
        if error.argname != "postgres_schema":
            raise
        schema = None  # the server is asked for, and none of our databases
    with servers.choose().start(schema) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(
    postgres_server: Server, postgres_schema: Schema
) -> Generator[Template]:
    """Give the database that has the schema, to be cloned; it is built once."""
    from postgres_testing import databases

    with databases.cached_template(postgres_server.url, postgres_schema) as template:
        yield template


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, postgres_template: Template
) -> Generator[str]:
    """Give the URL of a fresh database that has the schema."""
    with cloned(request, postgres_template) as url:
        yield url


@pytest.fixture
def conn(database_url: str) -> Generator[psycopg.Connection]:
    """Give an autocommit connection to the test's database."""
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def async_conn(database_url: str) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Give an autocommit connection to the test's database, to be awaited."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(
        database_url, autocommit=True
    ) as connection:
        yield connection
