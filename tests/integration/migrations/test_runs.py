"""Migrations build, undo and report what failed."""

import os
import re
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from postgres_testing.embedded import Server
from store import migrations
from store.errors import MigrationError
from store.schema_tools import dumps
from tests.support.migrating import alone, at, migration, write
from tests.support.recorded import MIGRATIONS

from .conftest import FILES, Run


def dump(server: Server, url: str) -> str:
    """Give the whole schema as SQL."""
    dumped = subprocess.run(
        [server.bin / "pg_dump", "--schema-only", f"--dbname={url}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # pg_dump guards its output with a key, which is a new one each time.
    dumped = re.sub(r"^\\(un)?restrict .*$", "", dumped, flags=re.MULTILINE)
    return dumps.without_private_options(dumped)


def test_up_builds_from_nothing_once(postgres_server: Server, missing: str) -> None:
    """The first run creates the database and applies all, a second changes nothing."""
    assert migrations.up(at(missing), directory=MIGRATIONS) == FILES
    built = dump(postgres_server, missing)
    assert "CREATE TABLE public.users" in built
    assert migrations.up(at(missing), directory=MIGRATIONS) == ()
    assert dump(postgres_server, missing) == built


def test_each_rollback_undoes_its_migration(
    postgres_server: Server, empty: str, tmp_path: Path
) -> None:
    """Going down passes the same schemas as going up, and leaves but the ledger."""
    migrations.up(
        at(empty), directory=write(tmp_path, "-- migrate:up\n-- migrate:down")
    )
    migrations.rollback(at(empty), directory=tmp_path)
    (tmp_path / "0001_step.sql").unlink()
    (tmp_path / "meta/_journal.json").unlink()
    schemas = [dump(postgres_server, empty)]
    for file in FILES:
        shutil.copy(MIGRATIONS / file, tmp_path)
        migrations.record(tmp_path)
        assert migrations.up(at(empty), directory=tmp_path) == (file,)
        schemas.append(dump(postgres_server, empty))
    for file in reversed(FILES):
        assert dump(postgres_server, empty) == schemas.pop()
        assert migrations.rollback(at(empty), directory=MIGRATIONS) == file
    assert [dump(postgres_server, empty)] == schemas
    assert migrations.up(at(empty), directory=MIGRATIONS) == FILES


@pytest.mark.parametrize("place", ["empty", "missing"])
def test_ten_runs_at_once_apply_once(
    place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Of ten runs at once one applies the migrations, and all ten succeed."""
    url: str = request.getfixturevalue(place)
    # Outside of a transaction nothing but the lock keeps a step from being repeated.
    write(
        tmp_path,
        "-- migrate:up\nCREATE TABLE t (x integer);\n-- migrate:down\nDROP TABLE t;",
        "-- migrate:up transaction:false\nINSERT INTO t VALUES (1);\n-- migrate:down\n",
        # It waits for every statement that began before: none of the other nine's may
        # be one that waits for this run.
        migration("CREATE INDEX CONCURRENTLY i ON t (x);", "", " transaction:false"),
    )
    barrier = threading.Barrier(10)

    def start(_: int) -> tuple[str, ...]:
        barrier.wait()
        return migrations.up(at(url), directory=tmp_path)

    with ThreadPoolExecutor(10) as pool:
        applied = list(pool.map(start, range(10)))
    assert sorted(applied) == [()] * 9 + [
        ("0001_step.sql", "0002_step.sql", "0003_step.sql")
    ]
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT x FROM t").fetchall() == [(1,)]


def test_exit_codes_of_status(run: Run, missing: str) -> None:
    """Status says 2 where there is no database, 1 if something is pending, else 0."""
    assert run("status", url=missing)[0] == 2
    code, said, _ = run("up")
    assert code == 0
    assert said.startswith(
        f"Creating: {urlsplit(missing).path[1:]}\nApplying: {FILES[0]}"
    )
    assert run("up") == (0, "nothing is pending\n", "")
    code, said, _ = run("status")
    assert (code, re.findall(r"^applied  (\S+)", said, re.MULTILINE)) == (0, [*FILES])
    assert run("rollback")[0] == 0
    code, said, _ = run("status")
    assert code == 1
    *_, applied, pending = said.splitlines()
    assert applied.startswith(f"applied  {FILES[-2]}")
    assert pending == f"pending  {FILES[-1]}"


def test_progress_is_told_as_it_happens(empty: str, tmp_path: Path) -> None:
    """The line that a migration begins comes while it still runs."""
    write(
        tmp_path, "-- migrate:up\nSELECT pg_advisory_xact_lock(7);\n-- migrate:down\n"
    )
    with psycopg.connect(empty, autocommit=True) as blocker:
        blocker.execute("SELECT pg_advisory_lock(7)")

        def note(line: str) -> None:
            if line == "Applying: 0001_step.sql":
                blocker.execute("SELECT pg_advisory_unlock(7)")

        applied = migrations.up(at(empty), directory=tmp_path, progress=note)
    assert applied == ("0001_step.sql",)


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("-- migrate:up\nCREATE TABLE b ();\n  SELEC 1;\n-- migrate:down\n", ":3:3"),
        ("-- A table.\n\n-- migrate:up\nSELEC 1;\n-- migrate:down\n", ":4:1"),
    ],
)
def test_broken_migration_is_named_and_leaves_no_trace(
    empty: str, tmp_path: Path, file: str, place: str
) -> None:
    """The error says where in which file, and what came before stays applied."""
    write(tmp_path, "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\n", file)
    with pytest.raises(MigrationError) as caught:
        migrations.up(at(empty), directory=tmp_path)
    broken = tmp_path / "0002_step.sql"
    said = f'{broken}{place}: syntax error at or near "SELEC" (42601)'
    assert str(caught.value) == said
    assert migrations.status(at(empty), directory=tmp_path) == migrations.Status(
        applied=("0001_step.sql",), pending=("0002_step.sql",)
    )
    with psycopg.connect(empty) as conn:
        tables = conn.execute("SELECT to_regclass('a'), to_regclass('b')").fetchone()
    assert tables == ("a", None)


def test_broken_rollback_is_named(empty: str, tmp_path: Path) -> None:
    """An error of a down part has its place in the file, and the migration stays."""
    write(tmp_path, "-- migrate:up\nSELECT 1;\n-- migrate:down\n\nDROP TABLE b, !;\n")
    migrations.up(at(empty), directory=tmp_path)
    with pytest.raises(MigrationError, match=r"/0001_step\.sql:5:15: syntax error"):
        migrations.rollback(at(empty), directory=tmp_path)
    assert migrations.status(at(empty), directory=tmp_path).pending == ()


def test_error_without_line_names_file(empty: str, tmp_path: Path) -> None:
    """Where the server gives no position, file and SQLSTATE are still there."""
    write(tmp_path, "-- migrate:up\nDROP TABLE b;\n-- migrate:down\n")
    with pytest.raises(MigrationError) as caught:
        migrations.up(at(empty), directory=tmp_path)
    path = tmp_path / "0001_step.sql"
    assert str(caught.value) == f'{path}: table "b" does not exist (42P01)'


def test_rollback_of_nothing_fails(run: Run, empty: str) -> None:
    """There is nothing to take back in an empty database."""
    code, _, complaint = run("rollback", url=empty)
    assert code == 2
    assert "no migrations have been applied" in complaint


def test_up_writes_no_schema_file(
    run: Run,
    postgres_server: Server,
    empty: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Applying leaves the folder as it was, though a dump could be made."""
    monkeypatch.setenv("PATH", str(postgres_server.bin))
    before = sorted(tmp_path.rglob("*"))
    assert run("up", url=empty)[0] == 0
    assert run("rollback")[0] == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_dbmate_alone_swallows_a_failed_dump(empty: str, tmp_path: Path) -> None:
    """That the guard is needed: without pg_dump `up` ends with 0 and writes no file."""
    write(tmp_path, migration("SELECT 1;"))
    before = sorted(tmp_path.rglob("*"))
    assert alone(empty, tmp_path, "up", dumps=True)[0] == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_outside_of_the_project_is_explained(
    run: Run,
    empty: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where there is no db/migrations, the command says where it looked."""
    monkeypatch.chdir(os.sep)
    code, _, complaint = run("up", url=empty)
    assert code == 2
    assert "db/migrations, which is looked for in the working directory" in complaint
