"""What comes is what was inferred: the type by its OID, and NULL only where it may."""

import random
import re
from collections.abc import Generator
from contextlib import nullcontext
from typing import NamedTuple

import psycopg
import pytest
from psycopg import pq

from generator.tests.resolution import results
from generator.tools import prepared
from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.command.server import Types
from sqlc_gen_psycopg.inference.analyzer import Analysis, Analyzer
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.sql import tree

# Statements that ran on rows.
ENOUGH = 1_500


class Database(NamedTuple):
    """A database with the tables, and the inference for them."""

    conn: psycopg.Connection
    analyzer: Analyzer
    types: Types


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Generator[Database]:
    """Give a database with the tables."""
    with (
        databases.database(postgres_server.url) as url,
        psycopg.connect(url, autocommit=True) as conn,
    ):
        conn.execute(results.DDL.encode())
        conn.execute("SET statement_timeout = '2s'")
        analyzer = prepared.analyzer_of(conn, prepared.schema_of(results.DDL))
        yield Database(conn, analyzer, Types(conn))


def _run(conn: psycopg.Connection, text: str) -> pq.abc.PGresult | None:
    """Run a statement, and take back what it wrote; None if the server refuses it."""
    writes = text.startswith(("UPDATE", "DELETE", "INSERT"))
    try:
        with conn.transaction(force_rollback=True) if writes else nullcontext():
            return conn.execute(text.encode()).pgresult
    except psycopg.Error:
        return None


def _analyzed(analyzer: Analyzer, text: str) -> Analysis | None:
    """Return what is inferred of a statement; None if it is no SQL."""
    try:
        return prepared.analyze(analyzer, text)
    except tree.InvalidSqlError:
        return None


def _lies(types: Types, analysis: Analysis, came: pq.abc.PGresult) -> list[str]:
    """Return what is said of a statement's columns and is not so."""
    if analysis.problem:
        return [f"refused: {analysis.problem.what}"]
    found: list[str] = []
    if analysis.is_one_row and came.ntuples != 1:
        found.append(f"{came.ntuples} rows, not one")
    for number, fact in enumerate(analysis.facts):
        values = [came.get_value(row, number) for row in range(came.ntuples)]
        if _oid(types, fact) != came.ftype(number):
            shown = types.shown(came.ftype(number))
            found.append(f"{number}: {shown} comes, not {fact.sql_type}")
        if fact.not_null and None in values:
            found.append(f"{number}: NULL comes")
        if fact.is_filled and any(_NULL.search(one or b"") for one in values):
            found.append(f"{number}: an element is NULL")
    return found


_NULL = re.compile(rb"(?<=[{,])NULL(?=[,}])")


def _oid(types: Types, fact: Fact) -> int:
    return types.base(types.oid(fact.sql_type))


def test_drawn_statements(database: Database) -> None:
    """On each filling of the tables, no column has another type or an unsaid NULL."""
    drawn = results.Statements(2026)
    texts = [drawn.statement() for _ in range(ENOUGH)]
    found = {text: _analyzed(database.analyzer, text) for text in texts}
    lies: dict[str, list[str]] = {}
    ran = 0
    for fill in results.FILLS:
        database.conn.execute(b"TRUNCATE a, b, c;" + fill.encode())
        for text, analysis in found.items():
            came = analysis and _run(database.conn, text)
            if analysis and came:
                ran += 1
                if told := _lies(database.types, analysis, came):
                    lies[text] = told
    assert lies == {}
    assert ran > 0.8 * ENOUGH * len(results.FILLS)
    # The claim is not kept by claiming nothing.
    proven = [a for a in found.values() if a and any(f.not_null for f in a.facts)]
    assert len(proven) > ENOUGH / 3


def test_what_makes_no_null_of_its_own(database: Database) -> None:
    """Each function and operator that is said to give NULL for NULL only does so."""
    seeded = random.Random(7)  # noqa: S311 - nothing is secret here
    lies: dict[str, list[str]] = {}
    called: set[str] = set()
    for claim in results.claims():
        for _ in range(3):
            text = f"SELECT {claim.drawn(seeded)} AS x"
            came = _run(database.conn, text)
            if came is None:
                continue
            called.add(claim.name)
            analysis = prepared.analyze(database.analyzer, text)
            if told := _lies(database.types, analysis, came):
                lies[text] = told
    assert lies == {}
    assert len(called) > 150
