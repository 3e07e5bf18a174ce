"""What the other tests adopt is what drizzle-kit and drizzle-orm make and write."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from postgres_testing import databases
from postgres_testing.embedded import Server
from tests.integration.adoption.conftest import Dump
from tests.support import adopted, drizzle

pytestmark = pytest.mark.skipif(
    not drizzle.INSTALLED, reason="DRIZZLE names no folder with both of Drizzle"
)


@pytest.fixture
def installed() -> Path:
    """Give the folder with drizzle-kit and drizzle-orm."""
    assert drizzle.INSTALLED
    return drizzle.INSTALLED


def test_the_documented_tables_are_drizzle_kits(
    installed: Path, tmp_path: Path
) -> None:
    """drizzle-kit makes the committed SQL of the documented schema."""
    drizzle.generate(installed, tmp_path)
    written = (tmp_path / "0000_seed.sql").read_text()
    committed = drizzle.SOURCE / "documented/migrations/0000_seed.sql"
    assert written == committed.read_text()


@pytest.mark.parametrize(
    ("kind", "applied"), [("fresh", 3), ("stopped", 2), ("documented", 1)]
)
def test_the_ledger_is_drizzle_orms(
    installed: Path,
    postgres_server: Server,
    dump: Dump,
    kind: drizzle.Kind,
    applied: int,
) -> None:
    """drizzle-orm's migrator leaves the same database, its ledger included.

    Where the third migration came when the second stood, it never runs.
    """
    with (
        databases.template(
            postgres_server.url, lambda url: drizzle.replay(url, kind)
        ) as ours,
        databases.template(
            postgres_server.url, lambda url: drizzle.migrate(url, installed, kind)
        ) as theirs,
        ours.clone() as replayed,
        theirs.clone() as url,
    ):
        assert dump(url) == dump(replayed)
        with psycopg.connect(url) as conn:
            count = conn.execute("SELECT count(*) FROM drizzle.__drizzle_migrations")
            assert count.fetchone() == (applied,)
            columns = conn.execute(
                "SELECT count(*) FROM pg_attribute"
                " WHERE attrelid = 'orders'::regclass AND attname = 'payment_hash'"
            )
            assert columns.fetchone() == (0 if kind == "stopped" else 1,)


def test_what_drizzle_orm_writes_is_adopted(
    installed: Path, postgres_server: Server
) -> None:
    """A user's day, as the replaced backend writes it on a server in another zone.

    Every time is the instant that it was, and no row breaks a rule.
    """
    zone = "Asia/Tokyo"
    with (
        databases.template(postgres_server.url, drizzle.make) as made,
        made.clone() as url,
    ):
        with psycopg.connect(url, autocommit=True) as conn:
            name = sql.Identifier(conn.info.dbname)
            alter = sql.SQL("ALTER DATABASE {} SET TimeZone = {}")
            conn.execute(alter.format(name, zone))
        before = datetime.now(UTC) - timedelta(seconds=1)
        drizzle.write(url, installed)
        after = datetime.now(UTC) + timedelta(seconds=1)
        told: list[str] = []
        found = adopted.adopt(url, time_zone=None, progress=told.append)
        assert found.breaking == ()
        with psycopg.connect(url) as conn:
            times = [
                value
                for table, columns in TIMES.items()
                for row in conn.execute(f"SELECT {columns} FROM {table}".encode())  # noqa: S608 - ours
                for value in row
            ]
            assert len(times) == 13
            assert {before < time < after for time in times} == {True}
            said = conn.execute("SELECT parts FROM chat_messages ORDER BY position")
            assert [parts for (parts,) in said] == [
                [{"type": "text", "text": "Hi"}],
                [{"type": "text", "text": "Hello"}],
            ]
            variants = conn.execute(
                "SELECT size, color FROM cart_items"
                " UNION SELECT size, color FROM order_items"
            ).fetchall()
            assert variants == [(None, None)]
        assert any("1 deposits of 0.000001 USDC" in line for line in told)


TIMES = {
    "users": "created_at, updated_at",
    "chat_sessions": "created_at, updated_at",
    "chat_messages": "created_at",
    "cart_items": "created_at, deleted_at",
    "orders": "created_at",
    "order_items": "created_at",
}
