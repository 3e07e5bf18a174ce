"""The server of the session, and databases with the golden projects' schemas."""

import signal
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from generator.tests import sqlc
from postgres_testing import databases, schemas
from postgres_testing.embedded import Server


def pytest_configure() -> None:
    """Let Ctrl-C end what runs here: in the background it is ignored, also below."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Let mypy read the standard library and psycopg once, not in each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy"))
        yield


@pytest.fixture(scope="session")
def shop_template(postgres_server: Server) -> Generator[databases.Template]:
    """Give a database with the schema of the golden project `shop`."""
    migrations = sqlc.GOLDEN / "shop" / "migrations"
    with databases.template(
        postgres_server.url, schemas.migrated(migrations).build
    ) as made:
        yield made


@pytest.fixture
def shop_url(shop_template: databases.Template) -> Generator[str]:
    """Give a fresh database with the schema of the golden project `shop`."""
    with shop_template.clone() as url:
        yield url


@pytest.fixture(scope="session")
def bulk_template(postgres_server: Server) -> Generator[databases.Template]:
    """Give a database with the schema of the golden project `bulk`."""
    migrations = sqlc.GOLDEN / "bulk" / "migrations"
    with databases.template(
        postgres_server.url, schemas.migrated(migrations).build
    ) as made:
        yield made


@pytest.fixture
def bulk_url(bulk_template: databases.Template) -> Generator[str]:
    """Give a fresh database with the schema of the golden project `bulk`."""
    with bulk_template.clone() as url:
        yield url


@pytest.fixture
def bulk(bulk_url: str) -> Generator[psycopg.Connection]:
    """Give an autocommit connection to a fresh `bulk`."""
    with psycopg.connect(bulk_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def authors_url(postgres_server: Server) -> Generator[str]:
    """Give a fresh database with the schema of the golden project `python`."""
    migrations = sqlc.GOLDEN / "python" / "migrations"
    with (
        databases.template(
            postgres_server.url, schemas.migrated(migrations).build
        ) as made,
        made.clone() as url,
    ):
        yield url


@pytest.fixture
def conn(shop_url: str) -> Generator[psycopg.Connection]:
    """Give an autocommit connection to a fresh `shop`."""
    with psycopg.connect(shop_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., sqlc.Project]:
    """Give a maker of projects in a folder of the test's own."""

    def make(schema: str, queries: str, options: str = "{}") -> sqlc.Project:
        return sqlc.Project.write(tmp_path, schema, queries, options)

    return make
