"""Functions that the schema makes."""

from generator.tests.signatures.cases import MOODS, Case

# ruff: noqa: S608 - statements are long, and stand in pairs with their signatures

CASES = {
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
}  # fmt: skip
