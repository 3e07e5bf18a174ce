"""Verifying finds what goes up but not back, and a database that is something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from postgres_testing.embedded import Server
from store import migrations
from store.cli import main as command_line
from store.schema_tools import scratch, verification
from store.schema_tools.sample_rows import Filler
from store.settings import DatabaseSettings
from tests.integration.migrations import drafting
from tests.support.recorded import MIGRATIONS

Verify = Callable[..., list[str]]

TABLE = ("CREATE TABLE t (x integer);", "DROP TABLE t;")


@pytest.fixture
def at(postgres_server: Server) -> DatabaseSettings:
    """Give settings that name the server."""
    return DatabaseSettings.load(database_url=postgres_server.url)


@pytest.fixture
def verify(at: DatabaseSettings, tmp_path: Path) -> Verify:
    """Verify migrations, each an up and a down part, and a database that has them."""

    def run(*parts: tuple[str, str]) -> list[str]:
        write(tmp_path, *parts)
        with drafting.migrated(at, tmp_path) as database:
            return verification.verify(database, directory=tmp_path)

    return run


def write(folder: Path, *parts: tuple[str, str]) -> None:
    """Write migrations 0001_step.sql, 0002_step.sql and so on."""
    for number, (up, down) in enumerate(parts, 1):
        text = f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n"
        (folder / f"{number:04}_step.sql").write_text(text)
    migrations.record(folder)


@pytest.mark.long
def test_ours_are_fine(database_url: str) -> None:
    """Our migrations go up and down on rows, and make what a migrated database has."""
    settings = DatabaseSettings.load(database_url=database_url)
    assert verification.verify(settings, directory=MIGRATIONS) == []


def test_what_is_left_behind_is_found(verify: Verify, tmp_path: Path) -> None:
    """A down part that forgets something is named, with what it forgets."""
    [found] = verify(
        TABLE,
        (
            "CREATE INDEX IF NOT EXISTS i ON t (x); CREATE VIEW v AS TABLE t;",
            "DROP VIEW v;",
        ),
    )
    assert found.startswith(
        f"{tmp_path}/0002_step.sql: up and down, the schema is another:\n"
    )
    assert "\n-CREATE INDEX i ON public.t USING btree (x);" in found


def test_what_a_second_up_makes_otherwise_is_found(verify: Verify) -> None:
    """An up part that depends on what a down part leaves is named."""
    up = "CREATE TABLE IF NOT EXISTS u (y integer); ALTER TABLE t ADD COLUMN a integer;"
    found = verify(
        TABLE, (up, "ALTER TABLE t DROP COLUMN a; ALTER TABLE u ADD z date;")
    )
    assert [line.split(", the")[0].split(": ")[1] for line in found] == [
        "up and down",
        "up, down and up",
    ]


@pytest.mark.parametrize(
    ("up", "down", "sqlstate"),
    [
        ("ALTER TABLE t ADD COLUMN y integer NOT NULL;", "", "23502"),
        ("CREATE TABLE u (y integer);", "DROP TABLE v;", "42P01"),
    ],
)
def test_what_fails_on_rows_is_found(
    verify: Verify, tmp_path: Path, up: str, down: str, sqlstate: str
) -> None:
    """An up part that fails on rows is found, and a down part that fails."""
    [found] = verify(TABLE, (up, down))
    assert found.startswith(f"with rows in the tables: {tmp_path}/0002_step.sql")
    assert f"({sqlstate})" in found


@pytest.mark.parametrize("down", ["", "DROP TABLE nowhere;"])
@pytest.mark.parametrize("said", [True, False])
def test_what_is_said_to_be_irreversible_is_believed(
    verify: Verify, down: str, *, said: bool
) -> None:
    """A down part may leave something, or fail, if it says why."""
    up = "CREATE TYPE e AS ENUM ('a'); CREATE TABLE u (e e);"
    added = "ALTER TYPE e ADD VALUE IF NOT EXISTS 'b';"
    reason = "-- irreversible: values stay.\n" if said else ""
    found = verify((up, "DROP TABLE u; DROP TYPE e;"), (added, reason + down))
    assert (found == []) == said


def test_a_table_that_takes_no_row_is_reported(verify: Verify) -> None:
    """What could not be tried with rows is not passed over in silence."""
    found = verify(
        ("CREATE TABLE t (x integer, CONSTRAINT no CHECK (false));", "DROP TABLE t;")
    )
    assert found == ["public.t can be given no row (23514 (no)), so it was not tried"]


def test_drift_is_found(at: DatabaseSettings, tmp_path: Path) -> None:
    """A database that somebody changed by hand is not what the files make of it."""
    write(tmp_path, TABLE, ("CREATE TABLE u ();", "DROP TABLE u;"))
    with drafting.migrated(at, tmp_path) as database:
        with drafting.connected(database) as conn:
            conn.execute("CREATE INDEX by_hand ON t (x)")
            conn.execute("ALTER TABLE t ALTER COLUMN x SET DEFAULT 1")
        [found] = verification.verify(database, directory=tmp_path)
    assert found.startswith("the database is not what its migrations make:\n")
    assert "-CREATE INDEX by_hand ON public.t USING btree (x);" in found
    assert "-    x integer DEFAULT 1\n+    x integer" in found


def test_privileges_are_those_of_the_migrations(
    at: DatabaseSettings, tmp_path: Path
) -> None:
    """A grant that is not taken back is found; one that is made by hand is no drift."""
    write(tmp_path, TABLE, ("GRANT SELECT ON t TO PUBLIC;", "SELECT 1;"))
    with drafting.migrated(at, tmp_path) as database:
        with drafting.connected(database) as conn:
            conn.execute("GRANT INSERT ON t TO PUBLIC")
        [found] = verification.verify(database, directory=tmp_path)
    assert found.endswith("another:\n-GRANT SELECT ON TABLE public.t TO PUBLIC;")


def test_a_pending_migration_is_no_drift(at: DatabaseSettings, tmp_path: Path) -> None:
    """A database is compared with what it has applied; the rest is pending."""
    write(tmp_path, TABLE)
    with drafting.migrated(at, tmp_path) as database:
        write(tmp_path, TABLE, ("CREATE TABLE u ();", "DROP TABLE u;"))
        found = verification.verify(database, directory=tmp_path)
    assert found == ["0002_step.sql is pending"]


def test_an_invalid_index_is_found(at: DatabaseSettings, tmp_path: Path) -> None:
    """An index that no query uses is named, with the remedy."""
    write(
        tmp_path,
        ("CREATE TABLE t (x integer); CREATE INDEX i ON t (x);", "DROP TABLE t;"),
    )
    with drafting.migrated(at, tmp_path) as database:
        with drafting.connected(database) as conn:
            conn.execute("UPDATE pg_index SET indisvalid = indexrelid <> 'i'::regclass")
        found = verification.verify(database, directory=tmp_path)
    assert found[0].startswith("index i on t is INVALID")


def test_exit_codes(
    at: DatabaseSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Verify ends with 0 if all is well, 1 with findings, 2 if it could not look."""
    folder = tmp_path / "db/migrations"
    folder.mkdir(parents=True)
    write(folder, TABLE)
    monkeypatch.chdir(tmp_path)
    with drafting.migrated(at, folder) as database:
        url = database.database_url.get_secret_value()
        monkeypatch.setenv("DATABASE_URL", url)
        assert command_line.main(["migrate", "verify"]) == 0
        assert capsys.readouterr().out == "Verifying: 0001_step.sql\n"
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("DROP TABLE t")
        assert command_line.main(["migrate", "verify"]) == 1
    assert command_line.main(["migrate", "verify"]) == 2


def test_every_table_can_be_filled(at: DatabaseSettings) -> None:
    """Tables with all sorts of types and rules get rows, each of them."""
    schema = Path(__file__).with_name("fillable.sql").read_text()
    with scratch.database(at) as database, drafting.connected(database) as conn:
        conn.execute(schema.encode())
        assert Filler().fill(conn) == {}
        tables = conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p')"
        ).fetchall()
        for (table,) in tables:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            assert conn.execute(count).fetchone() != (0,), table


def test_a_table_gets_rows_while_its_shape_is_new(at: DatabaseSettings) -> None:
    """However often it is filled; what becomes of it is met by rows of its own."""
    with scratch.database(at) as database, drafting.connected(database) as conn:
        conn.execute("CREATE TABLE t (x integer NOT NULL)")
        filler = Filler()
        counts: list[int] = []
        for step in range(20):
            if step == 10:
                conn.execute("ALTER TABLE t ADD y integer")
            filler.fill(conn)
            [(count,)] = conn.execute("SELECT count(*) FROM t").fetchall()
            counts.append(count)
        assert counts[2] == counts[9] < counts[10] < counts[12] == counts[19]
        assert conn.execute("SELECT FROM t WHERE y IS NOT NULL").fetchone() is not None
