"""The README's example is what happens."""

import re
import sys
from dataclasses import fields
from pathlib import Path

import psycopg
import pytest

from generator.tests import sqlc
from sqlc_gen_psycopg.options import Options
from tests.support.databases import url_of
from tests.support.embedded import Server

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Give the folder of the quick start, generated."""
    config, _overrides = _blocks("yaml")
    schema, queries = _blocks("sql")
    (tmp_path / "queries").mkdir()
    (tmp_path / "sqlc.yaml").write_text(config, encoding="utf-8")
    (tmp_path / "schema.sql").write_text(schema, encoding="utf-8")
    (tmp_path / "queries" / "orders.sql").write_text(queries, encoding="utf-8")
    sqlc.generate(tmp_path)
    return tmp_path


def test_the_output_is_as_shown(example: Path) -> None:
    """Each block of generated code stands in the output."""
    shown = _blocks("python")[:-1]
    output = "\n".join(sqlc.files(example / "app" / "db").values())
    assert [block in output for block in shown] == [True] * 3


def test_the_call_works_as_shown(
    example: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code that calls the output runs, and its assertions hold."""
    monkeypatch.setattr(sys, "path", [str(example), *sys.path])
    name = "readme_example"
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    url = url_of(server.url, name)
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute((example / "schema.sql").read_bytes())
        exec(_blocks("python")[-1], {"url": url})  # noqa: S102 - our own README
    finally:
        for module in [m for m in sys.modules if m.split(".")[0] == "app"]:
            del sys.modules[module]
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_every_option_is_described() -> None:
    """Each option has its line in the table."""
    named = set(re.findall(r"^\| `(\w+)` \| `", README, re.MULTILINE))
    assert {field.name for field in fields(Options)} <= named
