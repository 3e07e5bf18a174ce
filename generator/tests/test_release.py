"""A release that is not ready is refused before anything is published."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from generator.tests import documents
from generator.tools import release
from sqlc_gen_psycopg import __version__

TAG = f"sqlc-gen-psycopg-{__version__}"
FILES = ("src/sqlc_gen_psycopg/__init__.py", "CHANGELOG.md", "pyproject.toml")


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """Give the files of a release that is ready, today."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(documents.GENERATOR / name, tmp_path / name)
    released(tmp_path, str(date.today()))
    repository(tmp_path, "https://repository.example/owner/name")
    return tmp_path


def released(folder: Path, when: str) -> None:
    """Say behind the version, in the changelog, when it was released."""
    rewrite(folder / "CHANGELOG.md", rf"(## {__version__}) \(.*\)", rf"\1 ({when})")


def repository(folder: Path, address: str) -> None:
    """Name the repository."""
    line = f'repository = "{address}"'
    rewrite(folder / "pyproject.toml", 'repository = ".*"', line)


def rewrite(file: Path, pattern: str, replacement: str) -> None:
    """Replace the one line of a file that matches."""
    text, count = re.subn(
        f"^{pattern}$", replacement, file.read_text(), flags=re.MULTILINE
    )
    assert count == 1
    file.write_text(text)


def test_nothing_is_said_of_one_that_is_ready(ready: Path) -> None:
    """The tag is the version's, the changelog is dated, the repository is named."""
    assert list(release.problems(TAG, ready)) == []


@pytest.mark.parametrize("tag", ["", __version__, "sqlc-gen-psycopg-9.9.9"])
def test_another_tag_is_refused(tag: str, ready: Path) -> None:
    """The tag is the distribution's name and the version that is built."""
    [problem] = release.problems(tag, ready)
    assert TAG in problem


def test_a_changelog_without_the_date_is_refused(ready: Path) -> None:
    """The version's heading says when it was released."""
    released(ready, "not released yet")
    [problem] = release.problems(TAG, ready)
    assert problem.startswith(f"{ready / 'CHANGELOG.md'} ")


def test_an_unnamed_repository_is_refused(ready: Path) -> None:
    """Without it, the page on the index has no links."""
    repository(ready, "")
    [problem] = release.problems(TAG, ready)
    assert problem.startswith(f"{ready / 'pyproject.toml'} ")
