"""What a run that was cut off has left, the next one sees, and takes not for good."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from store import migrations
from store.errors import MigrationError
from store.migrations import runner
from tests.support import gates
from tests.support.migrating import alone, applied, at, busy, migration, plain, write

TABLE = migration("CREATE TABLE t (x serial);", "DROP TABLE t;")
OUTSIDE = " transaction:false"
INDEX = "CREATE INDEX CONCURRENTLY i ON t (x);"
IF_NOT_EXISTS = INDEX.replace("i ON", "IF NOT EXISTS i ON")


@pytest.fixture
def watcher(empty: str) -> Generator[psycopg.Connection]:
    """Give a session that looks at the others."""
    with psycopg.connect(empty, autocommit=True) as conn:
        yield conn


@contextmanager
def killed_while_waiting(
    url: str, directory: Path, watcher: psycopg.Connection, blocker: psycopg.Connection
) -> Generator[int]:
    """Kill a run when it waits for a blocker, and its dbmate; give its backend."""
    folder = directory.parent / "project"
    (folder / "db").mkdir(parents=True)
    (folder / "db/migrations").symlink_to(directory)
    process = subprocess.Popen(
        [sys.executable, "-m", "store", "migrate", "up"],
        cwd=folder,
        env={**os.environ, "DATABASE_URL": url},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        behind = blocker.info.backend_pid
        [backend] = gates.wait_until_waiting(watcher, 1, behind=behind)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    yield backend


def invalid(conn: psycopg.Connection) -> list[str]:
    """Give the names of the indexes that are INVALID."""
    rows = conn.execute(
        "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
    )
    return [str(name) for (name,) in rows]


def up_fails(url: str, directory: Path, *, lock_seconds: float = 20) -> str:
    """Give the message with which a run fails."""
    with pytest.raises(MigrationError) as caught:
        migrations.up(at(url), directory=directory, lock_seconds=lock_seconds)
    return str(caught.value)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give a folder for migrations."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("statement", [INDEX, IF_NOT_EXISTS])
def test_an_index_that_was_cut_off_is_never_recorded(
    statement: str, empty: str, directory: Path, watcher: psycopg.Connection
) -> None:
    """After kill -9 the next run removes what is INVALID, and makes it anew."""
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, migration(statement, "DROP INDEX i;", OUTSIDE))
    with (
        busy(empty, "t") as blocker,
        killed_while_waiting(empty, directory, watcher, blocker) as backend,
    ):
        # The server has not noticed yet, and would go on.
        said = up_fails(empty, directory, lock_seconds=0.2)
        assert f"session {backend}" in said
        assert "is at a migration of a run that was cut off, still" in said
        watcher.execute("SELECT pg_terminate_backend(%s, 20000)", [backend])
    assert invalid(watcher) == ["i"]
    found = migrations.status(at(empty), directory=directory).findings
    assert "index i on t is INVALID, since what built it was cut off" in found[0]
    assert "0002_step.sql was cut off" in found[1]
    assert applied(empty) == ["0001"]
    told: list[str] = []
    migrations.up(at(empty), directory=directory, progress=told.append)
    assert told[0] == "Repeating: 0002_step.sql, which was cut off"
    assert applied(empty) == ["0001", "0002"]
    assert invalid(watcher) == []


def test_dbmate_alone_records_an_index_that_was_cut_off(
    empty: str, directory: Path, watcher: psycopg.Connection
) -> None:
    """That the guard is needed: dbmate by itself takes the INVALID index for made."""
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, migration(IF_NOT_EXISTS, "DROP INDEX i;", OUTSIDE))
    with (
        busy(empty, "t") as blocker,
        killed_while_waiting(empty, directory, watcher, blocker) as backend,
    ):
        watcher.execute("SELECT pg_terminate_backend(%s, 20000)", [backend])
    assert alone(empty, directory, "up")[0] == 0
    assert applied(empty) == ["0001", "0002"]
    assert invalid(watcher) == ["i"]
    # Ours tells it afterwards, too.
    told: list[str] = []
    assert migrations.up(at(empty), directory=directory, progress=told.append) == ()
    assert "run REINDEX INDEX CONCURRENTLY i;" in told[0]


def test_what_was_made_but_not_recorded_can_be_recorded(
    empty: str, directory: Path, watcher: psycopg.Connection
) -> None:
    """Where the server finished what its client no longer saw, the next run says so."""
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, migration(INDEX, "DROP INDEX i;", OUTSIDE))
    with (
        busy(empty, "t") as blocker,
        killed_while_waiting(empty, directory, watcher, blocker),
    ):
        pass
    said = up_fails(empty, directory)  # waits until the server is done
    assert "0002_step.sql" in said
    assert 'relation "i" already exists (42P07)' in said
    assert "run make migrate-repair name=FILE database=1" in said
    runner.repair(at(empty), "0002_step.sql", directory=directory)
    assert migrations.up(at(empty), directory=directory) == ()
    assert invalid(watcher) == []


def test_a_transaction_that_was_cut_off_leaves_nothing(
    empty: str, directory: Path, watcher: psycopg.Connection
) -> None:
    """After kill -9 in a transaction the next run waits for its end, and applies it."""
    migrations.up(at(empty), directory=write(directory, TABLE))
    change = "CREATE TABLE u (); ALTER TABLE t ADD COLUMN y integer;"
    write(directory, TABLE, migration(change))
    waiting: list[str] = []
    with (
        busy(empty, "t") as blocker,
        killed_while_waiting(empty, directory, watcher, blocker) as backend,
    ):

        def note(line: str) -> None:
            waiting.append(line)
            watcher.execute("SELECT pg_terminate_backend(%s)", [backend])
            blocker.rollback()

        done = migrations.up(at(empty), directory=directory, progress=note)
    assert done == ("0002_step.sql",)
    assert waiting[0].startswith(f"Waiting: session {backend} (since ")


@pytest.mark.parametrize(
    ("victim", "said"),
    [
        (
            "store migrations, dbmate",
            r"0002_step\.sql.*(57P01|connection to the server was lost)",
        ),
        ("store migrations", "the connection that holds the migration lock was lost"),
    ],
)
def test_a_lost_connection_is_told(
    victim: str, said: str, empty: str, directory: Path, watcher: psycopg.Connection
) -> None:
    """Whichever of a run's connections breaks, the run fails and says what to do."""
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, migration("ALTER TABLE t ADD COLUMN y integer;"))

    def cut(blocker: psycopg.Connection) -> None:
        gates.wait_until_waiting(watcher, 1, behind=blocker.info.backend_pid)
        watcher.execute(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [victim],
        )
        blocker.rollback()

    with busy(empty, "t") as blocker:
        cutter = threading.Thread(target=cut, args=[blocker])
        cutter.start()
        assert re.search(said, up_fails(empty, directory), re.DOTALL)
        cutter.join()
    migrations.up(at(empty), directory=directory)
    assert applied(empty) == ["0001", "0002"]


def test_a_lock_timeout_says_what_it_left(
    empty: str, directory: Path, watcher: psycopg.Connection
) -> None:
    """An index that gave up waiting is INVALID, and the failing run says it already."""
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, migration(INDEX, "DROP INDEX i;", OUTSIDE))
    hasty = f"{plain(empty)}?options=-c%20lock_timeout%3D50"
    with busy(empty, "t"):
        said = up_fails(hasty, directory)
        assert "(55P03): another session holds a lock on it" in said
        assert "index i on t is INVALID, and cannot be dropped while older" in said
        assert invalid(watcher) == ["i"]
    assert migrations.up(at(hasty), directory=directory) == ("0002_step.sql",)
    assert invalid(watcher) == []


def test_an_index_that_somebody_builds_is_waited_for(
    empty: str, directory: Path, watcher: psycopg.Connection
) -> None:
    """An index in the making is not called broken, and not taken for made."""
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, migration(IF_NOT_EXISTS, "DROP INDEX i;", OUTSIDE))
    with busy(empty, "t") as blocker, psycopg.connect(empty, autocommit=True) as other:
        pid = other.info.backend_pid
        builder = threading.Thread(target=other.execute, args=[INDEX.encode()])
        builder.start()
        gates.wait_until_waiting(watcher, 1, behind=blocker.info.backend_pid)
        try:
            said = up_fails(empty, directory)
        finally:
            blocker.rollback()
            builder.join()
    assert f"index i is being built by session {pid}" in said
    assert migrations.up(at(empty), directory=directory) == ("0002_step.sql",)
