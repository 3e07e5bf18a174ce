"""Each rule of the schema has its words, and is told by its name, never by values."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from generated import carts
from generated.internal import order_steps
from postgres_testing.databases import Template
from store import Store, errors
from store.constraints import RULES
from store_testing import factories
from tests.support import stores

# Names as the catalog has them. Of the server's own NOT NULLs (18 lists them) none.
NAMES = """
SELECT conname
FROM pg_constraint
WHERE
    connamespace = current_schema()::regnamespace
    AND contype IN ('c', 'f', 'p', 'u', 'x')
    AND conrelid <> 'schema_migrations'::regclass
UNION
SELECT indexrelid::regclass::name
FROM pg_index
INNER JOIN pg_class ON pg_class.oid = pg_index.indrelid
WHERE
    pg_index.indisunique
    AND pg_class.relnamespace = current_schema()::regnamespace
    AND pg_index.indrelid <> 'schema_migrations'::regclass
"""

ITEM = "INSERT INTO cart_items (id, user_id, product_id, product_name, price,"
MESSAGE_COLUMNS = (
    "INSERT INTO chat_messages (id, session_id, msg_id, role, parts, position)"
)
MESSAGE = MESSAGE_COLUMNS + " OVERRIDING SYSTEM VALUE VALUES"
SNAPSHOT = (
    "INSERT INTO order_items"
    " (id, order_id, cart_item_id, product_id, product_name, price)"
)
CHAIN_EVENT = (
    "INSERT INTO chain_events"
    " (tx_digest, type, object_id, wallet_address, occurred_at, event_sequence)"
    " VALUES (%(digest)s, 'removed', %(object)s, %(wallet)s, now(),"
)
SET_ASIDE = (
    "INSERT INTO set_aside_chain_events (reason, is_whole, id, event)"
    " VALUES ('r', TRUE, %(user)s,"
)
RETIRED = "INSERT INTO retired_orders VALUES "
NEW: LiteralString = "gen_random_uuid()"

# By rule, a statement that breaks it; the names in it are those of `rows`.
VIOLATIONS: dict[str, LiteralString] = {
    "cart_items_active_variant_key": ITEM
    + f" size) VALUES ({NEW}, %(user)s, 'B01', '', 1, NULL)",
    "cart_items_ended_is_out_of_cart": "UPDATE cart_items SET ended_at = now()",
    "cart_items_on_chain_object_id_key": ITEM
    + f" on_chain_object_id) VALUES ({NEW}, %(user)s, 'B02', '', 1, %(object)s)",
    "cart_items_pkey": ITEM + " size) VALUES (%(item)s, %(user)s, 'B02', '', 1, NULL)",
    "cart_items_user_id_fkey": ITEM
    + f" size) VALUES ({NEW}, %(nobody)s, 'B01', '', 1, NULL)",
    "cart_items_variant_has_no_empty_text": "UPDATE cart_items SET size = ''",
    "chain_cursor_is_not_empty": "INSERT INTO chain_cursor VALUES (true, 'a', '')",
    "chain_cursor_is_one_row": "INSERT INTO chain_cursor VALUES (false, 'a', 'b')",
    "chain_cursor_pkey": "INSERT INTO chain_cursor"
    " VALUES (true, 'a', 'b'), (true, 'a', 'b')",
    "chain_event_type_is_known": "SELECT 'burnt'::chain_event_type",
    "chain_events_added_names_product": CHAIN_EVENT.replace("removed", "added") + "1)",
    "chain_events_order_names_product": CHAIN_EVENT.replace(
        "(tx_digest", "(crossmint_order_id, tx_digest"
    ).replace("VALUES (", "VALUES ('x', ")
    + "1)",
    "chain_events_pkey": CHAIN_EVENT
    + "1), "
    + CHAIN_EVENT.partition("VALUES")[2]
    + "1)",
    "chain_events_sequence_is_not_negative": CHAIN_EVENT + "-1)",
    "chat_messages_has_metadata_is_true": "UPDATE chat_messages"
    " SET has_metadata = NOT has_metadata",
    "chat_messages_parts_is_array": "UPDATE chat_messages SET parts = '{}'",
    "chat_messages_pkey": MESSAGE + " (%(message)s, %(session)s, '2', 'user', '[]', 2)",
    "chat_messages_session_id_fkey": MESSAGE
    + f" ({NEW}, %(nobody)s, '2', 'user', '[]', 2)",
    "chat_messages_session_id_msg_id_key": MESSAGE
    + f" ({NEW}, %(session)s, '1', 'user', '[]', 2)",
    "chat_messages_session_id_position_key": MESSAGE
    + f" ({NEW}, %(session)s, '2', 'user', '[]', 1)",
    "chat_sessions_pkey": "INSERT INTO chat_sessions (id, user_id)"
    " VALUES (%(session)s, %(user)s)",
    "chat_sessions_source_needs_title": "UPDATE chat_sessions"
    " SET title = NULL, title_source = 'made'",
    "chat_sessions_updated_after_created": "INSERT INTO chat_sessions"
    " (user_id, updated_at) VALUES (%(user)s, 'yesterday')",
    "chat_sessions_user_id_fkey": "INSERT INTO chat_sessions (user_id)"
    " VALUES (%(nobody)s)",
    "country_code_is_two_letters": "SELECT 'us'::country_code",
    "crossmint_id_is_not_empty": "SELECT ''::crossmint_id",
    "email_address_is_not_empty": "SELECT ''::email_address",
    "encrypted_key_is_not_plain": "SELECT 'suiprivkey1'::encrypted_key",
    "evm_address_is_normalised": "SELECT '0xABC'::evm_address",
    "message_role_is_known": "SELECT 'root'::message_role",
    "mutexes_pkey": "INSERT INTO mutexes VALUES (1), (1)",
    "onboarding_step_is_0_to_3": "SELECT 4::onboarding_step",
    "order_events_amount_is_finite": "UPDATE order_events SET amount = 'NaN'",
    "order_events_concerns_one_order": "INSERT INTO order_events"
    " (id, crossmint_order_id, order_id) VALUES ('2', 'x', %(order)s)",
    "order_events_order_id_fkey": "INSERT INTO order_events (id, type, order_id)"
    " VALUES ('2', 't', %(nobody)s)",
    "order_events_payload_is_kept_once": "UPDATE order_events"
    " SET payload = '{}', raw = ''",
    "order_events_raw_is_bounded": "UPDATE order_events"
    " SET payload = NULL, raw = repeat('a', 1048577)::bytea",
    "order_events_pkey": "INSERT INTO order_events (id, type, crossmint_order_id)"
    " VALUES ('1', 't', 'x')",
    "order_items_cart_item_id_fkey": SNAPSHOT
    + f" VALUES ({NEW}, %(bare_order)s, %(nobody)s, '', '', 1)",
    "order_items_order_id_fkey": SNAPSHOT
    + f" VALUES ({NEW}, %(nobody)s, %(item)s, '', '', 1)",
    "order_items_order_id_key": SNAPSHOT
    + f" VALUES ({NEW}, %(order)s, %(item)s, '', '', 1)",
    "order_items_pkey": SNAPSHOT
    + " VALUES (%(snapshot)s, %(bare_order)s, %(item)s, '', '', 1)",
    "order_items_variant_has_no_empty_text": "UPDATE order_items SET color = ''",
    "order_status_is_known": "SELECT 'lost'::order_status",
    "order_type_is_known": "SELECT 'gift'::order_type",
    "orders_checkout_id_is_a_checkouts": "UPDATE orders SET type = 'deposit'"
    " WHERE id = %(order)s",
    "orders_crossmint_order_id_key": "UPDATE orders SET crossmint_order_id = 'x'",
    "orders_deposit_has_tx_hash": "INSERT INTO orders (user_id, type)"
    " VALUES (%(user)s, 'deposit')",
    "orders_pkey": "INSERT INTO orders (id, user_id, type)"
    " VALUES (%(order)s, %(user)s, 'checkout')",
    "orders_settled_is_a_deposit": "UPDATE orders SET settled_at = now()",
    "orders_tx_hash_key": "UPDATE orders SET tx_hash = %(digest)s",
    "orders_user_id_fkey": "INSERT INTO orders (user_id, type)"
    " VALUES (%(nobody)s, 'checkout')",
    "retired_orders_crossmint_order_id_key": RETIRED
    + f"({NEW}, 'x', NULL), ({NEW}, 'x', NULL)",
    "retired_orders_pkey": RETIRED + "(%(order)s, 'x', NULL), (%(order)s, 'y', NULL)",
    "retired_orders_tx_hash_key": RETIRED
    + f"({NEW}, NULL, %(digest)s), ({NEW}, NULL, %(digest)s)",
    "set_aside_chain_events_is_bounded": SET_ASIDE + " repeat('x', 1048577))",
    "set_aside_chain_events_pkey": SET_ASIDE + " ''), ('r', TRUE, %(user)s, '')",
    "sui_address_is_normalised": "SELECT '0xABC'::sui_address",
    "sui_digest_is_base58": "SELECT '0OIl'::sui_digest",
    "sui_object_id_is_normalised": "SELECT '0xABC'::sui_object_id",
    "title_source_is_known": "SELECT 'stolen'::title_source",
    "transaction_hash_is_of_a_chain": "SELECT '0xABC'::transaction_hash",
    "usd_cents_is_not_negative": "SELECT (-1)::usd_cents",
    "usdc_amount_has_6_decimals": "SELECT 0.0000001::usdc_amount",
    "usdc_amount_is_finite": "SELECT 'NaN'::usdc_amount",
    "usdc_amount_is_not_negative": "SELECT (-1)::usdc_amount",
    "users_crossmint_user_id_key": "UPDATE users SET crossmint_user_id = 'same'",
    "users_pkey": "INSERT INTO users (id, crossmint_user_id) VALUES (%(user)s, 'new')",
    "users_updated_after_created": "INSERT INTO users (crossmint_user_id, updated_at)"
    " VALUES ('new', 'yesterday')",
    "wallet_status_is_known": "SELECT 'lost'::wallet_status",
}


@pytest.fixture(scope="module")
def database_url(postgres_template: Template) -> Generator[str]:
    """Give one database to all of this module: what is refused writes nothing."""
    with postgres_template.clone() as url:
        yield url


@pytest.fixture(scope="module")
def conn(database_url: str) -> Generator[psycopg.Connection]:
    """Give a connection to it."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def store(database_url: str) -> Generator[Store]:
    """Give a store on it."""
    with stores.opened(database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(store: Store, conn: psycopg.Connection) -> dict[str, UUID | str]:
    """Have one row in each table, two users and two orders; give their ids."""
    user_id, _ = factories.add_user(conn), factories.add_user(conn)
    bought = factories.add_item(conn, user_id)
    [placed] = store.checkout(user_id, [factories.line(bought, "x")])
    store.record_order_event(factories.event("t", "x", event_id="1"))
    found: dict[str, UUID | str] = {
        "user": user_id,
        "item": factories.add_item(conn, user_id, product_id="B01").id,
        "order": placed.order.id,
        "snapshot": placed.item.id,
        "nobody": UUID(int=0),
        "object": f"0x{0:064x}",
        "wallet": f"0x{0:064x}",
        "digest": "1" * 32,
    }
    statements: dict[str, LiteralString] = {
        "bare_order": "INSERT INTO orders (user_id, type)"
        " VALUES (%(user)s, 'checkout') RETURNING id",
        "session": "INSERT INTO chat_sessions (user_id) VALUES (%(user)s) RETURNING id",
        "message": MESSAGE + f" ({NEW}, %(session)s, '1',"
        " 'user', '[]', 1) RETURNING id",
        "mirrored": ITEM
        + f" on_chain_object_id) VALUES ({NEW}, %(user)s, 'B03', '', 1,"
        " %(object)s) RETURNING id",
    }
    for name, statement in statements.items():
        [(found[name],)] = conn.execute(statement, found)
    return found


def test_every_rule_of_the_schema_has_words(conn: psycopg.Connection) -> None:
    """RULES names each constraint and unique index of ours, and nothing else."""
    named = {name for (name,) in conn.execute(NAMES)}
    assert named == RULES.keys(), "RULES has a sentence for each"


def test_every_rule_is_tried() -> None:
    """The test below leaves no rule out."""
    assert VIOLATIONS.keys() == RULES.keys(), "VIOLATIONS has what breaks each"


# What the database refuses.
REFUSED = (errors.DatabaseError, errors.InvalidValue)


@pytest.mark.parametrize("rule", sorted(VIOLATIONS))
def test_a_broken_rule_is_named(
    rule: str, store: Store, rows: dict[str, UUID | str]
) -> None:
    """The error has the kind of its rule, its name and its words."""
    if rule.endswith(("_key", "_pkey")):
        kind: type[errors.DatabaseError | errors.InvalidValue] = errors.AlreadyExists
    elif rule.endswith("_fkey"):
        kind = errors.MissingReference
    else:
        kind = errors.InvalidValue
    with pytest.raises(REFUSED) as raised, store.connection() as conn:
        conn.execute(VIOLATIONS[rule], rows)
    assert type(raised.value) is kind
    assert raised.value.constraint == rule
    assert str(raised.value) == f"{RULES[rule]} ({rule})"


def test_a_missing_value_names_its_column(store: Store) -> None:
    """NOT NULL is told by table and column."""
    with pytest.raises(errors.InvalidValue) as raised, store.connection() as conn:
        conn.execute("INSERT INTO users DEFAULT VALUES")
    assert (raised.value.table, raised.value.column) == ("users", "crossmint_user_id")
    assert str(raised.value) == "users.crossmint_user_id must not be empty"


@pytest.mark.parametrize(
    ("statement", "kind", "sqlstate"),
    [
        ("SELECT 'one'::int", errors.InvalidValue, "22P02"),
        ("SELECT 1 / 0", errors.InvalidValue, "22012"),
        ("SELECT nowhere", errors.SchemaMismatch, "42703"),
        (
            "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$",
            errors.TransactionConflict,
            "40001",
        ),
        (
            "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$",
            errors.TransactionConflict,
            "40P01",
        ),
        ("DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$", errors.ConnectionLost, "57P01"),
        ("DO $$ BEGIN RAISE SQLSTATE '08006'; END $$", errors.ConnectionLost, "08006"),
        (
            "DO $$ BEGIN RAISE SQLSTATE '57014'; END $$",
            errors.StatementTimeout,
            "57014",
        ),
        ("DO $$ BEGIN RAISE SQLSTATE '23P01'; END $$", errors.AlreadyExists, "23P01"),
    ],
)
def test_an_error_has_the_kind_of_its_state(
    store: Store,
    statement: LiteralString,
    kind: type[errors.DatabaseError | errors.InvalidValue],
    sqlstate: str,
) -> None:
    """What breaks no named rule is told apart by its SQLSTATE."""
    with pytest.raises(REFUSED) as raised, store.connection() as conn:
        conn.execute(statement)
    assert type(raised.value) is kind
    assert raised.value.sqlstate == sqlstate


@pytest.mark.parametrize("text", ["nul \0", "lone surrogate \ud800"])
def test_text_that_no_column_takes_is_refused(store: Store, text: str) -> None:
    """What the driver cannot send is a value that is not valid."""
    with pytest.raises(errors.InvalidValue), store.connection() as conn:
        order_steps.lock_crossmint_orders(conn, crossmint_order_ids=[text])


# No int8, though an int; an amount that was read from a text; a truth value.
NO_INTEGERS = [2**63, -(2**63) - 1, 2**64 + 7, "7", 7.5, True]


@pytest.mark.parametrize("number", NO_INTEGERS)
def test_a_number_that_its_column_cannot_hold_is_refused(
    store: Store,
    user_id: UUID,
    number: Any,  # noqa: ANN401 - what no annotation allows
) -> None:
    """The error does not tell the number, and the connection is as good as before."""
    calls: list[Callable[[], object]] = [
        lambda: store.page_chat_sessions(user_id, limit=number),
        lambda: store.page_chat_sessions(user_id, offset=number),
        lambda: _list_items(store.connection, user_id, number),
        lambda: _list_items(store.transaction, user_id, number),
    ]
    for call in calls:
        with pytest.raises(errors.InvalidValue) as raised:
            call()
        # None where the method's own check was first.
        assert raised.value.sqlstate in {"22003", None}
        assert repr(number) not in str(raised.value)
        assert raised.value.__cause__ is None
    assert store.list_chat_sessions(user_id).rows == []


def _list_items(
    lend: Callable[[], AbstractContextManager[psycopg.Connection[Any]]],
    user_id: UUID,
    number: int,
) -> None:
    with lend() as conn:
        carts.list_cart_items(conn, user_id=user_id, max_rows=number)


def test_a_page_beyond_all_numbers_is_refused(store: Store, user_id: UUID) -> None:
    """The rows to skip are a product, which need not fit though its factors do."""
    with pytest.raises(errors.InvalidValue):
        store.page_orders(user_id, page=2**40, limit=2**40)
