"""Every way to name a server works for dbmate, too; what does not is a clear line."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from postgres_testing import clusters, databases, server_cache
from tests.support.migrating import add, applied, migration, write

from .conftest import Run

ODD = "zq7 @:/?#[]%&=+'\"\\xw9"
WORDS = (
    *("application_name=a", "client_encoding=latin1", "connect_timeout=5"),
    *("gssdelegation=0", "gssencmode=disable", "hostaddr=127.0.0.1", "keepalives=1"),
    *("load_balance_hosts=disable", "options=-c%20search_path%3Dpublic"),
    *("require_auth=scram-sha-256", "sslcertmode=disable", "sslcrl=/absent"),
    *("sslmode=allow", "sslmode=prefer", "target_session_attrs=read-write"),
)
ROLES = """
CREATE ROLE odd SUPERUSER LOGIN PASSWORD {odd};
CREATE ROLE plain LOGIN PASSWORD 'zq7xw9';
CREATE ROLE full LOGIN CONNECTION LIMIT 0 PASSWORD 'zq7xw9';
CREATE ROLE hasty LOGIN SUPERUSER PASSWORD 'zq7xw9';
ALTER ROLE hasty SET statement_timeout = '50ms';
CREATE ROLE reader LOGIN SUPERUSER PASSWORD 'zq7xw9';
ALTER ROLE reader SET default_transaction_read_only = on;
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A server that may be harmed, and a folder that it and others may use."""

    server: clusters.Cluster
    folder: Path

    def url(self, user: str = "", host: str = "", query: str = "") -> str:
        """Give the URL of a database with an odd name."""
        user = user or f"postgres:{self.server.password}"
        host = host or f"127.0.0.1:{self.server.port}"
        return f"postgresql://{user}@{host}/{quote(NAME, safe='')}?{query}"


NAME = 'a "b" c/\'é?'


@pytest.fixture(scope="module")
def place() -> Generator[Place]:
    """Run a server on IPv4, IPv6 and a socket in a folder whose name has a blank."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server_cache.give(folder)
        sockets = folder / "so ckets"
        sockets.mkdir()
        server_cache.give(sockets)
        server = stack.enter_context(
            clusters.start(
                listen_addresses="127.0.0.1,::1",
                unix_socket_directories=f'"{sockets}"',
            )
        )
        with psycopg.connect(server.url, autocommit=True) as conn:
            odd = sql.Literal(ODD)
            conn.execute(sql.SQL(ROLES).format(odd=odd))
        databases.create(server.url, NAME)
        yield Place(server, folder)


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Give a folder with one migration that is slower than a hasty role allows."""
    folder = tmp_path / "steps"
    folder.mkdir()
    slow = "CREATE TABLE t (); SELECT pg_sleep(0.1);"
    return write(folder, migration(slow, "DROP TABLE t;"))


def there_and_back(run: Run, steps: Path, url: str) -> None:
    """Go up and back."""
    for command in ("up", "status", "rollback"):
        code, _, complaint = run("--directory", str(steps), command, url=url)
        assert (command, code, complaint) == (command, 0, "")


def refused(run: Run, steps: Path, command: str, url: str) -> str:
    """Give the one line with which a command ends, which has no word of a library's."""
    code, _, complaint = run("--directory", str(steps), *command.split(), url=url)
    assert code == 2
    assert complaint.count("\n") == 1
    for word in ("zq7", "xw9", "pq:", "dial tcp", "driver:", "Traceback"):
        assert word not in complaint
    return complaint


@pytest.mark.parametrize("words", WORDS)
def test_each_word_of_libpq_leads_there(
    run: Run, place: Place, steps: Path, words: str
) -> None:
    """What dbmate's driver does not know, or reads otherwise, stops nothing."""
    there_and_back(run, steps, place.url(query=words))


@pytest.mark.parametrize("kind", ["IPv6", "socket", "odd", "service", "passfile"])
def test_each_way_to_name_a_server_leads_there(
    run: Run, place: Place, steps: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever psycopg understands, dbmate does."""
    server = place.server
    urls = {
        "IPv6": place.url(host=f"[::1]:{server.port}"),
        "socket": place.url(
            host=f"{quote(str(place.folder / 'so ckets'), safe='')}:{server.port}"
        ),
        "odd": place.url(user=f"odd:{quote(ODD, safe='')}"),
        "service": f"postgresql:///{quote(NAME, safe='')}?service=mine",
        "passfile": place.url(
            user="postgres", query=f"passfile={quote(str(steps / 'pass file'))}"
        ),
    }
    if kind == "IPv6" and not reaches(server.port):
        pytest.skip("this machine has no IPv6")
    login = ["host=127.0.0.1", f"port={server.port}", "user=postgres"]
    lines = "\n".join(["[mine]", *login, f"password={server.password}"])
    (steps / "services").write_text(f"{lines}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(steps / "services"))
    (steps / "pass file").write_text(f"*:*:*:postgres:{server.password}\n")
    (steps / "pass file").chmod(0o600)
    there_and_back(run, steps, urls[kind])


def reaches(port: int) -> bool:
    """Tell whether a server answers on the loopback address of IPv6."""
    try:
        socket.create_connection(("::1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("plain:zq7xw8", "password authentication failed"),
        ("nobody:zq7xw9", "password authentication failed"),
        ("full:zq7xw9", "too many connections for role"),
    ],
)
def test_who_is_not_let_in_is_told(
    run: Run, place: Place, steps: Path, user: str, said: str
) -> None:
    """The server's reason, and where that server is."""
    for command in ("up", "status", "rollback"):
        complaint = refused(run, steps, command, place.url(user=user))
        assert complaint.startswith("cannot connect: ")
        assert said in complaint


@pytest.fixture
def closed(place: Place) -> Generator[Place]:
    """Let nobody but postgres into the server."""
    hba = place.server.data / "pg_hba.conf"
    text = hba.read_text()
    hba.write_text("host all postgres 127.0.0.1/32 scram-sha-256\n")
    reload_until(place, lets_in=False)
    yield place
    hba.write_text(text)
    reload_until(place, lets_in=True)


def reload_until(place: Place, *, lets_in: bool) -> None:
    """Have the server read its files, which it does a moment after it says so."""
    with psycopg.connect(place.server.url, autocommit=True) as conn:
        conn.execute("SELECT pg_reload_conf()")
    while True:
        try:
            psycopg.connect(place.url(user="plain:zq7xw9")).close()
        except psycopg.OperationalError:
            if not lets_in:
                return
        else:
            if lets_in:
                return


def test_a_refusal_of_pg_hba_is_told(run: Run, closed: Place, steps: Path) -> None:
    """With what the server says of host, user and database."""
    url = closed.url(user="plain:zq7xw9")
    for command in ("up", "status", "rollback", "verify"):
        assert "no pg_hba.conf entry for host" in refused(run, steps, command, url)


def test_what_a_role_may_not_do_is_told_with_the_remedy(
    run: Run, place: Place, steps: Path
) -> None:
    """A role's statement_timeout and its read-only transactions can be overruled."""
    hasty = place.url(user="hasty:zq7xw9")
    assert "(57014): if the statement_timeout of the role" in refused(
        run, steps, "up", hasty
    )
    there_and_back(run, steps, f"{hasty}options=-c%20statement_timeout%3D0")
    with psycopg.connect(place.url(), autocommit=True) as conn:
        conn.execute("DROP TABLE IF EXISTS schema_migrations")
    reader = place.url(user="reader:zq7xw9")
    assert "(25006): the server is a standby, or" in refused(run, steps, "up", reader)
    there_and_back(
        run, steps, f"{reader}options=-c%20default_transaction_read_only%3Doff"
    )


@pytest.mark.parametrize("command", ["up", "status", "rollback", "verify", "draft x"])
def test_a_server_that_hangs_up_is_told(run: Run, steps: Path, command: str) -> None:
    """What takes connections and closes them is one line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"postgresql://ann:zq7xw9@127.0.0.1:{listener.getsockname()[1]}/shop"
        (steps.parent / "db/schema.sql").write_text("")
        assert refused(run, steps, command, url).startswith("cannot connect: ")
        listener.shutdown(socket.SHUT_RDWR)


def test_a_database_that_is_dropped_meanwhile_is_told(
    run: Run, empty: str, steps: Path
) -> None:
    """Who ends all sessions leaves a run that says so."""
    dropping = """
    DO $$BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database()
    ORDER BY pid = pg_backend_pid(); END$$;"""
    write(steps, (steps / "0001_step.sql").read_text(), migration(dropping))
    code, _, complaint = run("--directory", str(steps), "up", url=empty)
    assert code == 2
    assert "0002_step.sql: " in complaint
    assert "driver:" not in complaint
    assert complaint.splitlines()[-1] == (
        "The connection was lost: look with make migrate-status."
    )
    assert applied(empty) == ["0001"]


def test_a_full_disk_is_told(empty: str, tmp_path: Path, steps: Path) -> None:
    """Where no copy of a file can be written, that is one line."""
    command = 'ulimit -f 0; exec "$0" -m store migrate --directory "$1" up'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, steps],
        env={**os.environ, "TMPDIR": str(tmp_path), "DATABASE_URL": empty},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("cannot write to the folder for temporary files (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "draft x"])
def test_no_folder_for_temporary_files_is_told(
    run: Run, empty: str, steps: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is none, that is one line, which names it."""
    (steps.parent / "db/schema.sql").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(steps / "absent"))
    assert str(steps / "absent") in refused(run, steps, command, empty)


@pytest.mark.parametrize(
    "content",
    [b"SELECT '\xe9';", b"SELECT 1;\0"],
    ids=["no UTF-8", "a zero byte"],
)
def test_what_no_server_reads_is_found(
    run: Run, empty: str, steps: Path, content: bytes
) -> None:
    """`check` has the line, and `up` is one line, in a transaction and outside."""
    text = migration(content.decode(errors="surrogateescape"), "SELECT 1;")
    for options in ("", " transaction:false"):
        file = add(steps, "0002_step.sql", "")
        said = text.replace("migrate:up", f"migrate:up{options}")
        file.write_bytes(said.encode(errors="surrogateescape"))
        code, found, _ = run("--directory", str(steps), "check")
        assert code == 1
        assert f"{file}:2: " in found
        refused(run, steps, "up --allow-unrecorded", empty)
