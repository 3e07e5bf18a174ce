"""A run that is ended ends what it began; what one that is killed left is swept."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from postgres_testing.embedded import Server
from store import migrations
from store.migrations import folders
from store.schema_tools import scratch
from tests.support import gates
from tests.support.migrating import applied, at, busy, migration, old, write

TABLE = migration("CREATE TABLE t (x serial);", "DROP TABLE t;")
OUTSIDE = " transaction:false"
CHANGES = {
    "in a transaction": migration("ALTER TABLE t ADD COLUMN y integer;"),
    "outside": migration("CREATE INDEX CONCURRENTLY i ON t (x);", "", OUTSIDE),
}
SIGNALS = "QUIT HUP ABRT ALRM USR1 USR2 VTALRM PROF XCPU TRAP SYS RTMAX"
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'store migrations%'"""


@contextmanager
def started(project: Path, url: str, *command: str) -> Generator[subprocess.Popen[str]]:
    """Run `python -m store migrate …` beside the test, at most until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "store", "migrate", *command],
        cwd=project,
        env={**os.environ, "DATABASE_URL": url, "TMPDIR": str(project)},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a folder with an empty db/migrations."""
    (tmp_path / "db/migrations").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (signal.SIGTERM, "in a transaction"),
        (signal.SIGTERM, "outside"),
        (signal.SIGINT, "in a transaction"),
        (signal.SIGINT, "outside"),
        (signal.SIGHUP, "in a transaction"),
        *(
            pytest.param(
                signal.Signals[f"SIG{name}"],
                ("in a transaction", "outside")[position % 2],
                marks=pytest.mark.long,
            )
            for position, name in enumerate(SIGNALS.split())
        ),
    ],
)
def test_a_signal_ends_the_run_and_all_that_it_began(
    number: signal.Signals, kind: str, empty: str, project: Path
) -> None:
    """The exit code says which signal; no session, child, file or index is left."""
    directory = project / "db/migrations"
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, CHANGES[kind])
    with psycopg.connect(empty, autocommit=True) as watcher:
        blocking = old(empty) if kind == "outside" else busy(empty, "t")
        with blocking as blocker, started(project, empty, "up") as process:
            gates.wait_until_waiting(watcher, 1, behind=blocker.info.backend_pid)
            # Ctrl-C goes to all of a terminal's processes, dbmate among them.
            send = os.killpg if number == signal.SIGINT else os.kill
            send(process.pid, number)
            _, complaint = process.communicate(timeout=20)
            assert process.returncode == 128 + number
            assert complaint == f"ended by {number.name}\n"
            assert watcher.execute(SESSIONS).fetchone() == (0,)
        left = "SELECT FROM pg_index WHERE NOT indisvalid"
        assert watcher.execute(left).fetchall() == []
    assert sorted(path.name for path in project.iterdir()) == ["db"]
    assert applied(empty) == ["0001"]
    assert migrations.up(at(empty), directory=directory) == ("0002_step.sql",)


def test_waiting_for_another_run_ends_by_a_signal(empty: str, project: Path) -> None:
    """A run that has not begun anything is ended as well."""
    write(project / "db/migrations", TABLE)
    with psycopg.connect(empty, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(48372615)")
        with started(project, empty, "up") as process:
            assert process.stdout
            assert process.stdout.readline().startswith("Waiting: session")
            process.terminate()
            assert process.wait(20) == 128 + signal.SIGTERM


def test_a_signal_leaves_one_document(empty: str, project: Path) -> None:
    """A program that reads JSON learns of the signal, and of what stays applied."""
    waits = migration("ALTER TABLE hold ADD COLUMN y integer;")
    write(project / "db/migrations", TABLE, waits)
    with psycopg.connect(empty, autocommit=True) as watcher:
        watcher.execute("CREATE TABLE hold (x serial)")
        with (
            busy(empty, "hold") as blocker,
            started(project, empty, "up", "--json") as process,
        ):
            gates.wait_until_waiting(watcher, 1, behind=blocker.info.backend_pid)
            process.terminate()
            said, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    document = json.loads(said)
    assert document["error"] == {"message": "ended by SIGTERM", "sqlstate": None}
    assert [one["file"] for one in document["applied"]] == ["0001_step.sql"]


def names(conn: psycopg.Connection) -> set[str]:
    """List the databases to try things on."""
    query = "SELECT datname FROM pg_database WHERE datname LIKE 'store_scratch_%'"
    return {name for (name,) in conn.execute(query)}


def wait_until_asleep(conn: psycopg.Connection, project: Path) -> str:
    """Wait until the project's run sleeps in its migration; give its database."""
    asleep = (
        "SELECT datname FROM pg_stat_activity"
        " WHERE wait_event = 'PgSleep' AND position(%s IN query) > 0"
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if row := conn.execute(asleep, [sleep(project)]).fetchone():
            return str(row[0])
    raise TimeoutError


def sleep(project: Path) -> str:
    """Give a statement that sleeps, and is known among those of other tests."""
    return f"SELECT pg_sleep(60), '{project.name}'"


def wait_until_left(folder: Path) -> None:
    """Wait until nobody holds a folder any more."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.close(descriptor)


@pytest.fixture
def watcher(postgres_server: Server) -> Generator[psycopg.Connection]:
    """Give a session that looks at the others."""
    with psycopg.connect(postgres_server.url, autocommit=True) as conn:
        yield conn


def test_an_ended_run_drops_what_it_tried_things_on(
    watcher: psycopg.Connection, postgres_server: Server, project: Path
) -> None:
    """After SIGTERM neither a database nor a folder is left."""
    write(project / "db/migrations", migration(f"{sleep(project)};", "SELECT 1;"))
    with started(project, postgres_server.url, "verify") as process:
        name = wait_until_asleep(watcher, project)
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    assert name not in names(watcher)
    assert sorted(path.name for path in project.iterdir()) == ["db"]


def test_what_a_killed_run_left_is_swept_and_a_living_one_s_is_not(
    watcher: psycopg.Connection,
    postgres_server: Server,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next run drops the database and the folder of one that nobody could end."""
    write(project / "db/migrations", migration(f"{sleep(project)};", "SELECT 1;"))
    monkeypatch.setattr(tempfile, "tempdir", str(project))
    with (
        scratch.database(at(postgres_server.url)) as living,
        folders.temporary("migrations") as (mine, _),
    ):
        with started(project, postgres_server.url, "verify") as process:
            name = wait_until_asleep(watcher, project)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        [folder] = {*project.glob("store-migrations-*")} - {mine}
        wait_until_left(folder)
        watcher.execute(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"
            " WHERE datname = %s OR application_name = %s",
            [name, name],
        )
        # By now another test's run may have swept it.
        with scratch.database(at(postgres_server.url)), folders.temporary("migrations"):
            assert name not in names(watcher)
            assert not folder.exists()
        assert mine.exists()
        with psycopg.connect(living.database_url.get_secret_value()) as conn:
            conn.execute("SELECT 1")
