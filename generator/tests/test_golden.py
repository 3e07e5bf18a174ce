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


@pytest.fixture
def regenerated(name: str, tmp_path: Path) -> Path:
    """Give the output of a golden project, generated anew."""
    source = sqlc.GOLDEN / name
    shutil.copytree(
        source, tmp_path / name, ignore=shutil.ignore_patterns("expected", "*.pyc")
    )
    sqlc.generate(tmp_path / name)
    if os.environ.get("UPDATE_GOLDEN"):
        shutil.rmtree(source / "expected", ignore_errors=True)
        shutil.copytree(tmp_path / name / "expected", source / "expected")
    return tmp_path / name / "expected"


@each_project
def test_output_is_as_expected(name: str, regenerated: Path) -> None:
    """A golden project gives the expected files, and no others, byte by byte."""
    assert sqlc.files(regenerated) == sqlc.files(sqlc.GOLDEN / name / "expected")


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


def _run(*arguments: str | Path, cwd: Path = ROOT) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


@each_project
def test_output_is_formatted_and_linted(regenerated: Path) -> None:
    """Ruff would change nothing, and finds nothing by this repository's rules."""
    config = ("--config", ROOT / "pyproject.toml", "--no-cache")
    # As in a project of its own: the rules of import order look at the folders.
    where = regenerated.parent
    assert _run("ruff", "format", "--diff", *config, regenerated, cwd=where) == ""
    ignored = ("--ignore", USERS_WORDS)
    assert _run("ruff", "check", *config, *ignored, regenerated, cwd=where) == ""


@each_project
def test_output_is_typed(regenerated: Path) -> None:
    """Mypy and pyright, both strict, find nothing."""
    strict = regenerated.parent / "pyrightconfig.json"
    strict.write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    python = ("--pythonpath", sys.executable)
    assert _run("mypy", "--strict", regenerated, cwd=regenerated.parent) == ""
    assert _run("pyright", "-p", strict, *python, cwd=regenerated.parent) == ""
