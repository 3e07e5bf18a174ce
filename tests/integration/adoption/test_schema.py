"""The schema after adoption is the migrations'."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from store import migrations
from store.migrations import Status
from tests.integration.adoption.conftest import Dump
from tests.support import adopted, databases
from tests.support.databases import MIGRATIONS, Template
from tests.support.embedded import Server

# What the seed's documents leave open, and a team may have decided otherwise.
VARIANTS: dict[str, LiteralString] = {
    "nullable columns": "ALTER TABLE users ALTER wallet_status DROP NOT NULL,"
    " ALTER created_at DROP NOT NULL; ALTER TABLE orders ALTER type DROP NOT NULL",
    "required columns": "UPDATE users SET email = 'x@example.org';"
    " ALTER TABLE users ALTER email SET NOT NULL",
    "no defaults": "ALTER TABLE users ALTER id DROP DEFAULT,"
    " ALTER created_at DROP DEFAULT; ALTER TABLE orders ALTER status DROP DEFAULT",
    "a default of their own": "ALTER TABLE orders ALTER type SET DEFAULT 'checkout'",
    "other lengths": "ALTER TABLE users ALTER street TYPE varchar(1000),"
    " ALTER email TYPE varchar, ALTER zip TYPE varchar(10)",
    "text": "ALTER TABLE users ALTER wallet_status TYPE text, ALTER city TYPE text;"
    " ALTER TABLE users ALTER sui_private_key_encrypted TYPE varchar(500)",
    "times with a zone": "SET TimeZone = 'UTC';"
    " ALTER TABLE users ALTER created_at TYPE timestamptz",
    "milliseconds": "ALTER TABLE chat_messages ALTER created_at TYPE timestamp(3)",
    "a scale": "ALTER TABLE orders ALTER amount_usdc TYPE numeric(20, 6)",
    "unique indexes": "ALTER TABLE users"
    " DROP CONSTRAINT users_crossmint_user_id_unique;"
    " CREATE UNIQUE INDEX identity ON users (crossmint_user_id)",
    "no unique constraint": "ALTER TABLE orders DROP CONSTRAINT orders_tx_hash_unique",
    "no index": "DROP INDEX users_wallet_address_idx, chat_messages_session_id_idx",
    "indexes of other names": "ALTER INDEX users_email_idx RENAME TO email_idx",
    "more indexes": "CREATE INDEX x ON cart_items (user_id);"
    " CREATE INDEX y ON orders (user_id, created_at DESC NULLS LAST)",
    "other foreign keys": "ALTER TABLE order_items"
    " DROP CONSTRAINT order_items_cart_item_id_cart_items_id_fk,"
    " ADD FOREIGN KEY (cart_item_id) REFERENCES cart_items ON DELETE CASCADE",
    "no foreign key": "ALTER TABLE orders DROP CONSTRAINT orders_user_id_users_id_fk",
    "the names of the migrations": "ALTER TABLE orders"
    " RENAME CONSTRAINT orders_crossmint_order_id_unique"
    " TO orders_crossmint_order_id_key",
    "an empty ledger of dbmate": "CREATE TABLE schema_migrations"
    " (version varchar PRIMARY KEY)",
}


@pytest.fixture(scope="module")
def check(server: Server, dump: Dump) -> Callable[[str], None]:
    """Compare a dump with that of a database that has seen but the migrations."""

    def migrate(url: str) -> None:
        migrations.up(adopted.at(url), directory=MIGRATIONS)

    with databases.template(server.url, migrate) as made, made.clone() as url:
        migrated = dump(url, data=False)

    def compare(url: str) -> None:
        migrate(url)
        assert dump(url, data=False) == migrated

    return compare


@given(st.sets(st.sampled_from(sorted(VARIANTS))))
@settings(max_examples=4)
@example(set())
@example(set(VARIANTS))
def test_the_schema_is_that_of_the_migrations(
    old_template: Template, check: Callable[[str], None], variants: set[str]
) -> None:
    """A dump has no difference, down to the order of columns, whatever was open."""
    with old_template.clone() as url:
        with psycopg.connect(url) as conn:
            for variant in sorted(variants):
                conn.execute(VARIANTS[variant])
        assert adopted.adopt(url).breaking == ()
        check(url)


def test_no_table_or_index_that_stays_is_written_again(
    old_url: str, old: psycopg.Connection
) -> None:
    """Types change without a rewrite: tables and their indexes keep their files."""
    files = (
        "SELECT pg_relation_filenode(oid), relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
    )
    before: dict[int, str] = dict(old.execute(files).fetchall())
    adopted.adopt(old_url)
    after: dict[int, str] = dict(old.execute(files).fetchall())
    assert {before[file] for file in before.keys() - after.keys()} == {
        "cart_items_active_unique",
        "chat_messages_session_id_idx",
        "chat_sessions_created_at_idx",
        "chat_sessions_updated_at_idx",
    }


def test_later_migrations_are_pending(old_url: str, tmp_path: Path) -> None:
    """Adoption ends with the migrations that it knows; `up` applies what came after."""
    directory = tmp_path / "db/migrations"
    shutil.copytree(MIGRATIONS, directory)
    later = "9999_later.sql"
    (directory / later).write_text(
        "-- migrate:up\nALTER TABLE users ADD later text;\n-- migrate:down\n"
    )
    migrations.record(directory)
    adopted.adopt(old_url, directory=directory)
    found = migrations.status(adopted.at(old_url), directory=directory)
    names = tuple(sorted(path.name for path in directory.glob("*.sql")))
    known = tuple(name for name in names if name < "0008")
    assert found == Status(applied=known, pending=names[len(known) :])
    assert later in migrations.up(adopted.at(old_url), directory=directory)


def test_what_is_of_neither_stays_and_is_told(
    old_url: str, old: psycopg.Connection
) -> None:
    """Columns, indexes, constraints, triggers and tables of the team's own are kept."""
    old.execute(
        "ALTER TABLE users ADD referral varchar(20), ADD CONSTRAINT brief"
        " CHECK (length(display_name) < 50);"
        "CREATE INDEX users_city_idx ON users (city);"
        "CREATE TABLE feedback (user_id uuid REFERENCES users);"
        "CREATE TABLE drizzle.notes ()"
    )
    told: list[str] = []
    adopted.adopt(old_url, progress=told.append)
    assert [line for line in told if line.startswith("-- ") and "keys" not in line] == [
        "-- stays, though no migration makes it: column referral of users",
        "-- stays, though no migration makes it: constraint brief of users",
        "-- stays, though no migration makes it: index users_city_idx of users",
        "-- the schema drizzle stays, which holds more than the ledger",
    ]
    kept = old.execute(
        "SELECT to_regclass('feedback'), to_regclass('users_city_idx'),"
        " to_regclass('drizzle.notes')"
    ).fetchone()
    assert kept == ("feedback", "users_city_idx", "drizzle.notes")
