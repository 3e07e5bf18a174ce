"""Adoption is all or nothing, and another run goes on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postgres_testing import databases
from postgres_testing.databases import Template
from postgres_testing.embedded import Server
from store import adoption
from store.adoption import Adoption
from store.cli import main as command_line
from store.errors import MigrationError
from store_testing import schema
from store_testing.schema import SCHEMA
from tests.integration.adoption.conftest import Dump
from tests.support import adopted
from tests.support.recorded import MIGRATIONS

NOTHING_TO_DO = Adoption(converted=False, mended=(), breaking=(), unvalidated=0)


def test_a_second_run_changes_nothing(old_url: str, dump: Dump) -> None:
    """Once adopted, always adopted."""
    assert adopted.adopt(old_url).converted
    before = dump(old_url)
    assert adopted.adopt(old_url) == NOTHING_TO_DO
    assert dump(old_url) == before


def test_a_dry_run_tells_all_and_changes_nothing(old_url: str, dump: Dump) -> None:
    """It says what the run after it says, and takes all back."""
    before = dump(old_url)
    would: list[str] = []
    does: list[str] = []
    found = adopted.adopt(old_url, dry_run=True, progress=would.append)
    assert dump(old_url) == before
    assert adopted.adopt(old_url, progress=does.append) == found
    assert does == would


@pytest.fixture(scope="module")
def undisturbed(old_template: Template, dump: Dump) -> tuple[str, int]:
    """Give the schema that a run reaches, and how many lines it tells."""
    told: list[str] = []
    with old_template.clone() as url:
        adopted.adopt(url, progress=told.append)
        return dump(url, data=False), len(told)


def end_others(url: str) -> None:
    """Cut all other connections to a database off."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@given(st.floats(0, 1))
@settings(max_examples=2)
@example(0)
@example(0.5)
@example(1)
def test_a_run_that_is_cut_off_leaves_all_or_nothing(
    old_template: Template, dump: Dump, undisturbed: tuple[str, int], place: float
) -> None:
    """Killed at any line, it has converted all or nothing; the next run goes on."""
    told: list[str] = []
    schema, lines = undisturbed
    line = round(place * (lines - 1))
    with old_template.clone() as url:

        def kill(what: str) -> None:
            told.append(what)
            if len(told) == line + 1:
                end_others(url)

        before = dump(url)
        with pytest.raises(MigrationError, match="was lost"):
            adopted.adopt(url, progress=kill)
        converting = not any("VALIDATE" in what for what in told)
        assert (dump(url) == before) == converting
        assert adopted.adopt(url).converted == converting
        assert dump(url, data=False) == schema


def test_of_two_runs_at_once_one_converts(old_url: str) -> None:
    """The other waits, and finds it done."""
    barrier = threading.Barrier(2)

    def start(_: int) -> Adoption:
        barrier.wait()
        return adopted.adopt(old_url)

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(start, range(2)), key=lambda each: each.converted)
    assert found[0] == NOTHING_TO_DO
    assert found[1].converted


def test_a_backend_that_still_works_is_told_of(
    old_url: str, old: psycopg.Connection, dump: Dump
) -> None:
    """Who runs into its locks hears what to do, and has changed nothing."""
    before = dump(old_url)
    with old.transaction():
        old.execute("SELECT FROM cart_items")
        url = f"{old_url}&options=-c%20lock_timeout%3D1"
        with pytest.raises(MigrationError, match="stop the old backend first"):
            adopted.adopt(url)
    assert dump(old_url) == before


REFUSALS: dict[str, tuple[LiteralString, str]] = {
    "no ledger": ("DROP SCHEMA drizzle CASCADE", "no ledger of Drizzle"),
    "no table": ("DROP TABLE order_items", "replaced system had"),
    "another type": (
        "ALTER TABLE orders ALTER amount_usdc TYPE integer",
        "replaced system had",
    ),
    "no column": ("ALTER TABLE users DROP apt", "replaced system had"),
    "no primary key": (
        "ALTER TABLE order_items DROP CONSTRAINT order_items_pkey",
        "replaced system had",
    ),
    "a table in the way": ("CREATE TABLE chain_events ()", "replaced system had"),
    "a type in the way": (
        "CREATE TYPE order_status AS ENUM ('lost')",
        "replaced system had",
    ),
    "a function in the way": (
        "CREATE FUNCTION set_updated_at() RETURNS integer RETURN 1",
        "replaced system had",
    ),
    "two ledgers": (
        (
            "CREATE TABLE schema_migrations (version varchar PRIMARY KEY);"
            " INSERT INTO schema_migrations VALUES ('0001')"
        ),
        "a ledger of Drizzle beside one of dbmate",
    ),
}


@pytest.mark.parametrize("reason", sorted(REFUSALS))
def test_another_database_is_refused(
    old_url: str, old: psycopg.Connection, dump: Dump, reason: str
) -> None:
    """What is no database of the seed's stays as it is."""
    change, said = REFUSALS[reason]
    old.execute(change)
    before = dump(old_url)
    with pytest.raises(MigrationError, match=said):
        adopted.adopt(old_url)
    assert dump(old_url) == before


def test_a_refusal_lists_each_difference(old_url: str, old: psycopg.Connection) -> None:
    """All of them at once, by table and column."""
    old.execute(
        "DROP TABLE order_items; ALTER TABLE users DROP apt, ALTER zip TYPE integer"
        " USING 1"
    )
    told: list[str] = []
    with pytest.raises(MigrationError, match=r"15 differences"):
        adopted.adopt(old_url, progress=told.append)
    assert {
        "users.apt is missing, not varchar",
        "users.zip is int4, not varchar",
    } < set(told)


def test_a_migrated_database_has_nothing_to_adopt(
    postgres_server: Server, dump: Dump
) -> None:
    """One that the migrations made is left as it is."""
    with (
        databases.cached_template(postgres_server.url, SCHEMA) as made,
        made.clone() as url,
    ):
        before = dump(url)
        assert adopted.adopt(url) == NOTHING_TO_DO
        assert dump(url) == before


def test_exit_codes(
    old_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: psycopg.Connection,
) -> None:
    """0 when all is done, 1 while something is to do, 2 if it was refused."""
    monkeypatch.chdir(schema.MIGRATIONS.parents[1])
    monkeypatch.setenv("DATABASE_URL", old_url)

    def baseline(*options: str) -> int:
        given = ("--directory", str(MIGRATIONS), "--time-zone", "UTC")
        return command_line.main(["adopt", *given, *options])

    assert baseline("--dry-run") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "nothing was changed"
    old.execute("UPDATE users SET onboarding_step = 9 WHERE id::text LIKE '%2'")
    assert baseline() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("1 rules are not valid")
    old.execute("UPDATE users SET onboarding_step = 1 WHERE id::text LIKE '%2'")
    assert baseline() == 0
    assert capsys.readouterr().out.endswith("it was adopted before\n")
    assert baseline("--dry-run") == 0
    assert baseline("--cursor", "{}") == 2
    assert "the cursor does not read" in capsys.readouterr().err
    assert baseline("--cursor", '{"txDigest":"x","eventSeq":"0"}') == 0
    assert "the cursor is not set" in capsys.readouterr().out
    old.execute("DROP TABLE schema_migrations")
    assert baseline() == 2
    assert "no ledger of Drizzle" in capsys.readouterr().err


def test_scripts_that_are_not_there_are_named(old_url: str, tmp_path: Path) -> None:
    """Elsewhere than in the project's folder there is nothing to run."""
    with pytest.raises(MigrationError, match="no scripts of adoption"):
        adoption.adopt(
            adopted.at(old_url), directory=MIGRATIONS, scripts=tmp_path, progress=str
        )
