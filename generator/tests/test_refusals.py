"""What cannot be generated correctly is refused, with the place and a remedy."""

import re
from collections.abc import Callable

import pytest

from generator.tests.sqlc import Project, SqlcError, generate

SCHEMA = """
CREATE TYPE pair AS (a oddity, b integer);
CREATE TABLE items (
    id integer PRIMARY KEY, name text NOT NULL, pair pair, boxes box []
);
CREATE VIEW named AS SELECT name FROM items;
"""
DELETE = "DELETE FROM items;"
FINE = f"-- name: fine :exec\n{DELETE}\n"
GET_ITEMS = "-- name: {} :many\nSELECT id FROM items;"
MERGE = """
MERGE INTO items USING items AS other ON other.id = items.id
WHEN MATCHED THEN UPDATE SET name = @new;
"""

CASES = {
    "another command": (
        "-- name: get :execlastid\nDELETE FROM items;",
        "queries.sql: get: :execlastid is not supported; use :one with RETURNING",
    ),
    "no columns": (
        "-- name: get :many\nSELECT FROM items;",
        "queries.sql: get: :many returns no columns; name its columns, add RETURNING",
    ),
    "a slice among other values": (
        "-- name: get :many\nSELECT id FROM items WHERE id IN (1, sqlc.slice(ids));",
        "get: sqlc.slice stands where it cannot be an array; let it be alone in IN",
    ),
    "a slice within a comparison": (
        "-- name: get :many\nSELECT true = id IN (sqlc.slice(ids)) AS x FROM items;",
        "get: sqlc.slice stands where it cannot be an array; let it be alone in IN",
    ),
    "a slice after a comment": (
        (
            "-- name: get :many\n"
            "SELECT id FROM items WHERE id IN /* ( */ (sqlc.slice(ids));"
        ),
        "get: sqlc.slice stands where it cannot be an array; let it be alone in IN",
    ),
    "a batch without columns": (
        "-- name: get :batchone\nSELECT FROM items WHERE id = @id;",
        "queries.sql: get: :batchone returns no columns; name its columns, add",
    ),
    "a deferred batch": (
        "-- name: get :batchexec\n-- @deferred\nDELETE FROM items WHERE id = @id;",
        "get: @deferred is not for :batchexec; remove the directive, or use :execrows",
    ),
    "a stream of one": (
        "-- name: get :one\n-- @stream\nSELECT id FROM items;",
        "get: @stream is not for :one; remove the directive, or use :many",
    ),
    "a command without results in binary": (
        "-- name: get :exec\n-- @binary\nDELETE FROM items;",
        "get: @binary is not for :exec; remove the directive, or use :batchmany",
    ),
    "exactly one of many": (
        "-- name: get :many\n-- @exactly-one\nSELECT id FROM items;",
        "get: @exactly-one is not for :many; remove the directive, or use :batchone",
    ),
    "a stream of what is deleted": (
        "-- name: get :many\n-- @stream\nDELETE FROM items RETURNING id;",
        "get: @stream, but PostgreSQL keeps no cursor of what changes rows; remove",
    ),
    "a stream of a query that inserts": (
        (
            "-- name: get :many\n-- @stream\nWITH made AS (INSERT INTO items (id) "
            "VALUES (1) RETURNING id) SELECT id FROM made;"
        ),
        "get: @stream, but PostgreSQL keeps no cursor of what changes rows; remove",
    ),
    "a stream of another query's name": (
        (
            "-- name: get :many\n-- @stream\nSELECT id FROM items;\n"
            f"{GET_ITEMS.format('stream_get')}"
        ),
        "its function 'stream_get' is also made by queries.sql: get; rename",
    ),
    "a copy with a cast": (
        "-- name: put :copyfrom\nINSERT INTO items (name, id) VALUES ($1, @id::int);",
        "put: :copyfrom sends parameters as they are, without casts; remove the cast",
    ),
    "a copy of one parameter to two columns": (
        "-- name: put :copyfrom\nINSERT INTO items (id, name) VALUES ($1, $1);",
        "put: :copyfrom has a parameter for two columns; name each one differently",
    ),
    "a copy to a part of a column": (
        "-- name: put :copyfrom\nINSERT INTO items (id, pair.a) VALUES ($1, $2);",
        "put: :copyfrom writes to a part of a column; write to whole columns",
    ),
    "a copy over identities": (
        (
            "-- name: put :copyfrom\n"
            "INSERT INTO items (id, name) OVERRIDING USER VALUE VALUES ($1, $2);"
        ),
        "put: :copyfrom cannot override user values; leave the column out",
    ),
    "a copy to a view": (
        "-- name: put :copyfrom\nINSERT INTO named (name) VALUES ($1);",
        "put: :copyfrom into named, a view; name its table, or use :batchexec",
    ),
    "a type without a Python type": (
        "-- name: get :many\nSELECT id, pair FROM items;",
        "queries.sql: get: column 'pair' has the type 'oddity', which has no Python",
    ),
    "an array that psycopg cannot split": (
        "-- name: get :many\nSELECT id, boxes FROM items;",
        "queries.sql: get: column 'boxes' has the type 'box[]', which has no Python",
    ),
    "an unknown directive": (
        "-- name: get :many\n-- @defered\nSELECT id FROM items;",
        "queries.sql: get: unknown directive @defered; did you mean 'deferred'?",
    ),
    "a directive naming no column": (
        "-- name: get :many\n-- @notnull nam\nSELECT id, name FROM items;",
        "a directive names 'nam', which is no result column; name one of id, name",
    ),
    "nothing to defer": (
        "-- name: drop_all :exec\n-- @deferred\nDELETE FROM items;",
        "queries.sql: drop_all: @deferred on :exec, which fetches nothing",
    ),
    "two functions of one name": (
        f"{GET_ITEMS.format('GetAll')}\n{GET_ITEMS.format('get_all')}",
        "get_all: its function 'get_all' is also made by queries.sql: GetAll",
    ),
    "a function that is another's deferred twin": (
        f"-- name: x :execrows\n-- @deferred\n{DELETE}\n{GET_ITEMS.format('send_x')}",
        "its function 'send_x' is also made by queries.sql: x; rename",
    ),
    "a line of a literal that looks like a comment": (
        "-- name: get :many\nSELECT id FROM items WHERE name = 'a\n-- b';",
        'queries.sql: get: sqlc takes the line "-- b\';" for a comment',
    ),
    "an operator that looks like a comment": (
        "-- name: get :many\nSELECT id FROM items WHERE name ~ $$\n# b\n$$;",
        "queries.sql: get: sqlc takes the line '# b' for a comment and cuts it out",
    ),
    "an untold type": (
        "-- name: get :many\nSELECT coalesce(id, now()) AS x FROM items;",
        "COALESCE, GREATEST or LEAST cannot be of the types int4 and timestamptz; cast",
    ),
    "a parameter that became part of an operator": (
        "-- name: get :many\nSELECT id FROM items WHERE id =@new;",
        "queries.sql: get: sqlc left '=@new' in the text; write = @new, with a space",
    ),
    "a parameter left in the text": (
        f"-- name: get :exec\n{MERGE}",
        "queries.sql: get: sqlc left '@new' in the text; write $1",
    ),
    "a parameter that sqlc misread": (
        "-- name: get :many\nSELECT id FROM items WHERE id > @x * 2;",
        "sqlc reads a parameter's name as '*x'; write sqlc.arg(name) instead of @name",
    ),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give what is said of a project of all the cases, each in a file of its own."""
    folder = tmp_path_factory.mktemp("refused")
    made = Project.write(folder, SCHEMA, "", "{}")
    config = folder / "sqlc.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("queries: queries.sql", "queries: cases"))
    (folder / "cases").mkdir()
    for number, (queries, _) in enumerate(CASES.values()):
        (folder / "cases" / f"c{number}.sql").write_text(_numbered(queries, number))
    return made.refusal()


_NAME = re.compile(r"(?<=-- name: )\w+")


def _numbered(text: str, number: int) -> str:
    """Give the queries of a case names that no other case has."""
    return _NAME.sub(lambda name: f"{name[0]}_{number}", text)


@pytest.mark.parametrize("case", CASES)
def test_a_query_is_refused(case: str, said: str) -> None:
    """The message names file, query, what is wrong and what to do."""
    _, message = CASES[case]
    number = [*CASES].index(case)
    told = [line for line in said.splitlines() if f" c{number}.sql: " in line]
    plain = "\n".join(told).replace(f"c{number}.sql", "queries.sql")
    assert message in re.sub(rf"(?<=[a-z])_{number}\b", "", plain)


def test_all_problems_come_at_once(project: Callable[..., Project]) -> None:
    """One run reports the problems of all queries, of options and of overrides."""
    queries = "\n".join(
        f"-- name: get_{number} :execlastid\nDELETE FROM items;" for number in range(3)
    )
    options = "{emit_asinc: true, overrides: [{column: items.nam, py_type: str}]}"
    with pytest.raises(SqlcError) as refused:
        generate(project(SCHEMA, queries, options).folder)
    refusal = str(refused.value)
    expected = [f"get_{number}: :execlastid" for number in range(3)]
    expected += ["unknown option 'emit_asinc'", "no table has a column 'items.nam'"]
    assert [words for words in expected if words not in refusal] == []


OPTIONS = {
    "{emit_asinc: true}": "unknown option 'emit_asinc'; did you mean 'emit_async'?",
    "{nonsense: true}": "unknown option 'nonsense'; known are emit_sync",
    "{emit_sync: 1}": "emit_sync: 1 is no boolean; write true or false",
    "{emit_sync: false, emit_async: false}": "emit_sync and emit_async are both false",
    "{query_parameter_limit: -1}": "-1 is no number of parameters; write 0 or more",
    "{query_parameter_limit: true}": "True is no number of parameters",
    "{emit_sync_querier: false}": "emit_sync and emit_async are both false",
    "{emit_pydantic_models: 1}": "emit_pydantic_models: 1 is no boolean",
    "{emit_str_enum: maybe}": "emit_str_enum: 'maybe' is of the wrong type",
    "{model_kind: attrs}": "'attrs' is no kind; write dataclass or pydantic",
    "{rename: [a]}": "['a'] renames nothing; write a mapping of names",
    "{emit_pydantic_model: true}": "did you mean 'emit_pydantic_models'?",
    "{overrides: {}}": "overrides: not a list",
    "{overrides: [{db_type: text}]}": "names no Python type; write 'module:Name'",
    "{overrides: [{py_type: str}]}": "give exactly one of column, db_type",
    "{overrides: [{db_type: text, py_typ: str}]}": "did you mean 'py_type'?",
    "{overrides: [{db_type: text, py_type: 'a b'}]}": "'a b' cannot be imported",
    "{overrides: [{column: items.nam, py_type: str}]}": "no table has a column",
}


@pytest.mark.parametrize("options", OPTIONS)
def test_a_wrong_option_is_refused(
    options: str, project: Callable[..., Project]
) -> None:
    """The message names the option and the nearest known one."""
    assert OPTIONS[options] in project(SCHEMA, FINE, options).refusal()


def test_a_schema_that_cannot_be_read_is_refused(
    project: Callable[..., Project],
) -> None:
    """PostgreSQL's parser has the last word on the schema files."""
    made = project(SCHEMA, FINE)
    config = made.folder / "sqlc.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("schema: schema.sql", "schema: [schema.sql, more]"))
    (made.folder / "more").mkdir()
    (made.folder / "more" / "a.sql").write_bytes(b"-- \xff\n")
    assert "more/a.sql: cannot be read" in made.refusal()


def test_another_engine_is_refused(project: Callable[..., Project]) -> None:
    """Psycopg, and so its generator, speaks to PostgreSQL only."""
    made = project("CREATE TABLE t (id integer);", "-- name: a :exec\nDELETE FROM t;")
    config = made.folder / "sqlc.yaml"
    text = config.read_text(encoding="utf-8").replace("postgresql", "sqlite")
    config.write_text(text, encoding="utf-8")
    assert "engine: 'sqlite' is not PostgreSQL" in made.refusal()
