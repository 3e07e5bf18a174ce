"""dbmate's way to the server: what comes by is heard, and it ends with the run."""

import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

from postgres_testing import embedded, server_cache
from store import migrations
from store.errors import MigrationError
from store.migrations import connections, dbmate, files
from tests.support import gates
from tests.support.migrating import alone, applied, at, busy, migration, plain, write

from .test_endings import started, wait_until_left

TABLE = migration("CREATE TABLE t (x serial);", "DROP TABLE t;")
OUTSIDE = " transaction:false"


def raising(text: str) -> str:
    """Give a statement that says something at each level that people read."""
    return (
        f"DO $$BEGIN RAISE NOTICE '{text}' USING HINT = 'try'; "
        f"RAISE WARNING E'{text}\\n2' USING DETAIL = 'why'; END$$;"
    )


def heard(lines: list[str]) -> list[str]:
    """Leave out what dbmate itself says, which comes another way."""
    return [one for one in lines if re.match("NOTICE|WARNING|INFO", one)]


def told_of(name: str, text: str) -> list[str]:
    """Give what is told of such a statement."""
    return [f"NOTICE: {name}: {text}; try", f"WARNING: {name}: {text} 2; why"]


@pytest.mark.parametrize("options", ["", OUTSIDE])
def test_what_a_file_says_is_told_with_its_name(
    options: str, empty: str, tmp_path: Path
) -> None:
    """NOTICE and WARNING, hint and detail, up and back, also of many in one process."""
    first = migration(raising("up"), raising("down"), options)
    write(tmp_path, first, *[migration(raising("more"), "SELECT 1;")] * 3)
    said: list[str] = []
    migrations.up(at(empty), directory=tmp_path, progress=said.append)
    assert heard(said) == [
        *told_of("0001_step.sql", "up"),
        *(line for n in (2, 3, 4) for line in told_of(f"{n:04}_step.sql", "more")),
    ]
    for _ in range(3):
        migrations.rollback(at(empty), directory=tmp_path, progress=said.append)
    said.clear()
    migrations.rollback(at(empty), directory=tmp_path, progress=said.append)
    assert heard(said) == told_of("0001_step.sql", "down")


def test_dbmate_alone_tells_no_warning(empty: str, tmp_path: Path) -> None:
    """That the relay is needed: dbmate's driver drops what a file says."""
    write(tmp_path, migration(raising("heed")))
    code, output = alone(empty, tmp_path, "up")
    assert (code, "heed" in output) == (0, False)


def test_an_answer_longer_than_a_chunk_passes(empty: str, tmp_path: Path) -> None:
    """Long rows, long notices and long files arrive as they are."""
    rows = "SELECT repeat('N', n * n) FROM generate_series(1, 900, 7) AS n;"
    long = f"{rows} {raising('y' * 200000)} {rows} SELECT 'Σ{'z' * 99999}';"
    write(tmp_path, migration(long), migration("SELECT 1;"))
    said: list[str] = []
    migrations.up(at(empty), directory=tmp_path, progress=said.append)
    assert heard(said) == told_of("0001_step.sql", "y" * 200000)
    assert applied(empty) == ["0001", "0002"]


def test_nothing_commits_after_the_run_was_killed(empty: str, tmp_path: Path) -> None:
    """After kill -9 of the run alone dbmate ends, and its transaction is undone."""
    (tmp_path / "db/migrations").mkdir(parents=True)
    directory = tmp_path / "db/migrations"
    migrations.up(at(empty), directory=write(directory, TABLE))
    write(directory, TABLE, migration("ALTER TABLE t ADD COLUMN y integer;"))
    patient = f"{plain(empty)}?options=-c%20lock_timeout%3D60s"
    waiting: list[str] = []
    with (
        psycopg.connect(empty, autocommit=True) as watcher,
        busy(empty, "t") as blocker,
        started(tmp_path, patient, "up") as process,
        ThreadPoolExecutor(1) as beside,
    ):
        [backend] = gates.wait_until_waiting(
            watcher, 1, behind=blocker.info.backend_pid
        )
        [folder] = tmp_path.glob("store-migrations-*")
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until_left(folder)  # by dbmate

        def note(line: str) -> None:
            waiting.append(line)
            blocker.rollback()

        again = beside.submit(
            migrations.up, at(patient), directory=directory, progress=note
        )
        assert again.result() == ("0002_step.sql",)
    assert waiting[0].startswith(f"Waiting: session {backend} (since ")
    assert applied(empty) == ["0001", "0002"]


def test_the_environment_leads_dbmate_nowhere_else(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the connection was given counts, once it is there."""
    write(tmp_path, TABLE)
    with connections.opened(at(empty)) as conn:
        for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGPASSWORD"):
            monkeypatch.setenv(name, "192.0.2.1" if "HOST" in name else "1")
        found = [files.read(tmp_path / "0001_step.sql")]
        dbmate.run(at(empty), found, "migrate", through=conn)
        monkeypatch.undo()
    assert applied(empty) == ["0001"]


DEBIANS = [*Path("/usr/lib/postgresql").glob("*/bin/postgres")]


def certify(folder: Path) -> None:
    """Write a server's key and certificate, which is its own authority."""
    key, certificate = folder / "server.key", folder / "server.crt"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files_of = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            *curve,
            "-nodes",
            "-days",
            "2",
            *subject,
            *files_of,
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    for path in (folder, key, certificate):
        server_cache.give(path)


@pytest.fixture
def certified() -> Generator[Path]:
    """Give a folder that the server's user may read, with a key and a certificate."""
    with tempfile.TemporaryDirectory() as name:
        certify(Path(name))
        yield Path(name)


@pytest.fixture
def encrypted(certified: Path) -> Generator[str]:
    """Run a server with TLS; give its URL."""
    settings = {
        **embedded.FAST,
        "ssl": "on",
        "ssl_cert_file": str(certified / "server.crt"),
        "ssl_key_file": str(certified / "server.key"),
    }
    with embedded.start(DEBIANS[0].parent, settings=settings) as server:
        yield plain(server.url).replace("127.0.0.1", "localhost")


@pytest.mark.skipif(not DEBIANS, reason="the wheel's server has no TLS, Debian's has")
@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
def test_with_tls_it_is_heard_as_well(
    mode: str, encrypted: str, certified: Path, tmp_path: Path
) -> None:
    """As psycopg goes with TLS, so does dbmate, and to nobody whom it would refuse."""
    noted = (
        "CREATE TABLE tls AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid();"
    )
    first = migration(f"{noted} {raising('heed')}")
    write(tmp_path, first)
    trusted = tmp_path / "trusted.crt"
    shutil.copy(certified / "server.crt", trusted)
    root = f"&sslrootcert={trusted}" if mode.startswith("verify") else ""
    url = f"{encrypted}?sslmode={mode}{root}"
    said: list[str] = []
    migrations.up(at(url), directory=tmp_path, progress=said.append)
    assert heard(said) == told_of("0001_step.sql", "heed")
    with connections.opened(at(url)) as conn:
        assert conn.execute("SELECT ssl FROM tls").fetchone() == (True,)
        # Another server takes its place.
        certify(certified)
        conn.execute("SELECT pg_reload_conf()")
        added = write(tmp_path, first, TABLE)
        found = files.load(added)
        refused = (
            pytest.raises(MigrationError, match="certificate verify failed")
            if root
            else nullcontext()
        )
        with refused:
            dbmate.run(at(url), found, "migrate", through=conn)
