"""A value that cannot be is one fault, whoever finds it: the store, or the database."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from store import CheckoutLine, OrderEvent, Product, Store, errors
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
