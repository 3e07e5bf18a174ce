"""A new migration has the next number, and a name that misleads nobody."""

import re
from pathlib import Path

import pytest

from store import migrations
from tests.support.migrating import at

from .conftest import FILES, Run


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("add_order_notes", "add_order_notes"),
        ("Add order-notes ", "add_order_notes"),
        ("addOrderNotes2", "add_order_notes2"),
    ],
)
def test_new_takes_the_next_number(
    run: Run, tmp_path: Path, name: str, file: str
) -> None:
    """A new migration has the next number, a snake_case name, and both parts."""
    path = Path(f"db/migrations/{len(FILES) + 1:04}_{file}.sql")
    assert run("new", name) == (0, f"{path}\n", "")
    text = (tmp_path / path).read_text()
    assert re.findall("^-- migrate:(up|down)$", text, re.MULTILINE) == ["up", "down"]
    assert run("new", name)[1].startswith(f"db/migrations/{len(FILES) + 2:04}_")


def test_new_migration_runs_as_it_is(empty: str, tmp_path: Path) -> None:
    """The skeleton is a migration that does nothing."""
    file = migrations.new("first", directory=tmp_path).name
    migrations.record(tmp_path)
    assert migrations.up(at(empty), directory=tmp_path) == ("0001_first.sql",)
    assert migrations.rollback(at(empty), directory=tmp_path) == file


@pytest.mark.parametrize("name", ["", " ", "_", "../up", "1st", "año", "a" * 300])
def test_new_refuses_a_bad_name(run: Run, tmp_path: Path, name: str) -> None:
    """A name that makes no good file name is refused, and nothing is written."""
    code, said, complaint = run("new", name)
    assert (code, said) == (2, "")
    assert complaint.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*.sql")) == list(FILES)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("0001_twice.sql", "0001_twice.sql and 0001_users.sql have the same number"),
        ("add_notes.sql", "add_notes.sql is not named like 0001_what_it_does.sql"),
        ("5_notes.sql", "5_notes.sql is not named like 0001_what_it_does.sql"),
    ],
)
def test_names_that_mislead_dbmate_are_refused(
    run: Run,
    empty: str,
    tmp_path: Path,
    file: str,
    complaint: str,
) -> None:
    """A file that dbmate would pass over or take for another stops every command."""
    (tmp_path / "db/migrations" / file).write_text("-- migrate:up\n-- migrate:down\n")
    for command in (["up"], ["rollback"], ["status"], ["new", "x"]):
        code, _, complained = run(*command, url=empty)
        assert code == 2
        assert complaint in complained
