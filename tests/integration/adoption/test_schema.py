"""The schema after adoption is the migrations'."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postgres_testing import databases
from postgres_testing.databases import Template
from postgres_testing.embedded import Server
from store import migrations
from store.errors import MigrationError
from tests.integration.adoption.conftest import Dump
from tests.support import adopted, drizzle
from tests.support.recorded import MIGRATIONS

# What a team may have decided otherwise.
VARIANTS: dict[str, LiteralString] = {
    "nullable columns": "ALTER TABLE users ALTER wallet_status DROP NOT NULL,"
    " ALTER email DROP NOT NULL, ALTER created_at DROP NOT NULL;"
    " ALTER TABLE orders ALTER type DROP NOT NULL",
    "required columns": "UPDATE chat_sessions SET title = 'Untitled';"
    " ALTER TABLE chat_sessions ALTER title SET NOT NULL",
    "no defaults": "ALTER TABLE users ALTER id DROP DEFAULT,"
    " ALTER created_at DROP DEFAULT; ALTER TABLE orders ALTER type DROP DEFAULT",
    "a default of their own": "ALTER TABLE chat_messages ALTER role SET DEFAULT 'user'",
    "other lengths": "ALTER TABLE users ALTER street TYPE varchar(1000),"
    " ALTER country TYPE varchar(100), ALTER email TYPE varchar,"
    " ALTER zip TYPE varchar(10)",
    "text": "ALTER TABLE users ALTER wallet_status TYPE text, ALTER city TYPE text;"
    " ALTER TABLE users ALTER sui_private_key_encrypted TYPE varchar(500)",
    "times with a zone": "SET TimeZone = 'UTC';"
    " ALTER TABLE users ALTER created_at TYPE timestamptz",
    "milliseconds": "ALTER TABLE chat_messages ALTER created_at TYPE timestamp(3)",
    "a scale": "ALTER TABLE orders ALTER amount_usdc TYPE numeric(20, 6)",
    "unique constraints": "ALTER TABLE users ADD CONSTRAINT identity"
    " UNIQUE USING INDEX idx_users_crossmint_user_id",
    "no unique index": "DROP INDEX idx_orders_tx_hash",
    "no index": "DROP INDEX idx_users_wallet_address, idx_chat_messages_session_id",
    "indexes of other names": "ALTER INDEX idx_users_email RENAME TO email_idx",
    "more indexes": "CREATE INDEX x ON cart_items (user_id);"
    " CREATE INDEX y ON orders (user_id, created_at DESC NULLS LAST)",
    "other foreign keys": "ALTER TABLE order_items"
    " DROP CONSTRAINT order_items_cart_item_id_fkey,"
    " ADD FOREIGN KEY (cart_item_id) REFERENCES cart_items ON DELETE CASCADE",
    "no foreign key": "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey",
    "the names of the migrations": "ALTER INDEX idx_orders_crossmint_order_id"
    " RENAME TO orders_crossmint_order_id_key",
    "no payment_hash": "ALTER TABLE orders DROP payment_hash",
    "an empty ledger of dbmate": "CREATE TABLE schema_migrations"
    " (version varchar PRIMARY KEY)",
}

# One of each kind of change, as a later migration may make it. Its functions and its
# view find the tables whatever the search path; its rule replaces an older one.
LATER = """\
-- migrate:up
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', TRUE);
CREATE DOMAIN locale AS varchar(5)
    CONSTRAINT locale_is_known CHECK (VALUE ~ '^[a-z]{2}$');
COMMENT ON DOMAIN locale IS 'A language.';
ALTER DOMAIN onboarding_step DROP CONSTRAINT onboarding_step_is_0_to_3;
ALTER DOMAIN onboarding_step
    ADD CONSTRAINT onboarding_step_is_0_to_4 CHECK (VALUE BETWEEN 0 AND 4);
ALTER TABLE users ADD locale locale NOT NULL DEFAULT 'en', ADD orders integer;
ALTER TABLE chat_sessions ALTER title TYPE varchar(255);
UPDATE users SET orders = (
    SELECT count(*) FROM orders WHERE orders.user_id = users.id
) + (
    SELECT count(*) FROM order_events
    INNER JOIN orders ON order_events.order_id = orders.id
    WHERE orders.user_id = users.id
);
ALTER TABLE users ALTER orders SET NOT NULL,
    ADD CONSTRAINT users_orders_are_counted CHECK (orders >= 0);
COMMENT ON CONSTRAINT users_orders_are_counted ON users IS 'A number.';
CREATE TABLE notes (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT notes_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT notes_user_id_fkey REFERENCES users (id)
);
CREATE INDEX notes_user_id_idx ON notes (user_id);
COMMENT ON INDEX notes_user_id_idx IS 'The notes of a user.';
INSERT INTO notes (user_id) SELECT id FROM users;
CREATE VIEW locales AS SELECT id, locale FROM users;
CREATE FUNCTION notes_of(owner_id uuid) RETURNS bigint LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(*) FROM notes WHERE notes.user_id = owner_id;
END;
CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notes (user_id) VALUES (NEW.user_id);
    RETURN NULL;
END
$$ SET search_path FROM CURRENT;
CREATE TRIGGER orders_note AFTER INSERT ON orders
    FOR EACH ROW EXECUTE FUNCTION note_order();
-- migrate:down
"""


@pytest.fixture(scope="module")
def check(postgres_server: Server, dump: Dump) -> Callable[[str], None]:
    """Compare a dump with that of a database that has seen but the migrations."""

    def migrate(url: str) -> None:
        migrations.up(adopted.at(url), directory=MIGRATIONS)

    with databases.template(postgres_server.url, migrate) as made, made.clone() as url:
        migrated = dump(url, data=False)

    def compare(url: str) -> None:
        migrate(url)
        assert dump(url, data=False) == migrated

    return compare


def with_files(folder: Path, *, before: str = "9999", **texts: str) -> Path:
    """Make a folder of the migrations before a number, and of others, recorded."""
    folder.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < before:
            shutil.copy(path, folder)
    for name, text in texts.items():
        (folder / f"{name.removeprefix('_')}.sql").write_text(text)
    migrations.record(folder)
    return folder


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """Give a folder of all migrations and a later one."""
    return with_files(tmp_path / "later", _9999_later=LATER)


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


@pytest.mark.parametrize("kind", ["stopped", "documented"])
def test_every_kind_of_old_database_is_adopted(
    postgres_server: Server, check: Callable[[str], None], kind: drizzle.Kind
) -> None:
    """One that Drizzle left without payment_hash, and one as the documents have it."""
    with (
        databases.template(
            postgres_server.url, lambda url: drizzle.make(url, kind)
        ) as made,
        made.clone() as url,
    ):
        assert adopted.adopt(url).mended == ()
        check(url)


def test_all_that_a_later_migration_does_reaches_an_adopted_database(
    old_template: Template, later: Path, dump: Dump, tmp_path: Path
) -> None:
    """Schema and rows are those of one that stood at the first migrations before."""
    with old_template.clone() as url, old_template.clone() as other:
        for each in (url, other):
            with psycopg.connect(each) as conn:  # a later migration has the same
                conn.execute("DROP INDEX idx_users_evm_address")
        adopted.adopt(url, directory=later)
        adopted.adopt(other, directory=with_files(tmp_path / "first", before="0008"))
        migrations.up(adopted.at(other), directory=later)
        assert dump(url, data=False) == dump(other, data=False)
        query = (
            "SELECT id, orders, notes_of(id) FROM users WHERE orders > 0 ORDER BY id"
        )
        with psycopg.connect(url) as conn, psycopg.connect(other) as reference:
            counted = conn.execute(query).fetchall()
            assert counted == reference.execute(query).fetchall()
            assert len(counted) == 3
            conn.execute("SET search_path = pg_temp")
            conn.execute(
                "INSERT INTO public.orders (user_id, type) VALUES (%s, 'checkout')",
                counted[0][:1],
            )
            assert conn.execute(
                "SELECT public.notes_of(%s)", counted[0][:1]
            ).fetchone() == (2,)


def test_a_rule_that_a_later_migration_makes_is_told_with_the_rest(
    old_url: str, old: psycopg.Connection, later: Path, dump: Dump
) -> None:
    """It runs on the rows as they are, so a row that breaks its rule stops it."""
    old.execute("UPDATE users SET onboarding_step = 5 WHERE id::text LIKE '%2'")
    before = dump(old_url)
    told: list[str] = []
    with pytest.raises(MigrationError, match="1 rows do not fit"):
        adopted.adopt(old_url, directory=later, progress=told.append)
    assert (
        "users 10000000-0000-4000-8000-000000000002: breaks the rule, which it has to"
        " keep: see its definition (onboarding_step_is_0_to_4)"
    ) in told
    assert dump(old_url) == before


def test_no_table_or_index_that_stays_is_written_again(
    old_url: str, old: psycopg.Connection, tmp_path: Path
) -> None:
    """Types change without a rewrite: tables and their indexes keep their files.

    Later migrations may write a table again, as they do anywhere.
    """
    files = (
        "SELECT pg_relation_filenode(oid), relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
    )
    before: dict[int, str] = dict(old.execute(files).fetchall())
    adopted.adopt(old_url, directory=with_files(tmp_path / "first", before="0008"))
    after: dict[int, str] = dict(old.execute(files).fetchall())
    assert {before[file] for file in before.keys() - after.keys()} == {
        "idx_cart_items_deleted_at",
        "idx_cart_items_user_id",
        "idx_cart_items_user_variant",
        "idx_chat_messages_session_id",
        "idx_chat_sessions_updated_at",
        "idx_chat_sessions_user_id",
        "idx_order_items_order_id",
        "idx_orders_user_id",
    }


def test_what_needs_to_be_outside_of_a_transaction_is_left(
    old_url: str, tmp_path: Path
) -> None:
    """Adoption stops before such a migration, and `up` goes on from there."""
    left = ("9998_outside.sql", "9999_later.sql")
    directory = with_files(
        tmp_path / "migrations",
        _9998_outside="-- migrate:up transaction:false\n"
        "CREATE INDEX CONCURRENTLY a ON users (zip);\n"
        "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY a;\n",
        _9999_later=LATER,
    )
    told: list[str] = []
    adopted.adopt(old_url, directory=directory, progress=told.append)
    assert f"-- left to make migrate, from {left[0]} on" in told
    found = migrations.status(adopted.at(old_url), directory=directory)
    assert found.pending == left
    assert migrations.up(adopted.at(old_url), directory=directory) == left


def test_a_migration_that_fails_is_named(
    old_url: str, tmp_path: Path, dump: Dump
) -> None:
    """What no look at the rows foresaw is said with its file, and all is undone."""
    directory = with_files(
        tmp_path / "migrations",
        _9999_later="-- migrate:up\nINSERT INTO users (crossmint_user_id)\n"
        "SELECT crossmint_user_id FROM users;\n-- migrate:down\n",
    )
    before = dump(old_url)
    with pytest.raises(MigrationError, match=r"9999_later\.sql: .*\(23505\)"):
        adopted.adopt(old_url, directory=directory)
    assert dump(old_url) == before


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
    assert [line for line in told if "stays" in line] == [
        "-- the schema drizzle stays, which holds more than the ledger",
        "-- stays, though no migration makes it: column referral of users",
        "-- stays, though no migration makes it: constraint brief of users",
        "-- stays, though no migration makes it: index users_city_idx of users",
    ]
    kept = old.execute(
        "SELECT to_regclass('feedback'), to_regclass('users_city_idx'),"
        " to_regclass('drizzle.notes')"
    ).fetchone()
    assert kept == ("feedback", "users_city_idx", "drizzle.notes")
