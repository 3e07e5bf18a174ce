"""What carts, checkouts and order events mean, in plain Python that knows no SQL."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from generated.enums import OrderStatus
from store import CheckoutLine, OrderEvent, errors

__all__ = ["Details", "Item", "Order", "Shop", "Variant", "status_of"]

USER_CANCELLED = "user.cancelled"
GIVEN_UP = "store.given_up"

# The status is that of the first line whose event happened.
STATUS_RULE = (
    ("orders.delivery.completed", OrderStatus.DELIVERED),
    ("orders.delivery.failed", OrderStatus.CANCELLED),
    ("orders.delivery.initiated", OrderStatus.IN_PROGRESS),
    ("orders.payment.succeeded", OrderStatus.PAYMENT_CONFIRMED),
    ("orders.payment.failed", OrderStatus.CANCELLED),
    (USER_CANCELLED, OrderStatus.CANCELLED),
    (GIVEN_UP, OrderStatus.CANCELLED),
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
    quoted_usdc: Decimal | None = None
    received_usdc: Decimal | None = None
    cancelled_by_user: bool = False
    given_up: bool = False
    was_cancelled: bool = False
    placed_at: int = 0
    # What it became, and when.
    history: "list[tuple[int, OrderStatus]]" = field(
        default_factory=list["tuple[int, OrderStatus]"]
    )

    @property
    def is_paid(self) -> bool:
        """Whether money moved for it, and was not sent back."""
        return self.status not in UNPAID

    def status_at(self, time: int) -> OrderStatus:
        """Give the status that it had at a time."""
        return [status for since, status in self.history if since <= time][-1]


UNPAID = {OrderStatus.AWAITING_APPROVAL, OrderStatus.CANCELLED}


@dataclass
class Shop:
    """All carts, orders and events."""

    items: dict[UUID, Item] = field(default_factory=dict[UUID, Item])
    orders: dict[UUID, Order] = field(default_factory=dict[UUID, Order])
    events: dict[str, OrderEvent] = field(default_factory=dict[str, OrderEvent])
    announced: set[str] = field(default_factory=set[str])
    time: int = 0

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
    ) -> type[errors.StoreError] | None:
        """Say why a checkout is refused; None if it is placed, now or before."""
        if not lines:
            return errors.EmptyCheckout
        names = [line.crossmint_order_id for line in lines if line.crossmint_order_id]
        if _repeats(str(line.cart_item_id) for line in lines) or _repeats(names):
            return errors.RepeatedItem
        if self.placed_before(user_id, lines):
            return None
        if any(_overlap(line, order.line) for line in lines for order in self._all()):
            return errors.AlreadyExists
        items = [self.named(line) for line in lines]
        # By its id and by the one on chain, which only the database can tell.
        if _repeats(item.id for item in items if item.owner == user_id):
            return errors.RepeatedItem
        return errors.ItemUnavailable if self.unavailable(user_id, lines) else None

    def placed_before(
        self, user_id: UUID, lines: Sequence[CheckoutLine]
    ) -> list[Order] | None:
        """Give the orders of the checkout of these lines, if there was one."""
        for order in self._all():
            by_item = {each.item.id: each for each in order.siblings}
            items = [self.named(line).id for line in lines]
            named = any(line.crossmint_order_id for line in lines)
            if sorted(by_item) != sorted(items) or not named or order.owner != user_id:
                continue
            same = [by_item[item] for item in items]
            # What a line does not name may have been attached to its order since.
            if all(
                line.crossmint_order_id in {None, each.line.crossmint_order_id}
                for line, each in zip(lines, same, strict=True)
            ):
                return same
        return None

    def unavailable(
        self, user_id: UUID, lines: Iterable[CheckoutLine]
    ) -> set[UUID | str]:
        """Give the names of items of these lines that are not in the user's cart."""
        cart = self.cart(user_id)
        return {line.cart_item_id for line in lines if self.named(line) not in cart}

    def named(self, line: CheckoutLine) -> Item:
        """Give the item that a line names by its id, or by the one on chain."""
        name = line.cart_item_id
        return next(
            item
            for item in self.items.values()
            if name in {item.id, str(item.id), item.on_chain_object_id}
        )

    def place(
        self, user_id: UUID, lines: Iterable[CheckoutLine], ids: Iterable[UUID]
    ) -> None:
        """Turn items into orders; events may have come before."""
        self.time += 1
        siblings: list[Order] = []
        for line, order_id in zip(lines, ids, strict=True):
            item = self.named(line)
            order = Order(
                order_id, user_id, item, line, siblings, item.variant, item.details
            )
            order.placed_at = self.time
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

    def order_of(self, event: OrderEvent) -> Order | None:
        """Give the order of an event, as it first came, if it is here."""
        first = self.events.get(event.id, event)
        for order in self._all():
            if order.line.crossmint_order_id == first.crossmint_order_id:
                return order
        return None

    def owner_of(self, crossmint_order_id: str | None) -> UUID | None:
        """Give the user of a Crossmint order, if it is known."""
        for order in self._all():
            if order.line.crossmint_order_id == crossmint_order_id:
                return order.owner
        return None

    def names(self) -> tuple[list[str], list[str], list[str]]:
        """Give Crossmint orders: of orders, known by events only, and two new ones."""
        names = (each.line.crossmint_order_id for each in self._all())
        used = [name for name in names if name]
        named = (event.crossmint_order_id for event in self.events.values())
        heard = {name for name in named if name}
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

    def refusal_to_remove(
        self, user_id: UUID, item: Item
    ) -> type[errors.StoreError] | None:
        """Say why a user cannot take an item out of the cart."""
        if item.owner != user_id:
            return errors.CartItemNotFound
        held = (each for each in self._all() if each.item is item)
        if not item.live and any(each.status != OrderStatus.CANCELLED for each in held):
            return errors.CartItemOrdered
        return None

    def refusal_to_attach(
        self, order: Order, crossmint_order_id: str
    ) -> type[errors.StoreError] | None:
        """Say why an order cannot get this Crossmint order."""
        if order.line.crossmint_order_id not in {None, crossmint_order_id}:
            return errors.AlreadyExists
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

    def can_be_given_up(self) -> list[Order]:
        """Give the orders that nobody paid, and that no transaction names."""
        waiting = OrderStatus.AWAITING_APPROVAL
        return [order for order in self._all() if order.status == waiting]

    def give_up(self, orders: Sequence[Order]) -> None:
        """Give orders up together; then their items return, one after the other."""
        self.time += 1
        for order in orders:
            order.given_up = True
            self._judge(order)
        for order in orders:
            self._move(order, OrderStatus.AWAITING_APPROVAL)

    def to_announce(self) -> set[str]:
        """Give the events that an order has and that were not announced."""
        names = {order.line.crossmint_order_id for order in self._all()}
        events = self.events.values()
        known = {event.id for event in events if event.crossmint_order_id in names}
        own = {f"{GIVEN_UP}:{order.id}" for order in self._all() if order.given_up}
        return (known | own) - self.announced

    def paid_twice(self, user_id: UUID | None) -> set[frozenset[UUID]]:
        """Give the pairs of paid orders that paid for one thing, of one user or all."""
        return {
            frozenset({first.id, second.id})
            for first, second in itertools.permutations(self._all(), 2)
            if first.owner == second.owner
            and user_id in {None, first.owner}
            and first.is_paid
            and second.is_paid
            and (first.item is second.item or _bought_again(first, second))
        }

    def _all(self) -> list[Order]:
        return list(self.orders.values())

    def _settle(self, order: Order) -> None:
        self.time += 1
        before = order.status
        self._judge(order)
        self._move(order, before)

    def _move(self, order: Order, before: OrderStatus) -> None:
        """Move an order's item: if it is paid out of the cart, if cancelled back."""
        if order.is_paid:
            order.item.live = False
        elif order.status == before or order.item.live:
            return
        elif order.status == OrderStatus.CANCELLED:
            held = any(
                other.item is order.item and other.status != OrderStatus.CANCELLED
                for other in self._all()
            )
            duplicate = self.in_cart(order.owner, order.item.variant)
            order.item.live = not held and duplicate is None

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
        types = [event.type or "" for event in events]
        types += [USER_CANCELLED] * order.cancelled_by_user
        order.status = status_of([*types, *[GIVEN_UP] * order.given_up])
        order.history.append((self.time, order.status))
        order.was_cancelled |= order.status == OrderStatus.CANCELLED
        paid = [event for event in events if event.type == "orders.payment.succeeded"]
        hashes = [event.payment_hash for event in paid if event.payment_hash]
        amounts = [event.amount_usdc for event in paid if event.amount_usdc]
        order.payment_hash = hashes[0] if hashes else None
        order.amount_usdc = amounts[0] if amounts else order.line.amount_usdc
        quoted = [event.quoted_usdc for event in paid if event.quoted_usdc]
        order.quoted_usdc = quoted[0] if quoted else order.line.amount_usdc
        received = [event.received_usdc for event in paid if event.received_usdc]
        order.received_usdc = received[0] if received else None


def _bought_again(first: Order, second: Order) -> bool:
    """Tell whether the second was placed while the first was cancelled."""
    return (
        first.variant == second.variant
        and first.placed_at < second.placed_at
        and first.status_at(second.placed_at) == OrderStatus.CANCELLED
    )


def _repeats(names: Iterable[Hashable]) -> bool:
    return any(times > 1 for times in Counter(names).values())


def _overlap(line: CheckoutLine, other: CheckoutLine) -> bool:
    return (
        line.crossmint_order_id is not None
        and line.crossmint_order_id == other.crossmint_order_id
    )
