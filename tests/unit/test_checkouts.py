"""The rules of a checkout that need no database."""

import inspect
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generated.enums import OrderStatus
from generated.models import Order, OrderItem
from store import CheckoutLine, PlacedOrder, checkouts, errors
from store.products import ItemName

NAMESPACE = UUID(int=0)
Row = TypeVar("Row")

lines = st.builds(
    CheckoutLine,
    cart_item_id=st.integers(0, 5).map(lambda number: UUID(int=number)),
    crossmint_order_id=st.none() | st.sampled_from("abc"),
)


def row(model: Callable[..., Row], **columns: object) -> Row:
    """Make a row in which all columns but these are empty, whichever it has."""
    return model(**(dict.fromkeys(inspect.signature(model).parameters) | columns))


def placed(line: CheckoutLine, checkout_id: UUID = NAMESPACE) -> PlacedOrder:
    """Make the order that a line became."""
    order_id = uuid5(NAMESPACE, repr(line))
    assert isinstance(line.cart_item_id, UUID)
    order = row(
        Order,
        id=order_id,
        status=OrderStatus.DELIVERED,
        crossmint_order_id=line.crossmint_order_id,
        checkout_id=checkout_id,
    )
    item = row(OrderItem, order_id=order_id, cart_item_id=line.cart_item_id)
    return PlacedOrder(order, item)


def repeated_fields(given_lines: list[CheckoutLine]) -> set[str]:
    """Find which fields two lines have the same value in."""
    fields = ("cart_item_id", "crossmint_order_id")
    return {
        field
        for field in fields
        for number, line in enumerate(given_lines)
        for other in given_lines[:number]
        if getattr(line, field) is not None
        and getattr(line, field) == getattr(other, field)
    }


def same(
    given_lines: list[CheckoutLine], stored: list[PlacedOrder]
) -> list[PlacedOrder] | None:
    """Find the lines among what was placed."""
    names = [ItemName.of(line.cart_item_id, "cart_item_id") for line in given_lines]
    return checkouts.same_checkout(given_lines, names, stored)


def test_an_empty_checkout_is_refused() -> None:
    """A checkout needs a line."""
    with pytest.raises(errors.EmptyCheckout):
        checkouts.refuse_malformed([])


@given(given_lines=st.lists(lines, min_size=1, max_size=4))
def test_lines_that_repeat_something_are_refused(
    given_lines: list[CheckoutLine],
) -> None:
    """No two lines may share an item or a Crossmint order."""
    repeated = repeated_fields(given_lines)
    if not repeated:
        checkouts.refuse_malformed(given_lines)
        return
    with pytest.raises(errors.RepeatedItem) as refused:
        checkouts.refuse_malformed(given_lines)
    assert refused.value.field in repeated


distinct = st.lists(lines, min_size=1, max_size=4).filter(
    lambda given_lines: not repeated_fields(given_lines)
)


@given(given_lines=distinct, data=st.data())
def test_the_same_lines_in_any_order_are_the_same_checkout(
    given_lines: list[CheckoutLine], data: st.DataObject
) -> None:
    """What was placed comes back in the order of the lines."""
    stored = [placed(line) for line in data.draw(st.permutations(given_lines))]
    expected = [placed(line) for line in given_lines]
    assert same(given_lines, stored) == expected


@given(given_lines=distinct, earlier=distinct)
def test_other_lines_are_another_checkout(
    given_lines: list[CheckoutLine], earlier: list[CheckoutLine]
) -> None:
    """Lines of other items, or of Crossmint orders that those have not, are another."""
    names = {line.cart_item_id: line.crossmint_order_id for line in earlier}
    expected = len(given_lines) == len(earlier) and all(
        line.cart_item_id in names
        and line.crossmint_order_id in {None, names[line.cart_item_id]}
        for line in given_lines
    )
    found = same(given_lines, [placed(line) for line in earlier])
    assert (found is not None) == expected


@given(given_lines=distinct.filter(lambda given_lines: len(given_lines) > 1))
def test_lines_of_two_checkouts_are_neither(given_lines: list[CheckoutLine]) -> None:
    """The lines of two checkouts together are none that was placed."""
    stored = [placed(given_lines[0], UUID(int=1)), *map(placed, given_lines[1:])]
    assert same(given_lines, stored) is None
