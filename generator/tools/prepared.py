"""What a server says of a statement that it prepares, beside what we infer."""

import enum
from collections import Counter
from typing import NamedTuple

import psycopg
from psycopg import pq

from sqlc_gen_psycopg.command import server
from sqlc_gen_psycopg.command.server import Types
from sqlc_gen_psycopg.inference.analyzer import Analysis, Analyzer
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema import statements
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sqlc.request import Column, Query


def schema_of(ddl: str) -> Schema:
    """Return what DDL says."""
    schema = Schema("public")
    for statement in tree.parse(ddl):
        statements.note(schema, statement)
    return schema


def analyzer_of(conn: psycopg.Connection, schema: Schema) -> Analyzer:
    """Return the inference for a database's tables, given what its DDL says."""
    types = Types(conn)
    tables = server.relations(conn, types).tables
    return Analyzer(tables, server.enums(conn, types), schema)


def analyze(analyzer: Analyzer, text: str, columns: int = 0) -> Analysis:
    """Return what the inference says of a statement."""
    empty = Column("", "", Name("", ""), False, 0, None, None, False, "")
    query = Query("q", ":many", text, "q.sql", (empty,) * columns, (), (), None)
    [statement] = tree.parse(text)
    return analyzer.analyze(query, statement)


class Verdict(enum.StrEnum):
    """How the inference compares with the server."""

    SAME = "the same types"
    WRONG = "another type"
    REFUSED = "refused, though the server takes it"
    BOTH_REFUSE = "refused by both"
    ACCEPTED = "taken, though the server refuses it"


class Comparison(NamedTuple):
    """One statement's verdict; ``why`` tells the difference, or the server's error."""

    verdict: Verdict
    why: str = ""
    parameters: int = 0
    columns: int = 0


def compare(  # noqa: PLR0911 - a verdict each
    conn: psycopg.Connection, analyzer: Analyzer, types: Types, text: str
) -> Comparison:
    """Prepare a statement, and hold the inference against it."""
    analysis = analyze(analyzer, text)
    declared = {number: analysis.parameters[number] for number in analysis.declared}
    count = max(analysis.parameters, default=0)
    oids = [types.oid(declared.get(n + 1)) for n in range(count)] if declared else None
    result = conn.pgconn.prepare(b"", text.encode(), oids)
    if result.status != pq.ExecStatus.COMMAND_OK:
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        if analysis.problem:
            return Comparison(Verdict.BOTH_REFUSE, state)
        message = (
            result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b""
        ).decode()
        return Comparison(Verdict.ACCEPTED, f"{state} {message}")
    described = conn.pgconn.describe_prepared(b"")
    if analysis.problem:
        return Comparison(Verdict.REFUSED, analysis.problem.what)
    expected = [described.param_type(i) for i in range(described.nparams)]
    actual = [types.oid(analysis.parameters.get(i + 1)) for i in range(len(expected))]
    if actual != expected:
        shown = [[types.shown(o) for o in one] for one in (actual, expected)]
        if 0 in actual and all(
            a in (0, e) for a, e in zip(actual, expected, strict=True)
        ):
            return Comparison(Verdict.REFUSED, f"parameters {shown}")
        return Comparison(Verdict.WRONG, f"parameters {shown}")
    columns = [described.ftype(i) for i in range(described.nfields)]
    inferred = [types.base(types.oid(fact.sql_type)) for fact in analysis.facts]
    if inferred != columns:
        shown = [[types.shown(o) for o in one] for one in (inferred, columns)]
        if 0 in inferred:
            return Comparison(Verdict.REFUSED, f"columns {shown}")
        return Comparison(Verdict.WRONG, f"columns {shown}")
    return Comparison(Verdict.SAME, "", len(expected), len(columns))


def tally(found: list[tuple[str, Comparison]]) -> Counter[Verdict]:
    """Count verdicts."""
    return Counter(comparison.verdict for _, comparison in found)
