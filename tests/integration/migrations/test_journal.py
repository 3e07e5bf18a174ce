"""Nothing runs unless files, journal and database agree; dbmate alone would go on."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store import migrations
from store.errors import MigrationError
from store.migrations import files, journal, runner
from tests.support.migrating import add, alone, applied, at, migration, write
from tests.support.recorded import MIGRATIONS

from .conftest import Run

A = migration("CREATE TABLE a ();", "DROP TABLE a;")
B = migration("CREATE TABLE b ();", "DROP TABLE b;")
OTHER = migration("CREATE TABLE other ();", "DROP TABLE other;")

Damage = Callable[[Path], object]


def hash_of(text: str, folder: Path) -> str:
    """Give the hash of a migration as messages show it."""
    return journal.short(files.read(add(folder, "x", text)).sha256)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Give a folder beside the migrations."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give a folder of two recorded migrations."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return write(folder, A, B)


def edit(directory: Path) -> None:
    """Change what the newest file does."""
    add(directory, "0002_step.sql", OTHER)


def delete(directory: Path) -> None:
    """Lose the newest file."""
    (directory / "0002_step.sql").unlink()


def renumber(directory: Path) -> None:
    """Give the newest file another number."""
    (directory / "0002_step.sql").rename(directory / "0003_step.sql")


def duplicate(directory: Path) -> None:
    """Merge a branch that has another file of the newest one's number."""
    add(directory, "0002_other.sql", OTHER)


def insert(directory: Path) -> None:
    """Merge a branch that brings a number below."""
    add(directory, "0000_other.sql", OTHER)


DAMAGES = [
    pytest.param(
        edit, r"0002_step\.sql is in the journal with {B} .*edited.*{OTHER}", id="edit"
    ),
    pytest.param(
        delete, r"0002_step\.sql is in the journal with {B}.*deleted", id="delete"
    ),
    pytest.param(
        renumber,
        r"0002_step\.sql is in the journal with {B} .*now 0003_step\.sql \({B}\)",
        id="renumber",
    ),
    pytest.param(
        duplicate,
        r"0002_other\.sql and 0002_step\.sql have the same number \({OTHER}, {B}\)",
        id="duplicate",
    ),
    pytest.param(
        insert,
        r"0000_other\.sql \({OTHER}\) is not in the journal, whose last number is 0002"
        ": a merge brought it in below",
        id="insert",
    ),
]


@pytest.mark.parametrize("damage_first", [True, False])
@pytest.mark.parametrize("command", [migrations.up, migrations.rollback])
@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_files_that_are_not_as_recorded_stop_every_run(
    *,
    damage: Damage,
    said: str,
    command: Callable[..., object],
    damage_first: bool,
    empty: str,
    directory: Path,
    elsewhere: Path,
) -> None:
    """An altered set of files changes no database, whatever that has applied."""
    if not damage_first:
        migrations.up(at(empty), directory=directory)
    damage(directory)
    hashes = {"B": hash_of(B, elsewhere), "OTHER": hash_of(OTHER, elsewhere)}
    for name, value in hashes.items():
        said = said.replace(f"{{{name}}}", value)
    with pytest.raises(MigrationError, match=said):
        command(at(empty), directory=directory)
    migrated = [] if damage_first else ["0001", "0002"]
    assert list(ledger_of(empty)) == migrated


def ledger_of(url: str) -> list[str]:
    """Give the numbers in the ledger, if there is one."""
    return [
        file[:4] for file in migrations.status(at(url), directory=MIGRATIONS).applied
    ] and applied(url)


@pytest.mark.parametrize("damage", [edit, delete, renumber])
def test_dbmate_alone_overlooks_what_became_of_applied_files(
    damage: Damage, empty: str, directory: Path
) -> None:
    """That the guard is needed: dbmate by itself ends with 0."""
    assert alone(empty, directory, "up")[0] == 0
    damage(directory)
    code, said = alone(empty, directory, "rollback" if damage is delete else "status")
    assert code == 0
    if damage is delete:
        assert "Rolling back: 0001_step.sql" in said  # but the newest one was 0002


def remove_first(directory: Path) -> None:
    """Take the oldest file out of folder and journal."""
    (directory / "0001_step.sql").unlink()
    journal.repair("0001_step.sql", directory)


def older(directory: Path) -> None:
    """Make the checkout that of before the newest file."""
    delete(directory)
    journal.repair("0002_step.sql", directory)


def test_an_older_checkout_lives_with_a_newer_database(
    run: Run, empty: str, tmp_path: Path
) -> None:
    """Code goes back and the schema stays: all end with 0, tell it, change nothing."""
    assert run("up", url=empty)[0] == 0
    files_of = tmp_path / "db/migrations"
    last = max(path.name for path in files_of.glob("*.sql"))
    text = (files_of / last).read_bytes()
    (files_of / last).unlink()
    journal.repair(last, files_of)
    before = applied(empty)
    for command in ("up", "status", "check"):
        code, said, complaint = run(command)
        assert (code, complaint) == (0, "")
        if command != "check":
            assert f"{last} is applied in the database and newer" in said
            assert "repair" not in said
            # It looks the same where somebody has deleted both.
            assert "its line in the journal are gone: take both back with git" in said
    assert applied(empty) == before
    code, _, complaint = run("rollback")
    assert (code, "repair" in complaint) == (2, False)
    assert f"{last} is applied in the database and newer" in complaint
    # The next deployment finds all as it was.
    (files_of / last).write_bytes(text)
    migrations.record(files_of)
    assert run("up") == (0, "nothing is pending\n", "")


def test_an_older_checkout_with_a_file_of_its_own_is_stopped(
    empty: str, directory: Path
) -> None:
    """What is pending there would run out of order, or is another of its number."""
    migrations.up(at(empty), directory=directory)
    older(directory)
    add(directory, "0002_other.sql", OTHER)
    migrations.record(directory)
    with pytest.raises(MigrationError, match=r"0002_step\.sql is applied"):
        migrations.up(at(empty), directory=directory)
    add(directory, "0003_step.sql", B)
    migrations.record(directory)
    with pytest.raises(MigrationError, match=r"is now 0003_step\.sql"):
        migrations.up(at(empty), directory=directory)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (edit, r"^0002_step\.sql is applied in the database with {B}, and .*{OTHER};"),
        (remove_first, r"^0001_step\.sql is applied .* with .*, and no file here has"),
        (renumber, r"^0002_step\.sql is applied .* {B} and is now 0003_step\.sql:"),
    ],
)
@pytest.mark.parametrize("command", [migrations.up, migrations.rollback])
def test_a_database_that_applied_something_else_stops_every_run(
    *,
    damage: Damage,
    said: str,
    command: Callable[..., object],
    empty: str,
    directory: Path,
    elsewhere: Path,
) -> None:
    """Files and journal that were changed together still differ from the database."""
    migrations.up(at(empty), directory=directory)
    damage(directory)
    if damage is not remove_first:
        journal.repair("0002_step.sql", directory)
        migrations.record(directory)
    for text, name in ((B, "B"), (OTHER, "OTHER")):
        said = said.replace(f"{{{name}}}", hash_of(text, elsewhere))
    with pytest.raises(MigrationError, match=said):
        command(at(empty), directory=directory)
    assert applied(empty) == ["0001", "0002"]
    assert migrations.status(at(empty), directory=directory).findings


@pytest.mark.parametrize("command", [migrations.up, migrations.rollback])
def test_a_number_below_what_is_applied_stops_every_run(
    command: Callable[..., object], empty: str, directory: Path
) -> None:
    """A merge never makes a database run its migrations out of order."""
    renumber(directory)
    (directory / "meta/_journal.json").unlink()
    migrations.record(directory)
    migrations.up(at(empty), directory=directory)
    add(directory, "0002_other.sql", OTHER)
    (directory / "meta/_journal.json").unlink()
    migrations.record(directory)
    with pytest.raises(MigrationError, match=r"0002_other\.sql .* 0003 is: a merge"):
        command(at(empty), directory=directory)
    assert applied(empty) == ["0001", "0003"]
    assert alone(empty, directory, "up")[0] == 0
    assert applied(empty) == ["0001", "0002", "0003"]  # as if it had been there before


def test_what_dbmate_applied_by_itself_is_taken_over(
    empty: str, directory: Path
) -> None:
    """A ledger of dbmate's gets names and hashes at the first run, and is kept to."""
    assert alone(empty, directory, "up")[0] == 0
    assert migrations.up(at(empty), directory=directory) == ()
    edit(directory)
    journal.repair("0002_step.sql", directory)
    with pytest.raises(MigrationError, match="is applied in the database with"):
        migrations.up(at(empty), directory=directory)


def test_a_new_migration_runs_once_it_is_recorded(run: Run, empty: str) -> None:
    """A file that nobody has declared final migrates no database."""
    _, path, _ = run("new", "add_notes")
    code, _, complaint = run("up", url=empty)
    assert code == 2
    assert "add_notes.sql" in complaint
    assert "when it is final, run make migrate-record" in complaint
    Path(path.strip()).write_text(migration("CREATE TABLE t ();", "DROP TABLE t;"))
    assert run("record") == (0, path.removeprefix("db/migrations/"), "")
    assert run("record") == (0, "nothing is new\n", "")
    assert run("up", url=empty)[0] == 0


def test_recording_adds_lines_and_touches_none(directory: Path) -> None:
    """In a review, a line of the journal that changed is a migration that did."""
    before = journal.path(directory).read_text().splitlines()
    add(directory, "0003_step.sql", OTHER)
    assert migrations.record(directory) == ["0003_step.sql"]
    after = journal.path(directory).read_text().splitlines()
    assert after[: len(before) - 1] == before[:-1]
    assert len(after) == len(before) + 1
    lines = json.loads("\n".join(after))
    assert [line["index"] for line in lines] == [1, 2, 3]
    assert all(re.fullmatch("[0-9a-f]{64}", line["sha256"]) for line in lines)


@pytest.mark.parametrize("damage", [edit, delete, renumber, insert])
def test_recording_does_not_hide_a_change(damage: Damage, directory: Path) -> None:
    """`record` takes what is new at the end, and refuses if anything else changed."""
    before = journal.path(directory).read_text()
    damage(directory)
    with pytest.raises(MigrationError):
        migrations.record(directory)
    assert journal.path(directory).read_text() == before


def test_line_ends_are_not_content(empty: str, directory: Path) -> None:
    """A checkout with CRLF has the same hashes, and its functions get LF."""
    body = "SELECT 'a\nb'::text"
    text = migration(f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $${body}$$;")
    add(directory, "0003_step.sql", text)
    migrations.record(directory)
    for path in [*directory.glob("*.sql"), journal.path(directory)]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    check = "DO $$BEGIN ASSERT f() = E'a\\nb'; END$$;"
    add(directory, "0004_step.sql", migration(check))
    migrations.record(directory)
    assert len(migrations.up(at(empty), directory=directory)) == 4


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", "<<<<<<< ours\n[]\n=======\n", '[{"index": 1}]', "[\n  \n] "],
)
def test_a_damaged_journal_is_said_so(text: str, empty: str, directory: Path) -> None:
    """What a merge left behind is not taken for a journal."""
    journal.path(directory).write_text(text)
    with pytest.raises(MigrationError, match=r"_journal\.json is damaged"):
        migrations.up(at(empty), directory=directory)


def test_repair_is_for_one_file_and_says_both_hashes(
    directory: Path, elsewhere: Path
) -> None:
    """A deliberate repair changes the line it names, and no other."""
    add(directory, "0001_step.sql", OTHER)
    edit(directory)
    said = journal.repair("0002_step.sql", directory)
    assert hash_of(B, elsewhere) in said
    assert hash_of(OTHER, elsewhere) in said
    found = journal.compare(files.load(directory), journal.read(directory))
    assert [finding.name for finding in found] == ["0001_step.sql"]


@pytest.mark.parametrize("name", ["0001_step.sql", "0009_step.sql", "0002"])
def test_repair_refuses_what_is_whole_or_unknown(name: str, directory: Path) -> None:
    """There is nothing to repair about a file that is as recorded, or not there."""
    with pytest.raises(MigrationError, match="nothing to repair"):
        journal.repair(name, directory)


def test_the_ledger_can_be_repaired(empty: str, directory: Path) -> None:
    """Who has brought the database to what the files say can say so."""
    migrations.up(at(empty), directory=directory)
    edit(directory)
    journal.repair("0002_step.sql", directory)
    runner.repair(at(empty), "0002_step.sql", directory=directory)
    assert migrations.up(at(empty), directory=directory) == ()
    (directory / "0001_step.sql").unlink()
    journal.repair("0001_step.sql", directory)
    runner.repair(at(empty), "0001", directory=directory)
    assert migrations.up(at(empty), directory=directory) == ()
    assert applied(empty) == ["0002"]
    with pytest.raises(MigrationError, match="neither a file nor the ledger knows"):
        runner.repair(at(empty), "0009_x.sql", directory=directory)


def test_what_is_newer_than_the_checkout_is_not_repaired(
    empty: str, directory: Path
) -> None:
    """Out of the ledger, the checkout that it is from would apply it once more."""
    migrations.up(at(empty), directory=directory)
    older(directory)
    for name in ("0002_step.sql", "0002"):
        with pytest.raises(MigrationError, match=r"^0002_step\.sql is .* newer"):
            runner.repair(at(empty), name, directory=directory)
    assert applied(empty) == ["0001", "0002"]


def test_what_was_checked_is_what_runs(empty: str, directory: Path) -> None:
    """A file that changes after the check changes nothing of this run."""

    def swap(line: str) -> None:
        if line == "Applying: 0001_step.sql":
            edit(directory)

    migrations.up(at(empty), directory=directory, progress=swap)
    shutil.copy(directory / "0001_step.sql", directory / "0002_step.sql")
    add(directory, "0002_step.sql", B)
    assert migrations.rollback(at(empty), directory=directory) == "0002_step.sql"
