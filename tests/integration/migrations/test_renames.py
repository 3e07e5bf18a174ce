"""What was renamed keeps what it holds; where it is uncertain, somebody is asked."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from postgres_testing.embedded import Server
from store import migrations
from store.cli import main as command_line
from store.errors import MigrationError
from store.schema_tools import drafts
from store.settings import DatabaseSettings
from tests.integration.migrations import drafting

BEFORE = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN cents AS integer CONSTRAINT cents_are CHECK (VALUE >= 0);
CREATE TABLE things (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text UNIQUE NOT NULL,
    mood mood,
    price cents,
    CONSTRAINT named CHECK (name <> '')
);
CREATE INDEX by_mood ON things (mood) WHERE mood IS NOT NULL;
CREATE VIEW cheap AS SELECT name FROM things WHERE price < 5;
CREATE FUNCTION half(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a / 2';
CREATE SEQUENCE tickets START 7;
"""
AFTER = """
CREATE TYPE temper AS ENUM ('blue', 'happy');
CREATE DOMAIN pence AS integer CONSTRAINT pence_are CHECK (VALUE >= 0);
CREATE TABLE "All Items" (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "the title" text UNIQUE NOT NULL,
    mood temper,
    price pence,
    CONSTRAINT titled CHECK ("the title" <> '')
);
CREATE INDEX by_temper ON "All Items" (mood) WHERE mood IS NOT NULL;
CREATE VIEW bargains AS SELECT "the title" AS name FROM "All Items" WHERE price < 5;
CREATE FUNCTION halved(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a / 2';
CREATE SEQUENCE passes START 7;
"""
RENAMED = (
    "mood=temper",
    "temper.sad=blue",
    "things=All Items",
    "All Items.name=the title",
    "tickets=passes",
)


@pytest.fixture
def at(postgres_server: Server) -> DatabaseSettings:
    """Give settings that name the server."""
    return DatabaseSettings.load(database_url=postgres_server.url)


@contextmanager
def filled(at: DatabaseSettings, folder: Path) -> Generator[psycopg.Connection]:
    """Have a database at the first migration, with a row, and then at the last."""
    rest = [path for path in sorted(folder.glob("*.sql")) if path.name[3] != "1"]
    texts = [path.read_text() for path in rest]
    for path in rest:
        path.unlink()
    (folder / "meta/_journal.json").unlink()
    with drafting.migrated(at, folder) as made, drafting.connected(made) as conn:
        conn.execute("INSERT INTO things (name, mood, price) VALUES ('x', 'sad', 3)")
        conn.execute("SELECT nextval('tickets')")
        for path, text in zip(rest, texts, strict=True):
            path.write_text(text)
        migrations.record(folder)
        migrations.up(made, directory=folder)
        yield conn


def test_everything_that_was_renamed_keeps_what_it_holds(
    postgres_server: Server, at: DatabaseSettings, tmp_path: Path
) -> None:
    """Rows, values, labels and sequences live on; what holds nothing is not asked."""
    drafting.write_before(tmp_path, BEFORE)
    wished = tmp_path / "schema.txt"
    wished.write_text(AFTER)
    found = drafts.draft(at, directory=tmp_path, schema=wished, renamed=RENAMED)
    assert (found.questions, found.losses, found.remaining) == ((), (), "")
    assert len(drafts.write(found, "rename", directory=tmp_path)) == 1
    assert "DROP" not in found.texts[0]
    drafting.assert_reaches(postgres_server, at, tmp_path, AFTER, back_to=BEFORE)
    with filled(at, tmp_path) as conn:
        row = conn.execute('SELECT "the title", mood::text, price FROM "All Items"')
        assert row.fetchone() == ("x", "blue", 3)
        assert conn.execute("SELECT nextval('passes')").fetchone() == (8,)


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ("CREATE TABLE a (x integer)", "CREATE TABLE b (x integer)", "a=b"),
        (
            "CREATE TABLE a (x integer, y date)",
            "CREATE TABLE b (x integer, z text)",
            "a=b",
        ),
        ("CREATE TABLE a (x integer)", "CREATE TABLE a (y integer)", "a.x=y"),
        ("CREATE SEQUENCE a", "CREATE SEQUENCE b", "a=b"),
        (
            "CREATE TYPE s.a AS ENUM ('x')",
            "CREATE TYPE s.a AS ENUM ('y', 'z')",
            "s.a.x=y",
        ),
    ],
)
def test_what_would_be_lost_is_asked_about(
    at: DatabaseSettings, tmp_path: Path, before: str, after: str, answer: str
) -> None:
    """Both readings are shown with the option that says each, and no draft."""
    schema = "CREATE SCHEMA s;"
    found = drafting.draft(at, tmp_path, f"{schema}{before};", schema + after)
    assert found.texts == ()
    assert f"(--rename {answer})" in found.questions[0]
    assert f"(--drop {answer.partition('=')[0]})" in found.questions[0]


def test_what_is_no_rename_is_not_asked_about(
    at: DatabaseSettings, tmp_path: Path
) -> None:
    """A column of another type, or a table with other columns, is another thing."""
    before = "CREATE TABLE a (x integer, y text); CREATE TABLE b (x integer);"
    after = "CREATE TABLE a (x integer, z date); CREATE TABLE c (y integer);"
    found = drafting.draft(at, tmp_path, before, after)
    assert found.questions == ()
    assert sorted(found.losses) == ["drops column public.a.y", "drops table public.b"]


def test_a_rename_may_change_more(at: DatabaseSettings, tmp_path: Path) -> None:
    """What is said to be renamed may get another type as well."""
    drafting.write_before(tmp_path, "CREATE TABLE things (a integer);")
    wished = tmp_path / "schema.txt"
    wished.write_text("CREATE TABLE things (b bigint);")
    found = drafts.draft(at, directory=tmp_path, schema=wished, renamed=["things.a=b"])
    assert (found.losses, found.remaining) == ((), "")
    paths = drafts.write(found, "widen", directory=tmp_path)
    assert [path.name for path in paths] == ["0002_widen_renames.sql", "0003_widen.sql"]


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"renamed": ["things.x=b"]}, "gone: things.a; new: things.b"),
        ({"renamed": ["things.a"]}, "say what was renamed and its new name"),
        ({"dropped": ["things.b"]}, "--drop things.b: nothing .* gone: things.a"),
    ],
)
def test_an_answer_to_nothing_is_refused(
    at: DatabaseSettings, tmp_path: Path, option: dict[str, list[str]], complaint: str
) -> None:
    """A mistyped answer is not passed over; what could be meant is listed."""
    drafting.write_before(tmp_path, "CREATE TABLE things (a integer);")
    wished = tmp_path / "schema.txt"
    wished.write_text("CREATE TABLE things (b integer);")
    with pytest.raises(MigrationError, match=complaint):
        drafts.draft(at, directory=tmp_path, schema=wished, **option)


def test_the_command_stops_until_it_is_told(
    postgres_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Leave to lose anything is no answer: the question stops the command."""
    folder = tmp_path / "db/migrations"
    folder.mkdir(parents=True)
    drafting.write_before(folder, "CREATE TABLE things (a integer);")
    (tmp_path / "db/schema.sql").write_text("CREATE TABLE things (b integer);")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", postgres_server.url)
    draft = ["migrate", "draft", "x"]
    assert command_line.main([*draft, "--allow-destructive"]) == 1
    assert "--rename things.a=b" in capsys.readouterr().out
    assert len([*folder.glob("*.sql")]) == 1
    for answer, statement in (
        ("--rename=things.a=b", "RENAME"),
        ("--drop=things.a", "DROP"),
    ):
        assert command_line.main([*draft, answer]) == 0
        assert f"{statement} COLUMN" in (folder / "0002_x.sql").read_text()
        (folder / "0002_x.sql").unlink()
