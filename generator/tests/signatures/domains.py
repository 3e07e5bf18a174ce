"""Arrays, domains and composites of the schema."""

from generator.tests.signatures.cases import MOODS, Case

# ruff: noqa: ISC004 - statements are long, and stand in pairs with their signatures

INTS = "list[int | None]"
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
}  # fmt: skip
