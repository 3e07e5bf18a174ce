"""PgBouncer before the tests' server: in transaction mode, as hosted poolers are.

`TEST_PGBOUNCER` names its program; without it nothing stands between.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from postgres_testing import embedded, server_cache

__all__ = ["Pooler", "PoolerError", "program", "start"]

# Fewer than the store's own pool has, so that transactions change their session.
_SIZE = 3

# Connections are gone soon after their last use, for which some tests wait.
_CONFIG = """\
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {free}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
server_idle_timeout = 1
"""
_START_SECONDS = 10.0


class PoolerError(Exception):
    """PgBouncer did not start; the message is its log."""


@dataclass(frozen=True, slots=True)
class Pooler:
    """A running PgBouncer."""

    port: int

    def url(self, direct: str) -> str:
        """Return a database's URL by way of the pooler, which asks for no password."""
        return urlsplit(direct)._replace(netloc=f"any@127.0.0.1:{self.port}").geturl()


def program() -> Path | None:
    """Return PgBouncer's program, None where it is not asked for."""
    named = os.environ.get("TEST_PGBOUNCER")
    return Path(named) if named else None


@contextmanager
def start(
    pgbouncer: Path,
    server_url: str,
    *,
    ignores_options: bool = False,
    size: int = _SIZE,
) -> Generator[Pooler]:
    """Run PgBouncer before a server until the block ends.

    It has at most `size` connections to each database. By itself it refuses a URL's
    `options`; with `ignores_options` it overlooks them.

    Raises:
        PoolerError: it ended, or did not answer in time.
    """
    pooler = Pooler(embedded.free_port())
    with tempfile.TemporaryDirectory(prefix="pgbouncer-for-tests-") as folder:
        config, log = Path(folder, "pgbouncer.ini"), Path(folder, "log")
        config.touch(mode=0o600)
        text = _config(server_url, pooler.port, size)
        if ignores_options:
            text += "ignore_startup_parameters = options\n"
        config.write_text(text, encoding="utf-8")
        for path in (Path(folder), config):
            server_cache.give(path)
        with log.open("wb") as written:
            process = subprocess.Popen(
                # As root it does not run.
                [pgbouncer, config],
                stdout=written,
                stderr=written,
                **server_cache.account(),
            )
        try:
            _wait_until_ready(process, pooler.url(server_url), log)
            yield pooler
        finally:
            process.kill()
            process.wait()


def _config(server_url: str, free: int, size: int) -> str:
    parts = urlsplit(server_url)
    return _CONFIG.format(
        host=parts.hostname,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        free=free,
        size=size,
    )


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise PoolerError(log.read_text()) from error
            time.sleep(0.02)
        else:
            return
