"""A value that cannot be is one fault, whoever finds it: the store, or the database."""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from generated import users
from generated.internal import cart_steps
from store import CheckoutLine, OrderEvent, Product, Store, errors
from store.arguments import LONGEST
from tests.support.tables import Tables

WORDS = "tr0ub4dor"


def said(text: str) -> dict[str, Any]:
    """Make a message."""
    return {"id": "m", "role": "user", "parts": [{"type": "text", "text": text}]}


# By what is given, and at which place.
CALLS: dict[tuple[str, str], Callable[[Any, UUID], object]] = {
    ("a type", "user_id"): lambda store, _: store.clear_cart(WORDS),
    ("a name", "item"): lambda store, user: store.get_cart_item(user, WORDS),
    ("a name", "cart_item_id"): lambda store, user: store.checkout(
        user, [CheckoutLine(cart_item_id=WORDS)]
    ),
    ("an address", "wallet_address"): lambda store, user: store.provision_wallet(
        user, wallet_address=WORDS, key=None
    ),
    ("an address", "evm_address"): lambda store, user: store.provision_wallet(
        user, wallet_address="0x1", key=None, evm_address=WORDS
    ),
    ("a key", "key"): lambda store, user: store.set_sui_private_key(
        user, SecretStr(WORDS)
    ),
    ("a digest", "tx_digest"): lambda store, _: store.attach_transaction("x", WORDS),
    ("a cursor", "cursor"): lambda store, user: store.list_orders(user, cursor=WORDS),
    ("a number", "max_rows"): lambda store, user: store.list_orders(user, max_rows=0),
    ("a number", "page"): lambda store, user: store.page_orders(user, page=0),
    ("a price", "price"): lambda store, user: store.add_cart_item(
        user, Product(product_id=WORDS, product_name=WORDS, price=-1)
    ),
    ("a long text", "product_name"): lambda store, user: store.add_cart_item(
        user, Product(product_id="x", product_name=WORDS * 60, price=1)
    ),
    ("a NUL", "size"): lambda store, user: store.add_cart_item(
        user, Product(product_id="x", product_name="x", price=1, size=f"{WORDS}\0")
    ),
    ("a lone surrogate", "email"): lambda store, _: store.create_user(
        "google|1", email=f"{WORDS}\ud800"
    ),
    ("a long text", "crossmint_order_id"): lambda store, user: store.checkout(
        user, [CheckoutLine(cart_item_id=uuid4(), crossmint_order_id=WORDS * 60)]
    ),
    ("a NUL", "type"): lambda store, _: store.record_order_event(
        OrderEvent(id="x", type=f"{WORDS}\0", crossmint_order_id=None)
    ),
    ("a message", "messages[0].parts[0].text"): lambda store, user: store.save_turn(
        user, uuid4(), [said(f"{WORDS}\0")]
    ),
    ("a webhook's body", "body"): lambda store, _: store.record_order_event(
        OrderEvent(id="x", type=None, crossmint_order_id=None, body=WORDS)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # of what came
    ),
}


@pytest.mark.parametrize(("what", "place"), CALLS)
def test_a_value_that_cannot_be_has_one_name(
    store: Store, conn: psycopg.Connection, user_id: UUID, what: str, place: str
) -> None:
    """Whatever kind of value it is, the class is one, and says where and what."""
    before = Tables(conn).read()
    with pytest.raises(errors.InvalidValue) as refused:
        CALLS[what, place](store, user_id)
    error = refused.value
    assert (error.place, error.sqlstate, error.constraint) == (place, None, None)
    assert str(error) == f"{place}: expected {error.expected}"
    assert WORDS not in str(error)
    assert Tables(conn).read() == before


@pytest.mark.parametrize("end", ["x" * 100, "\0", "\ud800"])
def test_a_generated_function_s_argument_is_named(
    store: Store, user_id: UUID, end: str
) -> None:
    """A text that cannot be stored has the name that the caller gave it."""
    with pytest.raises(errors.InvalidValue) as refused, store.connection() as conn:
        users.set_display_name(conn, id=user_id, display_name=WORDS + end)
    assert refused.value.place == "display_name"
    assert str(refused.value).startswith("display_name: ")
    assert ("100 characters" in str(refused.value)) == (len(end) > 1)
    assert WORDS not in str(refused.value)


def test_all_that_may_be_too_long_is_named(store: Store, user_id: UUID) -> None:
    """Where two arguments are longer than the column allows, both are."""
    with pytest.raises(errors.InvalidValue) as refused, store.transaction() as conn:
        cart_steps.add_cart_item(
            conn,
            id=uuid4(),
            user_id=user_id,
            product_id="x",
            product_name="x",
            price=1,
            image="x" * 60,
            size="x" * 51,
            color="x" * 50,
            max_items=1,
        )
    assert refused.value.place == "image or size"


def test_spaces_at_the_end_are_not_too_long(store: Store, user_id: UUID) -> None:
    """The server cuts off what a text has too many of, and so it is taken."""
    pen = Product(product_id="x", product_name="x", price=1, size="M".ljust(51))
    assert store.add_cart_item(user_id, pen).item.size == "M".ljust(50)


TABLES: dict[type, list[str]] = {
    Product: ["cart_items", "order_items"],
    CheckoutLine: ["orders"],
    OrderEvent: ["order_events"],
    Store: ["orders", "users"],
}


@pytest.mark.parametrize("taker", TABLES)
def test_what_is_too_long_is_what_the_columns_hold(
    conn: psycopg.Connection, taker: type
) -> None:
    """The lengths that are refused are the columns', of each text that is given."""
    given = (
        {field.name: str(field.type) for field in fields(taker)}
        if is_dataclass(taker)
        else {
            name: str(parameter.annotation)
            for _, method in inspect.getmembers(Store, inspect.isfunction)
            for name, parameter in inspect.signature(method).parameters.items()
        }
    )
    longest = conn.execute(
        "SELECT column_name, character_maximum_length FROM information_schema.columns"
        " WHERE table_name = ANY(%s) AND column_name = ANY(%s)"
        " AND character_maximum_length IS NOT NULL",
        [TABLES[taker], [name for name, kind in given.items() if "str" in kind]],
    ).fetchall()
    # Addresses and digests have forms of their own.
    apart = {"evm_address", "tx_hash", "wallet_address"}
    found = {(name, size) for name, size in longest if name not in apart}
    assert found
    assert found == {(name, LONGEST.get(name)) for name, _ in found}


def test_what_only_the_database_can_tell_has_the_same_name(
    store: Store, user_id: UUID
) -> None:
    """A rule of the schema is named beside what it demands."""
    with pytest.raises(errors.InvalidValue) as refused:
        store.record_deposit(user_id, "0x" + "ab" * 32, Decimal("0.0000001"))
    error = refused.value
    assert (error.place, error.sqlstate) == (None, "23514")
    assert error.constraint == "usdc_amount_has_6_decimals"
    assert error.expected == str(error)


def test_a_wrong_argument_is_no_refusal_of_the_database_s() -> None:
    """Who answers 500 to a DatabaseError does not answer so to a wrong argument."""
    assert not issubclass(errors.InvalidValue, errors.DatabaseError)
