"""What is wrong with a database is named, each fault planted for real."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from generated.internal import server as queries
from generated.internal.server import GetServerRow
from postgres_testing import databases
from postgres_testing.embedded import Server
from store.doctor import server as server_checks
from store.schema_tools import programs

from .conftest import PASSWORD, Doctor

# Faults of a database, each planted by a statement, its name standing for `{}`

FAULTS: dict[str, tuple[LiteralString, str, str, str]] = {
    "pending": (
        "DELETE FROM schema_migrations WHERE version = '0015'",
        *("wrong", "schema", "1 migrations are pending, the first is 0015_"),
    ),
    "not migrated": (
        "DELETE FROM schema_migrations",
        *("wrong", "schema", "no migration is applied"),
    ),
    "newer": (
        "INSERT INTO schema_migrations VALUES ('9999')",
        *("notice", "schema", "9999"),
    ),
    "another file": (
        (
            "ALTER TABLE schema_migrations ADD name text, ADD sha256 text;"
            "UPDATE schema_migrations SET name = '0003_x.sql', sha256 = 'x'"
            " WHERE version = '0003'"
        ),
        *("wrong", "schema", "0003_carts.sql"),
    ),
    "a broken index": (
        (
            "UPDATE pg_index SET indisvalid = FALSE"
            " WHERE indexrelid = 'users_pkey'::regclass"
        ),
        *("wrong", "indexes", "users_pkey"),
    ),
    "a column by hand": (
        "ALTER TABLE users ADD shoe_color text",
        *("wrong", "schema", "only here has: CREATE TABLE public.users ( shoe_color"),
    ),
    "a rule gone": (
        "ALTER TABLE users DROP CONSTRAINT users_updated_after_created",
        *("wrong", "schema", "only db/schema.sql has: "),
    ),
    "read only": (
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        *("wrong", "server settings", "nothing can be written"),
    ),
    "no triggers": (
        "ALTER DATABASE {} SET session_replication_role = replica",
        *("wrong", "server settings", "turns triggers and foreign keys off"),
    ),
    "idle sessions end": (
        "ALTER DATABASE {} SET idle_session_timeout = '1min'",
        *("notice", "server settings", "idle_session_timeout is 60000 ms"),
    ),
    "damage is hidden": (
        "ALTER DATABASE {} SET zero_damaged_pages = on",
        *("wrong", "server settings", "damaged rows vanish"),
    ),
    "few connections": (
        "ALTER DATABASE {} CONNECTION LIMIT 3",
        *("wrong", "connections", "there are but 3"),
    ),
    "a time zone": (
        "ALTER DATABASE {} SET timezone = 'Europe/Berlin'",
        *("notice", "time zone", "Europe/Berlin"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_database_is_named(
    doctor: Doctor, conn: psycopg.Connection, fault: str
) -> None:
    """It is named where it was planted, and not before."""
    planting, level, check, words = FAULTS[fault]
    major = programs.version().partition(".")[0]
    if words.startswith("only ") and conn.info.server_version // 10_000 != int(major):
        pytest.skip("other versions spell the schema otherwise, and are not compared")
    assert not doctor().names(level, check, words)
    database = sql.Identifier(conn.info.dbname)
    conn.execute(sql.SQL(planting).format(database))
    assert doctor().names(level, check, words)


def test_an_edited_migration_is_named(doctor: Doctor, tmp_path: Path) -> None:
    """A recorded file that changed is found before any server is asked."""
    assert not doctor().names("wrong", "journal", "0002_chats.sql")
    with (tmp_path / "db/migrations/0002_chats.sql").open("a") as file:
        file.write("-- one more line\n")
    assert doctor().names("wrong", "journal", "0002_chats.sql")


def test_an_encoding_that_cannot_hold_every_text_is_named(
    doctor: Doctor, postgres_server: Server
) -> None:
    """A database in LATIN1 refuses most names of people."""
    name = f"store_test_{secrets.token_hex(4)}"
    options = sql.SQL("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    url = databases.create(postgres_server.url, name, options)
    try:
        report = doctor(DATABASE_URL=url)
    finally:
        databases.drop(postgres_server.url, name)
    assert report.names("wrong", "encoding", "in LATIN1")


def test_a_role_that_lacks_a_right_is_named(
    doctor: Doctor, conn: psycopg.Connection, database_url: str
) -> None:
    """Each table that it cannot write is named with what it lacks, and nothing more."""
    role = f"store_test_{secrets.token_hex(4)}"
    names = {"role": sql.Identifier(role), "password": sql.Literal(PASSWORD)}
    for statement in (
        "CREATE ROLE {role} LOGIN PASSWORD {password}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "REVOKE UPDATE, DELETE ON cart_items FROM {role}",
    ):
        conn.execute(sql.SQL(statement).format(**names))
    one = urlsplit(database_url)
    place = f"{role}:{quote(PASSWORD)}@{one.hostname}:{one.port}"
    try:
        report = doctor(DATABASE_URL=one._replace(netloc=place).geturl())
    finally:
        for statement in ("DROP OWNED BY {role}", "DROP ROLE {role}"):
            conn.execute(sql.SQL(statement).format(**names))
    rights = [said for check, said in report.of("wrong") if check == "rights"]
    assert rights == [f"{role} lacks UPDATE, DELETE on cart_items"]
    assert PASSWORD not in report.text


def test_a_superuser_is_more_than_it_needs(doctor: Doctor) -> None:
    """The application's role should not be one."""
    assert doctor().names("notice", "rights", "is a superuser")


@pytest.mark.parametrize("minutes", [2, 10])
def test_a_clock_that_is_wrong_is_named(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """From five minutes on, webhooks are refused, which is worse than before."""

    class Late(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Late:
            now = datetime.now(tz) + timedelta(minutes=minutes)
            return cls.fromtimestamp(now.timestamp(), tz)

    assert doctor().names("ok", "clock", "agree")
    monkeypatch.setattr(server_checks, "datetime", Late)
    level = "notice" if minutes == 2 else "wrong"
    assert doctor().names(level, "clock", f"differ by {minutes * 60} s")


@pytest.mark.parametrize(
    ("number", "version", "words"),
    [
        (140015, "14.15", "lacks NULLS NOT DISTINCT"),
        (150009, "15.9", "before 15.10 slots lost WAL"),
        (160001, "16.1", "before 16.2 GIN indexes could be corrupted"),
        (170001, "17.1", "before 17.2 replication slots could lose WAL"),
    ],
)
def test_a_version_with_known_faults_is_named(
    doctor: Doctor,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    version: str,
    words: str,
) -> None:
    """Old versions, and minor ones that lose something, as no registry has them now."""
    ask = queries.get_server

    def older(conn: psycopg.Connection) -> GetServerRow:
        row = ask(conn)
        row.version_number, row.version = number, version
        return row

    monkeypatch.setattr(queries, "get_server", older)
    assert doctor().names("wrong", "server", words)
