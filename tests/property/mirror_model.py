"""What the mirror of Sui's events means, in plain Python that knows no SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from store_testing.model import status_of

__all__ = ["BAD", "Entry", "Goods", "Mirror", "Order", "Row", "Variant"]

# The reason of an entry that cannot be read begins as it may.
BAD = "bad"


class Variant(NamedTuple):
    """What a cart holds once."""

    product_id: str
    size: str | None
    color: str | None


class Goods(NamedTuple):
    """What is compared of a product."""

    variant: Variant
    name: str
    price: int


class Key(NamedTuple):
    """An event's own id."""

    tx: str
    sequence: int


@dataclass(frozen=True)
class Entry:
    """One entry of a page, as the test made it.

    ``kind`` is added, removed, sold, or unknown; ``wallet`` is None where it cannot be
    read.
    """

    key: Key
    kind: str
    wallet: str | None
    item: str
    at: datetime
    goods: Goods
    order_id: str | None = None
    is_bad: bool = False


@dataclass(eq=False)
class Row:
    """A row of a cart; `left_at` is None while it is in it.

    Of a row off chain it says no more than that.
    """

    owner: UUID
    goods: Goods
    item: str | None = None
    tx: str | None = None
    left_at: datetime | None = None
    ended_at: datetime | None = None
    created_at: datetime | None = None
    id: UUID | None = None


@dataclass(eq=False)
class Order:
    """An order, and the row that it is for, if that is here."""

    owner: UUID
    row: Row | None
    item: str | None
    created_at: datetime
    crossmint_order_id: str | None
    id: UUID | None = None
    tx: str | None = None
    by_checkout: bool = True
    cancelled_by_user: bool = False


@dataclass
class Mirror:
    """What is stored, and the carts and orders that it makes."""

    wallets: dict[UUID, str]  # of users, the eldest first
    events: dict[Key, Entry] = field(default_factory=dict[Key, Entry])
    rows: list[Row] = field(default_factory=list[Row])
    orders: list[Order] = field(default_factory=list[Order])
    paid: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    aside: dict[Key, str] = field(default_factory=dict[Key, str])

    def record(self, page: Sequence[Entry]) -> int:
        """Take a page's entries, each event once; tell how many were new."""
        known = set(self.wallets.values())
        aside, fine = dict[Key, str](), dict[Key, Entry]()
        for entry in page:
            if entry.kind == "unknown" or (entry.wallet and entry.wallet not in known):
                continue
            if entry.is_bad:
                aside[entry.key] = BAD
            else:
                fine[entry.key] = entry
        new = [key for key in fine if key not in self.events]
        self.events.update({key: fine[key] for key in new})
        for item in sorted({entry.item for entry in fine.values()}):
            self._take_in(item)
        self.settle()
        for entry in fine.values():
            if entry.kind == "sold" and (reason := self._sell(entry)):
                aside[entry.key] = reason
        self.settle()
        for entry in page:
            self.aside.pop(entry.key, None)
        self.aside |= aside
        return len(new)

    def settle(self) -> None:
        """Make the rows on chain what events and orders say."""
        for row in self.rows:
            if born := self._born(row):
                row.goods, row.tx = born.goods, born.key.tx
            if endings := self._endings(row):
                row.ended_at = min(endings)
        for row in self.rows:
            for order in self.orders:
                if order.row is None and order.item == row.item is not None:
                    order.row = row if order.owner == row.owner else None
        on_chain = [row for row in self.rows if row.item]
        for row, left_at in [(row, self._left_at(row)) for row in on_chain]:
            row.left_at = left_at

    def row_of(self, item: str) -> Row | None:
        """Give the row of an item on chain."""
        return next((row for row in self.rows if row.item == item), None)

    def in_cart(self, owner: UUID, variant: Variant) -> Row | None:
        """Give the one row of this variant that is in the cart."""
        return next(
            (
                row
                for row in self.rows
                if (row.owner, row.goods.variant) == (owner, variant)
                and row.left_at is None
            ),
            None,
        )

    def status(self, order: Order) -> str:
        """Say what an order's events make of it."""
        types = self.paid.get(order.crossmint_order_id or "", set[str]())
        return status_of(
            types | ({"user.cancelled"} if order.cancelled_by_user else set())
        )

    def change(self, orders: Iterable[Order], before: dict[int, str]) -> None:
        """Move the items off chain of orders whose status is another now."""
        for order in orders:
            row, status = order.row, self.status(order)
            if row is None or row.item or status == before[id(order)]:
                continue
            if status != "cancelled":
                row.left_at = row.left_at or order.created_at
            elif self.in_cart(row.owner, row.goods.variant) is None and not any(
                other.row is row and self._holds(other) for other in self.orders
            ):
                row.left_at = None
        self.settle()

    def _holds(self, order: Order) -> bool:
        status = self.status(order)
        if status == "awaiting_approval":
            return order.by_checkout
        return status != "cancelled"

    def _eldest(self, wallet: str) -> UUID:
        return next(user for user, theirs in self.wallets.items() if theirs == wallet)

    def _added(self, item: str) -> list[Entry]:
        added = [e for e in self.events.values() if (e.kind, e.item) == ("added", item)]
        return sorted(added, key=lambda entry: (entry.at, entry.key))

    def _born(self, row: Row) -> Entry | None:
        wallet = self.wallets[row.owner]
        added = self._added(row.item) if row.item else []
        return next((entry for entry in added if entry.wallet == wallet), None)

    def _endings(self, row: Row) -> list[datetime]:
        wallet = self.wallets[row.owner]
        return [
            entry.at
            for entry in self.events.values()
            if entry.kind in {"removed", "sold"}
            and (entry.item, entry.wallet) == (row.item, wallet)
        ]

    def _take_in(self, item: str) -> None:
        """Give an item its row: a new one, or that of the item in the cart."""
        added = self._added(item)
        if not added or self.row_of(item):
            return
        born = added[0]
        assert born.wallet
        owner = self._eldest(born.wallet)
        row = self.in_cart(owner, born.goods.variant)
        if row is None or row.item:
            row = Row(owner, born.goods)
            self.rows.append(row)
        row.item, row.left_at = item, born.at

    def _left_at(self, row: Row) -> datetime | None:
        """Say since when a row on chain has not been in the cart."""
        assert row.item
        if row.ended_at:
            return row.ended_at
        held = [
            order.created_at
            for order in self.orders
            if order.row is row and self._holds(order)
        ]
        if held:
            return min(held)
        rivals = [
            each
            for each in self.rows
            if (each.owner, each.goods.variant) == (row.owner, row.goods.variant)
        ]
        smaller = any(
            each.item and each.item < row.item and each.ended_at is None
            for each in rivals
        )
        off_chain = any(each.item is None and each.left_at is None for each in rivals)
        born = self._born(row)
        since = born.at if born else row.created_at
        return since if smaller or off_chain else None

    def _sell(self, entry: Entry) -> str | None:
        """Do to orders what an OrderCreated says, or say why that cannot be."""
        assert entry.wallet
        row = self.row_of(entry.item)
        mine = row and self.wallets[row.owner] == entry.wallet
        used = any(
            order.tx == entry.key.tx and order.crossmint_order_id != entry.order_id
            for order in self.orders
        )
        taken = "its transaction is another order's" if used else None
        for order in self.orders:
            if order.crossmint_order_id != entry.order_id:
                continue
            if self.wallets[order.owner] != entry.wallet:
                return "its order is another user's"
            item = order.item or (order.row.item if order.row else None)
            if item != entry.item:
                return "its order is of another item"
            if order.tx not in {None, entry.key.tx}:
                return "its order has another transaction"
            if order.tx is None and not used:
                order.tx = entry.key.tx
            return taken if order.tx is None else None
        self.orders.append(
            Order(
                row.owner if row and mine else self._eldest(entry.wallet),
                row if mine else None,
                entry.item,
                entry.at,
                entry.order_id,
                tx=None if used else entry.key.tx,
                by_checkout=False,
            )
        )
        return taken
