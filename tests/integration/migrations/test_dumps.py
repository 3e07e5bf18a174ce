"""The committed schema is what the migrations make, and the same bytes each time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from postgres_testing import embedded
from store.cli import main as command_line
from store.errors import MigrationError
from store.schema_tools import dumps, programs, scratch
from store.settings import DatabaseSettings
from store_testing.schema import MIGRATIONS

COMMITTED = MIGRATIONS.parent / "schema.sql"


@pytest.fixture(scope="module")
def pinned() -> Generator[DatabaseSettings]:
    """Give a server of the version that the bytes depend on."""
    with embedded.start() as server:
        yield DatabaseSettings.load(database_url=server.url)


@pytest.fixture
def run(
    pinned: DatabaseSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    """Run `python -m store schema dump …` in a copy of db/."""
    shutil.copytree(MIGRATIONS.parent, tmp_path / "db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", pinned.database_url.get_secret_value())

    def command(*arguments: str) -> tuple[int, str]:
        code = command_line.main(["schema", "dump", *arguments])
        return code, capsys.readouterr().out

    return command


def test_an_edit_is_found_and_mended(run: Callable[..., tuple[int, str]]) -> None:
    """A schema file that says something else is found, and written as it was."""
    file = Path("db/schema.sql")
    file.write_text(file.read_text().replace("email ", "mail "))
    code, said = run("--check")
    assert code == 1
    assert "-    mail public.email_address," in said
    assert "+    email public.email_address," in said
    assert run() == (0, "")
    assert file.read_bytes() == COMMITTED.read_bytes()
    assert run("--check") == (0, "")


def test_a_new_migration_is_found(run: Callable[..., tuple[int, str]]) -> None:
    """A migration whose effect the schema file does not show is found."""
    Path("db/migrations/9999_more.sql").write_text(
        "-- migrate:up\nCREATE TABLE more ();\n-- migrate:down\nDROP TABLE more;\n"
    )
    code, said = run("--check")
    assert code == 1
    assert "+CREATE TABLE public.more (" in said


def test_nothing_but_the_schema_is_in_it() -> None:
    """No version, key, owner, setting, ledger or header makes the bytes change."""
    text = COMMITTED.read_text()
    assert not re.search(
        r"restrict|pg_dump|OWNER|GRANT|^SET|set_config|schema_migrations|^-- Name:",
        text,
        re.MULTILINE,
    )


def test_what_a_server_keeps_for_itself_is_left_out(pinned: DatabaseSettings) -> None:
    """Options that nobody set, as 15.20 has in each column, are no difference."""
    tables = (
        "CREATE TABLE t (a integer, b text) WITH (fillfactor=70)",
        "ALTER TABLE t ALTER COLUMN b SET (n_distinct=-0.5)",
        "CREATE TABLE plain (a integer)",
        "CREATE MATERIALIZED VIEW m AS SELECT a FROM t",
        "CREATE VIEW v WITH (security_barrier) AS SELECT a FROM t",
        "CREATE INDEX i ON t (a)",
        # What a column's default says is no option.
        "CREATE TABLE said (a text DEFAULT ' WITH (pg_mark=1)')",
    )
    with scratch.database(pinned) as database:
        dumps.run(database, tables)
        before = dumps.taken(database)
        # As such a server writes it: this one refuses unknown names.
        dumps.run(
            database,
            (
                (
                    "UPDATE pg_attribute SET attoptions = attoptions || '{pg_attver=7}'"
                    " FROM pg_class WHERE attrelid = pg_class.oid"
                    " AND relnamespace = 'public'::regnamespace AND relkind <> 'i'"
                ),
                (
                    "UPDATE pg_attribute SET attoptions = '{mark=7}' FROM pg_class"
                    " WHERE attrelid = pg_class.oid AND relname = 'plain'"
                ),
                (
                    "UPDATE pg_class SET reloptions = reloptions || '{pg_relver=7}'"
                    " WHERE relnamespace = 'public'::regnamespace"
                ),
            ),
        )
        marked = dumps.taken(database)
        dumps.run(
            database,
            [
                (
                    "UPDATE pg_attribute SET attoptions = '{n_distinct=5,pg_attver=8}'"
                    " WHERE attoptions[1] LIKE 'n_distinct%'"
                )
            ],
        )
        changed = dumps.taken(database)
    assert marked == before
    assert "SET (n_distinct=-0.5)" in before["TABLE public.t"]
    assert "pg_mark" in before["TABLE public.said"]
    assert dumps.differences(marked, changed).splitlines() == [
        "-ALTER TABLE ONLY public.t ALTER COLUMN b SET (n_distinct=-0.5);",
        "+ALTER TABLE ONLY public.t ALTER COLUMN b SET (n_distinct=5);",
    ]


def test_another_server_is_refused(
    pinned: DatabaseSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another version's server is not dumped: it may spell the schema otherwise."""
    monkeypatch.setattr(programs, "version", lambda: "18.999")
    file = tmp_path / "schema.sql"
    with pytest.raises(MigrationError, match=r"than 18\.999 .* `make schema-dump`"):
        dumps.update(pinned, directory=MIGRATIONS, file=file, check=False)
    assert not file.exists()
