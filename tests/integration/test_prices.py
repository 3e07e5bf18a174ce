"""The price that a buyer expects, and amounts that are exact."""

from uuid import UUID

import psycopg
import pytest

from store import CheckoutLine, Store, errors
from store_testing import factories
from tests.support.tables import Tables


def test_an_expected_price_is_kept(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """At the price that its line expects, or at any, an item is sold."""
    items = [factories.add_item(conn, user_id, price=price) for price in (100, 200)]
    lines = [
        CheckoutLine(cart_item_id=items[0].id, expected_price=100),
        CheckoutLine(cart_item_id=items[1].id),
    ]
    placed = store.checkout(user_id, lines)
    assert [each.item.price for each in placed] == [100, 200]


def test_another_price_is_refused(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """If one item costs another price, nothing is written and the item is named."""
    kept, changed = (factories.add_item(conn, user_id, price=100) for _ in range(2))
    tables = Tables(conn)
    before = tables.read()
    with pytest.raises(errors.PriceChanged) as refused:
        store.checkout(
            user_id,
            [
                CheckoutLine(cart_item_id=kept.id, expected_price=100),
                CheckoutLine(cart_item_id=changed.id, expected_price=99),
            ],
        )
    assert refused.value.cart_item_ids == {changed.id}
    assert tables.read() == before


def test_a_taken_item_is_not_called_dearer(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An item that is not in the cart is unavailable, whatever price is expected."""
    item = factories.add_item(conn, user_id, price=100)
    store.checkout(user_id, [factories.line(item)])
    with pytest.raises(errors.ItemUnavailable):
        store.checkout(user_id, [CheckoutLine(cart_item_id=item.id, expected_price=1)])


def test_a_float_is_no_amount(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An amount that is not exact is refused, and writes nothing."""
    item = factories.add_item(conn, user_id)
    tables = Tables(conn)
    before = tables.read()
    line = CheckoutLine(
        cart_item_id=item.id,
        amount_usdc=0.1,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    )
    with pytest.raises(errors.InvalidValue, match="Decimal"):
        store.checkout(user_id, [line])
    assert tables.read() == before


def test_an_item_without_an_expected_price_is_not_called_dearer(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Where another item is missing, one that may cost anything is not to blame."""
    there, gone = (factories.add_item(conn, user_id) for _ in range(2))
    store.remove_cart_item(user_id, gone.id)
    with pytest.raises(errors.ItemUnavailable) as refused:
        store.checkout(user_id, [factories.line(there), factories.line(gone)])
    assert refused.value.cart_item_ids == {gone.id}
