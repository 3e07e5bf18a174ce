"""What a server says of a statement that it prepares, beside what we infer."""

import enum
from collections import Counter
from typing import NamedTuple

import psycopg
from psycopg import pq

from sqlc_gen_psycopg.inference.analyzer import Analysis, Analyzer
from sqlc_gen_psycopg.inference.facts import SqlType
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve import slices
from sqlc_gen_psycopg.schema import load, statements
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sqlc.request import (
    Column,
    Enum,
    Query,
    Request,
    Table,
    type_name,
)

_COLUMNS = """
SELECT
    n.nspname, c.relname, a.attname, tn.nspname, coalesce(e.typname, t.typname),
    CASE WHEN e.oid IS NULL THEN 0 ELSE greatest(a.attndims, 1) END,
    a.attnotnull
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'v', 'm')
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
INNER JOIN pg_namespace AS tn ON tn.oid = coalesce(e.typnamespace, t.typnamespace)
WHERE a.attnum > 0 AND NOT a.attisdropped
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY c.oid, a.attnum
"""
_ENUMS = """
SELECT n.nspname, t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder)
FROM pg_type AS t
INNER JOIN pg_enum AS e ON e.enumtypid = t.oid
INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
GROUP BY 1, 2
"""
_TYPES = """
SELECT t.oid, n.nspname, coalesce(e.typname, t.typname), (e.oid IS NOT NULL)::int
FROM pg_type AS t
LEFT JOIN pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
"""


def schema_of(ddl: str) -> Schema:
    """Return what DDL says."""
    schema = Schema("public")
    for statement in tree.parse(ddl):
        statements.note(schema, statement)
    return schema


def analyzer_of(conn: psycopg.Connection, schema: Schema) -> Analyzer:
    """Return the inference for a database's tables, given what its DDL says."""
    columns: dict[Name, list[Column]] = {}
    for row in conn.execute(_COLUMNS):
        namespace, table, column, type_schema, kind, dims, not_null = row
        name = Name("" if namespace == "public" else namespace, table)
        found = type_name("public", type_schema, kind)
        columns.setdefault(name, []).append(
            Column(column, column, found, not_null, dims, None, None, False, "")
        )
    tables = {name: Table(name, tuple(of), "") for name, of in columns.items()}
    enums = {
        name: Enum(name, tuple(labels), "")
        for namespace, kind, labels in conn.execute(_ENUMS)
        for name in [type_name("public", namespace, kind)]
    }
    return Analyzer(tables, enums, schema)


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


class Types:
    """The OIDs of a database's types, by name and back."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.oids: dict[SqlType, int] = {}
        domains = conn.execute(
            "SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'"
        )
        self.bases: dict[int, int] = dict(domains.fetchall())
        for oid, namespace, name, is_array in conn.execute(_TYPES):
            found = type_name("public", namespace, name)
            self.oids.setdefault(SqlType(found, is_array), oid)
        self.names = {oid: found for found, oid in self.oids.items()}

    def oid(self, found: SqlType | None) -> int:
        """Return a type's OID, 0 if there is none."""
        if found is None:
            return 0
        return self.oids.get(SqlType(found.name, min(found.dims, 1)), 0)

    def base(self, oid: int) -> int:
        """Return the type that a domain stands for."""
        while oid in self.bases:
            oid = self.bases[oid]
        return oid

    def shown(self, oid: int) -> str:
        """Return a type's name."""
        found = self.names.get(oid)
        return f"{found.name}{'[]' * found.dims}" if found else str(oid)


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


def compare_project(
    conn: psycopg.Connection, asked: Request
) -> list[tuple[Query, Comparison]]:
    """Compare all queries of a project, in whose folder this must be called."""
    schema = load.read(asked.schema_paths, asked.default_schema, Problems())
    analyzer, types = Analyzer(asked.tables, asked.enums, schema), Types(conn)
    sent = [slices.rewritten(query, Problems()) for query in asked.queries]
    return [(one, compare(conn, analyzer, types, one.text)) for one in sent]


def tally(found: list[tuple[str, Comparison]]) -> Counter[Verdict]:
    """Count verdicts."""
    return Counter(comparison.verdict for _, comparison in found)
