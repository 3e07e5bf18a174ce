"""Parameters, whose types are those of what they meet."""

import datetime
from decimal import Decimal

from generator.tests.signatures.cases import MOODS, Case

# ruff: noqa: ISC004 - statements are long, and stand in pairs with their signatures

CASES = {
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
}  # fmt: skip
