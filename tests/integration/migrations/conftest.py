"""Databases to migrate, and the command line in a folder of its own."""

import secrets
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from postgres_testing import databases
from postgres_testing.embedded import Server
from store.cli import main as command_line
from tests.support.recorded import MIGRATIONS

Run = Callable[..., tuple[int, str, str]]
FILES = tuple(sorted(path.name for path in MIGRATIONS.glob("*.sql")))


@pytest.fixture
def missing(postgres_server: Server) -> Generator[str]:
    """Give the URL of a database that is not there yet; it is dropped in the end."""
    name = f"store_test_{secrets.token_hex(4)}"
    yield databases.url_of(postgres_server.url, name)
    databases.drop(postgres_server.url, name)


@pytest.fixture
def empty(missing: str, postgres_server: Server) -> str:
    """Give the URL of a database without anything in it."""
    return databases.create(postgres_server.url, databases.name_of(missing))


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
