"""What the other tests adopt is what drizzle-kit and drizzle-orm make."""

from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from tests.integration.adoption.conftest import Dump
from tests.support import databases, drizzle
from tests.support.embedded import Server

pytestmark = pytest.mark.skipif(
    not drizzle.INSTALLED, reason="DRIZZLE names no folder with both of Drizzle"
)


@pytest.fixture
def installed() -> Path:
    """Give the folder with drizzle-kit and drizzle-orm."""
    assert drizzle.INSTALLED
    return drizzle.INSTALLED


@pytest.fixture
def replayed(server: Server) -> Generator[str]:
    """Give a database that the committed migrations have made without Drizzle."""
    with databases.template(server.url, drizzle.replay) as made, made.clone() as url:
        yield url


def test_the_migrations_are_drizzle_kits(installed: Path, tmp_path: Path) -> None:
    """drizzle-kit makes the committed SQL of the committed schema."""
    drizzle.generate(installed, tmp_path)
    written = (tmp_path / "0000_seed.sql").read_text()
    assert written == (drizzle.SOURCE / "migrations/0000_seed.sql").read_text()


def test_the_ledger_is_drizzle_orms(
    installed: Path, replayed: str, server: Server, dump: Dump
) -> None:
    """drizzle-orm's migrator leaves the same database, its ledger included."""

    def migrate(url: str) -> None:
        drizzle.migrate(url, installed)

    with databases.template(server.url, migrate) as made, made.clone() as url:
        assert dump(url) == dump(replayed)
        with psycopg.connect(url) as conn:
            count = conn.execute("SELECT count(*) FROM drizzle.__drizzle_migrations")
            assert count.fetchone() == (1,)
