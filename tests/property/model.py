"""What carts, checkouts and order events mean, in plain Python that knows no SQL."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from generated.enums import OrderStatus
from store import CheckoutLine, OrderEvent, errors

__all__ = ["Details", "Item", "Order", "Shop", "Variant", "status_of"]

USER_CANCELLED = "user.cancelled"

# The status is that of the first line whose event happened.
STATUS_RULE = (
    ("orders.delivery.completed", OrderStatus.DELIVERED),
    ("orders.delivery.failed", OrderStatus.CANCELLED),
    ("orders.delivery.initiated", OrderStatus.IN_PROGRESS),
    ("orders.payment.succeeded", OrderStatus.PAYMENT_CONFIRMED),
    ("orders.payment.failed", OrderStatus.CANCELLED),
    (USER_CANCELLED, OrderStatus.CANCELLED),
)


def status_of(event_types: Iterable[str]) -> OrderStatus:
    """Apply the status rule to the set of an order's event types."""
    happened = set(event_types)
    for event_type, status in STATUS_RULE:
        if event_type in happened:
            return status
    return OrderStatus.AWAITING_APPROVAL


class Variant(NamedTuple):
    """What a cart holds once."""

    product_id: str
    size: str | None
    color: str | None


class Details(NamedTuple):
    """What may change of an item in the cart."""

    product_name: str
    price: int
    image: str | None
    product_url: str | None
    retailer: str | None


@dataclass(eq=False)
class Item:
    """A row of a cart, which is in it while `live`."""

    id: UUID
    owner: UUID
    variant: Variant
    details: Details
    live: bool = True
    on_chain_object_id: str | None = None


@dataclass(eq=False)
class Order:
    """A line of a checkout, with the item as it was then."""

    id: UUID
    owner: UUID
    item: Item
    line: CheckoutLine
    siblings: "list[Order]"
    variant: Variant
    details: Details
    status: OrderStatus = OrderStatus.AWAITING_APPROVAL
    payment_hash: str | None = None
    amount_usdc: Decimal | None = None
    cancelled_by_user: bool = False
    was_cancelled: bool = False


@dataclass
class Shop:
    """All carts, orders and events."""

    items: dict[UUID, Item] = field(default_factory=dict[UUID, Item])
    orders: dict[UUID, Order] = field(default_factory=dict[UUID, Order])
    events: dict[str, OrderEvent] = field(default_factory=dict[str, OrderEvent])

    def cart(self, user_id: UUID) -> list[Item]:
        """Give what is in a user's cart."""
        mine = (item for item in self.items.values() if item.owner == user_id)
        return [item for item in mine if item.live]

    def in_cart(self, user_id: UUID, variant: Variant) -> Item | None:
        """Give the one item of this variant that is in the user's cart."""
        return next(
            (item for item in self.cart(user_id) if item.variant == variant), None
        )

    def refusal(
        self, user_id: UUID, lines: Sequence[CheckoutLine]
    ) -> type[errors.CheckoutRefused] | None:
        """Say why a checkout is refused; None if it is placed, now or before."""
        if not lines:
            return errors.EmptyCheckout
        for named in (
            [line.cart_item_id for line in lines],
            [line.crossmint_order_id for line in lines if line.crossmint_order_id],
            [line.tx_hash for line in lines if line.tx_hash],
        ):
            if len(named) != len(set(named)):
                return errors.RepeatedItem
        if self.placed_before(user_id, lines):
            return None
        if any(_overlap(line, order.line) for line in lines for order in self._all()):
            return errors.CheckoutConflict
        return errors.ItemUnavailable if self.unavailable(user_id, lines) else None

    def placed_before(
        self, user_id: UUID, lines: Sequence[CheckoutLine]
    ) -> list[Order] | None:
        """Give the orders of the checkout of exactly these lines, if there was one."""
        for order in self._all():
            by_key = {_key(each.line): each for each in order.siblings}
            same = by_key.keys() == {_key(line) for line in lines}
            named = any(line.crossmint_order_id or line.tx_hash for line in lines)
            if same and named and order.owner == user_id:
                return [by_key[_key(line)] for line in lines]
        return None

    def unavailable(self, user_id: UUID, lines: Iterable[CheckoutLine]) -> set[UUID]:
        """Give the items of these lines that are not in the user's cart."""
        wanted = {line.cart_item_id for line in lines}
        return wanted - {item.id for item in self.cart(user_id)}

    def place(
        self, user_id: UUID, lines: Iterable[CheckoutLine], ids: Iterable[UUID]
    ) -> None:
        """Turn items into orders; events may have come before."""
        siblings: list[Order] = []
        for line, order_id in zip(lines, ids, strict=True):
            item = self.items[line.cart_item_id]
            order = Order(
                order_id, user_id, item, line, siblings, item.variant, item.details
            )
            siblings.append(order)
            self.orders[order_id] = order
            self._judge(order)
            item.live = order.status == OrderStatus.CANCELLED

    def record(self, event: OrderEvent) -> None:
        """Take an event, once."""
        if event.id in self.events:
            return
        self.events[event.id] = event
        for order in self._all():
            if order.line.crossmint_order_id == event.crossmint_order_id:
                self._settle(order)

    def owner_of(self, crossmint_order_id: str) -> UUID | None:
        """Give the user of a Crossmint order, if it is known."""
        for order in self._all():
            if order.line.crossmint_order_id == crossmint_order_id:
                return order.owner
        return None

    def names(self) -> tuple[list[str], list[str], list[str]]:
        """Give Crossmint orders: of orders, known by events only, and two new ones."""
        names = (each.line.crossmint_order_id for each in self._all())
        used = [name for name in names if name]
        heard = {event.crossmint_order_id for event in self.events.values()}
        early = sorted(heard.difference(used))
        start = len(used) + len(early)
        return used, early, [f"crossmint-{n}" for n in range(start, start + 2)]

    def cancellable_first(self) -> list[Order]:
        """Give all orders, those that can be cancelled before the others."""
        waiting = OrderStatus.AWAITING_APPROVAL
        return sorted(self._all(), key=lambda order: order.status != waiting)

    def cancel(self, order: Order) -> None:
        """Cancel an order that is awaiting approval."""
        order.cancelled_by_user = True
        self._settle(order)

    def refusal_to_attach(
        self, order: Order, crossmint_order_id: str
    ) -> type[errors.StoreError] | None:
        """Say why an order cannot get this Crossmint order."""
        if order.line.crossmint_order_id not in {None, crossmint_order_id}:
            return errors.CheckoutConflict
        others = (each for each in self._all() if each is not order)
        if any(each.line.crossmint_order_id == crossmint_order_id for each in others):
            return errors.AlreadyExists
        return None

    def attach(
        self, order: Order, crossmint_order_id: str, amount_usdc: Decimal | None
    ) -> None:
        """Name an order's Crossmint order; events may have come before."""
        order.line = dataclasses.replace(
            order.line,
            crossmint_order_id=crossmint_order_id,
            amount_usdc=amount_usdc or order.line.amount_usdc,
        )
        self._settle(order)

    def paid_twice(self, user_id: UUID) -> set[tuple[UUID, UUID]]:
        """Give the items that several uncancelled orders hold, with those orders."""
        held = [
            (order.item.id, order.id)
            for order in self._all()
            if order.owner == user_id and order.status != OrderStatus.CANCELLED
        ]
        holders = [item_id for item_id, _ in held]
        return {
            (item_id, order) for item_id, order in held if holders.count(item_id) > 1
        }

    def _all(self) -> list[Order]:
        return list(self.orders.values())

    def _settle(self, order: Order) -> None:
        before = order.status
        self._judge(order)
        cancelled = order.status == OrderStatus.CANCELLED
        if order.status == before or order.item.on_chain_object_id:
            return
        if cancelled and not order.item.live:
            held = any(
                other.item is order.item and other.status != OrderStatus.CANCELLED
                for other in self._all()
            )
            twin = self.in_cart(order.owner, order.item.variant)
            order.item.live = not held and twin is None
        elif before == OrderStatus.CANCELLED:
            order.item.live = False

    def _judge(self, order: Order) -> None:
        crossmint_order_id = order.line.crossmint_order_id
        events = sorted(
            (
                event
                for event in self.events.values()
                if event.crossmint_order_id == crossmint_order_id
            ),
            key=lambda event: event.id,
        )
        types = [event.type for event in events]
        order.status = status_of(types + [USER_CANCELLED] * order.cancelled_by_user)
        order.was_cancelled |= order.status == OrderStatus.CANCELLED
        paid = [event for event in events if event.type == "orders.payment.succeeded"]
        hashes = [event.payment_hash for event in paid if event.payment_hash]
        amounts = [event.amount_usdc for event in paid if event.amount_usdc]
        order.payment_hash = hashes[0] if hashes else None
        order.amount_usdc = amounts[0] if amounts else order.line.amount_usdc


def _key(line: CheckoutLine) -> tuple[UUID, str | None, str | None]:
    return line.cart_item_id, line.crossmint_order_id, line.tx_hash


def _overlap(line: CheckoutLine, other: CheckoutLine) -> bool:
    return (
        line.crossmint_order_id is not None
        and line.crossmint_order_id == other.crossmint_order_id
    ) or (line.tx_hash is not None and line.tx_hash == other.tx_hash)
