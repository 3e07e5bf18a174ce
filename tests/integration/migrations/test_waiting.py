"""Migrations wait for others so that nobody has to wait for them for long."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from store import migrations
from store.errors import MigrationError
from store.migrations import outside
from tests.support import gates
from tests.support.migrating import applied, at, busy, migration, old, write

OUTSIDE = " transaction:false"
TABLE = migration("CREATE TABLE t (x serial); CREATE INDEX j ON t (x);")
THINGS = migration("""
CREATE TABLE t (x integer); INSERT INTO t VALUES (1); CREATE INDEX j ON t (x);
CREATE MATERIALIZED VIEW m AS TABLE t; CREATE UNIQUE INDEX k ON m (x);
CREATE TABLE p (x integer) PARTITION BY LIST (x);
CREATE TABLE "part C" PARTITION OF p FOR VALUES IN (1);
CREATE FUNCTION look() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
    ASSERT current_setting('application_name') <> 'store migrations, dbmate'
        OR current_setting('lock_timeout') = '0', 'it has a limit';
END$$;
CREATE EVENT TRIGGER look ON ddl_command_start EXECUTE FUNCTION look();
""")


@contextmanager
def reading(url: str) -> Generator[psycopg.Connection]:
    """Keep a transaction open that has read the tables."""
    with psycopg.connect(url) as conn:
        conn.execute("SELECT FROM t, p")
        yield conn
        conn.rollback()


@contextmanager
def refreshing(url: str) -> Generator[psycopg.Connection]:
    """Keep a transaction open that refreshes the view."""
    with psycopg.connect(url) as conn:
        conn.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY m")
        yield conn
        conn.rollback()


Blocker = Callable[[str], AbstractContextManager[psycopg.Connection]]

KINDS = [
    ("CREATE INDEX CONCURRENTLY i ON t (x)", old),
    ("CREATE INDEX CONCURRENTLY ON t (x)", old),
    ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (x)", old),
    ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)", old),
    ("REINDEX INDEX CONCURRENTLY j", old),
    ("REINDEX TABLE CONCURRENTLY t", old),
    ("REINDEX SCHEMA CONCURRENTLY public", old),
    ("REINDEX DATABASE CONCURRENTLY {database}", old),
    ("DROP INDEX CONCURRENTLY j", reading),
    ('ALTER TABLE p DETACH PARTITION "part C" CONCURRENTLY', reading),
    ("REFRESH MATERIALIZED VIEW CONCURRENTLY m", refreshing),
]


@pytest.fixture(params=KINDS, ids=[kind for kind, _ in KINDS])
def kind(request: pytest.FixtureRequest) -> tuple[str, Blocker]:
    """Give a kind of CONCURRENTLY, and what it waits for."""
    return request.param  # type: ignore[no-any-return]  # pytest's is Any


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
def test_what_was_cut_off_concurrently_leaves_nothing_and_runs_again(
    end: str, kind: tuple[str, Blocker], empty: str, tmp_path: Path
) -> None:
    """Beside an older transaction each kind waits without limit, and recovers."""
    statement, blocking = kind
    # Before 16 it has to be named.
    statement = statement.format(database=urlsplit(empty).path.removeprefix("/"))
    migrations.up(at(empty), directory=write(tmp_path, THINGS))
    write(tmp_path, THINGS, migration(f"{statement};", "SELECT 1;", OUTSIDE))
    with (
        psycopg.connect(empty, autocommit=True) as watcher,
        ThreadPoolExecutor(1) as beside,
    ):
        with blocking(empty) as blocker:
            run = beside.submit(migrations.up, at(empty), directory=tmp_path)
            behind = blocker.info.backend_pid
            [pid] = gates.wait_until_waiting(watcher, 1, behind=behind)
            watcher.execute(f"SELECT {end}(%s)".encode(), [pid])
            with pytest.raises(MigrationError, match=r"0002_step\.sql"):
                run.result()
            assert applied(empty) == ["0001"]
            if "DROP" not in statement:
                assert not invalid(watcher)
        assert migrations.up(at(empty), directory=tmp_path) == ("0002_step.sql",)
        assert not invalid(watcher)
        rest = "SELECT FROM pg_inherits WHERE inhdetachpending"
        assert watcher.execute(rest).rowcount == 0


def invalid(conn: psycopg.Connection) -> list[str]:
    """Give the names of the indexes that are INVALID."""
    rows = conn.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    )
    return [str(name) for (name,) in rows]


def test_whom_it_waits_for_is_told(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who wonders why an index takes so long hears which session is in the way."""
    monkeypatch.setattr(outside, "_LOOK_SECONDS", 0.01)
    index = migration("CREATE INDEX CONCURRENTLY i ON t (x);", "SELECT 1;", OUTSIDE)
    migrations.up(at(empty), directory=write(tmp_path, TABLE))
    write(tmp_path, TABLE, index)
    with old(empty) as blocker:
        who = f"Waiting: for session {blocker.info.backend_pid} (since "

        def let_go(line: str) -> None:
            if line.startswith(who):
                blocker.rollback()

        migrations.up(at(empty), directory=tmp_path, progress=let_go)
    assert applied(empty) == ["0001", "0002"]


def test_what_another_left_invalid_is_not_removed(empty: str, tmp_path: Path) -> None:
    """A run that fails drops its own index, and none that was INVALID before."""
    migrations.up(at(empty), directory=write(tmp_path, TABLE))
    change = "CREATE UNIQUE INDEX CONCURRENTLY i ON t ((1 / (x - 1)));"
    write(tmp_path, TABLE, migration(change, "SELECT 1;", OUTSIDE))
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute("UPDATE pg_index SET indisvalid = indexrelid <> 'j'::regclass")
        conn.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(MigrationError, match="division by zero"):
            migrations.up(at(empty), directory=tmp_path)
        assert invalid(conn) == ["j"]


@pytest.mark.parametrize("pending", [True, False])
def test_an_invalid_index_elsewhere_is_a_notice(
    empty: str, tmp_path: Path, *, pending: bool
) -> None:
    """What no file would make blocks no run, and is told in each."""
    migrations.up(at(empty), directory=write(tmp_path, TABLE))
    with psycopg.connect(empty) as conn:
        conn.execute("UPDATE pg_index SET indisvalid = indexrelid <> 'j'::regclass")
    if pending:
        write(tmp_path, TABLE, migration("SELECT 1;"))
    status = migrations.status(at(empty), directory=tmp_path)
    assert status.findings == ()
    assert [one[:21] for one in status.notices] == ["index j on t is INVAL"]
    told: list[str] = []
    migrations.up(at(empty), directory=tmp_path, progress=told.append)
    assert told[0] == f"Notice: {status.notices[0]}"
    assert len(applied(empty)) == 1 + pending


@pytest.mark.parametrize("options", ["", OUTSIDE])
def test_readers_pass_a_migration_that_waits(
    options: str, empty: str, tmp_path: Path
) -> None:
    """Who comes to read while it waits for a lock is served, and it gets in later."""
    migrations.up(at(empty), directory=write(tmp_path, TABLE))
    change = migration("ALTER TABLE t ADD COLUMN y integer;", "SELECT 1;", options)
    write(tmp_path, TABLE, change)
    with (
        busy(empty, "t") as blocker,
        psycopg.connect(empty, autocommit=True) as watcher,
        ThreadPoolExecutor(1) as beside,
    ):
        run = beside.submit(migrations.up, at(empty), directory=tmp_path)
        [_] = gates.wait_until_waiting(watcher, 1, behind=blocker.info.backend_pid)
        watcher.execute("SELECT FROM t")
        assert not run.done()
        blocker.rollback()
        assert run.result() == ("0002_step.sql",)


def test_a_backfill_that_may_have_committed_is_not_repeated(
    empty: str, tmp_path: Path
) -> None:
    """What a DO block has committed before it waits in vain stands, once."""
    loop = "DO $$BEGIN INSERT INTO t VALUES (2); COMMIT; UPDATE t SET x = 3; END$$;"
    migrations.up(at(empty), directory=write(tmp_path, TABLE))
    write(tmp_path, TABLE, migration(loop, "SELECT 1;", OUTSIDE))
    with psycopg.connect(empty) as blocker:
        blocker.execute("INSERT INTO t VALUES (1)")
        blocker.commit()
        blocker.execute("SELECT FROM t FOR UPDATE")
        url = at(f"{empty}&options=-c%20lock_timeout%3D1")
        with pytest.raises(MigrationError, match=r"\(55P03\)"):
            migrations.up(url, directory=tmp_path)
        row = blocker.execute("SELECT count(*) FROM t WHERE x = 2").fetchone()
        assert row == (1,)


def test_a_row_goes_on_at_the_file_that_waited(empty: str, tmp_path: Path) -> None:
    """Where one of a row cannot have its lock, those before it are not run again."""
    write(tmp_path, TABLE)
    migrations.up(at(empty), directory=tmp_path)
    begun = migration("CREATE TABLE begun ();")
    write(tmp_path, TABLE, begun, migration("DROP TABLE t;"), migration("SELECT 1;"))
    said: list[str] = []
    with psycopg.connect(empty) as reader:
        reader.execute("SELECT FROM t")

        def progress(line: str) -> None:
            said.append(line)
            if line.startswith("Waiting"):
                reader.rollback()

        migrations.up(at(empty), directory=tmp_path, progress=progress)
    assert [line.split()[1] for line in said if line.startswith("Applying")] == [
        "0002_step.sql",
        "0003_step.sql",
        "0003_step.sql",
        "0004_step.sql",
    ]
