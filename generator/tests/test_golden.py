"""The output of whole projects, byte by byte.

After a wanted change: `UPDATE_GOLDEN=1 pytest generator/tests/test_golden.py`, then
read the difference.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator.tests import sqlc

PROJECTS = sorted(path.parent.name for path in sqlc.GOLDEN.glob("*/sqlc.yaml"))
ROOT = Path(__file__).parents[2]
# Docstrings and SQL are the user's own words and lines; names are the schema's.
USERS_WORDS = "A,D,E501,PLC2401"

each_project = pytest.mark.parametrize("name", PROJECTS)


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the outputs of the golden projects, generated anew."""
    folder = tmp_path_factory.mktemp("golden")
    for name in PROJECTS:
        source, copy = sqlc.GOLDEN / name, folder / "projects" / name
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("expected"))
        sqlc.generate(copy)
        if os.environ.get("UPDATE_GOLDEN"):
            shutil.rmtree(source / "expected", ignore_errors=True)
            shutil.copytree(copy / "expected", source / "expected")
        (copy / "expected").rename(folder / name)
    return folder


@each_project
def test_output_is_as_expected(name: str, regenerated: Path) -> None:
    """A golden project gives the expected files, and no others, byte by byte."""
    expected = sqlc.files(sqlc.GOLDEN / name / "expected")
    assert sqlc.files(regenerated / name) == expected


@each_project
def test_output_does_not_depend_on_hashing(name: str, tmp_path: Path) -> None:
    """Hash seeds change nothing in the output."""
    folder = tmp_path / name
    shutil.copytree(sqlc.GOLDEN / name, folder)
    found: list[dict[str, str]] = []
    for seed in ("0", "1", "2"):
        sqlc.generate(folder, environment={"PYTHONHASHSEED": seed})
        found.append(sqlc.files(folder / "expected"))
    assert found[0] == found[1] == found[2]


def _run(*arguments: str | Path, cwd: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def test_output_is_formatted_and_linted(regenerated: Path) -> None:
    """Ruff would change nothing, and finds nothing by this repository's rules."""
    config = ("--config", ROOT / "pyproject.toml", "--no-cache")
    # As in a project of its own: the rules of import order look at the folders.
    for name in PROJECTS:
        diff = _run("ruff", "format", "--diff", *config, name, cwd=regenerated)
        assert diff == ""
        ignored = ("--ignore", USERS_WORDS)
        assert _run("ruff", "check", *config, *ignored, name, cwd=regenerated) == ""


def test_output_is_typed(regenerated: Path) -> None:
    """Mypy and pyright, both strict, find nothing."""
    strict = regenerated / "pyrightconfig.json"
    strict.write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    python = ("--pythonpath", sys.executable)
    assert _run("mypy", "--strict", *PROJECTS, cwd=regenerated) == ""
    assert _run("pyright", "-p", strict, *python, cwd=regenerated) == ""
