"""What programs are told as JSON, and what the ledger remembers for them."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from store import migrations
from store.migrations import dbmate, journal, ledger, stopwatch
from tests.support.migrating import add, alone, applied, at, migration, write

from .conftest import Run

PAGE = (Path(__file__).parents[3] / "docs/migrations.md").read_text()
BROKEN = migration("SELECT 1;\nSELEC 1;", "SELECT 1;")
SLOW = migration("SELECT pg_sleep(0.05);", "SELECT 1;")


def documented() -> dict[str, Any]:
    """Give the documents that the page shows, by their command."""
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return {one["command"]: one for one in map(json.loads, blocks)}


def shape(value: object) -> object:
    """Leave of a document its keys; lists are as their first entry."""
    if isinstance(value, dict):
        keys = cast("dict[str, object]", value)
        return {key: shape(one) for key, one in keys.items()}
    if isinstance(value, list) and value:
        return [shape(cast("list[object]", value)[0])]
    return None


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Give a folder for `--directory`."""
    folder = tmp_path / "steps"
    folder.mkdir()
    return folder


def told(run: Run, folder: Path, command: str, url: str) -> tuple[int, Any, str]:
    """Run a command; give its code, its document, and what it told people."""
    code, said, complaint = run("--directory", str(folder), command, "--json", url=url)
    return code, json.loads(said), complaint


def test_up_tells_what_it_applied(run: Run, empty: str, steps: Path) -> None:
    """Stdout has the one document, stderr what people read; a second has no file."""
    write(steps, SLOW, SLOW)
    code, document, told_people = told(run, steps, "up", empty)
    assert (code, document["error"]) == (0, None)
    files = [one["file"] for one in document["applied"]]
    assert files == ["0001_step.sql", "0002_step.sql"]
    assert all(one["seconds"] > 0.05 for one in document["applied"])
    assert "Applying: 0001_step.sql\n" in told_people
    code, document, told_people = told(run, steps, "up", empty)
    assert (code, document["applied"], told_people) == (0, [], "nothing is pending\n")


def test_a_failure_is_in_the_document(run: Run, empty: str, steps: Path) -> None:
    """It has the error as people read it, its SQLSTATE, and what stays applied."""
    write(steps, SLOW, BROKEN)
    code, document, told_people = told(run, steps, "up", empty)
    assert code == 2
    assert shape(document) == shape(documented()["up"])
    assert document["error"]["sqlstate"] == "42601"
    assert told_people.endswith(f"{document['error']['message']}\n")
    assert [one["file"] for one in document["applied"]] == ["0001_step.sql"]


@pytest.mark.parametrize("command", ["up", "status", "check"])
def test_what_fails_before_it_begins_is_a_document_too(
    run: Run, empty: str, steps: Path, command: str
) -> None:
    """Where nothing could be found out, the error alone is there."""
    code, document, told_people = told(run, steps / "absent", command, empty)
    assert code == 2
    assert document.pop("applied", []) == []
    assert document == {
        "version": 1,
        "command": command,
        "error": {"message": told_people.rstrip("\n"), "sqlstate": None},
    }


def test_status_has_the_keys_that_are_documented(
    run: Run, empty: str, steps: Path
) -> None:
    """Applied, pending and wrong are all there, with the exit code of always."""
    write(steps, SLOW)
    migrations.up(at(empty), directory=steps)
    add(steps, "0002_step.sql", SLOW)
    with psycopg.connect(empty) as conn:
        conn.execute("INSERT INTO schema_migrations VALUES ('0003')")  # a newer one's
    code, document, told_people = told(run, steps, "status", empty)
    assert code == 1
    assert shape(document) == shape(documented()["status"])
    assert [one["file"] for one in document["pending"]] == ["0002_step.sql"]
    assert "wrong    0002_step.sql" in told_people


def test_check_has_the_keys_that_are_documented(
    run: Run, empty: str, steps: Path
) -> None:
    """A finding has its file, its line and the linter's rule."""
    write(steps)
    text = migration("ALTER TABLE t DROP COLUMN x;", "SELECT 1;")
    file = add(steps, "0001_step.sql", text)
    code, document, _ = told(run, steps, "check", empty)
    assert code == 1
    assert shape(document) == shape(documented()["check"])
    places = [(one["file"], one["line"], one["rule"]) for one in document["findings"]]
    assert (str(file), 2, "ban-drop-column") in places


def test_the_ledger_knows_when_and_how_long(empty: str, steps: Path) -> None:
    """Each migration has the time at which it was done, and what it took."""
    write(steps, SLOW, SLOW)
    with psycopg.connect(empty, autocommit=True) as conn:
        before = now(conn)
        migrations.up(at(empty), directory=steps)
        first, second = ledger.read(conn).values()
        after = now(conn)
    for known in (first, second):
        assert known.applied_at
        assert known.seconds
        assert before < known.applied_at < after
        assert 0.05 < known.seconds < (after - before).total_seconds()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("1h2m3.5s", 3723.5),
        ("37.249018ms", 0.037249018),
        ("812.5µs", 0.0008125),
        ("40ns", 4e-8),
        ("0s", 0.0),
    ],
)
def test_durations_are_read_as_dbmate_writes_them(told: str, seconds: float) -> None:
    """Each unit counts, several in one duration, too."""
    watch = stopwatch.Stopwatch(dbmate.silent)
    watch(f"Applied: 0001_step.sql in {told}")
    assert watch.laps["0001_step.sql"].seconds == pytest.approx(seconds)


def now(conn: psycopg.Connection) -> datetime:
    """Give the server's time."""
    [moment] = conn.execute("SELECT clock_timestamp()").fetchone() or [None]
    assert isinstance(moment, datetime)
    return moment


@pytest.mark.parametrize(
    "columns", ["", ", ADD COLUMN name text, ADD COLUMN sha256 text"]
)
def test_an_older_ledger_gets_the_columns(
    run: Run, empty: str, steps: Path, columns: str
) -> None:
    """Ledgers of dbmate's and of ours before go on; what is unknown stays so."""
    write(steps, SLOW)
    assert alone(empty, steps, "up")[0] == 0
    with psycopg.connect(empty, autocommit=True) as conn:
        if columns:
            conn.execute(f"ALTER TABLE schema_migrations {columns[1:]}".encode())
            [entry] = journal.read(steps)
            known = "UPDATE schema_migrations SET name = %s, sha256 = %s"
            conn.execute(known, [entry.name, entry.sha256])
        code, said, _ = run("--directory", str(steps), "status", url=empty)
        assert (code, said) == (0, "applied  0001_step.sql\n")
        write(steps, SLOW, SLOW)
        migrations.up(at(empty), directory=steps)
        old, new = ledger.read(conn).values()
    assert (old.name, old.applied_at, old.seconds) == ("0001_step.sql", None, None)
    assert new.seconds
    code, said, _ = run("--directory", str(steps), "status", url=empty)
    assert code == 0
    assert re.search(
        r"^applied  0002_step.sql  [\d-]+ [\d:]+ UTC  in 0\.\d+ s$", said, re.MULTILINE
    )


def test_dbmate_works_on_our_ledger(empty: str, steps: Path) -> None:
    """By itself it applies and takes back, in a ledger that has our columns."""
    write(steps, SLOW)
    migrations.up(at(empty), directory=steps)
    write(steps, SLOW, SLOW)
    assert alone(empty, steps, "up")[0] == 0
    assert applied(empty) == ["0001", "0002"]
    assert alone(empty, steps, "rollback")[0] == 0
    assert applied(empty) == ["0001"]
    assert migrations.up(at(empty), directory=steps) == ("0002_step.sql",)
