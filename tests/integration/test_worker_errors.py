"""Errors that come from a worker of Citus, without names, break the same rules.

Each is replayed as the coordinator of Citus 13.2.2 on PostgreSQL 15.20 passed it on, of
a schema that is distributed: the SQLSTATE, the text, and nothing else.
"""

from typing import NamedTuple

import psycopg
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


def test_names_that_are_given_go_before_the_text(
    store: Store, conn: psycopg.Connection
) -> None:
    """Of an error that has its names the text is not read."""
    conn.execute('CREATE TABLE a (b int CONSTRAINT "users_pkey_102057" CHECK (b > 0))')
    with pytest.raises(errors.InvalidValue) as raised, store.connection() as single:
        single.execute("INSERT INTO a VALUES (0)")
    assert raised.value.constraint == "users_pkey_102057"
