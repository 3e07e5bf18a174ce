"""The roles of db/roles.sql: enough for the store and for migrations, and no more."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from generated import chats
from postgres_testing import databases
from postgres_testing.embedded import Server
from store import Settings, Store, migrations
from store.settings import DatabaseSettings
from store_testing import factories, schema
from tests.support.recorded import MIGRATIONS

_SCRIPT = schema.MIGRATIONS.parent / "roles.sql"
_PASSWORD = "only for these tests"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Roles:
    """Where the two log in, and where their maker does."""

    admin: str
    app: str
    migrator: str


@pytest.fixture
def roles(postgres_server: Server) -> Generator[Roles]:
    """Give a database that has the two roles and nothing else."""
    names = {
        role: f"store_test_{role}_{secrets.token_hex(4)}"
        for role in ("app", "migrator")
    }
    with (
        databases.template(postgres_server.url, lambda _url: None) as empty,
        psycopg.connect(postgres_server.url, autocommit=True) as admin,
    ):
        url = databases.url_of(postgres_server.url, empty.name)
        try:
            for _ in range(2):
                run_script(postgres_server, url, names)
            for name in names.values():
                admin.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                        sql.Identifier(name), sql.Literal(_PASSWORD)
                    )
                )
            yield Roles(url, **{role: at(url, name) for role, name in names.items()})
        finally:
            with psycopg.connect(url, autocommit=True) as conn:
                for name in names.values():
                    role = sql.Identifier(name)
                    conn.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
                    conn.execute(sql.SQL("DROP ROLE {}").format(role))


def run_script(server: Server, url: str, names: dict[str, str]) -> None:
    """Run the script as its head says."""
    done = subprocess.run(
        [
            server.bin / "psql",
            "--no-psqlrc",
            *(f"--set={role}={name}" for role, name in names.items()),
            f"--file={_SCRIPT}",
            url,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def at(url: str, name: str) -> str:
    """Give the URL by which a role logs in."""
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    login = f"{quote(name)}:{quote(_PASSWORD)}"
    return parts._replace(netloc=f"{login}@{where}").geturl()


def migrated(roles: Roles) -> None:
    """Run all migrations as the role that is for them."""
    settings = DatabaseSettings.load(database_url=roles.migrator)
    migrations.up(settings, directory=MIGRATIONS)


def test_the_store_needs_rows_only(roles: Roles) -> None:
    """With the application's role a user signs up, chats, buys, pays and goes."""
    migrated(roles)
    with Store(Settings.load(database_url=roles.app)) as store:
        with store.connection() as conn:
            user_id = factories.add_user(conn)
            item = factories.add_item(conn, user_id)
            session = chats.create_chat_session(conn, user_id=user_id, title=None)
        assert session is not None
        message = {"id": "1", "role": "user", "parts": [{"type": "text", "text": "hi"}]}
        store.save_turn(user_id, session.id, [message])
        store.checkout(user_id, [factories.line(item, "c", Decimal(1))])
        for kind in (factories.PAYMENT_SUCCEEDED, "orders.delivery.completed"):
            store.record_order_event(factories.event(kind, "c"))
        store.delete_user(user_id)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE users",
        "TRUNCATE users CASCADE",
        "ALTER TABLE users ADD COLUMN x integer",
        "CREATE TABLE x ()",
        "CREATE FUNCTION x() RETURNS integer RETURN 1",
        "ALTER TABLE orders DISABLE TRIGGER ALL",
        "DROP FUNCTION order_status_of",
        "CREATE ROLE x",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_the_application_changes_no_schema(roles: Roles, statement: str) -> None:
    """What is more than reading and writing rows is refused."""
    migrated(roles)
    with (
        psycopg.connect(roles.app) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute(statement.encode())


def test_migrations_take_back_what_they_made(roles: Roles) -> None:
    """The migrations' role can roll back and run again, and is no superuser."""
    migrated(roles)
    settings = DatabaseSettings.load(database_url=roles.migrator)
    migrations.rollback(settings, directory=MIGRATIONS)
    migrated(roles)
    with psycopg.connect(roles.migrator) as conn:
        [row] = conn.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchall()
    assert row == (False, False, False, False)
