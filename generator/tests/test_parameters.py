"""A parameter is of the type that PostgreSQL takes it for, wherever it stands."""

import re
from collections.abc import Generator

import psycopg
import pytest

from generator.tests import sqlc
from postgres_testing import databases
from postgres_testing.embedded import Server

SCHEMA = """
CREATE TABLE items (
    id bigint PRIMARY KEY, name varchar(9) NOT NULL, data jsonb NOT NULL,
    tags text [], amount numeric NOT NULL, day date, raw bytea
);
"""

# Statements of one parameter called x, its annotation and PostgreSQL's own type.
CASES = {
    "SELECT id FROM items WHERE data->>'a' = @x": ("str", "text"),
    "SELECT id FROM items WHERE data->'a' = @x": ("json_types.JsonInput", "jsonb"),
    "SELECT id FROM items WHERE lower(name) = @x": ("str", "text"),
    "SELECT id FROM items WHERE id + 1 = @x": ("int", "int8"),
    "SELECT id FROM items WHERE length(name) = ANY(@x)": (
        "Sequence[int | None]",
        "_int4",
    ),
    "SELECT id FROM items WHERE @x = ANY(tags)": ("str | None", "text"),
    "SELECT id FROM items GROUP BY id HAVING sum(amount) > @x": ("Decimal", "numeric"),
    "SELECT id FROM items ORDER BY CASE WHEN @x = 'name' THEN name END": (
        "str | None",
        "text",
    ),
    "SELECT id FROM items ORDER BY CASE @x WHEN 'name' THEN name END": (
        "str | None",
        "text",
    ),
    "SELECT id FROM items WHERE CASE WHEN id > 1 THEN day = @x ELSE false END": (
        "datetime.date | None",
        "date",
    ),
    "UPDATE items SET tags[1] = @x": ("str | None", "text"),
    "UPDATE items SET tags[@x] = 'a'": ("int | None", "int4"),
    "UPDATE items SET tags[1:2] = @x": ("Sequence[str | None] | None", "_text"),
    # Beside alternatives, which all become of one type.
    "SELECT id FROM items LIMIT coalesce(@x, 10)": ("int | None", "int4"),
    "SELECT id FROM items OFFSET coalesce(@x, 0)": ("int | None", "int4"),
    "INSERT INTO items (id, name, data) VALUES (1, '', coalesce(@x, '{}'::jsonb))": (
        "json_types.JsonInput | None",
        "jsonb",
    ),
    "SELECT id FROM items ORDER BY coalesce(@x, 'none')": ("str | None", "text"),
    "SELECT id FROM items ORDER BY greatest(@x, now())": (
        "datetime.datetime | None",
        "timestamptz",
    ),
    "SELECT id FROM items ORDER BY CASE WHEN id > 1 THEN @x ELSE day END": (
        "datetime.date | None",
        "date",
    ),
    # Where only a boolean can stand.
    "SELECT id FROM items WHERE @x AND id > 1": ("bool | None", "bool"),
    "SELECT id FROM items WHERE NOT @x OR id > 1": ("bool | None", "bool"),
    "SELECT id FROM items WHERE coalesce(@x, false) IS FALSE": ("bool | None", "bool"),
    "SELECT id FROM items WHERE @x IS TRUE": ("bool | None", "bool"),
    "SELECT id FROM items ORDER BY CASE WHEN @x THEN 1 END": ("bool | None", "bool"),
    # Of a function that takes what its other arguments are.
    "UPDATE items SET tags = array_append(tags, @x)": ("str", "text"),
    "UPDATE items SET tags = array_replace(tags, @x, 'a')": ("str", "text"),
    "SELECT array_position(ARRAY[1, 2], @x) FROM items": ("int", "int4"),
    "SELECT array_cat(tags, @x) FROM items": ("Sequence[str | None]", "_text"),
    # Of a function or an operator with several overloads: text before all others.
    "SELECT id FROM items WHERE name = upper(@x)": ("str", "text"),
    "SELECT id FROM items WHERE lower(name) = lower(@x)": ("str", "text"),
    "SELECT id FROM items WHERE day > now() - interval '1 day' * @x": (
        "float | None",
        "float8",
    ),
    "UPDATE items SET day = now() + (interval '1 second' * @x)": (
        "float | None",
        "float8",
    ),
    "SELECT now() + @x FROM items": ("datetime.timedelta | None", "interval"),
    "SELECT data -> @x FROM items": ("str", "text"),
    "SELECT now() - make_interval(secs => @x) FROM items": ("float", "float8"),
    "SELECT id FROM items WHERE raw = @x AND length(@x) > 0": ("bytes | None", "bytea"),
    # Beside nothing but parameters.
    "INSERT INTO items (id, name, data) VALUES (1, coalesce(@x, @x), '1')": (
        "str | None",
        "text",
    ),
}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the module of all statements above."""
    queries = "\n".join(
        # sqlc miscounts the letters of `* @x`.
        f"-- name: q{number} :exec\n{statement.replace('* @x', '* sqlc.arg(x)')};"
        for number, statement in enumerate(CASES)
    )
    folder = tmp_path_factory.mktemp("parameters")
    made = sqlc.Project.write(folder, SCHEMA, queries, "{}")
    return made.generated()["queries.py"]


@pytest.fixture(scope="module")
def database_url(postgres_server: Server) -> Generator[str]:
    """Give a database with the schema."""
    with databases.database(postgres_server.url) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(SCHEMA.encode())
        yield url


@pytest.mark.parametrize("statement", CASES)
def test_annotation(statement: str, generated: str) -> None:
    """The annotation is what PostgreSQL wants, not what the nearest column is."""
    number = list(CASES).index(statement)
    found = re.search(
        rf"def q{number}\(.*?\*,\s+\w+: (.*?),?\s*\) ->", generated, re.DOTALL
    )
    assert found
    assert found[1] == CASES[statement][0]


@pytest.mark.parametrize("statement", CASES)
def test_the_server_agrees(statement: str, database_url: str) -> None:
    """What is expected above is what the server says when it prepares."""
    with psycopg.connect(database_url) as conn:
        text = statement.replace("@x", "$1").encode()
        conn.pgconn.prepare(b"s", text)
        oid = conn.pgconn.describe_prepared(b"s").param_type(0)
        [name] = conn.execute(
            "SELECT typname FROM pg_type WHERE oid = %s", (oid,)
        ).fetchone() or ("",)
    assert name == CASES[statement][1]
