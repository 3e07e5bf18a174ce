"""Rows that the old schema let in and the new one would not: listed, none lost."""

import re
from collections.abc import Iterable
from typing import LiteralString

import psycopg
import pytest

from store.adoption import Adoption
from store.errors import MigrationError
from tests.integration.adoption.conftest import Dump
from tests.support import adopted

VALUE = "confidential"

# By rule: what breaks it, and what mends that. The replaced backend wrote no such row.
VALUES: dict[str, tuple[LiteralString, LiteralString]] = {
    "crossmint_id_is_not_empty": (
        "UPDATE users SET crossmint_user_id = '' WHERE id::text LIKE '%3'",
        "UPDATE users SET crossmint_user_id = 'x' WHERE id::text LIKE '%3'",
    ),
    "evm_address_is_normalised": (
        "UPDATE users SET evm_address = 'confidential' WHERE id::text LIKE '%2'",
        "UPDATE users SET evm_address = NULL WHERE id::text LIKE '%2'",
    ),
    "message_role_is_known": (
        "UPDATE chat_messages SET role = 'confidential' WHERE id::text LIKE '%3'",
        "UPDATE chat_messages SET role = 'tool' WHERE id::text LIKE '%3'",
    ),
    "onboarding_step_is_0_to_3": (
        "UPDATE users SET onboarding_step = 4 WHERE id::text LIKE '%2'",
        "UPDATE users SET onboarding_step = 3 WHERE id::text LIKE '%2'",
    ),
    "order_status_is_known": (
        "UPDATE orders SET status = 'confidential' WHERE id::text LIKE '%2'",
        "UPDATE orders SET status = 'cancelled' WHERE id::text LIKE '%2'",
    ),
    "order_type_is_known": (
        "UPDATE orders SET type = 'confidential' WHERE id::text LIKE '%2'",
        "UPDATE orders SET type = 'checkout' WHERE id::text LIKE '%2'",
    ),
    "sui_address_is_normalised": (
        "UPDATE users SET wallet_address = 'confidential' WHERE id::text LIKE '%2'",
        "UPDATE users SET wallet_address = NULL WHERE id::text LIKE '%2'",
    ),
    "sui_digest_is_base58": (
        "UPDATE cart_items SET tx_digest = 'confidential' WHERE id::text LIKE '%6'",
        "UPDATE cart_items SET tx_digest = NULL WHERE id::text LIKE '%6'",
    ),
    "transaction_hash_is_of_a_chain": (
        "UPDATE orders SET tx_hash = 'confidential' WHERE id::text LIKE '%8'",
        "UPDATE orders SET tx_hash = repeat('2', 32) WHERE id::text LIKE '%8'",
    ),
    "usd_cents_is_not_negative": (
        "UPDATE cart_items SET price = -1 WHERE id::text LIKE '%3'",
        "UPDATE cart_items SET price = 0 WHERE id::text LIKE '%3'",
    ),
    "usdc_amount_is_finite": (
        "UPDATE orders SET amount_usdc = 'NaN' WHERE id::text LIKE '%3'",
        "UPDATE orders SET amount_usdc = 0.1 WHERE id::text LIKE '%3'",
    ),
    "wallet_status_is_known": (
        "UPDATE users SET wallet_status = 'confidential' WHERE id::text LIKE '%2'",
        "UPDATE users SET wallet_status = 'none' WHERE id::text LIKE '%2'",
    ),
}

# What the new schema cannot hold, not even as a rule for later; and how it is told.
OBSTACLES: dict[str, tuple[LiteralString, str]] = {
    "no value": (
        (
            "ALTER TABLE users ALTER created_at DROP NOT NULL;"
            " UPDATE users SET created_at = NULL WHERE id::text LIKE '%2'"
        ),
        "users …2: has no created_at (created_at)",
    ),
    "a text too long": (
        (
            "ALTER TABLE users ALTER city TYPE text;"
            " UPDATE users SET city = repeat('confidential', 9)"
            " WHERE id::text LIKE '%2'"
        ),
        "users …2: has a city of more than 100 characters (city)",
    ),
    "two snapshots of an order": (
        (
            "UPDATE order_items SET order_id = (SELECT min(order_id::text)::uuid"
            " FROM order_items) WHERE id::text ~ '[12]$'"
        ),
        (
            "order_items …1: shares order_id with another (order_items_order_id_key)\n"
            "order_items …2: shares order_id with another (order_items_order_id_key)"
        ),
    ),
    "an identity twice": (
        (
            "DROP INDEX idx_users_crossmint_user_id;"
            " UPDATE users SET crossmint_user_id = 'confidential'"
            " WHERE id::text ~ '[12]$'"
        ),
        (
            "users …1: shares crossmint_user_id with another"
            " (users_crossmint_user_id_key)\n"
            "users …2: shares crossmint_user_id with another"
            " (users_crossmint_user_id_key)"
        ),
    ),
    "an order of nobody": (
        (
            "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;"
            " UPDATE orders SET user_id = gen_random_uuid() WHERE id::text LIKE '%5'"
        ),
        (
            "orders …5: breaks the rule, which it has to keep:"
            " an order needs its user (orders_user_id_fkey)"
        ),
    ),
    "a deposit of no transaction": (
        "UPDATE orders SET tx_hash = NULL WHERE id::text LIKE '%7'",
        (
            "orders …7: breaks the rule, which it has to keep:"
            " a deposit names its transaction (orders_deposit_has_tx_hash)"
        ),
    ),
}


def test_rows_that_break_a_rule_are_listed_until_they_are_mended(
    old_url: str, old: psycopg.Connection
) -> None:
    """The rest is converted; a rule becomes valid with the first run after."""
    for break_it, _ in VALUES.values():
        old.execute(break_it)
    left = sorted(VALUES)
    told: list[str] = []
    for converted in (True, False):
        found = adopted.adopt(old_url, progress=told.append)
        breaking = {row.rule for row in found.breaking}
        assert (found.converted, found.unvalidated) == (converted, len(breaking))
        assert breaking == {*left}
        assert VALUE not in "\n".join(told)
        old.execute(VALUES[left.pop()][1])
    for rule in left:
        old.execute(VALUES[rule][1])
    assert adopted.adopt(old_url) == Adoption(False, (), (), 0)


def test_new_rows_are_held_to_a_rule_that_old_ones_break(
    old_url: str, old: psycopg.Connection
) -> None:
    """A rule that is not valid yet is in force."""
    old.execute(VALUES["message_role_is_known"][0])
    adopted.adopt(old_url)
    with pytest.raises(psycopg.errors.CheckViolation):
        old.execute("UPDATE chat_messages SET role = 'root' WHERE id::text LIKE '%2'")
    old.execute("UPDATE chat_messages SET msg_id = 'm' WHERE id::text LIKE '%3'")


@pytest.mark.parametrize("obstacle", sorted(OBSTACLES))
def test_a_row_that_does_not_fit_stops_all(
    old_url: str, old: psycopg.Connection, dump: Dump, obstacle: str
) -> None:
    """It is listed, and the database is as it was."""
    break_it, expected = OBSTACLES[obstacle]
    old.execute(break_it)
    before = dump(old_url)
    told: list[str] = []
    with pytest.raises(MigrationError, match="rows do not fit"):
        adopted.adopt(old_url, progress=told.append)
    assert set(expected.splitlines()) <= set(shortened(told))
    assert VALUE not in "\n".join(told)
    assert dump(old_url) == before


def test_a_dry_run_tells_everything_at_once(
    old_url: str, old: psycopg.Connection, dump: Dump
) -> None:
    """All that stops it, all that breaks a rule and all that is mended, in one run."""
    found = adopted.adopt(old_url, dry_run=True)
    for break_it, _ in (*VALUES.values(), *OBSTACLES.values()):
        old.execute(break_it)
    before = dump(old_url)
    told: list[str] = []
    with pytest.raises(MigrationError, match="8 rows do not fit"):
        adopted.adopt(old_url, dry_run=True, progress=told.append)
    lines = {*shortened(told)}
    expected = {line for _, each in OBSTACLES.values() for line in each.splitlines()}
    assert expected <= lines
    assert {*VALUES} <= {line.rpartition("(")[2].removesuffix(")") for line in lines}
    assert {*shortened(map(str, found.mended))} <= lines
    assert VALUE not in "\n".join(told)
    assert dump(old_url) == before


def shortened(told: Iterable[str]) -> list[str]:
    """Give the lines with the last digit of ids."""
    return [re.sub(r"\S{35}(?=[\da-f]: )", "…", line) for line in told]


def test_a_long_list_is_cut(old_url: str, old: psycopg.Connection) -> None:
    """A hundred rows of a rule are listed, the others counted."""
    old.execute(
        "INSERT INTO orders (user_id, type, status)"
        " SELECT id, 'checkout', 'lost' FROM users, generate_series(1, 107)"
        " WHERE crossmint_user_id = 'google|ada'"
    )
    found = adopted.adopt(old_url)
    lost = [row for row in found.breaking if row.rule == "order_status_is_known"]
    assert len(lost) == 101
    assert str(lost[-1]).startswith("orders and 7 more: ")


def test_all_that_is_changed_is_told(old_url: str, old: psycopg.Connection) -> None:
    """What cannot be looked up any more is listed to the last row."""
    old.execute(
        "INSERT INTO users (crossmint_user_id, email, evm_address)"
        " SELECT 'many|' || n, n || '@example.com',"
        " '0x' || upper(lpad(to_hex(n), 40, 'a'))"
        " FROM generate_series(1, 107) AS n"
    )
    told = [row for row in adopted.adopt(old_url).mended if row.table == "users"]
    many = {
        str(key)
        for (key,) in old.execute(
            "SELECT id FROM users WHERE crossmint_user_id LIKE 'many|%'"
        )
    }
    assert many <= {row.id for row in told}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW in_the_way AS SELECT status FROM orders",
        "CREATE POLICY in_the_way ON orders USING (status = 'x')",
    ],
)
def test_what_depends_on_a_column_is_named(
    statement: LiteralString, old_url: str, old: psycopg.Connection
) -> None:
    """Who has to drop a view or a policy first hears which."""
    old.execute(statement)
    with pytest.raises(MigrationError, match="in_the_way"):
        adopted.adopt(old_url)
