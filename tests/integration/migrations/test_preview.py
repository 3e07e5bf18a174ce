"""What a dry run tells holds, and it changes nothing."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from store import migrations
from store.sql import effects, statements
from store.sql.effects import Lock, Work
from tests.support.migrating import add, applied, at, migration, write

from .conftest import Run

HERE = Path(__file__).parent
SETUP = (HERE / "effects_setup.sql").read_text()
SAMPLES = statements.split((HERE / "effects.sql").read_text())

# Of each kind of work, what may be seen of it: rows read, or another file.
SEEN = {
    Work.NONE: {"none"},
    Work.QUERY: {"none", "scan"},
    Work.EMPTY: {"rewrite"},
    Work.MAY_SCAN: {"none", "scan"},
    Work.SCAN: {"scan"},
    Work.MAY_REWRITE: {"none", "scan", "rewrite"},
    Work.REWRITE: {"rewrite"},
}
# What older servers than these do not have.
SINCE = {170000: "ALTER TABLE made ALTER COLUMN b SET EXPRESSION AS (a * 3)"}
OUTSIDE = [
    "CREATE INDEX CONCURRENTLY a ON t (x)",
    "DROP INDEX CONCURRENTLY tx",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX INDEX CONCURRENTLY tx",
    "VACUUM t",
    "VACUUM FULL t",
]

_RELATIONS = """
SELECT c.oid, pg_relation_filenode(c.oid),
    pg_stat_get_xact_tuples_returned(c.oid)
FROM pg_class c
WHERE c.oid = ANY(%s)"""

_LOCKS = """
SELECT relation, mode FROM pg_locks
WHERE pid = %s AND locktype = 'relation' AND granted = %s"""


def lock_of(mode: str) -> Lock:
    """Read what pg_locks calls a lock."""
    words = {str(lock).title().replace(" ", "") + "Lock": lock for lock in Lock}
    return words[mode]


@pytest.fixture
def place(empty: str) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Give two sessions on a database with something for each statement."""
    with (
        psycopg.connect(empty, autocommit=True) as conn,
        psycopg.connect(empty, autocommit=True) as watcher,
    ):
        conn.execute("DROP ROLE IF EXISTS store_test_effects")
        try:
            conn.execute(SETUP.encode())
            yield conn, watcher
        finally:
            conn.execute("DROP OWNED BY store_test_effects")
            conn.execute("DROP ROLE store_test_effects")


def test_what_is_told_of_each_kind_is_what_happens(
    place: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    """Locks, reading and rewriting of each are as pg_locks and the files show them."""
    conn, watcher = place
    names: dict[int, str] = dict(
        watcher.execute(
            "SELECT oid, relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p', 'm', 'v')"
        ).fetchall()
    )

    def look() -> dict[str, tuple[int, int]]:
        rows = conn.execute(_RELATIONS, [list(names)]).fetchall()
        return {names[oid]: (node, read) for oid, node, read in rows}

    wrong: list[str] = []
    version = conn.info.server_version
    newer = "; ".join(text for since, text in SINCE.items() if since <= version)
    for sample in (*SAMPLES, *statements.split(newer)):
        told = effects.effects(sample, conn)
        with conn.transaction(force_rollback=True):
            # Inside, as between transactions the server moves its counts elsewhere.
            before = look()
            conn.execute(sample.text.encode())
            locks = watcher.execute(_LOCKS, [conn.info.backend_pid, True]).fetchall()
            after = look()
        seen: dict[str, Lock] = {}
        for relation, mode in locks:
            if name := names.get(relation):
                seen[name] = max(lock_of(mode), seen.get(name, Lock.ACCESS_SHARE))
        # A child comes with its parent.
        seen = {n: lock for n, lock in seen.items() if lock > Lock.ROW_SHARE}
        expected = {one.table: one for one in told.on}
        strong = {n: e for n, e in expected.items() if e.lock > Lock.ROW_SHARE}
        if "par" in strong and "child" not in strong:
            seen.pop("child", None)
        if not told.known:
            continue
        indexes = strong.keys() - set(names.values())
        if seen != {n: e.lock for n, e in strong.items() if n not in indexes}:
            wrong.append(f"{sample.text}: told {strong}, was {seen}")
        for name, (node, read) in after.items():
            was_node, was_read = before[name]
            work = (
                "rewrite"
                if node != was_node
                else "scan"
                if read != was_read
                else "none"
            )
            effect = expected.get(name)
            allowed = SEEN[effect.work] if effect else {"none"}
            reads_elsewhere = sample.kind == "RefreshMatViewStmt" and name == "t"
            if work not in allowed and not reads_elsewhere:
                wrong.append(f"{sample.text}: {name} told {effect}, was {work}")
    assert wrong == []


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_is_told_of_what_runs_outside_is_what_it_asks_for(
    place: tuple[psycopg.Connection, psycopg.Connection], text: str, empty: str
) -> None:
    """Where another session has the table, the lock that is waited for is the told."""
    conn, watcher = place
    [sample] = statements.split(text)
    expected = {one.table: one.lock for one in effects.effects(sample, conn).on}["t"]
    with psycopg.connect(empty) as holder:
        holder.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
        conn.execute("SET lock_timeout = 300")
        modes: set[Lock] = set()
        pid = conn.info.backend_pid
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(conn.execute, text.encode())
            while not running.done() and not modes:
                rows = watcher.execute(_LOCKS, [pid, False]).fetchall()
                modes = {lock_of(mode) for _, mode in rows}
            assert isinstance(running.exception(), psycopg.errors.LockNotAvailable)
    assert modes == {expected}


def test_each_kind_has_a_sample() -> None:
    """No kind of statement is told of without a look at a server."""
    sampled = {one.kind for one in (*SAMPLES, *statements.split("; ".join(OUTSIDE)))}
    assert effects.KINDS.keys() - sampled == set()


@pytest.mark.parametrize(
    "text", ["DO $$BEGIN END$$", "SELECT f()", "DROP TABLE t CASCADE"]
)
def test_what_is_not_known_is_said_to_be(empty: str, text: str) -> None:
    """What may do anything is not taken for something harmless."""
    with psycopg.connect(empty, autocommit=True) as conn:
        [statement] = statements.split(text)
        told = effects.effects(statement, conn)
    assert not told.known
    assert told.note


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Give a folder with a table, and what is to be done to it."""
    folder = tmp_path / "steps"
    folder.mkdir()
    return write(
        folder,
        migration("CREATE TABLE t (x integer);"),
        migration("-- Why.\nALTER TABLE t\n    ALTER COLUMN x TYPE bigint;\nTABLE t;"),
        migration(
            "CREATE INDEX CONCURRENTLY i ON t (x);", options=" transaction:false"
        ),
    )


def test_a_dry_run_changes_nothing(run: Run, empty: str, steps: Path) -> None:
    """Not even a ledger is made, and it ends with 1, since something is pending."""
    code, said, _ = run("--directory", str(steps), "up", "--dry-run", url=empty)
    assert code == 1
    assert "CREATE TABLE t (x integer);" in said
    assert said.endswith("-- nothing was changed\n")
    with psycopg.connect(empty) as conn:
        assert conn.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchone() == (0,)


def test_a_dry_run_creates_no_database(run: Run, missing: str, steps: Path) -> None:
    """It says that one would be created, and leaves that to the run."""
    code, said, _ = run("--directory", str(steps), "up", "--dry-run", url=missing)
    assert code == 1
    assert "would be created" in said
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(missing)


def test_a_dry_run_tells_of_this_server(run: Run, empty: str, steps: Path) -> None:
    """Per statement: its line, and each table's lock, work, size and rows here."""
    later = [(path, path.read_text()) for path in sorted(steps.glob("*.sql"))[1:]]
    first = steps / "0001_step.sql"
    for path, _ in later:
        path.unlink()
    (steps / "meta/_journal.json").unlink()
    write(steps, first.read_text())
    migrations.up(at(empty), directory=steps)
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute("INSERT INTO t SELECT generate_series(1, 5000)")
        conn.execute("ANALYZE t")
    for path, text in later:
        path.write_text(text)
    migrations.record(steps)
    url = f"{empty}{'&' if '?' in empty else '?'}options=-c%20lock_timeout%3D7s"
    code, said, people = run(
        "--directory", str(steps), "up", "--dry-run", "--json", url=url
    )
    document = json.loads(said)
    assert (code, document["lock_timeout"]) == (1, 7)
    rewrite, index = document["pending"]
    assert [rewrite["in_transaction"], index["in_transaction"]] == [True, False]
    retype, read = rewrite["statements"]
    assert (retype["line"], read["line"]) == (2, 5)
    [table] = retype["tables"]
    assert table.pop("bytes") > 100_000
    assert table == {
        "table": "t",
        "lock": "ACCESS EXCLUSIVE",
        "blocks_reads": True,
        "blocks_writes": True,
        "work": "may_rewrite",
        "present": True,
        "rows": 5000,
    }
    [built] = index["statements"]
    assert not built["tables"][0]["blocks_writes"]
    assert "waited for at most 7 s" in people
    assert applied(empty) == ["0001"]


def test_what_is_not_recorded_is_shown_where_that_is_allowed(
    run: Run, empty: str, tmp_path: Path
) -> None:
    """A dry run refuses what the run would refuse, and nothing else."""
    add(tmp_path / "db/migrations", "9999_new.sql", migration("SELECT 1;"))
    code, _, complaint = run("up", "--dry-run", url=empty)
    assert (code, "9999_new.sql" in complaint) == (2, True)
    code, said, _ = run("up", "--dry-run", "--allow-unrecorded", url=empty)
    assert (code, "9999_new.sql" in said) == (1, True)
