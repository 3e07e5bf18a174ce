"""Times of an old database are the instants that were meant, in whatever zone."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from postgres_testing import databases
from postgres_testing.embedded import Server
from store.errors import MigrationError
from tests.integration.adoption.conftest import Dump
from tests.support import adopted, drizzle

ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata"]

# The columns that only DEFAULT now() writes.
BY_DEFAULT = [
    "users",
    "chat_sessions",
    "chat_messages",
    "cart_items",
    "orders",
    "order_items",
]


@pytest.fixture
def empty_url(postgres_server: Server) -> Generator[str]:
    """Give the URL of an old database without rows."""
    with (
        databases.template(postgres_server.url, drizzle.make) as made,
        made.clone() as url,
    ):
        yield url


def set_zone(url: str, zone: str) -> None:
    """Have the server give new sessions a zone."""
    with psycopg.connect(url, autocommit=True) as conn:
        name = sql.Identifier(conn.info.dbname)
        alter = sql.SQL("ALTER DATABASE {} SET TimeZone = {}")
        conn.execute(alter.format(name, sql.Literal(zone)))


def write(url: str) -> dict[str, datetime]:
    """Write rows as the old backend does, and give the instants at which it did."""
    instants: dict[str, datetime] = {}
    with psycopg.connect(url, autocommit=True) as conn:

        def insert(name: str, statement: str, *values: Any) -> Any:  # noqa: ANN401
            with conn.transaction():
                row = conn.execute(
                    f"{statement} RETURNING id, now()".encode(), values
                ).fetchone()
            assert row
            instants[name] = row[1]
            return row[0]

        def update(name: str, table: str, column: str, row_id: object) -> None:
            # What Drizzle sends of a Date, of which a `timestamp` drops the zone.
            at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
            text = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            statement = f"UPDATE {table} SET {column} = %s WHERE id = %s"  # noqa: S608 - ours
            conn.execute(statement.encode(), [text, row_id])
            instants[name] = at

        new_user = "INSERT INTO users (crossmint_user_id, email) VALUES (%s, 'x')"
        user = insert("users", new_user, "a")
        update("updated", "users", "updated_at", user)
        insert("pending", new_user, "b")
        new = "INSERT INTO chat_sessions (user_id) VALUES (%s)"
        session = insert("chat_sessions", new, user)
        update("talked", "chat_sessions", "updated_at", session)
        insert(
            "chat_messages",
            "INSERT INTO chat_messages (session_id, role, parts)"
            " VALUES (%s, 'user', '[]')",
            session,
        )
        product = "product_id, product_name, price) VALUES (%s, 'x', 'X', 1)"
        new = f"INSERT INTO cart_items (user_id, {product}"
        item = insert("cart_items", new, user)
        update("deleted", "cart_items", "deleted_at", item)
        order = insert("orders", "INSERT INTO orders (user_id) VALUES (%s)", user)
        insert("order_items", f"INSERT INTO order_items (order_id, {product}", order)
    return instants


def read(url: str) -> dict[str, datetime]:
    """Read these instants."""
    with psycopg.connect(url) as conn:

        def one(query: str) -> datetime:
            row = conn.execute(query.encode()).fetchone()
            assert row
            found: datetime = row[0]
            return found

        user = "FROM users WHERE crossmint_user_id"
        created = {table: f"SELECT created_at FROM {table}" for table in BY_DEFAULT}  # noqa: S608 - ours
        created["users"] = f"SELECT created_at {user} = 'a'"
        found = {table: one(query) for table, query in created.items()}
        return {
            **found,
            "updated": one(f"SELECT updated_at {user} = 'a'"),
            "pending": one(f"SELECT updated_at {user} = 'b'"),
            "talked": one("SELECT updated_at FROM chat_sessions"),
            "deleted": one("SELECT deleted_at FROM cart_items"),
        }


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("given", [True, False])
def test_times_are_the_instants_that_were_meant(
    empty_url: str, zone: str, given: bool
) -> None:
    """Those by default were in the server's zone, those of the backend in UTC."""
    set_zone(empty_url, zone)
    written = write(empty_url)
    if given:
        set_zone(empty_url, "Pacific/Auckland")
    told: list[str] = []
    adopted.adopt(empty_url, time_zone=zone if given else None, progress=told.append)
    assert read(empty_url) == written
    assert told[0] == (
        f"-- times by default (created_at) are read as of the time zone {zone},"
        f" {'as given' if given else 'the setting of the server'}; others are UTC"
    )


def test_a_dry_run_says_the_zone_and_how_many_rows_it_moves(old_url: str) -> None:
    """It can be seen before that the zone is the right one."""
    told: list[str] = []
    adopted.adopt(old_url, time_zone="Asia/Tokyo", dry_run=True, progress=told.append)
    moved = [line.split(" have ")[0] for line in told if "by default, which" in line]
    assert moved == [
        "-- 14 rows of cart_items",
        "-- 8 rows of chat_messages",
        "-- 2 rows of chat_sessions",
        "-- 5 rows of order_items",
        "-- 15 rows of orders",
        "-- 4 rows of users",
    ]


@pytest.mark.parametrize("kind", ["created_at", "updated_at"])
def test_times_with_a_zone_stay(empty_url: str, kind: str) -> None:
    """Of a column that has one already nothing is guessed."""
    set_zone(empty_url, "Asia/Tokyo")
    written = write(empty_url)
    with psycopg.connect(empty_url) as conn:
        right = {
            "created_at": "created_at",
            "updated_at": "CASE WHEN updated_at = created_at THEN updated_at"
            " ELSE updated_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo' END",
        }[kind]
        for table in ("users", "chat_sessions"):
            conn.execute(
                f"ALTER TABLE {table} ALTER {kind}"
                f" TYPE timestamptz USING {right}".encode()
            )
    adopted.adopt(empty_url, time_zone="Asia/Tokyo")
    assert read(empty_url) == written


@pytest.mark.parametrize(
    ("options", "zone", "said"),
    [
        ("", "Nowhere/Land", "knows no time zone 'Nowhere/Land'"),
        ("&options=-c%20TimeZone%3DAsia/Tokyo", None, "not from the server"),
    ],
)
def test_a_zone_that_nobody_can_tell_is_refused(
    old_url: str, dump: Dump, options: str, zone: str | None, said: str
) -> None:
    """A client's own setting says nothing of the old backend's."""
    before = dump(old_url)
    with pytest.raises(MigrationError, match=said):
        adopted.adopt(old_url + options, time_zone=zone)
    assert dump(old_url) == before
