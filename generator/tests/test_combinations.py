"""Options, directives and kinds of results together, as no other test has them."""

import asyncio
import datetime
import importlib
import inspect
import itertools
import json
import random
import types
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import chdir
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg.types.range import Range

from generator.tests import running, sqlc
from generator.tools import annotations
from generator.tools.annotations import Annotation
from generator.tools.corpus import static
from generator.tools.corpus.findings import Findings
from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg import plugin
from sqlc_gen_psycopg.problems import Problems

SCHEMA = """
CREATE SCHEMA shop;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN status AS text CHECK (value IN ('open', 'paid'));
CREATE TYPE spot AS (place text, moods mood[], mood mood);
CREATE TYPE voltage AS RANGE (subtype = float8);
CREATE TABLE users (
    id integer PRIMARY KEY, name text NOT NULL, mood mood, moods mood[] NOT NULL,
    status status NOT NULL, spot spot, kept jsonb NOT NULL, note text,
    volts voltage, tags hstore, made_at timestamptz NOT NULL
);
COMMENT ON TABLE users IS 'Who is here.';
COMMENT ON COLUMN users.note IS 'May come
later.';
CREATE TABLE shop.lines (
    id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users,
    price numeric NOT NULL, spots spot[] NOT NULL, mood mood
);
CREATE VIEW user_data AS
SELECT
    u.id, CASE WHEN u.id > 1 THEN 'many' ELSE 'one' END AS size,
    json_build_object('name', u.name, 'moods', u.moods, 'spot', u.spot) AS data,
    (SELECT json_agg(l) FROM shop.lines AS l WHERE l.user_id = u.id) AS lines
FROM users AS u;
"""
ROWS = """
INSERT INTO users VALUES (
    1, 'Ada', 'calm', '{calm}', 'open', ('here', '{cross}', 'calm'), '{"a": 1}',
    'noted', '[0, 2)', 'a=>1', now()
);
INSERT INTO shop.lines
VALUES (2, 1, 1.5, ARRAY[('here', '{cross}', 'calm')]::spot[], 'calm');
"""
QUERIES = """
-- name: put_user :one
-- Puts a user.
-- @name: what to call them
INSERT INTO users (
    id, name, mood, moods, status, spot, kept, note, volts, tags, made_at
) VALUES (
    @id, @name, @mood, @moods, @status, @spot, @kept, @note, @volts, @tags, @made_at
) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *;
-- name: put_line :exec
INSERT INTO shop.lines (id, user_id, price, spots, mood)
VALUES (@id, @user_id, @price, @spots, @mood);
-- name: list_users :many
-- @stream
-- @deferred
SELECT * FROM users;
-- name: get_user_data :one
-- @deferred
SELECT * FROM user_data WHERE id = @id;
-- name: list_user_data :many
-- @row UserData
-- @stream
SELECT id, data, size FROM user_data;
-- name: list_user_data_again :many
-- @row UserData
SELECT id, data, size FROM user_data ORDER BY id;
-- name: list_data :many
-- @stream
-- @deferred
SELECT data FROM user_data;
-- name: list_sizes :many
-- @stream
-- @deferred
SELECT size FROM user_data;
-- name: list_both :many
SELECT sqlc.embed(u), sqlc.embed(l)
FROM users AS u LEFT JOIN shop.lines AS l ON l.user_id = u.id
WHERE u.note IS NOT NULL AND l.mood IS NOT NULL;
-- name: noted :many
-- @stream
SELECT id, note, mood, spot FROM users
WHERE note = @note AND mood = @mood AND spot IS NOT NULL;
-- name: whole_noted :many
SELECT * FROM users WHERE note LIKE @pattern;
-- name: add_lines :many
-- @unnest
INSERT INTO shop.lines (id, user_id, price, mood, spots)
VALUES (@id, @user_id, @price, @mood, '{}') RETURNING *;
-- name: add_some :many
-- @unnest
-- @row Some
-- @deferred
INSERT INTO shop.lines (id, user_id, price, mood, spots)
VALUES (@id, @user_id, @price, @mood, '{}')
RETURNING id, mood, json_build_object('price', price) AS made;
-- name: list_some :many
-- @row Some
-- @stream
SELECT id, mood, json_build_object('price', price) AS made FROM shop.lines;
-- name: copy_lines :copyfrom
INSERT INTO shop.lines (id, user_id, price, spots, mood)
VALUES (@id, @user_id, @price, @spots, @mood);
-- name: drop_lines :execrows
-- @deferred
DELETE FROM shop.lines;
-- name: set_moods :batchexec
UPDATE users SET mood = @mood, note = @note WHERE id = @id;
-- name: moods_of :batchmany
SELECT id, mood, moods FROM users WHERE id = @id AND mood = @mood;
-- name: one_of :batchone
SELECT sqlc.embed(users), 'x' AS kind FROM users WHERE id = @id;
-- name: data_of :batchone
SELECT data FROM user_data WHERE id = @id;
-- name: with_kind :many
SELECT u.id, k.kind
FROM users AS u CROSS JOIN (SELECT 'a' AS kind UNION ALL SELECT 'b') AS k
WHERE k.kind = @kind::text;
-- name: grouped :many
-- @notnull moods[]
SELECT
    status, array_agg(mood) AS moods, json_object_agg(id, mood) AS by_id,
    json_agg(json_build_object('spot', spot, 'status', status)) AS spots
FROM users WHERE mood IS NOT NULL GROUP BY status;
-- name: search :many
SELECT id, note FROM users
WHERE (sqlc.narg(note)::text IS NULL OR note = sqlc.narg(note))
AND mood = ANY(@moods::mood[]) AND status IN (sqlc.slice(statuses))
AND spot IS NOT DISTINCT FROM sqlc.narg(spot)::spot;
-- name: search_again :many
SELECT id, note FROM users ORDER BY id;
-- name: change :execresult
UPDATE users SET kept = @kept, mood = sqlc.narg(mood), spot = @spot
WHERE id = @id AND note = @note RETURNING id, mood, spot;
-- name: change_data :execresult
UPDATE users SET note = @note RETURNING json_build_object('note', note);
-- name: count_users :one
SELECT count(*) FROM users WHERE tags = @tags OR volts && @volts OR kept = @kept;
-- name: volts_of :many
-- @deferred
SELECT volts FROM users WHERE volts IS NOT NULL;
-- name: spot_of :one
-- @exactly-one
SELECT spot FROM users WHERE id = @id;
-- name: price_stats :many
SELECT user_id, jsonb_agg(price) AS prices, 'sum' AS kind, sum(price) AS total
FROM shop.lines GROUP BY user_id;
-- name: price_stats_again :many
SELECT user_id, jsonb_agg(price) AS prices, 'sum' AS kind, sum(price) AS total
FROM shop.lines GROUP BY user_id ORDER BY user_id;
"""
TITLES = '''\
"""Values of users' own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Title:
    text: str


def dumped(title: Title) -> str:
    return title.text
'''
OF_USERS = {
    "column": "users.name",
    "py_type": "titles:Title",
    "to_db": "titles:dumped",
}
RENAMED = {"note": "remark", "users": "person", "mood": "humour", "id": "key"}


def _switch(**options: object) -> tuple[dict[str, object], ...]:
    return ({}, options)


# What can be chosen; of each two choices all combinations are generated.
CHOICES: tuple[tuple[dict[str, object], ...], ...] = (
    _switch(model_kind="pydantic"),
    ({}, {"emit_async": False}, {"emit_sync": False}),
    ({}, {"query_parameter_limit": 0}, {"query_parameter_limit": 2}),
    _switch(models_package="base"),
    _switch(rename=RENAMED),
    _switch(overrides=[OF_USERS]),
    _switch(not_null=["spot.mood"]),
    _switch(emit_none_defaults=True),
    _switch(emit_querier=True),
    _switch(emit_frozen_models=True),
    _switch(emit_open_enums=True),
    _switch(emit_shared_rows=True),
    _switch(narrow_by_where=True),
    _switch(emit_exact_table_names=True),
    _switch(omit_unused_models=False),
)


def _combinations() -> list[tuple[int, ...]]:
    """Return few combinations that have all pairs of choices."""
    drawn = random.Random(1)  # noqa: S311 - the same ones each time
    sizes = [len(of) for of in CHOICES]
    missing = {
        ((a, i), (b, j))
        for a, b in itertools.combinations(range(len(sizes)), 2)
        for i, j in itertools.product(range(sizes[a]), range(sizes[b]))
    }
    found: list[tuple[int, ...]] = []
    while missing:
        tried = [tuple(map(drawn.randrange, sizes)) for _ in range(300)]
        best = max(tried, key=lambda one: len(missing & _pairs(one)))
        missing -= _pairs(best)
        found.append(best)
    return found


def _pairs(chosen: tuple[int, ...]) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    return {*itertools.combinations(enumerate(chosen), 2)}


class Made(NamedTuple):
    """A package, and the one that has its classes, which may be itself."""

    name: str
    base: str
    options: dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a project that sqlc has read."""
    folder = tmp_path_factory.mktemp("combinations")
    sqlc.Project.write(folder, SCHEMA, QUERIES, "{}")
    (folder / "titles.py").write_text(TITLES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(folder: Path) -> list[Made]:
    """Give the packages of all combinations, in the folder."""
    found: list[Made] = []
    for number, chosen in enumerate(_combinations()):
        picked = [of[place] for of, place in zip(CHOICES, chosen, strict=True)]
        options: dict[str, Any] = dict(itertools.chain(*(p.items() for p in picked)))
        name = base = f"made_{number}"
        if "models_package" in options:
            base = options["models_package"] = f"base_{number}"
            own = {"omit_unused_models": False, "models_package": ""}
            _generate(folder, base, options | own)
        _generate(folder, name, options)
        found.append(Made(name, base, options))
    return found


def _generate(folder: Path, package: str, options: dict[str, Any]) -> None:
    [request] = sqlc.requests(folder)
    with chdir(folder):
        asked = request._replace(options=json.loads(json.dumps(options)))
        texts = plugin.generate(asked, Problems())
    for name, text in texts.items():
        file = folder / package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.mark.long
def test_all_pairs_of_options_are_typed_and_clean(
    folder: Path, made: list[Made]
) -> None:
    """Type checkers and ruff find nothing in any combination."""
    assert made
    found = Findings()
    static.check(folder, found)
    assert [*found.found] == []


@pytest.fixture(scope="module")
def template(postgres_server: Server) -> Generator[databases.Template]:
    """Give a database with the schema and a row of each table."""

    def fill(url: str) -> None:
        with psycopg.connect(url) as conn:
            conn.execute((SCHEMA + ROWS).encode())

    with databases.template(postgres_server.url, fill) as template:
        yield template


def test_all_pairs_of_options_do_as_annotated(
    folder: Path, made: list[Made], template: databases.Template
) -> None:
    """Each function gives what its annotation promises, and so does each method."""
    with template.clone() as url:
        assert sum(_called(folder, one, url) for one in made) > 40 * len(made)


def test_open_enums_are_open_in_arrays_and_json(
    folder: Path, made: list[Made], template: databases.Template
) -> None:
    """A label that is new keeps all promises wherever it comes."""
    opened = [one for one in made if "emit_open_enums" in one.options]
    with template.clone() as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("ALTER TYPE mood ADD VALUE 'glad'")
            conn.execute("UPDATE users SET moods = '{glad}'")
            conn.execute(
                "UPDATE shop.lines "
                "SET spots = ARRAY[('there', '{glad}', 'glad')]::spot[]"
            )
        assert sum(_called(folder, one, url) for one in opened) > 40 * len(opened)


def _called(folder: Path, made: Made, url: str) -> int:
    """Call all functions of a package; return how many there are."""
    called = 0
    with (
        running.importable(folder, "titles"),
        running.importable(folder, made.base),
        running.importable(folder, made.name),
    ):
        if made.options.get("emit_sync", True):
            called += _call_all(made, url)
        if made.options.get("emit_async", True):
            called += asyncio.run(_await_all(made, url))
    return called


_LIST: Annotation = list


class _Call(NamedTuple):
    """A function, or a method of a querier, with what it takes, and what it gives."""

    annotated: Callable[..., Any]
    function: Callable[..., Any]
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.annotated.__name__

    @property
    def promised(self) -> Annotation:
        """What comes in the end: of cursors the list of their rows."""
        given = annotations.hints(self.annotated)["return"]
        if self.name.startswith("stream_"):
            [cursor, *_] = annotations.arguments(given)
            return _LIST[annotations.arguments(cursor)]
        if self.name.startswith("send_"):
            given = annotations.arguments(given)[-1]
            if annotations.origin(given) is Awaitable:
                [given] = annotations.arguments(given)
        if str(annotations.origin(given)).endswith("RawCursor'>"):
            return _LIST[annotations.arguments(given)]
        return given

    def judge(self, made: Made, given: object) -> None:
        """Check what has come."""
        where = (made, self.name)
        assert annotations.violations(given, self.promised) == [], where
        # Each query of the project finds something.
        assert given or self.promised is types.NoneType, where


def _calls(made: Made, folder: str, conn: object) -> Iterator[_Call]:
    queries = importlib.import_module(f"{made.name}.{folder}queries")
    base = importlib.import_module(f"{made.base}.server_types")
    enums = importlib.import_module(f"{made.base}.enums")
    named = _arguments(base, enums, made.options)
    querier: Any = None
    if made.options.get("emit_querier"):
        module = importlib.import_module(f"{made.name}.{folder}querier")
        querier = module.Queries(conn)
    for name in queries.__all__:
        function = getattr(queries, name)
        if not inspect.isfunction(function):
            continue
        first, *parameters = inspect.signature(function).parameters
        if first != "conn":
            continue
        hints = annotations.hints(function)
        taken = {
            parameter: _argument(parameter, hints[parameter], named)
            for parameter in parameters
            if parameter != "fetch_size"
        }
        yield _Call(function, partial(function, conn), taken)
        if querier:
            method = getattr(querier, name)
            yield _Call(method, method, taken)


def _argument(name: str, hint: Annotation, named: dict[str, object]) -> object:
    if name == "arg":
        return _of_class(hint, named)
    if name == "rows":
        [each] = annotations.arguments(hint)
        return [_of_class(each, named)]
    return named[name]


def _of_class(kind: Annotation, named: dict[str, object]) -> object:
    if kind is int:
        return named["id"]
    return kind(**{name: named[name] for name in inspect.signature(kind).parameters})


def _arguments(
    base: ModuleType, enums: ModuleType, options: dict[str, Any]
) -> dict[str, object]:
    """Return a value for each name of a parameter."""
    calm, open_ = enums.Mood.CALM, enums.Status.OPEN
    spot = base.Spot("here", [enums.Mood.CROSS], calm)
    name: object = "Bob"
    if "overrides" in options:
        name = importlib.import_module("titles").Title("Bob")
    found: dict[str, object] = {
        "id": 1, "name": name, "mood": calm, "moods": [calm], "status": open_,
        "statuses": [open_], "spot": spot, "spots": [spot], "kept": {"a": 1},
        "note": "noted", "pattern": "n%", "kind": "a", "user_id": 1,
        "price": Decimal("1.5"), "volts": Range(0.0, 2.0), "tags": {"a": None},
        "made_at": datetime.datetime.now(datetime.UTC),
    }  # fmt: skip
    return found | {RENAMED.get(each, each): value for each, value in found.items()}


def _call_all(made: Made, url: str) -> int:
    server_types = importlib.import_module(f"{made.base}.server_types")
    with psycopg.connect(url, autocommit=True) as conn:
        server_types.register_types(conn)
        calls = [*_calls(made, "", conn)]
        for call in calls:
            with conn.transaction(force_rollback=True):
                given: Any = call.function(**call.arguments)
                if call.name.startswith("stream_"):
                    with given as rows:
                        given = [*rows]
                elif call.name.startswith("send_"):
                    given = given()
                elif "fetchall" in dir(given):
                    given = given.fetchall()
            call.judge(made, given)
    return len(calls)


async def _await_all(made: Made, url: str) -> int:
    server_types = importlib.import_module(f"{made.base}.aio.server_types")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await server_types.register_types(conn)
        calls = [*_calls(made, "aio.", conn)]
        for call in calls:
            async with conn.transaction(force_rollback=True):
                given: Any = call.function(**call.arguments)
                if call.name.startswith("stream_"):
                    async with given as rows:
                        given = [row async for row in rows]
                else:
                    given = await given
                if call.name.startswith("send_"):
                    given = await given()
                elif "fetchall" in dir(given):
                    given = await given.fetchall()
            call.judge(made, given)
    return len(calls)
