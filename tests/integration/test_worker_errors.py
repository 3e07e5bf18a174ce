"""Errors that come from a worker of Citus break the same rules as on a plain server.

Each is replayed as Citus 13.2.2 on PostgreSQL 15.20 told it, of a schema that is
distributed: by way of another node than the schema's, the coordinator or a worker, the
SQLSTATE and the text without any name; by the schema's own node, the names of shards.
"""

from typing import NamedTuple

import pytest

from store import Store, errors

UNIQUE = "duplicate key value violates unique constraint"
FOREIGN = "violates foreign key constraint"
CHECK = "violates check constraint"
NOT_NULL = "violates not-null constraint"


REFUSED = (errors.DatabaseError, errors.InvalidValue)


class Said(NamedTuple):
    """What came, and what is to be made of it."""

    code: str
    text: str
    kind: type[errors.DatabaseError] | type[errors.InvalidValue]
    constraint: str | None = None
    table: str | None = None
    column: str | None = None


SAID = (
    Said(
        "23505",
        f'{UNIQUE} "users_crossmint_user_id_key_102057"',
        errors.AlreadyExists,
        constraint="users_crossmint_user_id_key",
        table="users",
    ),
    Said(
        "23505",
        "a deleted user's order has used this crossmint_order_id",
        errors.AlreadyExists,
        constraint="orders_crossmint_order_id_key",
        table="orders",
    ),
    Said(
        "23505",
        "a deleted user's order has used this tx_hash",
        errors.AlreadyExists,
        constraint="orders_tx_hash_key",
        table="orders",
    ),
    Said(
        "23514",
        f'new row for relation "order_items_102665" {CHECK} '
        '"order_items_variant_has_no_empty_text"',
        errors.InvalidValue,
        constraint="order_items_variant_has_no_empty_text",
        table="order_items",
    ),
    Said(
        "23514",
        f'value for domain shop.crossmint_id {CHECK} "crossmint_id_is_not_empty"',
        errors.InvalidValue,
        constraint="crossmint_id_is_not_empty",
    ),
    Said(
        "23503",
        f'insert or update on table "chat_sessions_102050" {FOREIGN} '
        '"chat_sessions_user_id_fkey_102050"',
        errors.MissingReference,
        constraint="chat_sessions_user_id_fkey",
        table="chat_sessions",
    ),
    Said(
        "23514",
        f'value for domain shop.usd_cents {CHECK} "usd_cents_is_not_negative"',
        errors.InvalidValue,
        constraint="usd_cents_is_not_negative",
    ),
    Said(
        "23514",
        f'new row for relation "chain_cursor_102047" {CHECK} '
        '"chain_cursor_is_not_empty"',
        errors.InvalidValue,
        constraint="chain_cursor_is_not_empty",
        table="chain_cursor",
    ),
    Said(
        "XX000",
        f'new row for relation "orders_102054" {CHECK} "orders_deposit_has_tx_hash"',
        errors.InvalidValue,
        constraint="orders_deposit_has_tx_hash",
        table="orders",
    ),
    Said(
        "23502",
        f'null value in column "id" of relation "mutexes_102051" {NOT_NULL}',
        errors.InvalidValue,
        table="mutexes",
        column="id",
    ),
    Said(
        "XX000",
        f'null value in column "price" of relation "cart_items_102046" {NOT_NULL}',
        errors.InvalidValue,
        table="cart_items",
        column="price",
    ),
    Said("XX000", "could not open relation with OID 1", errors.DatabaseError),
)

_RAISE = """
DO $do$ BEGIN
    RAISE EXCEPTION USING MESSAGE = $text${text}$text$, ERRCODE = '{code}';
END $do$"""


@pytest.mark.parametrize("said", SAID)
def test_an_error_without_names_is_known_by_its_text(store: Store, said: Said) -> None:
    """Class, rule, table and column are those of the error that has its names."""
    with pytest.raises(REFUSED) as raised, store.connection() as conn:
        conn.execute(_RAISE.format(text=said.text, code=said.code).encode())
    error = raised.value
    assert type(error) is said.kind
    found = error.constraint, error.table, error.column
    assert found == (said.constraint, said.table, said.column)
    assert "_102" not in str(error)


def test_a_name_in_another_error_is_not_a_rule(store: Store) -> None:
    """What is no violation stays what it is, whatever its text quotes."""
    with pytest.raises(errors.SchemaMismatch) as raised, store.connection() as conn:
        conn.execute('SELECT 1 FROM "users_pkey_102057"')
    assert raised.value.constraint is None


@pytest.mark.parametrize(
    ("code", "named", "known"),
    [
        (
            "23505",
            {"CONSTRAINT": "orders_tx_hash_key_102666", "TABLE": "orders_102666"},
            ("orders_tx_hash_key", "orders", None),
        ),
        (
            "23503",
            {
                "CONSTRAINT": "cart_items_user_id_fkey_102658",
                "TABLE": "cart_items_102658",
            },
            ("cart_items_user_id_fkey", "cart_items", None),
        ),
        (
            "23502",
            {"TABLE": "order_items_102665", "COLUMN": "product_id"},
            (None, "order_items", "product_id"),
        ),
    ],
)
def test_a_shard_s_number_is_no_part_of_a_name(
    store: Store,
    code: str,
    named: dict[str, str],
    known: tuple[str | None, ...],
) -> None:
    """What the schema's own node names is known by the names that the schema has."""
    using = ", ".join(f"{name} = '{value}'" for name, value in named.items())
    said = f"DO $$BEGIN RAISE SQLSTATE '{code}' USING {using}; END$$"
    with pytest.raises(REFUSED) as raised, store.connection() as conn:
        conn.execute(said.encode())
    error = raised.value
    assert isinstance(error, (errors.DatabaseError, errors.InvalidValue))
    assert (error.constraint, error.table, error.column) == known


def test_names_that_are_given_go_before_the_text(store: Store) -> None:
    """Of an error that has its names the text is not read."""
    said = (
        "DO $$BEGIN RAISE check_violation USING"
        """ CONSTRAINT = 'a', MESSAGE = 'not "users_pkey"'; END$$"""
    )
    with pytest.raises(errors.InvalidValue) as raised, store.connection() as conn:
        conn.execute(said.encode())
    assert raised.value.constraint == "a"
