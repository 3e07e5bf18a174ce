"""What a checkout is made of and the rules about it that need no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from uuid import UUID

from generated.models import CartItem, Order, OrderItem

from . import errors
from .products import ItemName, refuse_no_cents

_AMOUNT = (Decimal, NoneType)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutLine:
    """One cart item to be bought, which becomes one order.

    ``cart_item_id`` is the item's id, or its id on chain. ``expected_price`` is in USD
    cents: if the item costs another by then, the checkout is refused. ``amount_usdc``
    is in USDC with at most 6 decimals. What is not known yet is None.
    """

    cart_item_id: UUID | str
    expected_price: int | None = None
    crossmint_order_id: str | None = None
    amount_usdc: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order and the snapshot of what it is for."""

    order: Order
    item: OrderItem


def refuse_malformed(lines: Sequence[CheckoutLine]) -> list[ItemName]:
    """Refuse lines that cannot be a checkout whatever the database holds.

    Gives what the lines name, in their order.

    Raises:
        EmptyCheckout: no line.
        InvalidValue: an amount is no Decimal, a price no int, or an item's name neither
            an id nor one on chain.
        RepeatedItem: two lines name one cart item or Crossmint order.
    """
    if not lines:
        raise errors.EmptyCheckout
    for line in lines:
        if line.expected_price is not None:
            refuse_no_cents("expected_price", line.expected_price)
        # What untyped callers give may be 0.1, which is not exact.
        if not isinstance(line.amount_usdc, _AMOUNT):  # pyright: ignore[reportUnnecessaryIsInstance]  # as above
            raise errors.InvalidValue("Decimal | None", place="amount_usdc")
    names = [ItemName.of(line.cart_item_id, "cart_item_id") for line in lines]
    # Every name can be one on chain, and is as a whole what that is.
    items = [name.on_chain_object_id for name in names]
    ids = crossmint_order_ids(lines)
    for field, given in (("cart_item_id", items), ("crossmint_order_id", ids)):
        if len({*given}) < len(given):
            raise errors.RepeatedItem(field)
    return names


def crossmint_order_ids(lines: Iterable[CheckoutLine]) -> list[str]:
    """The Crossmint orders that the lines name."""
    return [
        line.crossmint_order_id for line in lines if line.crossmint_order_id is not None
    ]


def same_checkout(
    lines: Sequence[CheckoutLine],
    names: Sequence[ItemName],
    placed: Iterable[PlacedOrder],
) -> list[PlacedOrder] | None:
    """Return the placed orders in the order of the lines, if they are the same ones.

    Amounts are left out: a payment may have changed the order's since. So are Crossmint
    orders where a line names none: they may have been attached since. The lines of two
    checkouts together are neither of them.
    """
    left = list(placed)
    if len(left) != len(lines) or len({each.order.checkout_id for each in left}) != 1:
        return None
    ordered: list[PlacedOrder] = []
    for line, name in zip(lines, names, strict=True):
        same = next((each for each in left if _is_line(each, line, name)), None)
        if same is None:
            return None
        left.remove(same)
        ordered.append(same)
    return ordered


def explain_refusal(
    lines: Sequence[CheckoutLine],
    names: Sequence[ItemName],
    items: Iterable[CartItem],
) -> errors.CheckoutRefused:
    """Say why items could not be claimed, by what the user's items are now."""
    rows = list(items)
    found = [
        next((row for row in rows if name.names(row.id, row.on_chain_object_id)), None)
        for name in names
    ]
    known = [item.id for item in found if item]
    if len(set(known)) < len(known):
        return errors.RepeatedItem("cart_item_id")
    changed = {
        item.id
        for line, item in zip(lines, found, strict=True)
        if item and item.deleted_at is None
        if line.expected_price not in {None, item.price}
    }
    if changed:
        return errors.PriceChanged(changed)
    return errors.ItemUnavailable(
        line.cart_item_id
        for line, item in zip(lines, found, strict=True)
        if item is None or item.deleted_at is not None
    )


def _is_line(placed: PlacedOrder, line: CheckoutLine, name: ItemName) -> bool:
    named = placed.order.crossmint_order_id
    return line.crossmint_order_id in {None, named} and name.names(
        placed.item.cart_item_id, placed.item.on_chain_object_id
    )
