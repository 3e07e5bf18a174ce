"""One run at a time, also going back, and only where a lock holds."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from pydantic import SecretStr

from postgres_testing import embedded
from postgres_testing.embedded import Server
from store import migrations
from store.errors import MigrationError
from store.settings import DatabaseSettings
from tests.support import gates
from tests.support.migrating import add, alone, applied, at, busy, migration, write

from .conftest import Run

TABLES = [migration(f"CREATE TABLE {t} ();", f"DROP TABLE {t};") for t in "abcd"]
DBMATES_LOCK = 48372615


@pytest.mark.parametrize("command", [migrations.up, migrations.rollback])
def test_whoever_holds_dbmates_lock_is_waited_for_and_named(
    command: Callable[..., object], empty: str, tmp_path: Path
) -> None:
    """A run of dbmate's with its lock excludes ours, rollbacks too."""
    migrations.up(at(empty), directory=write(tmp_path, *TABLES))
    waiting: list[str] = []
    with psycopg.connect(empty, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [DBMATES_LOCK])
        who = f"session {holder.info.backend_pid} "
        with pytest.raises(MigrationError, match=f"{who}.*holds the migration lock"):
            command(at(empty), directory=tmp_path, lock_seconds=0.2)
        assert len(applied(empty)) == len(TABLES)

        def let_go(line: str) -> None:
            waiting.append(line)
            holder.execute("SELECT pg_advisory_unlock_all()")

        command(at(empty), directory=tmp_path, progress=let_go)
    assert waiting[0].startswith(f"Waiting: {who}")


def test_rollbacks_at_once_take_back_one_each(empty: str, tmp_path: Path) -> None:
    """No two rollbacks meet at the same migration."""
    migrations.up(at(empty), directory=write(tmp_path, *TABLES))
    barrier = threading.Barrier(len(TABLES))

    def start(_: int) -> str:
        barrier.wait()
        return migrations.rollback(at(empty), directory=tmp_path)

    with ThreadPoolExecutor(len(TABLES)) as pool:
        taken_back = sorted(pool.map(start, range(len(TABLES))))
    assert taken_back == [f"000{n}_step.sql" for n in (1, 2, 3, 4)]
    assert applied(empty) == []


def test_dbmate_alone_rolls_back_beside_its_own_lock(
    empty: str, tmp_path: Path
) -> None:
    """That the guard is needed: dbmate's lock is for `up` alone."""
    migrations.up(at(empty), directory=write(tmp_path, *TABLES))
    with psycopg.connect(empty, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [DBMATES_LOCK])
        code, said = alone(empty, tmp_path, "--migration-lock", "rollback")
    assert (code, "Rolled back: 0004_step.sql" in said) == (0, True)


def test_dbmate_alone_applies_a_step_more_than_once(empty: str, tmp_path: Path) -> None:
    """That the guard is needed: without a lock, two runs both do the same step."""
    step = "INSERT INTO t SELECT 1 FROM (SELECT pg_advisory_xact_lock_shared(7)) x;"
    migrations.up(
        at(empty), directory=write(tmp_path, migration("CREATE TABLE t (x integer);"))
    )
    add(tmp_path, "0002_step.sql", migration(step, options=" transaction:false"))
    with psycopg.connect(empty, autocommit=True) as watcher:
        watcher.execute("SELECT pg_advisory_lock(7)")
        with ThreadPoolExecutor(2) as pool:
            ends = [pool.submit(alone, empty, tmp_path, "up") for _ in range(2)]
            gates.wait_until_waiting(watcher, 2)
            watcher.execute("SELECT pg_advisory_unlock(7)")
        assert sorted(end.result()[0] for end in ends) == [0, 2]
        assert watcher.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_dbmate_alone_deadlocks_with_an_index_and_its_own_lock(
    empty: str, tmp_path: Path
) -> None:
    """That the guard is needed: who waits for dbmate's lock is waited for in turn."""
    table = migration("CREATE TABLE t (x serial);")
    migrations.up(at(empty), directory=write(tmp_path, table))
    index = migration(
        "CREATE INDEX CONCURRENTLY i ON t (x);", options=" transaction:false"
    )
    add(tmp_path, "0002_step.sql", index)
    ends: list[Future[tuple[int, str]]] = []
    with (
        ThreadPoolExecutor(2) as pool,
        busy(empty, "t") as blocker,
        psycopg.connect(empty, autocommit=True) as watcher,
    ):
        for waiting in (1, 2):
            ends.append(pool.submit(alone, empty, tmp_path, "--migration-lock", "up"))
            gates.wait_until_waiting(watcher, waiting)
        blocker.rollback()
    results = [end.result() for end in ends]
    assert 2 in [code for code, _ in results]
    assert "deadlock detected (40P01)" in "".join(said for _, said in results)


def url(host: str, port: int = 5432) -> DatabaseSettings:
    """Give settings for a place where nobody is."""
    return at(f"postgresql://ann:secret@{host}:{port}/shop?connect_timeout=1")


@pytest.mark.parametrize(
    ("settings", "sign"),
    [
        (url("ep-x-pooler.eu-central-1.aws.neon.tech"), "host ep-x-pooler"),
        (url("aws-0-eu.pooler.supabase.com"), "host aws-0-eu.pooler.supabase.com"),
        (url("pgbouncer"), "host pgbouncer"),
        (url("db.example", 6432), "port 6432"),
        (url("db.example", 6543), "port 6543"),
    ],
)
@pytest.mark.parametrize("command", [migrations.up, migrations.rollback])
def test_what_looks_like_a_pooler_is_refused(
    command: Callable[..., object],
    settings: DatabaseSettings,
    sign: str,
    tmp_path: Path,
) -> None:
    """Through a pooler no lock holds: the run ends before it connects, and says why."""
    with pytest.raises(MigrationError, match=f"looks like a pooler's, by its {sign}"):
        command(settings, directory=write(tmp_path, *TABLES))


def test_prismas_sign_of_a_pooler_is_refused(run: Run) -> None:
    """A URL that says itself that it is a pooler's is refused, whatever it is for."""
    code, _, complaint = run(
        "up", url="postgresql://ann@db.example/shop?pgbouncer=true"
    )
    assert code == 2
    assert complaint.startswith("DATABASE_URL has pgbouncer=")


def test_a_role_that_may_not_is_told(
    postgres_server: Server, empty: str, tmp_path: Path
) -> None:
    """What the server refuses to the role is one line, with its SQLSTATE."""
    migrations.up(at(empty), directory=write(tmp_path, *TABLES))
    with psycopg.connect(postgres_server.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE store_test_reader LOGIN PASSWORD 'store_test'")
        try:
            host = urlsplit(empty).netloc.rpartition("@")[2]
            place = urlsplit(empty)._replace(
                netloc=f"store_test_reader:store_test@{host}"
            )
            with pytest.raises(
                MigrationError, match=r"^the server refused.*\(42501\)$"
            ):
                migrations.status(at(place.geturl()), directory=tmp_path)
        finally:
            admin.execute("DROP ROLE store_test_reader")


def test_a_pooler_before_the_server_does_not_matter(empty: str, tmp_path: Path) -> None:
    """Only the URL that migrations go through is looked at."""
    pooled = "postgresql://ann@ep-x-pooler.neon.tech/shop"
    settings = DatabaseSettings(
        database_url=SecretStr(pooled), database_url_direct=SecretStr(empty)
    )
    assert len(migrations.up(settings, directory=write(tmp_path, *TABLES))) == 4


def test_the_user_knows_better_what_is_a_pooler(run: Run, empty: str) -> None:
    """A server that only looks like a pooler is taken where that is asked for."""
    assert run("up", url=empty)[0] == 0
    place = urlsplit(empty)
    address = socket.gethostbyname(str(place.hostname))
    login, _, _ = place.netloc.rpartition("@")
    named = place._replace(
        netloc=f"{login}@pgbouncer:{place.port}", query=f"hostaddr={address}"
    )
    name = named.geturl()
    assert run("up", url=name)[0] == 2
    assert run("up", "--allow-pooler", url=name) == (0, "nothing is pending\n", "")


def test_a_server_that_starts_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run that comes before the server tells so, and goes on when that is there."""
    with embedded.start() as server:
        settings = at(server.url)
    port = urlsplit(server.url).port
    monkeypatch.setattr(embedded, "free_port", lambda: port)
    with ExitStack() as later:

        def start(line: str) -> None:
            if line == "Waiting: for the server":
                later.enter_context(embedded.start())

        done = migrations.up(
            settings, directory=write(tmp_path, *TABLES), progress=start
        )
    assert len(done) == len(TABLES)
