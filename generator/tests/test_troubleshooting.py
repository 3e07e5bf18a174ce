"""The words that newcomers meet are those that the documents tell them."""

import os
import subprocess
import textwrap
from pathlib import Path

import psycopg
import pytest

from generator.tests import documents, sqlc

BLOCKS = documents.blocks(documents.DOCS / "troubleshooting.md")
NO_PLUGIN, *SAID = [block for block in BLOCKS if block.language == "text"]
CONFIG, QUERIES = "sqlc.yaml", "queries/orders.sql"
# In the document's order: a file, what stands in it, and what stands there by mistake.
MISTAKES = [
    (CONFIG, "sqlc-gen-psycopg", "python3 -m sqlc_gen_psycopg"),
    (CONFIG, "      format: json\n", ""),
    (CONFIG, '"2"', '"1"'),
    (CONFIG, 'version: "2"\n', ""),
    (CONFIG, "codegen:\n      - plugin: psycopg", "gen:\n      python:"),
    (CONFIG, "- plugin: psycopg", "- plugin: py"),
    (CONFIG, "out: app/db", "out: app/db\n        options: {emit_asinc: true}"),
    (CONFIG, "postgresql", "mysql"),
    (CONFIG, "schema.sql", "shema.sql"),
    (CONFIG, "schema.sql", "app"),
    (CONFIG, "queries: queries", "queries: app"),
    (QUERIES, "-- name: create_order :one\n", ""),
    (QUERIES, " :one", ""),
    (QUERIES, ":one", ":first"),
    (QUERIES, "-- name: c", "--name: c"),
    (QUERIES, "@ids", ":ids"),
    (QUERIES, "RETURNING *;", "RETURNING *"),
    (QUERIES, "SELECT customer", "SELECT custmer"),
    (QUERIES, "max(id)", "max(idd)"),
    (QUERIES, "BY customer;", "BY customer ORDER BY newest;"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the front page's project, and an empty folder `app` in it."""
    for block in documents.blocks(documents.README):
        if block.title and block.language != "python":
            file = tmp_path / block.title
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    (tmp_path / "app").mkdir()
    return tmp_path


def _mistake(file: Path, right: str, wrong: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")


def _is_said(shown: documents.Block, error: sqlc.SqlcError) -> bool:
    lines = textwrap.dedent(str(error)).splitlines()
    return any(documents.is_excerpt(shown.text, line.strip()) for line in lines)


@pytest.mark.parametrize(
    ("shown", "mistake"),
    [*zip(SAID, MISTAKES, strict=True)],
    ids=[shown.section for shown in SAID],
)
def test_each_mistake_is_told_in_these_words(
    folder: Path, shown: documents.Block, mistake: tuple[str, str, str]
) -> None:
    """What sqlc or the plugin says of a mistake is what its section shows."""
    file, right, wrong = mistake
    _mistake(folder / file, right, wrong)
    with pytest.raises(sqlc.SqlcError) as refused:
        sqlc.generate(folder)
    assert _is_said(shown, refused.value), refused.value
    assert not [*(folder / "app").iterdir()]


def test_a_plugin_out_of_reach_is_told(folder: Path) -> None:
    """So it is where sqlc has no plugin on its PATH."""
    (folder / "bin").mkdir()
    (folder / "bin" / "sqlc").symlink_to(Path(sqlc.SCRIPTS, "sqlc"))
    with pytest.raises(sqlc.SqlcError) as refused:
        sqlc.generate(folder, scripts=str(folder / "bin"))
    assert _is_said(NO_PLUGIN, refused.value), refused.value


def test_a_server_finds_what_sqlc_passes(folder: Path, authors_url: str) -> None:
    """With what the document adds, `sqlc vet` finds it and `sqlc generate` does not."""
    [added] = [block.text for block in BLOCKS if block.language == "yaml"]
    beside = textwrap.indent(added, "    ")
    _mistake(folder / CONFIG, "    codegen:", f"{beside}    codegen:")
    _mistake(folder / QUERIES, "GROUP BY customer", "")
    sqlc.generate(folder)
    with psycopg.connect(authors_url, autocommit=True) as conn:
        conn.execute((folder / "schema.sql").read_bytes())
    vetted = subprocess.run(
        [Path(sqlc.SCRIPTS, "sqlc"), "vet"],
        cwd=folder,
        env={**os.environ, "DATABASE_URL": authors_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert vetted.returncode == 1
    assert 'column "orders.customer" must appear in the GROUP BY' in vetted.stderr
