"""Databases to migrate, and the command line in a folder of its own."""

import secrets
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from devserver.databases import url_of
from devserver.embedded import Server
from store.cli import main as command_line
from tests.support.recorded import MIGRATIONS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def missing(server: Server) -> Generator[str]:
    """Give the URL of a database that is not there yet; it is dropped in the end."""
    name = f"store_test_{secrets.token_hex(4)}"
    yield url_of(server.url, name)
    with psycopg.connect(server.url, autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        admin.execute(drop.format(sql.Identifier(name)))


@pytest.fixture
def empty(missing: str, server: Server) -> str:
    """Give the URL of a database without anything in it."""
    with psycopg.connect(server.url, autocommit=True) as admin:
        name = urlsplit(missing).path.removeprefix("/")
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return missing


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `python -m store migrate …` in a folder whose db/migrations may be changed.

    Gives the exit code, what it said, and what it complained of.
    """
    shutil.copytree(MIGRATIONS, tmp_path / "db/migrations")
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, url: str | None = None) -> tuple[int, str, str]:
        if url is not None:
            monkeypatch.setenv("DATABASE_URL", url)
        capsys.readouterr()
        code = command_line.main(["migrate", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
