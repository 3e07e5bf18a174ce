"""What is wrong with a file is found before any database sees it."""

import importlib
import subprocess
from pathlib import Path

import pytest

from store import migrations
from store.errors import MigrationError
from store.migrations import checks, files, lint
from store_testing.schema import MIGRATIONS
from tests.support.migrating import add, alone, applied, migration, write

from .conftest import Run

FINE = migration("CREATE TABLE t ();", "DROP TABLE t;")
OUTSIDE = " transaction:false"
INDEX = "CREATE INDEX CONCURRENTLY i ON t (x);"


def found_in(directory: Path, text: str) -> str:
    """Give what is found in one migration that is not recorded yet."""
    file = files.read(add(directory, "0001_step.sql", text))
    return "\n".join(map(str, checks.findings(file)))


def test_our_migrations_are_fine() -> None:
    """Nothing is found in db/migrations but that a new one is not final yet."""
    assert [one for one in checks.check(MIGRATIONS) if not one.is_notice] == []


@pytest.mark.parametrize(
    "text",
    [
        FINE,
        migration(INDEX, "DROP INDEX CONCURRENTLY i;", OUTSIDE),
        migration("DELETE FROM t;", "-- irreversible: nobody knows what was there"),
        f"-- What it is for.\n\n{FINE}",
    ],
)
def test_a_sound_migration_is_fine(text: str, tmp_path: Path) -> None:
    """Comments, concurrent indexes and what says that it is irreversible are fine."""
    assert found_in(tmp_path, text) == ""


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("CREATE TABLE t ();", ": needs one -- migrate:up and, below it, one"),
        ("-- migrate:up\nCREATE TABLE t ();", ": needs one -- migrate:up and, below"),
        (FINE + FINE, ": needs one -- migrate:up and, below it, one -- migrate:down"),
        (
            "-- migrate:down\nDROP TABLE t;\n-- migrate:up\nCREATE TABLE t ();",
            ": needs one -- migrate:up and, below it, one -- migrate:down",
        ),
        (f"SELECT 1;\n{FINE}", ": has statements above -- migrate:up"),
        (
            FINE.replace("-- migrate:down", "  -- migrate:down"),
            ":3: '-- migrate:down' is not understood",
        ),
        (
            FINE.replace(":up", ":up transaction: false"),
            ":1: '-- migrate:up transaction: false' is not understood",
        ),
        (FINE.replace("-- migrate:up", "--Migrate: up"), ":1: '--Migrate: up' is not"),
        (
            migration(f"{INDEX}\nANALYZE t;", "DROP INDEX i;", OUTSIDE),
            ":1: transaction:false takes one statement, not 2",
        ),
        (migration(INDEX, "", OUTSIDE), ":3: transaction:false takes one statement"),
        (migration("", "DROP TABLE t;"), ":1: its up part does nothing"),
        (migration("DELETE FROM t;"), ":3: its down part does nothing; say why"),
        (migration("SELEC 1;", "SELECT 1;"), ":1: its up part is not PostgreSQL's"),
        (migration("SELEC 1;", "SELECT 1;"), ":2: syntax-error: "),
        (migration("SELECT 'é';", "SELECT 1;"), ":2: is not ASCII"),
        (migration("SELECT 1; --" + "x" * 65536, "SELECT 1;"), ":2: is longer than"),
        (
            migration("SELECT 1;\nALTER TABLE t DROP COLUMN x;", "SELECT 1;"),
            ":3: ban-drop-column: Dropping a column may break existing clients.",
        ),
        (
            migration("CREATE INDEX i ON t (x);", "DROP INDEX i;"),
            ":2: require-concurrent-index-creation: ",
        ),
        (
            migration("ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0);", "SELECT 1;"),
            ":2: constraint-missing-not-valid: ",
        ),
    ],
)
def test_every_mistake_is_found_with_its_place(
    text: str, finding: str, tmp_path: Path
) -> None:
    """A mistake is reported with file and line, and what to write instead."""
    assert f"{tmp_path / '0001_step.sql'}{finding}" in found_in(tmp_path, text)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("SET search_path = ''", "SET search_path is not LOCAL"),
        ("SET SESSION search_path TO a", "SET SESSION search_path TO a is not LOCAL"),
        ("SET session_replication_role = replica", "SET session_replication_role is"),
        ("SET ROLE joe", "SET ROLE joe is not LOCAL"),
        ("SET SESSION AUTHORIZATION joe", "SET SESSION AUTHORIZATION joe is not LOCAL"),
        ("SET TIME ZONE 'UTC'", "SET TIME ZONE is not LOCAL"),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET SESSION CHARAC"),
        ("RESET ROLE", "RESET ROLE is not LOCAL"),
        ("RESET ALL", "RESET ALL is not LOCAL"),
        ("SELECT pg_catalog.set_config('a.b', '', false)", "set_config() is not local"),
        ("SELECT 1 WHERE set_config('a.b', '', 1 = 1) = ''", "set_config() is not"),
        ("DO $$BEGIN PERFORM set_config('a.b', '', false); END$$", "set_config() is"),
        ("DO $$BEGIN IF true THEN SET ROLE joe; END IF; END$$", "SET ROLE joe is not"),
        ("DO $$BEGIN EXECUTE 'SET ROLE joe'; END$$", "SET ROLE joe is not LOCAL"),
        ("DO $$BEGIN EXECUTE format('SET ROLE %I', 'j'); END$$", "SET ROLE x is not"),
        ("DO $$BEGIN EXECUTE 'SET ROLE ' || 'joe'; END$$", "SET ROLE x is not LOCAL"),
        ("CREATE TEMP TABLE u ()", "CREATE TEMP TABLE u makes a temporary u that"),
        (
            "CREATE TEMP TABLE u ON COMMIT DELETE ROWS AS SELECT 1",
            "CREATE TEMP TABLE u",
        ),
        ("SELECT 1 INTO TEMP u", "SELECT makes a temporary u that outlives"),
        ("CREATE TABLE pg_temp.u ()", "CREATE TABLE pg_temp.u makes a temporary u"),
        ("CREATE TEMP VIEW u AS SELECT 1", "CREATE TEMP VIEW u AS SELECT makes a temp"),
        ("CREATE TEMP SEQUENCE u", "CREATE TEMP SEQUENCE u makes a temporary u"),
        ("CREATE TYPE pg_temp.e AS ENUM ()", "CREATE TYPE pg_temp.e AS ENUM is temp"),
        ("PREPARE p AS SELECT 1", "PREPARE p AS SELECT outlives its transaction"),
        ("LISTEN c", "LISTEN c outlives"),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "DECLARE c CURSOR WITH HOLD FOR"),
        ("SELECT pg_advisory_lock(1)", "pg_advisory_lock() outlives its transaction"),
        ("COMMIT", "COMMIT takes the file out of the transaction"),
        ("BEGIN", "BEGIN takes the file out of the transaction"),
    ],
)
def test_what_a_file_would_leave_in_its_session_is_found(
    statement: str, finding: str, tmp_path: Path
) -> None:
    """In either part, also within a DO block, and by its name."""
    path = tmp_path / "0001_step.sql"
    said = found_in(tmp_path, migration(f"SELECT 1;\n{statement};", f"\n{statement};"))
    assert f"{path}:3: {finding}" in said
    assert f"{path}:6: {finding}" in said


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL search_path = ''",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET CONSTRAINTS ALL DEFERRED",
        "SELECT set_config('a.b', '', true)",
        "CREATE TEMP TABLE u ON COMMIT DROP AS SELECT 1 AS x",
        "DO $$BEGIN SET LOCAL ROLE joe; END$$",
        "DO $$BEGIN EXECUTE 'SET LOCAL ROLE joe'; END$$",
        "SELECT pg_advisory_xact_lock(1)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET a.b = '' AS 'SELECT 1'",
    ],
)
def test_what_ends_with_the_transaction_is_fine(statement: str, tmp_path: Path) -> None:
    """What is LOCAL, or dropped at COMMIT, is no finding."""
    assert found_in(tmp_path, migration(f"{statement};", "SELECT 1;")) == ""


def test_a_finding_can_be_answered(tmp_path: Path) -> None:
    """Who knows better than the linter says so in the file."""
    drop = "-- squawk-ignore ban-drop-column\nALTER TABLE t DROP COLUMN x;"
    text = migration(drop, "ALTER TABLE t ADD COLUMN x integer;")
    assert found_in(tmp_path, text) == ""


DROPS = migration("ALTER TABLE t DROP COLUMN x;", "ALTER TABLE t ADD x integer;")
ANSWER = """\
[[ignore]]
file = "0002_step.sql"
rule = "ban-drop-column"
reason = "no code reads it"
"""


def test_the_linter_sees_what_is_not_recorded(tmp_path: Path) -> None:
    """A new rule of the linter's finds nothing in files that nobody may edit."""
    add(tmp_path, "0001_step.sql", DROPS)
    assert "ban-drop-column" in {one.rule for one in checks.check(tmp_path)}
    migrations.record(tmp_path)
    assert checks.check(tmp_path) == []


def test_a_finding_can_be_answered_beside_the_journal(run: Run, tmp_path: Path) -> None:
    """An answer is for one rule in one file, and leaves the file's hash alone."""
    folder = write(tmp_path / "db", FINE)
    named = ("--directory", str(folder))
    add(folder, "0002_step.sql", DROPS)
    assert run(*named, "record")[0] == 1
    place = lint.path(folder)
    for other in ("0001_step.sql", "ban-drop-table"):
        old = "0002_step.sql" if other.endswith("sql") else "ban-drop-column"
        place.write_text(ANSWER.replace(old, other))
        assert run(*named, "check")[0] == 1
    place.write_text(ANSWER)
    assert run(*named, "check")[0] == 0
    assert run(*named, "record")[0] == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("ignore", "is not TOML"),
        ("rules = []", "nothing else"),
        ("[ignore]", "nothing else"),
        (ANSWER.replace("reason", "because"), "a reason"),
        (ANSWER.replace("no code reads it", " "), "a reason"),
        (f"{ANSWER}until = 1", "nothing else"),
        (ANSWER.replace("0002", "0003"), "no 0003_step.sql"),
    ],
)
def test_an_answer_that_is_none_is_refused(
    answer: str, said: str, tmp_path: Path
) -> None:
    """What is mistyped, has no reason, or is about a file that is gone, is told."""
    write(tmp_path, FINE, FINE)
    lint.path(tmp_path).write_text(answer)
    with pytest.raises(MigrationError, match=said):
        checks.check(tmp_path)


def test_check_looks_at_the_journal_and_names(run: Run, tmp_path: Path) -> None:
    """The command ends with 1 where it found something, without a database."""
    assert run("check") == (0, "", "")
    add(tmp_path / "db/migrations", "0999_step.sql", FINE)
    code, said, _ = run("check")
    assert code == 0
    assert said.startswith("db/migrations/0999_step.sql: (")
    assert "is not in the journal" in said


def test_a_new_file_is_tried_before_it_is_recorded(
    run: Run, empty: str, tmp_path: Path
) -> None:
    """Only who says so applies what is not recorded; an edited file nobody does."""
    folder = tmp_path / "steps"
    folder.mkdir()
    write(folder, FINE)
    add(folder, "0002_step.sql", FINE.replace(" t", " u"))
    named = ("--directory", str(folder), "up")
    assert run(*named, url=empty)[0] == 2
    add(folder, "0001_step.sql", FINE.replace(" t", " v"))
    assert run(*named, "--allow-unrecorded")[0] == 2
    add(folder, "0001_step.sql", FINE)
    assert run(*named, "--allow-unrecorded")[0] == 0


def test_record_refuses_what_check_refuses(run: Run, tmp_path: Path) -> None:
    """What is found in a new file keeps it out of the journal."""
    directory = tmp_path / "db/migrations"
    before = (directory / "meta/_journal.json").read_text()
    add(directory, "0999_step.sql", migration("DELETE FROM t;"))
    code, said, _ = run("record")
    assert code == 1
    assert "its down part does nothing" in said
    assert (directory / "meta/_journal.json").read_text() == before
    add(directory, "0999_step.sql", FINE)
    assert run("record") == (0, "0999_step.sql\n", "")


def test_dbmate_alone_reads_a_mistyped_option_as_none(
    empty: str, tmp_path: Path
) -> None:
    """That the guard is needed: dbmate passes over what it does not understand."""
    text = FINE.replace(":up", ":up transaction: false")
    assert alone(empty, write(tmp_path, text), "up")[0] == 0
    assert applied(empty) == ["0001"]


def test_dbmate_alone_leaves_half_of_two_statements(empty: str, tmp_path: Path) -> None:
    """That the guard is needed: outside of a transaction the second may fail alone."""
    two = migration("CREATE TABLE a ();\nCOMMIT; SELECT 1/0;", options=OUTSIDE)
    assert alone(empty, write(tmp_path, two), "up")[0] == 2
    assert applied(empty) == []
    again, said = alone(empty, tmp_path, "up")
    assert (again, 'relation "a" already exists' in said) == (2, True)


@pytest.mark.parametrize(
    ("module", "package"), [("pgparse", "pgparse"), ("squawk", "squawk-cli")]
)
def test_a_missing_tool_is_named(
    module: str, package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where only what runs is installed, the check says what it misses."""

    def absent(*_args: object, **_options: object) -> None:
        raise ModuleNotFoundError if module == "pgparse" else FileNotFoundError

    if module == "pgparse":
        monkeypatch.setattr(importlib, "import_module", absent)
    else:
        monkeypatch.setattr(subprocess, "run", absent)
    with pytest.raises(MigrationError, match=f"{package}, which .* is not installed"):
        found_in(tmp_path, FINE)


def test_a_skeleton_is_not_mistaken_for_a_migration(tmp_path: Path) -> None:
    """What `new` wrote and nobody filled in is found."""
    migrations.new("first", directory=tmp_path)
    migrations.record(tmp_path)
    said = "\n".join(map(str, checks.check(tmp_path)))
    assert "its up part does nothing" in said
    assert "its down part does nothing" in said
