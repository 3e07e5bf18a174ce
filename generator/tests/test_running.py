"""What functions take, and what comes: of statements that PostgreSQL reads its own way.

Each has a signature, and runs on rows that tell whether it is true.
"""

import datetime
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import psycopg
import pytest
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from generator.tests import running, sqlc
from generator.tools import annotations
from postgres_testing import databases
from postgres_testing.embedded import Server

# ruff: noqa: ISC004, S608 - statements are long, and stand in pairs with their signatures
# The arguments of a call, and what it gives.
Call: TypeAlias = tuple[dict[str, Any], object]


class Case(NamedTuple):
    """A schema with rows, and queries: by name its text, signature and calls."""

    schema: str
    rows: str
    queries: dict[str, tuple[str, str, list[Call]]]


ITEMS = "CREATE TABLE items (id integer NOT NULL);"
OTHERS = "CREATE TABLE others (id integer NOT NULL, item_id integer);"
MOODS = "CREATE TYPE mood AS ENUM ('a', 'b');"
INTS = "list[int | None]"
RANGE_OF_ONE = Range(Decimal(1), Decimal(2))

CASES = {
    "arrays of arrays": Case(
        f"{MOODS} CREATE TABLE t (tags text [] NOT NULL, moods mood [] NOT NULL);",
        "INSERT INTO t VALUES ('{q}', '{a}')",
        {
            "all_tags :one": (
                "SELECT array_agg(tags) FROM t",
                "() -> list[list[str | None]] | None",
                [({}, [["q"]])],
            ),
            "all_moods :one": (
                "SELECT array_agg(moods) FROM t",
                "() -> list[list[enums.Mood | None]] | None",
                [({}, [["a"]])],
            ),
        },
    ),
    "a closed domain beside other texts": Case(
        "CREATE DOMAIN st AS text CHECK (VALUE IN ('a', 'b'));"
        "CREATE TABLE t (s st NOT NULL);",
        "INSERT INTO t VALUES ('a')",
        {
            "pairs :many": (
                "SELECT ARRAY[s, 'lit'] FROM t",
                "() -> list[list[str | None]]",
                [({}, [["a", "lit"]])],
            ),
        },
    ),
    "domains whose equality is not that of strings": Case(
        "CREATE EXTENSION citext;"
        "CREATE DOMAIN answer AS citext CHECK (VALUE IN ('yes', 'no'));"
        "CREATE DOMAIN code AS char(3) CHECK (VALUE IN ('a', 'b'));"
        "CREATE TABLE t (answer answer NOT NULL, code code NOT NULL);",
        "INSERT INTO t VALUES ('YES', 'a')",
        {
            "answers :many": (
                "SELECT answer FROM t",
                "() -> list[str]",
                [({}, ["YES"])],
            ),
            "codes :many": ("SELECT code FROM t", "() -> list[str]", [({}, ["a  "])]),
        },
    ),
    "domains in composites": Case(
        """
        CREATE DOMAIN posint AS integer CHECK (value > 0);
        CREATE DOMAIN usd AS numeric(10, 2);
        CREATE DOMAIN flag AS boolean;
        CREATE DOMAIN doc AS jsonb;
        CREATE DOMAIN ints AS integer [];
        CREATE DOMAIN span AS int4range;
        CREATE DOMAIN bin AS bytea;
        CREATE DOMAIN uid AS uuid;
        CREATE TYPE item AS (
            p posint, u usd, f flag, d doc, a ints, r span, b bin, i uid
        );
        CREATE TABLE t (item item NOT NULL, more item [] NOT NULL);
        """,
        "WITH i AS (SELECT ROW(1, 2.50, false, '{\"a\": 1}', '{1,2}', '[1,3)', '\\x00',"
        " '00000000-0000-0000-0000-000000000001')::item AS item)"
        " INSERT INTO t SELECT item, ARRAY[item] FROM i",
        {
            "items :many": (
                "SELECT item FROM t",
                "() -> list[server_types.Item]",
                [],
            ),
            "put :exec": (
                "INSERT INTO t (item, more) VALUES (@item, @more)",
                "(item: server_types.Item, more: Sequence[server_types.Item | None])"
                " -> None",
                [],
            ),
            "count_like :one": (
                "SELECT count(*) FROM t WHERE item = @item OR item = ANY(@items)",
                "(item: server_types.Item, items: Sequence[server_types.Item | None])"
                " -> int",
                [],
            ),
        },
    ),
    "arrays of domains": Case(
        "CREATE DOMAIN st AS text CHECK (VALUE IN ('x', 'y'));"
        "CREATE DOMAIN posint AS integer CHECK (VALUE > 0);"
        "CREATE TABLE t (id integer, ss st [], ps posint []);",
        "INSERT INTO t VALUES (1, '{x,y}', '{1,2}')",
        {
            "states :many": (
                "SELECT coalesce(ss, '{}') FROM t",
                "() -> list[list[enums.St | None]]",
                [({}, [["x", "y"]])],
            ),
            "defaulted :many": (
                "SELECT coalesce(ps, '{}') FROM t",
                f"() -> list[{INTS}]",
                [({}, [[1, 2]])],
            ),
            "cased :many": (
                "SELECT CASE WHEN id = 1 THEN ps ELSE '{}' END FROM t",
                f"() -> list[{INTS} | None]",
                [({}, [[1, 2]])],
            ),
            "doubled :many": (
                "SELECT ps || ps FROM t",
                f"() -> list[{INTS} | None]",
                [({}, [[1, 2, 1, 2]])],
            ),
            "united :many": (
                "SELECT ps FROM t UNION ALL SELECT '{}'",
                f"() -> list[{INTS} | None]",
                [({}, [[1, 2], []])],
            ),
        },
    ),
    "parameters in JSON": Case(
        "CREATE TABLE b (id integer NOT NULL, j jsonb NOT NULL);",
        "INSERT INTO b VALUES (1, '{\"a\": 5}')",
        {
            "from_document :many": (
                "SELECT jt.a::int AS a FROM"
                " JSON_TABLE($1::jsonb, '$[*]' COLUMNS (a int PATH '$.a')) AS jt",
                "(arg_1: json_types.JsonInput) -> list[int | None]",
                [({"arg_1": [{"a": 1}, {}]}, [1, None])],
            ),
            "passing :many": (
                "SELECT id FROM b"
                " WHERE JSON_EXISTS(j, '$.a ? (@ > $x)' PASSING $1::int AS x)",
                "(arg_1: int) -> list[int]",
                [({"arg_1": 4}, [1]), ({"arg_1": 5}, [])],
            ),
        },
    ),
    "patterns": Case(
        "CREATE TABLE b (id integer NOT NULL, data jsonb NOT NULL,"
        " names text [] NOT NULL, at timestamptz NOT NULL, raw bytea NOT NULL,"
        " val text NOT NULL);",
        "INSERT INTO b VALUES (7, '{\"name\": \"Ada\", \"a\": {\"b\": \"c\"}}',"
        " '{Ada}', '2024-02-29 12:00+00', '\\x0f', 'v')",
        {
            "by_json_name :many": (
                "SELECT id FROM b WHERE data->>'name' ILIKE @pattern",
                "(pattern: str) -> list[int]",
                [({"pattern": "a%"}, [7])],
            ),
            "by_json_path :many": (
                "SELECT id FROM b WHERE data#>>'{a,b}' LIKE @pattern",
                "(pattern: str) -> list[int]",
                [({"pattern": "c"}, [7])],
            ),
            "by_id :many": (
                "SELECT id FROM b WHERE id::text LIKE @pattern",
                "(pattern: str) -> list[int]",
                [({"pattern": "7%"}, [7])],
            ),
            "by_month :many": (
                "SELECT id FROM b WHERE to_char(at, 'YYYY') LIKE @pattern",
                "(pattern: str) -> list[int]",
                [({"pattern": "2024"}, [7])],
            ),
            "by_first_name :many": (
                "SELECT id FROM b WHERE names[1] ILIKE @pattern",
                "(pattern: str) -> list[int]",
                [({"pattern": "ada"}, [7])],
            ),
            "by_hex :many": (
                "SELECT id FROM b WHERE encode(raw, 'hex') LIKE @pattern",
                "(pattern: str) -> list[int]",
                [({"pattern": "0_"}, [7])],
            ),
            "by_any :many": (
                "SELECT id FROM b WHERE val LIKE ANY(@patterns)",
                "(patterns: Sequence[str | None]) -> list[int]",
                [({"patterns": ["x", "v%"]}, [7])],
            ),
            "by_key :many": (
                "SELECT id FROM b WHERE data->> @key = @value",
                "(key: str, value: str) -> list[int]",
                [({"key": "name", "value": "Ada"}, [7])],
            ),
            "by_path :many": (
                "SELECT id FROM b WHERE data -> @outer_key ->> @inner_key = @value",
                "(outer_key: str, inner_key: str, value: str) -> list[int]",
                [({"outer_key": "a", "inner_key": "b", "value": "c"}, [7])],
            ),
        },
    ),
    "parameters of MERGE": Case(
        "CREATE TABLE stock (sku text PRIMARY KEY, qty integer NOT NULL);"
        "CREATE TABLE delivery (sku text PRIMARY KEY, qty integer NOT NULL);",
        "INSERT INTO stock VALUES ('a', 1); INSERT INTO delivery VALUES ('a', 1),"
        " ('b', 1)",
        {
            "take_delivery :execrows": (
                "MERGE INTO stock USING delivery ON delivery.sku = stock.sku"
                " WHEN MATCHED AND stock.qty < $1 THEN UPDATE SET qty = stock.qty + $2"
                " WHEN NOT MATCHED THEN INSERT (sku, qty) VALUES (delivery.sku, $3)",
                "(arg_1: int, arg_2: int, arg_3: int) -> int",
                [({"arg_1": 5, "arg_2": 2, "arg_3": 3}, 2)],
            ),
            "quantities :many": (
                "SELECT qty FROM stock ORDER BY qty",
                "() -> list[int]",
                [({}, [3, 3])],
            ),
        },
    ),
    "rows beside rows": Case(
        ITEMS + OTHERS,
        "INSERT INTO items VALUES (1), (2); INSERT INTO others VALUES (1, NULL)",
        {
            "list_hits :many": (
                "SELECT (items.id, items.id) IN (SELECT others.id, others.item_id"
                " FROM others) FROM items ORDER BY id",
                "() -> list[bool | None]",
                [({}, [None, False])],
            ),
        },
    ),
    "optional filters": Case(
        f"{MOODS} CREATE DOMAIN code AS varchar(10);"
        "CREATE TABLE t (id bigint NOT NULL, name text NOT NULL, c code, m mood,"
        " at timestamptz NOT NULL, tags text [] NOT NULL);",
        "INSERT INTO t VALUES (1, 'Ada', 'x', 'a', '2024-01-01', '{t}')",
        {
            "by_name :many": (
                "SELECT id FROM t WHERE"
                " (sqlc.narg(name) IS NULL OR name = sqlc.narg(name))",
                "(name: str | None) -> list[int]",
                [({"name": None}, [1]), ({"name": "Ada"}, [1]), ({"name": ""}, [])],
            ),
            "by_code :many": (
                "SELECT id FROM t WHERE (sqlc.narg(c) IS NULL OR c = sqlc.narg(c))",
                "(c: str | None) -> list[int]",
                [({"c": None}, [1]), ({"c": "x"}, [1]), ({"c": "y"}, [])],
            ),
            "by_mood :many": (
                "SELECT id FROM t WHERE"
                " CASE WHEN sqlc.narg(m) IS NULL THEN true ELSE m = sqlc.narg(m) END",
                "(m: enums.Mood | None) -> list[int]",
                [({"m": None}, [1]), ({"m": "a"}, [1]), ({"m": "b"}, [])],
            ),
            "before :many": (
                "SELECT id FROM t WHERE (sqlc.narg(at) IS NULL"
                " OR (at, id) < (sqlc.narg(at), sqlc.narg(id)))",
                "(at: datetime.datetime | None, id: int | None) -> list[int]",
                [
                    ({"at": None, "id": None}, [1]),
                    ({"at": datetime.datetime(2023, 1, 1, tzinfo=datetime.UTC),
                      "id": 9}, []),
                ],
            ),
            "by_tags :many": (
                "SELECT id FROM t WHERE"
                " (sqlc.narg(tags) IS NULL OR tags && sqlc.narg(tags))",
                "(tags: Sequence[str | None] | None) -> list[int]",
                [({"tags": None}, [1]), ({"tags": ["t"]}, [1]), ({"tags": []}, [])],
            ),
            "reversed :many": (
                "SELECT id FROM t WHERE"
                " name = sqlc.narg(name) OR sqlc.narg(name) IS NULL",
                "(name: str | None) -> list[int]",
                [({"name": None}, [1]), ({"name": "Ada"}, [1]), ({"name": ""}, [])],
            ),
        },
    ),
    "aggregates of an outer query": Case(
        ITEMS + OTHERS,
        "INSERT INTO items VALUES (1)",
        {
            "list_counts :many": (
                "SELECT (SELECT count(items.id) FROM others) FROM items",
                "() -> list[int | None]",
                [({}, [None])],
            ),
            "list_ones :many": (
                "SELECT (SELECT 1) FROM items",
                "() -> list[Literal[1]]",
                [({}, [1])],
            ),
        },
    ),
    "parameters that decide between overloads": Case(
        "CREATE TABLE b (id integer NOT NULL, val text NOT NULL,"
        " ts timestamptz NOT NULL, tm time NOT NULL, num numeric NOT NULL);",
        "INSERT INTO b VALUES (2, 'a%b', '2024-01-01 12:00+00', '01:00', 7)",
        {
            "local_times :many": (
                "SELECT ts AT TIME ZONE @zone FROM b",
                "(zone: str) -> list[datetime.datetime]",
                [({"zone": "UTC"}, [datetime.datetime(2024, 1, 1, 12)])],
            ),
            "like_escaped :many": (
                "SELECT id FROM b WHERE val LIKE @pattern ESCAPE @mark",
                "(pattern: str, mark: str) -> list[int]",
                [({"pattern": "a!%b", "mark": "!"}, [2])],
            ),
            "ilike_escaped :many": (
                "SELECT id FROM b WHERE val ILIKE @pattern ESCAPE '!'",
                "(pattern: str) -> list[int]",
                [({"pattern": "A!%B"}, [2])],
            ),
            "shifted :many": (
                "SELECT tm + @by FROM b",
                "(by: datetime.timedelta) -> list[datetime.time]",
                [({"by": datetime.timedelta(hours=1)}, [datetime.time(2)])],
            ),
            "hashed :one": (
                "SELECT md5(@x)",
                "(x: str) -> str",
                [({"x": "a"}, "0cc175b9c0f1b6a831c399e269772661")],
            ),
            "vector :one": (
                "SELECT to_tsvector(@x)",
                "(x: str) -> str",
                [({"x": "cats"}, "'cat':1")],
            ),
            "cut :many": (
                "SELECT substr(@x, id) FROM b",
                "(x: str) -> list[str]",
                [({"x": "abc"}, ["bc"])],
            ),
            "replaced :many": (
                "SELECT regexp_replace(val, @old, @new, @flags) FROM b",
                "(old: str, new: str, flags: str) -> list[str]",
                [({"old": "[AB]", "new": "x", "flags": "gi"}, ["x%x"])],
            ),
            "rest :many": (
                "SELECT mod(num, @x) FROM b",
                "(x: Decimal) -> list[Decimal]",
                [({"x": Decimal(4)}, [Decimal(3)])],
            ),
            "size :one": (
                "SELECT length(@x)",
                "(x: str) -> int",
                [({"x": "abc"}, 3)],
            ),
        },
    ),
    "sets in INSERT": Case(
        "CREATE TABLE names (id integer GENERATED ALWAYS AS IDENTITY, name text);",
        "",
        {
            "add_names :one": (
                "INSERT INTO names (name)"
                " VALUES (jsonb_array_elements_text(@x::jsonb)) RETURNING id",
                "(x: json_types.JsonInput) -> int | None",
                [({"x": ["a"]}, 1), ({"x": []}, None)],
            ),
        },
    ),
    "functions of the schema": Case(
        f"{MOODS} CREATE DOMAIN cents AS integer;"
        """
        CREATE FUNCTION names_of(d int) RETURNS text [] LANGUAGE sql
        AS $$ SELECT '{a}'::text[] $$;
        CREATE FUNCTION moods() RETURNS mood [] LANGUAGE sql
        AS $$ SELECT '{a}'::mood[] $$;
        CREATE FUNCTION number_of(xs int []) RETURNS int LANGUAGE sql
        AS $$ SELECT cardinality(xs) $$;
        CREATE PROCEDURE note(xs int []) LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION over(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
        CREATE FUNCTION over(a text) RETURNS text LANGUAGE sql AS 'SELECT a';
        CREATE FUNCTION over(a int, b mood) RETURNS mood [] LANGUAGE sql
        AS 'SELECT ARRAY[b]';
        CREATE FUNCTION pairs(n int) RETURNS TABLE (a int, b mood, c cents [])
        LANGUAGE sql AS $$ SELECT n, 'b'::mood, '{1}'::cents[] $$;
        CREATE FUNCTION numbers(n int) RETURNS SETOF int LANGUAGE sql
        AS 'SELECT generate_series(1, n)';
        CREATE FUNCTION padded(
            a text, width int DEFAULT 3, fill text DEFAULT '.'
        ) RETURNS text LANGUAGE sql AS 'SELECT lpad(a, width, fill)';
        CREATE FUNCTION most(VARIADIC xs int []) RETURNS int LANGUAGE sql
        AS 'SELECT max(x) FROM unnest(xs) AS x';
        CREATE FUNCTION first_of(xs anyarray) RETURNS anyelement LANGUAGE sql
        AS 'SELECT xs[1]';
        CREATE FUNCTION added(s text [], x int) RETURNS text [] LANGUAGE sql
        AS 'SELECT s || x::text';
        CREATE AGGREGATE texts(int) (
            SFUNC = added, STYPE = text [], INITCOND = '{}'
        );
        CREATE FUNCTION beside(a mood, b int) RETURNS int [] LANGUAGE sql
        AS 'SELECT ARRAY[b, b]';
        CREATE OPERATOR ~@~ (LEFTARG = mood, RIGHTARG = int, FUNCTION = beside);
        CREATE TYPE pair AS (a cents, bs cents []);
        CREATE FUNCTION a_pair() RETURNS pair LANGUAGE sql
        AS $$ SELECT ROW(1, '{2}')::pair $$;
        CREATE FUNCTION worth(price cents) RETURNS cents LANGUAGE sql
        AS 'SELECT price';
        """,
        "",
        {
            "get_names :one": (
                "SELECT names_of(@d)",
                "(d: int) -> list[str | None] | None",
                [({"d": 1}, ["a"])],
            ),
            "get_moods :one": (
                "SELECT moods()",
                "() -> list[enums.Mood | None] | None",
                [({}, ["a"])],
            ),
            "get_number :one": (
                "SELECT number_of(@xs)",
                "(xs: Sequence[int | None]) -> int | None",
                [({"xs": (1, 2)}, 2)],
            ),
            "make_note :exec": (
                "CALL note(@xs)",
                "(xs: Sequence[int | None]) -> None",
                [({"xs": [1]}, None)],
            ),
            "over_text :one": (
                "SELECT over(@a)",
                "(a: str) -> str | None",
                [({"a": "x"}, "x")],
            ),
            "over_two :one": (
                "SELECT over(@a, @b)",
                "(a: int, b: enums.Mood) -> list[enums.Mood | None] | None",
                [({"a": 1, "b": "b"}, ["b"])],
            ),
            "get_moods_of_pairs :many": (
                "SELECT p.b FROM pairs(@n) AS p(a, b, c)",
                "(n: int) -> list[enums.Mood | None]",
                [({"n": 1}, ["b"])],
            ),
            "get_cents_of_pairs :many": (
                "SELECT p.c FROM pairs(@n) AS p(a, b, c)",
                "(n: int) -> list[list[int | None] | None]",
                [({"n": 1}, [[1]])],
            ),
            "get_numbers :many": (
                "SELECT numbers(@n)",
                "(n: int) -> list[int | None]",
                [({"n": 2}, [1, 2])],
            ),
            "pad :one": (
                "SELECT padded(@a)",
                "(a: str) -> str | None",
                [({"a": "x"}, "..x")],
            ),
            "pad_with :one": (
                "SELECT padded(@a, fill => @fill)",
                "(a: str, fill: str) -> str | None",
                [({"a": "x", "fill": "-"}, "--x")],
            ),
            "most_of :one": (
                "SELECT most(@a, @b, 3)",
                "(a: int, b: int) -> int | None",
                [({"a": 1, "b": 4}, 4)],
            ),
            "most_of_all :one": (
                "SELECT most(VARIADIC @xs)",
                "(xs: Sequence[int | None]) -> int | None",
                [({"xs": [1, 9]}, 9)],
            ),
            "first_cents :one": (
                "SELECT first_of(@xs::cents[])",
                "(xs: Sequence[int | None]) -> int | None",
                [({"xs": [5]}, 5)],
            ),
            "get_texts :one": (
                "SELECT texts(n) FROM numbers(@n) AS n",
                "(n: int) -> list[str | None] | None",
                [({"n": 2}, ["1", "2"])],
            ),
            "get_beside :one": (
                "SELECT @a::mood ~@~ @b",
                "(a: enums.Mood, b: int | None) -> list[int | None] | None",
                [({"a": "a", "b": 3}, [3, 3])],
            ),
            "cents_of_pair :one": (
                "SELECT (a_pair()).bs",
                "() -> list[int | None] | None",
                [({}, [2])],
            ),
            "get_worth :one": (
                "SELECT worth(@price)",
                "(price: int) -> int | None",
                [({"price": 3}, 3)],
            ),
        },
    ),
    "ranges of the schema": Case(
        """
        CREATE DOMAIN cents AS integer;
        CREATE TYPE span AS RANGE (subtype = float8);
        CREATE TYPE reach AS RANGE (subtype = float8);
        CREATE TYPE prices AS RANGE (subtype = cents);
        CREATE TYPE offer AS (prices prices, span span);
        CREATE TABLE t (
            span span NOT NULL, prices prices, spans span [] NOT NULL, offer offer
        );
        """,
        "INSERT INTO t VALUES ('[1.5,2)', 'empty', '{\"[1,)\",NULL}', NULL)",
        {
            "get_spans :many": (
                "SELECT span FROM t WHERE span && @span OR span = ANY(@spans)",
                "(span: Range[float], spans: Sequence[Range[float] | None])"
                " -> list[Range[float]]",
                [
                    ({"span": Range(1.0, 9.0), "spans": []}, [Range(1.5, 2.0)]),
                    ({"span": Range(empty=True), "spans": []}, []),
                    ({"span": Range(empty=True), "spans": [None, Range(1.5, 2)]},
                     [Range(1.5, 2.0)]),
                ],
            ),
            "get_lists :many": (
                "SELECT spans FROM t WHERE prices = @prices",
                "(prices: Range[int] | None) -> list[list[Range[float] | None]]",
                [
                    ({"prices": Range[int](empty=True)}, [[Range(1.0), None]]),
                    ({"prices": None}, []),
                ],
            ),
            # psycopg alone takes it for the other range of floats.
            "get_reach :one": (
                "SELECT lower(sqlc.arg(reach)::reach * reach(0, 5))",
                "(reach: Range[float]) -> float | None",
                [({"reach": Range(1.0, 9.0)}, 1.0)],
            ),
            "get_spread :one": (
                "SELECT upper(sqlc.arg(span)::span * span(0, 5))",
                "(span: Range[float]) -> float | None",
                [({"span": Range(1.0, 9.0)}, 5.0)],
            ),
            "get_bound :one": (
                "SELECT upper(prices(@low, @high))",
                "(low: int, high: int) -> int | None",
                [({"low": 1, "high": 3}, 3)],
            ),
            "load :copyfrom": (
                "INSERT INTO t (span, prices, spans) VALUES (@span, @prices, @spans)",
                "(rows: Iterable[LoadParams]) -> int",
                [],
            ),
            "get_offers :many": (
                "SELECT offer FROM t",
                "() -> list[server_types.Offer | None]",
                [({}, [None])],
            ),
        },
    ),
    "multiranges of the schema": Case(
        """
        CREATE DOMAIN cents AS integer;
        CREATE TYPE span AS RANGE (subtype = float8);
        CREATE TYPE prices AS RANGE (
            subtype = cents, multirange_type_name = price_list
        );
        CREATE TYPE day_range AS RANGE (subtype = date);
        CREATE TYPE offer AS (list price_list, days day_multirange);
        CREATE TABLE t (
            spans span_multirange NOT NULL, list price_list,
            lists price_list [] NOT NULL, days day_multirange, offer offer
        );
        """,
        """
        INSERT INTO t VALUES (
            '{[1.5,2),[3,)}', '{[1,3)}', '{NULL,"{[1,2),[5,7)}"}', '{}', NULL
        )
        """,
        {
            "get_spans :many": (
                "SELECT spans FROM t WHERE spans && @spans OR spans = ANY(@several)",
                "(spans: Multirange[float], several: Sequence[Multirange[float] |"
                " None]) -> list[Multirange[float]]",
                [
                    (
                        {"spans": Multirange([Range(1.0, 9.0)]), "several": []},
                        [Multirange([Range(1.5, 2.0), Range(3.0)])],
                    ),
                    ({"spans": Multirange[float](), "several": [None]}, []),
                    (
                        {
                            "spans": Multirange[float](),
                            "several": [Multirange([Range(1.5, 2), Range(3)])],
                        },
                        [Multirange([Range(1.5, 2.0), Range(3.0)])],
                    ),
                ],
            ),
            "get_lists :many": (
                "SELECT lists FROM t WHERE list = @list",
                "(list_: Multirange[int] | None)"
                " -> list[list[Multirange[int] | None]]",
                [
                    (
                        {"list_": Multirange([Range(1, 3)])},
                        [[None, Multirange([Range(1, 2), Range(5, 7)])]],
                    ),
                    ({"list_": None}, []),
                ],
            ),
            "get_days :many": (
                "SELECT days FROM t",
                "() -> list[Multirange[datetime.date] | None]",
                [({}, [Multirange()])],
            ),
            "get_whole :one": (
                "SELECT range_merge(sqlc.arg(spans)::span_multirange)",
                "(spans: Multirange[float]) -> Range[float]",
                [({"spans": Multirange([Range(1.0, 2.0), Range(3.0, 4.0)])},
                  Range(1.0, 4.0))],
            ),
            "get_made :one": (
                "SELECT multirange(@prices::prices)",
                "(prices: Range[int]) -> Multirange[int] | None",
                [({"prices": Range(1, 3)}, Multirange([Range(1, 3)]))],
            ),
            "load :copyfrom": (
                "INSERT INTO t (spans, list, lists) VALUES (@spans, @list, @lists)",
                "(rows: Iterable[LoadParams]) -> int",
                [],
            ),
            "get_offers :many": (
                "SELECT offer FROM t",
                "() -> list[server_types.Offer | None]",
                [({}, [None])],
            ),
        },
    ),
    "ranges of PostgreSQL beside those of the schema": Case(
        """
        CREATE TYPE worth AS RANGE (subtype = numeric);
        CREATE TABLE t (
            n numrange NOT NULL, ns nummultirange NOT NULL, worth worth NOT NULL,
            worths worth_multirange NOT NULL
        );
        """,
        "INSERT INTO t VALUES ('[1,2)', '{[1,2)}', '[1,2)', '{[1,2)}')",
        {
            "get_ranges :many": (
                "SELECT n FROM t WHERE n = @n AND worth = @worth",
                "(n: Range[Decimal], worth: Range[Decimal]) -> list[Range[Decimal]]",
                [({"n": RANGE_OF_ONE, "worth": RANGE_OF_ONE}, [RANGE_OF_ONE])],
            ),
            "get_multiranges :many": (
                "SELECT worths FROM t WHERE ns = @ns AND worths = @worths",
                "(ns: Multirange[Decimal], worths: Multirange[Decimal])"
                " -> list[Multirange[Decimal]]",
                [
                    (
                        {
                            "ns": Multirange([RANGE_OF_ONE]),
                            "worths": Multirange([RANGE_OF_ONE]),
                        },
                        [Multirange([RANGE_OF_ONE])],
                    )
                ],
            ),
        },
    ),
    "a composite type of one attribute": Case(
        "CREATE TYPE alone AS (a integer); CREATE TABLE t (alone alone NOT NULL);",
        "INSERT INTO t VALUES (ROW(1))",
        {
            "get :many": (
                "SELECT (alone).a FROM t WHERE alone = @alone",
                "(alone: server_types.Alone) -> list[int | None]",
                [],
            ),
        },
    ),
    "views that are stored": Case(
        "CREATE DOMAIN state AS text CHECK (VALUE IN ('open', 'done'));"
        "CREATE TABLE t (id integer PRIMARY KEY, state state NOT NULL,"
        " states state [] NOT NULL);"
        "CREATE MATERIALIZED VIEW totals AS"
        " SELECT id, state, states, count(*) AS n FROM t GROUP BY id;",
        "INSERT INTO t VALUES (1, 'open', '{done}'); REFRESH MATERIALIZED VIEW totals",
        {
            "get_states :many": (
                "SELECT states FROM totals WHERE state = @state AND n >= @n",
                "(state: enums.State, n: int) -> list[list[enums.State | None]]",
                [({"state": "open", "n": 1}, [["done"]])],
            ),
        },
    ),
    "names that Python has already": Case(
        "CREATE TABLE users (id integer NOT NULL, email text NOT NULL);",
        "INSERT INTO users VALUES (1, 'a@b')",
        {
            "len :one": ("SELECT count(*) FROM users", "() -> int", [({}, 1)]),
            "newest :one": ("SELECT max(id) FROM users", "() -> int | None", [({}, 1)]),
            "GetUsersByIDs :many": (
                "SELECT email FROM users WHERE id = ANY(@ids)",
                "(ids: Sequence[int | None]) -> list[str]",
                [({"ids": [1]}, ["a@b"])],
            ),
            "dataclass :many": (
                "SELECT email, id FROM users",
                "() -> list[DataclassRow]",
                [],
            ),
        },
    ),
}  # fmt: skip
NAMES = {"len": "len_", "dataclass": "dataclass_", "GetUsersByIDs": "get_users_by_ids"}


@pytest.fixture(scope="module")
def url(postgres_server: Server) -> Generator[str]:
    """Give a database of the module's own."""
    with databases.database(postgres_server.url) as url:
        yield url


@contextmanager
def _running(
    folder: Path, url: str, name: str, case: Case
) -> Generator[tuple[ModuleType, dict[str, str], psycopg.Connection]]:
    """Give a case's module, its signatures, and a connection that knows its types."""
    texts = "\n".join(f"-- name: {n}\n{q};" for n, (q, _, _) in case.queries.items())
    with (
        running.project(folder, name, case.schema, texts) as (module, found),
        psycopg.connect(url, autocommit=True) as conn,
    ):
        running.fill(conn, case.schema, case.rows)
        if hasattr(module, "server_types"):
            module.server_types.register_types(conn)
        yield module, found, conn


@pytest.mark.parametrize("what", CASES)
def test_signatures_hold(what: str, url: str, tmp_path: Path) -> None:
    """A function takes what PostgreSQL takes, and gives what it is annotated with."""
    case = CASES[what]
    name = f"case_{[*CASES].index(what)}"
    with _running(tmp_path, url, name, case) as (module, found, conn):
        for query, (_, signature, calls) in case.queries.items():
            plain = query.partition(" ")[0]
            function = NAMES.get(plain, plain)
            assert found[function] == signature
            for given, expected in calls:
                _check(module, function, conn, given, expected)


def _check(
    module: ModuleType,
    function: str,
    conn: psycopg.Connection,
    given: dict[str, Any],
    expected: object,
) -> None:
    called = getattr(module, function)
    value = called(conn, **given)
    promised = annotations.hints(called)["return"]
    assert annotations.violations(value, promised) == []
    assert value == expected


def test_composites_come_as_their_attributes(url: str, tmp_path: Path) -> None:
    """Each attribute is of its domain's base type, in arrays and back, too."""
    case = CASES["domains in composites"]
    with _running(tmp_path, url, "composites", case) as (module, _, conn):
        [item] = module.items(conn)
        assert item == module.server_types.Item(
            1, Decimal("2.50"), False, {"a": 1}, [1, 2], Range(1, 3), b"\0",
            UUID(int=1),
        )  # fmt: skip
        promised = annotations.hints(module.items)["return"]
        assert annotations.violations([item], promised) == []
        module.put(conn, item=item, more=[item, None])
        assert module.count_like(conn, item=item, items=[]) == 2


def test_ranges_go_out_as_their_type(url: str, tmp_path: Path) -> None:
    """In a COPY and within composites, too; unregistered, they are told."""
    case = CASES["ranges of the schema"]
    with _running(tmp_path, url, "ranges", case) as (module, _, conn):
        rows = [
            module.LoadParams(Range(0.5, None, "(]"), Range(1, 9), [None]),
            module.LoadParams(Range(empty=True), None, []),
        ]
        assert module.load(conn, rows=rows) == 2
        stored = "SELECT span::text, prices::text, spans::text FROM t OFFSET 1"
        assert conn.execute(stored).fetchall() == [
            ("(0.5,)", "[1,9)", "{NULL}"),
            ("empty", None, "{}"),
        ]
        offer = module.server_types.Offer(Range(1, 2), Range(2.5, 3.5))
        conn.execute("UPDATE t SET offer = %s WHERE span = '[1.5,2)'", (offer,))
        assert offer in module.get_offers(conn)
    with (
        psycopg.connect(url) as conn,
        pytest.raises(TypeError, match="type span is not registered"),
    ):
        module.get_spans(conn, span=Range(1.0, 9.0), spans=[])


def test_ranges_are_sent_with_their_type(url: str, tmp_path: Path) -> None:
    """The server is told the type, be the range empty or of integers, and in a list."""
    case = CASES["ranges of the schema"]
    with _running(tmp_path, url, "ranges_sent", case) as (module, _, conn):
        for name, span in (("span", Range(1.0, 2.0)), ("prices", Range(1, 2))):
            made = getattr(module.server_types, f"as_{name}")
            for sent in (made(span), made(Range(empty=True)), made(Range())):
                told = conn.execute("SELECT pg_typeof(%s)::text", (sent,)).fetchone()
                assert told == (name,)
            told = conn.execute(
                "SELECT pg_typeof(%s)::text", ([made(span)],)
            ).fetchone()
            assert told == (f"{name}[]",)


def test_multiranges_go_out_as_their_type(url: str, tmp_path: Path) -> None:
    """In a COPY, in lists and within composites, too; unregistered, they are told."""
    case = CASES["multiranges of the schema"]
    with _running(tmp_path, url, "multiranges", case) as (module, _, conn):
        types = module.server_types
        several = Multirange([Range(1, 9), Range(10, 11)])
        rows = [
            module.LoadParams(Multirange([Range(0.5, None, "(]")]), several, [None]),
            module.LoadParams(Multirange[float](), None, [several]),
        ]
        assert module.load(conn, rows=rows) == 2
        stored = "SELECT spans::text, list::text, lists::text FROM t OFFSET 1"
        assert conn.execute(stored).fetchall() == [
            ("{(0.5,)}", "{[1,9),[10,11)}", "{NULL}"),
            ("{}", None, '{"{[1,9),[10,11)}"}'),
        ]
        told = "SELECT pg_typeof(%s)::text"
        for name, made in (
            ("span_multirange", types.as_span_multirange),
            ("price_list", types.as_price_list),
        ):
            for sent in (made(several), made(Multirange())):
                assert conn.execute(told, (sent,)).fetchone() == (name,)
            assert conn.execute(told, ([made(several)],)).fetchone() == (f"{name}[]",)
        offer = types.Offer(several, Multirange([Range(datetime.date(2024, 1, 1))]))
        conn.execute("UPDATE t SET offer = %s WHERE days = '{}'", (offer,))
        assert offer in module.get_offers(conn)
    with (
        psycopg.connect(url) as conn,
        pytest.raises(TypeError, match="type span_multirange is not registered"),
    ):
        module.get_spans(conn, spans=Multirange([Range(1.0, 9.0)]), several=[])


def test_a_composite_of_one_attribute_is_sent(url: str, tmp_path: Path) -> None:
    """It goes out as a row of one value."""
    case = CASES["a composite type of one attribute"]
    with _running(tmp_path, url, "alone", case) as (module, _, conn):
        assert module.get(conn, alone=module.server_types.Alone(1)) == [1]


def test_types_of_the_server_are_clean(tmp_path: Path) -> None:
    """Their module is as ruff formats it, and typed, whatever is within composites."""
    case = CASES["multiranges of the schema"]
    schema = f"{case.schema} CREATE TYPE one AS (a integer, offer offer);"
    schema += "CREATE TYPE alone AS (a integer); CREATE TYPE type_info AS (a hstore);"
    schema += "CREATE TABLE u (one one, alone alone, info type_info);"
    query = "-- name: get :many\nSELECT * FROM u;"
    sqlc.Project.write(tmp_path, schema, query, "{}").generated()
    for command in (
        ("ruff", "format", "--isolated", "--no-cache", "--diff"),
        ("ruff", "check", "--isolated", "--no-cache"),
        ("mypy", "--strict"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", *command, "out"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout


def test_what_no_server_takes_is_refused(tmp_path: Path) -> None:
    """`now() - @age` is a point in time, so that nothing is later than it."""
    schema = "CREATE TABLE t (id integer NOT NULL, at timestamptz NOT NULL);"
    query = "-- name: recent :many\nSELECT id FROM t WHERE at > now() - @age;"
    told = sqlc.Project.write(tmp_path, schema, query, "{}").refusal()
    assert "recent: timestamptz > interval is no operator" in told
