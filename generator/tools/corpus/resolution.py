"""The types that the inference gives each query, beside those that PREPARE says."""

import contextlib
from typing import Any

import psycopg

from generator.tools import prepared
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.generate import Generated
from generator.tools.prepared import Verdict
from sqlc_gen_psycopg.command.server import Types
from sqlc_gen_psycopg.inference.analyzer import Analyzer
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve import slices
from sqlc_gen_psycopg.schema import load
from sqlc_gen_psycopg.sqlc import request

_KINDS = {Verdict.WRONG: Kind.OTHER_TYPE, Verdict.REFUSED: Kind.OPEN_TYPE}


def compare(
    conn: psycopg.Connection[Any], generated: Generated, found: Findings
) -> None:
    """Compare the types of all parameters and columns of a case's queries."""
    asked = request.read(generated.request.read_bytes())
    with contextlib.chdir(generated.project):
        schema = load.read(asked.schema_paths, asked.default_schema, Problems())
    analyzer, types = Analyzer(asked.tables, asked.enums, schema), Types(conn)
    for query in asked.queries:
        sent = slices.rewritten(query, Problems())
        one = prepared.compare(conn, analyzer, types, sent.text)
        found.counts[f"statements: {one.verdict}"] += 1
        found.counts["parameters compared"] += one.parameters
        found.counts["columns compared"] += one.columns
        if one.verdict in _KINDS:
            kind = _KINDS[one.verdict]
            found.add(kind, generated.case.name, query.name, one.why)
