"""What JSON holds is what its annotation says, whatever it is built of."""

import random
import re
from collections.abc import Generator
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from generator.tests import running, sqlc
from generator.tests.trust import json_expressions
from generator.tools import annotations
from postgres_testing import databases
from postgres_testing.embedded import Server

_DRAWN = json_expressions.Statements(2026)
STATEMENTS = [_DRAWN.statement() for _ in range(300)]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Generator[ModuleType]:
    """Give the module of all statements."""
    folder = tmp_path_factory.mktemp("json")
    queries = "\n".join(
        f"-- name: q{number}x :many\n{statement};"
        for number, statement in enumerate(STATEMENTS)
    )
    schema = json_expressions.SCHEMA
    sqlc.Project.write(folder, schema, queries, "{}").generated()
    with running.imported(folder, "drawn_json") as module:
        yield module


@pytest.fixture(scope="module")
def conn(postgres_server: Server) -> Generator[psycopg.Connection]:
    """Give a connection to a database with the table."""
    with (
        databases.database(postgres_server.url) as url,
        psycopg.connect(url, autocommit=True) as conn,
    ):
        conn.execute(json_expressions.SCHEMA.encode())
        yield conn


def test_json_is_what_its_annotation_says(
    module: ModuleType, conn: psycopg.Connection
) -> None:
    """Of no rows and of some, of every type and of NULLs, all the way down."""
    seeded = random.Random(7)  # noqa: S311 - nothing is secret here
    lies: dict[str, list[str]] = {}
    ran = 0
    for count in (0, 1, 3):
        conn.execute("TRUNCATE things")
        if count:
            conn.execute(json_expressions.rows(seeded, count).encode())
        for number, statement in enumerate(STATEMENTS):
            function = getattr(module, f"q{number}x")
            try:
                came = function(conn)
            except psycopg.Error:
                # As duplicate keys that must be unique.
                continue
            ran += 1
            promised = annotations.hints(function)["return"]
            if found := annotations.violations(came, promised):
                lies[statement] = [str(one) for one in found[:3]]
    assert lies == {}
    assert ran > 2.5 * len(STATEMENTS)


def test_json_is_annotated(module: ModuleType) -> None:
    """The claim is not kept by claiming nothing: hardly a result is just JSON."""
    text = Path(str(module.__file__)).read_text("utf-8")
    returned = re.findall(r"^def q\d+x\(.*?\) -> list\[(.*)\]:$", text, re.MULTILINE)
    vague = [one for one in returned if one.startswith("json_types.JsonValue")]
    assert len(vague) < len(STATEMENTS) / 3
