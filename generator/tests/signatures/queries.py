"""Queries that PostgreSQL reads its own way, and names that Python has."""

from generator.tests.signatures.cases import Case

# ruff: noqa: ISC004 - statements are long, and stand in pairs with their signatures

ITEMS = "CREATE TABLE items (id integer NOT NULL);"
OTHERS = "CREATE TABLE others (id integer NOT NULL, item_id integer);"
CASES = {
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
