"""Which cases a checkout has, and what of them is refused."""

import json
from pathlib import Path

import pytest

from generator.tests.corpus.cases import QUERIES, REFUSED, SCHEMA, write_case
from generator.tools.corpus import collect, generate
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.generate import Query, Workshop

ANSWER = "# error generating code: process: sqlc-gen-psycopg refuses to generate:\n"
ASKED = (Query("Get", ":batchone", "SELECT 1", "query.sql"),)


@pytest.mark.parametrize(
    ("message", "lacking"),
    [
        ("  query.sql: Get: :batchone is not supported; use :one\n", []),
        ("  table t: column 'a' has no Python type; add an override\n", []),
        ("  query.sql: Get: :batchone is not supported\n", ["no remedy"]),
        ("  :batchone is not supported; use :one\n", ["no remedy"]),
        ("  query.sql: Other: is not supported; use :one\n", ["no query"]),
        ("  Get: :batchone is not supported; use :one\n", ["no query"]),
        ("", ["no problem named"]),
        ("Traceback (most recent call last):\nKeyError: 'x'\n", ["a traceback"]),
    ],
)
def test_unclear_refusal_is_found(message: str, lacking: list[str]) -> None:
    """A refusal names file, query and remedy; a traceback never does."""
    told = generate.unclear(ANSWER + message, ASKED)
    assert [complaint.split(":")[0] for complaint in told] == lacking


def test_refused_query_leaves_the_others(tmp_path: Path) -> None:
    """What is refused is told, and the case's other queries are checked without it."""
    write_case(tmp_path, "partly", QUERIES + REFUSED)
    found = Findings()
    [case] = collect.cases(tmp_path)
    made = Workshop(tmp_path, "sqlc-gen-psycopg", found).generate(case)
    assert made
    assert len(made.queries) == 4
    assert [f.detail.split(":")[0] for f in found.of(Kind.REFUSED)] == ["NoSuch"]
    assert found.of(Kind.CRASH) == []


def test_query_without_a_method_in_go(tmp_path: Path) -> None:
    """A query that sqlc's own output leaves out may be refused, no other one."""
    write_case(tmp_path, "small", REFUSED + "-- name: Other :execlastid\nSELECT 1;\n")
    go = tmp_path / "internal/endtoend/testdata/small/db/query.sql.go"
    go.parent.mkdir()
    go.write_text("func (q *Queries) NoSuch(ctx context.Context) error {\n")
    found = Findings()
    [case] = collect.cases(tmp_path)
    Workshop(tmp_path, "sqlc-gen-psycopg", found).generate(case)
    assert [f.detail.split(":")[0] for f in found.of(Kind.REFUSED)] == ["NoSuch"]
    assert [f.detail.split(":")[0] for f in found.of(Kind.REFUSED_TOO)] == ["Other"]


def test_case_that_sqlc_refuses_does_not_count(tmp_path: Path) -> None:
    """A case that sqlc itself does not accept is none of the plugin's."""
    write_case(tmp_path, "wrong", "-- name: A :one\nSELECT nothing FROM nowhere;")
    found = Findings()
    [case] = collect.cases(tmp_path)
    assert Workshop(tmp_path, "sqlc-gen-psycopg", found).generate(case) is None
    assert found.counts["cases"] == 0


def test_drivers_count_once(tmp_path: Path) -> None:
    """The same schema and queries below two drivers' folders are one case."""
    write_case(tmp_path, "same/pgx")
    write_case(tmp_path, "same/stdlib", QUERIES.replace("\n", " \n"))
    write_case(tmp_path, "other", QUERIES + "-- name: One :one\nSELECT 1;")
    names = [case.name for case in collect.cases(tmp_path)]
    assert names == ["case_other", "case_same_pgx"]


def test_options_are_passed_on(tmp_path: Path) -> None:
    """Options of sqlc's Go generator that are known here are the case's options."""
    write_case(tmp_path, "mine")
    [case] = collect.cases(tmp_path)
    assert case.options == {"query_parameter_limit": 2}


def test_equal_case_that_works_comes_first(tmp_path: Path) -> None:
    """Where one of two equal cases is to end with an error, the other one counts."""
    for name in ("a", "b"):
        write_case(tmp_path, name)
    (tmp_path / "internal/endtoend/testdata/a/stderr.txt").touch()
    assert [(c.name, c.is_of_error) for c in collect.cases(tmp_path)] == [
        ("case_b", False)
    ]


def test_other_engines_are_left_out(tmp_path: Path) -> None:
    """A part of a configuration for another engine is no case."""
    write_case(tmp_path, "mine")
    config = tmp_path / "internal/endtoend/testdata/mine/sqlc.yaml"
    config.write_text(config.read_text().replace("postgresql", "mysql"))
    assert collect.cases(tmp_path) == []


def test_the_way_back_is_left_out(tmp_path: Path) -> None:
    """What a migration would do on the way down is not applied."""
    write_case(tmp_path, "mine")
    schema = tmp_path / "internal/endtoend/testdata/mine/schema.sql"
    schema.write_text("\\set x\nSELECT 1;\n-- +goose Down\nDROP TABLE items;\n")
    [case] = collect.cases(tmp_path)
    assert [text.split() for text in case.schema_texts()] == [["SELECT", "1;"]]


def test_no_checkout_is_told(tmp_path: Path) -> None:
    """A folder that is no checkout is refused, not passed as an empty corpus."""
    with pytest.raises(FileNotFoundError, match="holds no sqlc"):
        collect.cases(tmp_path)


@pytest.mark.parametrize("schema", [".", "s*.sql", "schema.sql", "{}/s*.sql"])
def test_any_project_that_uses_sqlc_is_a_corpus(tmp_path: Path, schema: str) -> None:
    """Elsewhere than in sqlc's checkout the configurations may lie anywhere."""
    project = tmp_path / "app" / "db"
    (project / "queries").mkdir(parents=True)
    (project / "schema.sql").write_text(SCHEMA)
    (project / "queries" / "items.sql").write_text(QUERIES)
    named = schema.format(project)
    part = {"engine": "postgresql", "schema": named, "queries": "queries"}
    (project / "sqlc.dev.yaml").write_text(json.dumps({"sql": [part]}))
    [case] = collect.cases(tmp_path)
    assert case.name == "case_app_db"
    assert [file.name for file in case.files] == ["schema.sql", "items.sql"]
