"""What the mirror of Sui events means, in plain Python that knows no SQL."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from store import ChainEvent, Product

__all__ = ["Mirror", "Order", "Row", "Variant", "variant_of"]


class Variant(NamedTuple):
    """What a cart holds once."""

    product_id: str
    size: str | None
    color: str | None


@dataclass(eq=False)
class Row:
    """A row of a cart; `left_at` is None while it is in it.

    Of a row off chain it says no more than that.
    """

    owner: UUID
    product: Product
    object_id: str | None = None
    tx_digest: str | None = None
    left_at: datetime | None = None
    id: UUID | None = None


@dataclass(eq=False)
class Order:
    """An order of a row, with the object that it was then."""

    id: UUID
    row: Row
    object_id: str | None
    created_at: datetime
    crossmint_order_id: str | None
    cancelled: bool
    cancelled_by_user: bool = False


@dataclass
class Mirror:
    """All events, and the carts they make beside checkouts and rows off chain."""

    owners: dict[str, UUID]
    rows: list[Row] = field(default_factory=list[Row])
    orders: list[Order] = field(default_factory=list[Order])
    events: dict[tuple[str, int], ChainEvent] = field(
        default_factory=dict[tuple[str, int], ChainEvent]
    )

    def record(self, events: Iterable[ChainEvent]) -> None:
        """Take events, each once, and apply them."""
        batch = list(events)
        for event in batch:
            self.events.setdefault((event.tx_digest, event.event_sequence), event)
        objects = {event.object_id for event in batch}
        for wallet in {
            e.wallet_address for e in self._added() if e.object_id in objects
        }:
            if wallet in self.owners:
                self.apply(self.owners[wallet])

    def apply(self, owner: UUID) -> None:
        """Make one cart what the events say."""
        mine = [e for e in self._added() if self.owners.get(e.wallet_address) == owner]
        for event in sorted(mine, key=lambda event: event.object_id):
            if self.mirrored(event.object_id) is None:
                self._take_in(owner, event)
        for row in self._mirrored_of(owner):
            row.left_at = self._left_at(row, mine)

    def mirrored(self, object_id: str) -> Row | None:
        """Give the row of an object."""
        return next((row for row in self.rows if row.object_id == object_id), None)

    def in_cart(self, owner: UUID, variant: Variant) -> Row | None:
        """Give the one row of this variant that is in the cart."""
        return next(
            (
                row
                for row in self.rows
                if row.owner == owner
                and row.left_at is None
                and variant_of(row.product) == variant
            ),
            None,
        )

    def paid_by(self, row: Row, digest: str | None) -> bool:
        """Tell whether this transaction took the row's object, for no order yet."""
        seen = any(
            event.object_id == row.object_id
            and event.tx_digest == digest
            and event.type == "checked_out"
            for event in self.events.values()
        )
        return seen and not any(o.row is row and not o.cancelled for o in self.orders)

    def settle(self, order: Order, *, cancelled: bool) -> None:
        """Let an order become cancelled, or be so no longer."""
        before, order.cancelled = order.cancelled, cancelled
        row = order.row
        if row.object_id is None and cancelled != before:
            if not cancelled:
                row.left_at = row.left_at or order.created_at
            elif self.in_cart(row.owner, variant_of(row.product)) is None and not any(
                other.row is row and not other.cancelled for other in self.orders
            ):
                row.left_at = None

    def _added(self) -> list[ChainEvent]:
        return [event for event in self.events.values() if event.type == "added"]

    def _mirrored_of(self, owner: UUID) -> list[Row]:
        return [row for row in self.rows if row.owner == owner and row.object_id]

    def _take_in(self, owner: UUID, event: ChainEvent) -> None:
        """Give an object its row: a new one, or that of the item in the cart."""
        assert event.product
        row = self.in_cart(owner, variant_of(event.product))
        if row is None or row.object_id:
            row = Row(owner, event.product)
            self.rows.append(row)
        row.product = event.product
        row.object_id, row.tx_digest = event.object_id, event.tx_digest
        row.left_at = event.occurred_at

    def _left_at(self, row: Row, added: list[ChainEvent]) -> datetime | None:
        """Say since when an object's row has not been in the cart."""
        assert row.object_id
        [born] = [event for event in added if event.object_id == row.object_id]
        held = [
            order.created_at
            for order in self.orders
            if order.object_id == row.object_id and not order.cancelled
        ]
        variant = variant_of(row.product)
        smaller = [
            each
            for each in self._mirrored_of(row.owner)
            if variant_of(each.product) == variant
            and each.object_id
            and each.object_id < row.object_id
            and not self._endings(each.object_id)
        ]
        off_chain = any(
            each.owner == row.owner
            and each.object_id is None
            and each.left_at is None
            and variant_of(each.product) == variant
            for each in self.rows
        )
        if endings := self._endings(row.object_id):
            return min(endings)
        if held:
            return min(held)
        return born.occurred_at if smaller or off_chain else None

    def _endings(self, object_id: str) -> list[datetime]:
        return [
            event.occurred_at
            for event in self.events.values()
            if event.object_id == object_id and event.type != "added"
        ]


def variant_of(product: Product) -> Variant:
    """Give what makes a product one with another."""
    return Variant(product.product_id, product.size, product.color)
