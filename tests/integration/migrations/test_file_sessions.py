"""Which session a file runs in, and what it finds there."""

from pathlib import Path

import psycopg
import pytest

from store import migrations
from store.errors import MigrationError
from tests.support.migrating import alone, at, migration, plain, write


@pytest.mark.parametrize(
    ("leaving", "state"),
    [
        (
            "SELECT set_config('search_path', '', false);",
            "current_setting('search_path') <> ''",
        ),
        (
            "SET session_replication_role = replica;",
            "current_setting('session_replication_role') = 'origin'",
        ),
        ("SET ROLE pg_monitor;", "current_user = session_user"),
        ("CREATE TEMP TABLE b ();", "to_regclass('b') IS NULL"),
        (
            "SELECT pg_advisory_lock(3);",
            "3 NOT IN (SELECT objid FROM pg_locks WHERE locktype = 'advisory')",
        ),
        ("LISTEN c;", "NOT EXISTS (SELECT FROM pg_listening_channels())"),
        (
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1;",
            "NOT EXISTS (SELECT FROM pg_cursors WHERE name = 'c')",
        ),
        (
            "PREPARE p AS SELECT 1;",
            "NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'p')",
        ),
        (
            "SET default_transaction_isolation = serializable;",
            "current_setting('transaction_isolation') = 'read committed'",
        ),
        (
            (
                "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 7168', "
                "current_database()); END$$; SET work_mem = 9216;"
            ),
            "current_setting('work_mem') = '7MB'",
        ),
        ("SET app.a = 'x';", "current_setting('app.a', true) IS NULL"),
        ("SET LOCAL \"app\".a = 'x';", "current_setting('app.a', true) IS NULL"),
        (
            "SELECT set_config('app.a', 'x', false);",
            "current_setting('app.a', true) IS NULL",
        ),
    ],
)
@pytest.mark.parametrize("options", ["", " transaction:false"])
def test_no_file_sees_what_another_left(
    leaving: str, state: str, options: str, empty: str, tmp_path: Path
) -> None:
    """Each file, up and back, begins in a session of its own."""
    look = f"DO $$BEGIN ASSERT {state}; END$$;"
    # dbmate's own line is written in the session that the file has altered.
    back = f"{leaving} RESET ROLE;"
    first = migration(leaving if options else back, look, options)
    write(tmp_path, first, migration(look, back))
    assert len(migrations.up(at(empty), directory=tmp_path)) == 2
    migrations.rollback(at(empty), directory=tmp_path)
    migrations.rollback(at(empty), directory=tmp_path)


def test_a_row_of_files_shares_one_session(empty: str, tmp_path: Path) -> None:
    """Many small files take no process each, only what is outside of a transaction."""
    first = migration("CREATE TABLE seen AS SELECT pg_backend_pid();")
    more = [migration("INSERT INTO seen SELECT pg_backend_pid();")] * 9
    outside = migration("INSERT INTO seen VALUES (0);", options=" transaction:false")
    write(tmp_path, first, *more, outside, *more)
    migrations.up(at(empty), directory=tmp_path)
    with psycopg.connect(empty) as conn:
        pids = [pid for (pid,) in conn.execute("SELECT * FROM seen")]
    assert len({*pids[:10]}) == len({*pids[11:]}) == 1
    assert len({*pids}) == 3


def test_dbmate_alone_runs_on_with_what_a_file_left(empty: str, tmp_path: Path) -> None:
    """That the guard is needed: no foreign key is looked at in the next file."""
    before = (
        "CREATE TABLE a (x integer PRIMARY KEY);"
        "CREATE TABLE b (x integer REFERENCES a);"
        "SET session_replication_role TO replica;"
    )
    write(tmp_path, migration(before), migration("INSERT INTO b VALUES (1);"))
    assert alone(empty, tmp_path, "up")[0] == 0
    with psycopg.connect(empty) as conn:
        assert conn.execute("SELECT x FROM b").fetchone() == (1,)


@pytest.mark.parametrize(
    ("options", "expected"), [("", "500ms"), ("?options=-c%20lock_timeout%3D7s", "7s")]
)
def test_lock_timeout_is_set(
    empty: str, tmp_path: Path, options: str, expected: str
) -> None:
    """A migration waits half a second for a lock at a time, or as the URL says."""
    check = f"current_setting('lock_timeout') = '{expected}'"
    write(
        tmp_path,
        f"-- migrate:up\nDO $$BEGIN ASSERT {check}; END$$;\n-- migrate:down\n",
    )
    url = plain(empty) + options
    assert migrations.up(at(url), directory=tmp_path) == ("0001_step.sql",)


def test_awaited_lock_is_explained(empty: str, tmp_path: Path) -> None:
    """Who runs into the lock timeout hears that another session is in the way."""
    write(tmp_path, "-- migrate:up\nDROP TABLE t;\n-- migrate:down\n")
    url = f"{plain(empty)}?options=-c%20lock_timeout%3D1"
    with psycopg.connect(empty) as blocker:
        blocker.execute("CREATE TABLE t ()")
        blocker.commit()
        blocker.execute("SELECT FROM t")
        with pytest.raises(MigrationError, match=r"\(55P03\): another session holds"):
            migrations.up(at(url), directory=tmp_path)
