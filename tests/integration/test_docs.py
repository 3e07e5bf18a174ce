"""What the documents show is run here, or by `.ci/run`."""

import json
import os
import pkgutil
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from store import AsyncReplica, AsyncStore, Replica, Settings, Store
from tests.support import docstrings

ROOT = Path(__file__).parents[2]
# What CONTRIBUTING.md shows, `test_recipes.py` does.
DOCUMENTS = [
    *(path for path in ROOT.glob("*.md") if path.name != "CONTRIBUTING.md"),
    *ROOT.glob("docs/**/*.md"),
]
# `test_recipes.py` and `test_operations.py` do what these show.
FOLLOWED = {"keys.md", "operations.md"}

CHECKERS = {"mypy": ["--strict"], "pyright": ["--pythonpath", sys.executable, "-p"]}

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
_ANCHOR = re.compile(r"^#+ (.*)$", re.MULTILINE)


def _prose(document: Path) -> str:
    return re.sub(
        r"^( *)```.*?^\1```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL
    )


def _anchors(document: Path) -> set[str]:
    """Give the anchors of the headings, as GitHub makes them."""
    headings = (
        re.sub(r"[^\w\- ]", "", heading)
        for heading in _ANCHOR.findall(_prose(document))
    )
    return {heading.lower().replace(" ", "-") for heading in headings}


def _blocks(language: str) -> list[tuple[str, str]]:
    return [
        (document.name, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        for document in DOCUMENTS
        for indent, found, text in _BLOCK.findall(document.read_text())
        if found == language
    ]


def _programs() -> list[str]:
    return [text for _, text in _blocks("python") if "import " in text]


def _signatures() -> list[str]:
    return [text for _, text in _blocks("python") if "import " not in text]


def _queries() -> list[str]:
    return [text for _, text in _blocks("sql") if text.startswith("-- name:")]


def _commands() -> set[str]:
    lines = [
        line
        for document, text in _blocks("sh")
        if document not in FOLLOWED
        for line in text.splitlines()
    ]
    return {line.split("#")[0].strip() for line in lines} - {""}


@pytest.mark.parametrize("program", _programs())
def test_every_program_in_the_documents_runs(program: str, database_url: str) -> None:
    """A program that a document shows runs as it stands, on an empty database."""
    exec(program, {"DATABASE_URL": database_url})  # noqa: S102 - our own documents


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_program_in_the_documents_is_typed(checker: str, tmp_path: Path) -> None:
    """A program of a document or a docstring passes the checkers at their strictest."""
    for face in (AsyncStore, Store, AsyncReplica, Replica):
        (tmp_path / f"{face.__name__}.py").write_text(docstrings.module(face))
    for number, program in enumerate(_programs()):
        text = f'DATABASE_URL = ""\n{program}'
        (tmp_path / f"program_{number}.py").write_text(text)
    config = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT / "src")]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    checked = subprocess.run(
        [sys.executable, "-m", checker, *CHECKERS[checker], tmp_path],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_link_in_the_documents_leads_somewhere(document: Path) -> None:
    """A link names a file that is there, and a heading in it or a public name."""
    for target, anchor in _LINK.findall(_prose(document)):
        file = document.parent / target if target else document
        assert file.is_file(), target
        if anchor.startswith("store."):
            pkgutil.resolve_name(anchor)
        elif anchor:
            assert anchor in _anchors(file), (target, anchor)


def test_every_document_is_a_page_of_the_site() -> None:
    """What is written is found: each document stands in `zensical.toml`."""
    listed = (ROOT / "zensical.toml").read_text()
    documents = [*DOCUMENTS, *ROOT.glob("generator/docs/*.md")]
    names = [path.relative_to(ROOT).as_posix() for path in documents]
    assert [name for name in names if f'"{name}"' not in listed] == []


def test_every_setting_is_in_the_table() -> None:
    """`docs/settings.md` names each variable; of the limits of time, a part."""
    table = (ROOT / "docs/settings.md").read_text()
    variables = [name.upper() for name in Settings.model_fields]
    names = [re.sub("DATABASE_(.*)_TIMEOUT", r"\1", name) for name in variables]
    assert [name for name in names if f"`{name}`" not in table] == []


@pytest.mark.parametrize("signature", _signatures())
def test_every_signature_in_the_documents_is_generated(signature: str) -> None:
    """A signature that a document shows is one of the generated functions'."""
    wanted = "".join(signature.removesuffix(": ...\n").split())
    generated = "".join(
        "".join(path.read_text().split()).replace(",)", ")")
        for path in (ROOT / "src/generated").glob("*.py")
    )
    assert wanted in generated


@pytest.mark.parametrize("query", _queries())
def test_every_query_in_the_documents_is_sqlcs(query: str, tmp_path: Path) -> None:
    """Sqlc accepts a query that a document shows."""
    (tmp_path / "db").symlink_to(ROOT / "db")
    (tmp_path / "query.sql").write_text(query)
    config = (ROOT / "sqlc.yaml").read_text()
    (tmp_path / "sqlc.yaml").write_text(
        config.replace("queries: db/queries\n", "queries: query.sql\n")
    )
    sqlc = subprocess.run(
        ["sqlc", "compile"],
        cwd=tmp_path,
        # Where it finds the plugin, too.
        env={"PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.defpath}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (sqlc.returncode, sqlc.stderr) == (0, "")


def test_every_command_in_the_documents_is_run_by_ci() -> None:
    """A command that a document shows stands in `.ci/run`."""
    script = (ROOT / ".ci/run").read_text()
    assert not {command for command in _commands() if command not in script}


def test_the_documents_show_something_of_each_kind() -> None:
    """The tests above find what they are for."""
    assert _programs()
    assert _signatures()
    assert _queries()
    assert _commands()
