"""Servers that may be killed, frozen, started again and promoted, and their standbys.

    with clusters.start() as cluster:
        cluster.kill()
        cluster.start()

What is acknowledged survives the end of the process, if not of the machine (`fsync`).
Each listens on a port of the loopback interface, and ends with its owner.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from postgres_testing import embedded, server_cache
from postgres_testing.server_cache import ServerError

__all__ = ["Cluster", "pair", "standby_of", "start", "urls_of"]

_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "wal_keep_size": "64MB",
}
# $@: the server. When standard input ends, so does the server.
_SUPERVISOR = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _; kill -CONT $server; kill -KILL $server; } <&3 2>/dev/null &
wait $server
kill $!
"""
_PATIENCE = 60.0


class Cluster:
    """A server with a folder of its own, running or not."""

    def __init__(
        self, folder: Path, password: str, settings: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.port = embedded.free_port()
        self.password = password
        self._settings = {**_SETTINGS, **settings, "port": str(self.port)}
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._process_id = 0

    @property
    def url(self) -> str:
        """Give the URL of the database `postgres`."""
        return urls_of("postgres", self)

    @property
    def data(self) -> Path:
        """Give the data directory."""
        return self.folder / "data"

    def start(self) -> None:
        """Start the server, also after it was killed; it takes connections then."""
        deadline = time.monotonic() + _PATIENCE
        while not self._started(deadline):
            # The processes of the one before are not gone yet.
            if time.monotonic() > deadline:
                raise ServerError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server's first process; the others follow by themselves."""
        os.kill(self._process_id, signal.SIGKILL)
        assert self._supervisor
        self._supervisor.communicate()

    def freeze(self) -> None:
        """Stop every process of the server where it is."""
        os.kill(self._process_id, signal.SIGSTOP)
        for child in self._children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for process_id in (*self._children(), self._process_id):
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGCONT)

    def close(self) -> None:
        """End the server, and remove its folder."""
        if self._supervisor and self._supervisor.poll() is None:
            self.thaw()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def promote(self) -> None:
        """Make a standby the primary."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("SELECT pg_promote()")

    def follow(self, primary: "Cluster") -> None:
        """Have a standby stream from another server of the same system."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            source = conninfo.make_conninfo(primary.url, dbname="")
            change = sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(source)
            conn.execute(change)
            conn.execute("SELECT pg_reload_conf()")

    def _started(self, deadline: float) -> bool:
        program = server_cache.readable_binaries(embedded.wheel_binaries()) / "postgres"
        arguments = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            self._supervisor = subprocess.Popen(
                [
                    "/bin/sh",
                    "-c",
                    _SUPERVISOR,
                    "sh",
                    program,
                    "-D",
                    self.data,
                    *arguments,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                env=server_cache.ENVIRONMENT,
                start_new_session=True,
                **server_cache.account(),
            )
        while self._supervisor.poll() is None and time.monotonic() < deadline:
            if self._is_ready():
                return True
            time.sleep(0.005)
        return False

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        if int(lines[0]) == self._process_id:
            return False  # what was killed has left it
        self._process_id = int(lines[0])
        return True

    def _children(self) -> list[int]:
        found: list[int] = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self._process_id:
                    found.append(int(stat.parent.name))
        return found


def urls_of(database: str, *servers: Cluster, **options: str) -> str:
    """Give the URL of a database on any of these servers."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    said = "".join(f"&{name}={value}" for name, value in options.items())
    user = f"postgres:{servers[0].password}"
    return f"postgresql://{user}@{hosts}/{database}?sslmode=disable{said}"


@contextmanager
def start(**settings: str) -> Generator[Cluster]:
    """Run a server of its own until the block ends."""
    made = server_cache.data_directory(
        server_cache.readable_binaries(embedded.wheel_binaries())
    )
    with _folder() as folder:
        _copy(made / "data", folder / "data")
        cluster = Cluster(folder, (made / "password").read_text(), settings)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()


@contextmanager
def standby_of(primary: Cluster) -> Generator[Cluster]:
    """Run a standby that streams from a server, which need not wait for it."""
    with _folder() as folder:
        subprocess.run(
            [
                embedded.wheel_binaries() / "pg_basebackup",
                f"--dbname={primary.url}",
                f"--pgdata={folder / 'data'}",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
        )
        for path in (folder / "data", *(folder / "data").rglob("*")):
            server_cache.give(path)
        standby = Cluster(folder, primary.password, {})
        try:
            standby.start()
            yield standby
        finally:
            standby.close()


@contextmanager
def pair() -> Generator[tuple[Cluster, Cluster]]:
    """Run a primary and its synchronous standby until the block ends."""
    with start() as primary, standby_of(primary) as standby:
        with psycopg.connect(primary.url, autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            conn.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + _PATIENCE
            state = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'"
            while not conn.execute(state).rowcount:
                assert time.monotonic() < deadline, "the standby is not synchronous"
                time.sleep(0.02)
        yield primary, standby


@contextmanager
def _folder() -> Generator[Path]:
    folder = Path(
        tempfile.mkdtemp(prefix="cluster-for-tests-", dir=embedded.default_directory())
    )
    server_cache.give(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(cluster: Path, to: Path) -> None:
    subprocess.run(
        ["cp", "-R", cluster, to], check=True, cwd="/", **server_cache.account()
    )
