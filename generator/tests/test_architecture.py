"""Which package may import which: the stages, from the request to the output."""

import ast
from pathlib import Path

import pytest

from generator.tests import documents

SOURCES = documents.GENERATOR / "src" / "sqlc_gen_psycopg"
# Each package and what it may import, itself aside.
ALLOWED = {
    "naming": set[str](),
    "ir": {"naming"},
    "render": {"ir", "naming"},
    "sqlc": {"naming", "problems"},
    "sql": {"naming", "problems", "sqlc"},
    "schema": {"naming", "problems", "sql", "sqlc"},
    "catalog": {"naming", "schema", "sqlc"},
    "inference": {"catalog", "naming", "schema", "sql", "sqlc"},
    "resolve": {
        "catalog",
        "inference",
        "ir",
        "naming",
        "problems",
        "schema",
        "sql",
        "sqlc",
    },
    "command": {
        *("__version__", "inference", "ir", "naming", "plugin", "problems"),
        *("resolve", "schema", "sql", "sqlc"),
    },
}


# The application, and its tests.
NOT_OURS = {"generated", "store", "store_testing", "tests"}


def roots(file: Path) -> set[str]:
    """Return the top-level packages that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


def imported(file: Path) -> set[str]:
    """Return the packages, or modules at the top, that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "sqlc_gen_psycopg":
                found |= {parts[1]} if len(parts) > 1 else {a.name for a in node.names}
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_import_what_stands_before_them(package: str) -> None:
    """The renderer knows the IR and names only; nothing imports back."""
    files = [*(SOURCES / package).glob("*.py")]
    assert files
    found = {name for file in files for name in imported(file)} - {package}
    assert found <= ALLOWED[package]


def test_every_package_is_named() -> None:
    """A new package says what it may import."""
    made = {path.parent.name for path in SOURCES.glob("*/__init__.py")}
    assert made == {*ALLOWED}


def test_the_generator_stands_without_the_application() -> None:
    """Its tests and tools import nothing of the store's, nor the store's tests."""
    files = [
        file
        for folder in ("src", "tests", "tools", "benchmarks")
        for file in (documents.GENERATOR / folder).rglob("*.py")
        if "golden" not in file.parts
    ]
    assert len(files) > 100
    assert {f.name: roots(f) & NOT_OURS for f in files if roots(f) & NOT_OURS} == {}


def test_what_serves_all_tests_knows_neither_distribution() -> None:
    """It starts servers and makes databases, for whoever has something to test."""
    files = [*(documents.GENERATOR.parent / "src/postgres_testing").glob("*.py")]
    assert files
    used = {name for file in files for name in roots(file)}
    assert not used & {*NOT_OURS, "generator", "sqlc_gen_psycopg"}
