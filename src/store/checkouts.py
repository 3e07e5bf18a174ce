"""What a checkout is made of and the rules about it that need no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from generated.models import Order, OrderItem

from . import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutLine:
    """One cart item to be bought, which becomes one order.

    ``expected_price`` is in USD cents: if the item costs another by then, the checkout
    is refused. ``amount_usdc`` is in USDC with at most 6 decimals. ``tx_hash`` is the
    Sui digest of an on-chain checkout, which therefore has one line. What is not known
    yet is None.
    """

    cart_item_id: UUID
    expected_price: int | None = None
    crossmint_order_id: str | None = None
    amount_usdc: Decimal | None = None
    tx_hash: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order and the snapshot of what it is for."""

    order: Order
    item: OrderItem


def refuse_malformed(lines: Sequence[CheckoutLine]) -> None:
    """Refuse lines that cannot be a checkout whatever the database holds.

    Raises:
        EmptyCheckout: no line.
        InvalidValue: an amount is no Decimal.
        RepeatedItem: two lines name one cart item, Crossmint order or transaction.
    """
    if not lines:
        raise errors.EmptyCheckout
    if any(isinstance(line.amount_usdc, float) for line in lines):
        raise errors.InvalidValue("amount_usdc is a float, which is not exact")
    for field in ("cart_item_id", "crossmint_order_id", "tx_hash"):
        named = [value for line in lines if (value := getattr(line, field)) is not None]
        if len(set(named)) < len(named):
            raise errors.RepeatedItem(field)


def crossmint_order_ids(lines: Iterable[CheckoutLine]) -> list[str]:
    """The Crossmint orders that the lines name."""
    return [line.crossmint_order_id for line in lines if line.crossmint_order_id]


def tx_hashes(lines: Iterable[CheckoutLine]) -> list[str]:
    """The transactions that the lines name."""
    return [line.tx_hash for line in lines if line.tx_hash]


def same_checkout(
    lines: Sequence[CheckoutLine], placed: Iterable[PlacedOrder]
) -> list[PlacedOrder] | None:
    """Return the placed orders in the order of the lines, if they are the same ones.

    Amounts are left out: a payment may have changed the order's since. The lines of two
    checkouts together are neither of them.
    """
    placed = list(placed)
    if len({each.order.checkout_id for each in placed}) != 1:
        return None
    by_line = {
        (
            each.item.cart_item_id,
            each.order.crossmint_order_id,
            each.order.tx_hash,
        ): each
        for each in placed
    }
    keys = [
        (line.cart_item_id, line.crossmint_order_id, line.tx_hash) for line in lines
    ]
    return [by_line[key] for key in keys] if by_line.keys() == set(keys) else None
