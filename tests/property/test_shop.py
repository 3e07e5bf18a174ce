"""Whatever users and Crossmint do, the database holds what the model says."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    initialize,
    multiple,
    precondition,
    rule,
)

from generated import orders
from generated.enums import OrderStatus
from store import CheckoutLine, PlacedOrder, errors
from store_testing import strategies
from store_testing.model import Details, Item, Order, Variant
from tests.property.conftest import RunMachine
from tests.property.shop_carts import MOST_ITEMS, CartRules, people, rarely
from tests.property.shop_invariants import EVERYBODY
from tests.support import stores
from tests.support.tables import Tables

Basket: TypeAlias = tuple[int, list[CheckoutLine]]
"""What somebody (by number) has checked out."""

Nothing: TypeAlias = MultipleResults[Basket]


class ShopMachine(CartRules):
    """Drives the store and the model alike."""

    baskets: Bundle[Basket] = Bundle("baskets")

    @initialize(variant=strategies.variants, details=strategies.details)
    def begin(self, variant: Variant, details: Details) -> None:
        """Begin with an order of each user, one of which Crossmint knows."""
        self.sign_up()
        for who, name in enumerate(("crossmint-0", None)):
            self.add(who, variant, details)
            [item] = self.shop.cart(self.users[who])
            line = CheckoutLine(cart_item_id=item.id, crossmint_order_id=name)
            self._check_out(who, [line])

    # Checkouts

    @rule(
        target=baskets,
        data=st.data(),
        who=people,
        variant=strategies.variants,
        details=strategies.details,
    )
    def buy(
        self, data: st.DataObject, who: int, variant: Variant, details: Details
    ) -> Basket | Nothing:
        """Put something into the cart and check it out at once."""
        self.add(who, variant, details)
        item = self.shop.in_cart(self.users[who], variant)
        if item is None:  # the cart is full
            return multiple()
        _, early, new = self.shop.names()
        name = data.draw(st.sampled_from([*new, *early]))
        line = CheckoutLine(cart_item_id=item.id, crossmint_order_id=name)
        return self._check_out(who, [line])

    @precondition(lambda self: self.shop.items)
    @rule(target=baskets, data=st.data(), who=people)
    def check_out(self, data: st.DataObject, who: int) -> Basket | Nothing:
        """Check out some items, mostly of the user's own cart."""
        own = self.shop.cart(self.users[who])
        source = (
            own if own and not data.draw(rarely) else list(self.shop.items.values())
        )
        return self._check_out(who, self._lines(data, source))

    @rule(
        target=baskets,
        basket=baskets,
        other=baskets,
        data=st.data(),
        stranger=rarely,
    )
    def check_out_again(
        self, basket: Basket, other: Basket, data: st.DataObject, stranger: bool
    ) -> Basket | Nothing:
        """Check out the same lines in any order, some of them, or with others."""
        who, lines = basket
        again: list[CheckoutLine] = data.draw(st.permutations(lines))
        kind = data.draw(st.sampled_from(["same", "fewer", "both", "more"]))
        if kind == "fewer":
            again = again[1:]
        elif kind == "both":
            again += other[1]
        elif kind == "more":
            again += self._lines(data, list(self.shop.items.values()))
        return self._check_out((who + stranger) % len(self.users), again)

    def _check_out(self, who: int, lines: list[CheckoutLine]) -> Basket | Nothing:
        user_id = self.users[who]
        refusal = self.shop.refusal(user_id, lines)
        if refusal:
            with (
                self.acting_for(user_id),
                pytest.raises(refusal) as ours,
            ):
                self.store.checkout(user_id, lines)
            assert type(ours.value) is refusal
            if isinstance(ours.value, errors.ItemUnavailable):
                unavailable = self.shop.unavailable(user_id, lines)
                assert ours.value.cart_item_ids == unavailable
            assert self.rows == self.before, "a refused checkout wrote"
            return multiple()
        earlier = self.shop.placed_before(user_id, lines)
        with self.acting_for(user_id):
            placed = self.store.checkout(user_id, lines)
        if earlier:
            assert [each.order.id for each in placed] == [each.id for each in earlier]
            assert self.rows == self.before, "a repeated checkout wrote"
        else:
            self.shop.place(user_id, lines, [each.order.id for each in placed])
        self._check_returned(placed)
        return who, lines

    def _check_returned(self, placed: Sequence[PlacedOrder]) -> None:
        """What a checkout returns is what is stored."""
        for each in placed:
            order = self.shop.orders[each.order.id]
            assert each.order.status == order.status
            assert each.order.amount_usdc == order.amount_usdc
            assert each.order.payment_hash == order.payment_hash
            assert (each.item.cart_item_id, each.item.price) == (
                order.item.id,
                order.details.price,
            )

    # What happens to orders

    @precondition(lambda self: self.shop.names()[0])
    @rule(data=st.data())
    def happen(self, data: st.DataObject) -> None:
        """Receive an event of an order that is here."""
        used, _, _ = self.shop.names()
        self._happen(data, used[::-1])

    @precondition(lambda self: len(self.shop.names()[1]) < 3)
    @rule(data=st.data())
    def happen_early(self, data: st.DataObject) -> None:
        """Receive an event of an order that is not here yet."""
        _, early, new = self.shop.names()
        self._happen(data, [*early, *new])

    def _happen(self, data: st.DataObject, names: list[str]) -> None:
        known = list(self.shop.events)
        ids = [f"{letter}-{len(known)}" for letter in "mza"] + known[:1]
        event = data.draw(strategies.events(names, ids))
        with self.acting_for(self.shop.owner_of(event.crossmint_order_id)):
            received = self.store.record_order_event(event)
        order = self.shop.order_of(event)
        before = order.status if order else None
        assert received.is_first == (event.id not in self.shop.events)
        self.shop.record(event)
        if received.is_first:
            assert received.status_before == before
            assert received.status_after == (order.status if order else None)
            assert received.to_announce == (order is not None)
        if order:
            assert received.order is not None
            assert (received.order.id, received.order.status) == (
                order.id,
                order.status,
            )

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), amount=strategies.amounts)
    def attach(self, data: st.DataObject, amount: Decimal | None) -> None:
        """Name the Crossmint order of an order that was placed without, or try to."""
        used, early, new = self.shop.names()
        name = data.draw(st.sampled_from([*new, *early, *used[:2]]))
        everything = list(self.shop.orders.values())
        unnamed = [each for each in everything if not each.line.crossmint_order_id]
        order: Order = data.draw(st.sampled_from([*unnamed * 2, *everything]))
        refusal = self.shop.refusal_to_attach(order, name)
        with self.acting_for(order.owner), ExitStack() as stack:
            if refusal:
                stack.enter_context(pytest.raises(refusal))
            self.store.attach_crossmint_order(
                order.owner, order.id, name, amount_usdc=amount
            )
        if refusal:
            assert self.rows == self.before, "a refused attachment wrote"
        else:
            self.shop.attach(order, name, amount)

    @precondition(lambda self: self.shop.events)
    @rule(data=st.data())
    def happen_again(self, data: st.DataObject) -> None:
        """Receive an event once more; nothing changes."""
        event = data.draw(st.sampled_from(list(self.shop.events.values())))
        with self.acting_for(None):
            self.store.record_order_event(event)
        assert self.rows == self.before, "a repeated event wrote"

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), stranger=rarely)
    def cancel(self, data: st.DataObject, stranger: bool) -> None:
        """Cancel an order, or try to."""
        order = data.draw(st.sampled_from(self.shop.cancellable_first()))
        owner = self.users.index(order.owner)
        user_id = self.users[(owner + stranger) % len(self.users)]
        with self.acting_for(user_id):
            outcome = self._outcome_of_cancelling(user_id, order)
        if user_id != order.owner:
            assert outcome is errors.OrderNotFound
        elif order.status == OrderStatus.AWAITING_APPROVAL:
            assert outcome is OrderStatus.CANCELLED
            self.shop.cancel(order)
            return
        elif order.status == OrderStatus.CANCELLED:
            assert outcome is OrderStatus.CANCELLED
        else:
            assert outcome is errors.OrderNotCancellable
        assert self.rows == self.before, "a refused or repeated cancellation wrote"

    @precondition(lambda self: self.shop.orders)
    @rule(max_orders=st.integers(1, 3))
    def give_up(self, max_orders: int) -> None:
        """Give up the oldest checkouts that nobody paid."""
        rows = self.rows["orders"]
        oldest = sorted(
            self.shop.can_be_given_up(),
            key=lambda order: (rows[str(order.id)]["created_at"], order.id),
        )[:max_orders]
        with self.acting_for(EVERYBODY):
            given_up = self.store.give_up_checkouts(timedelta(0), max_orders=max_orders)
        self.shop.give_up(oldest)
        assert [(each.order.id, each.order.status) for each in given_up] == [
            (order.id, OrderStatus.CANCELLED) for order in oldest
        ]
        for each, order in zip(given_up, oldest, strict=True):
            assert each.item_in_cart == order.item.live

    @precondition(lambda self: self.shop.events)
    @rule(data=st.data())
    def announce(self, data: st.DataObject) -> None:
        """Announce an event; of an order that is not here, or once more, it is 0."""
        known = [*self.shop.events, *self.shop.to_announce()]
        event_id = data.draw(st.sampled_from(sorted(known)))
        waits = event_id in self.shop.to_announce()
        with self.acting_for(None), self.store.connection() as conn:
            assert orders.mark_event_announced(conn, id=event_id) == waits
        if waits:
            self.shop.announced.add(event_id)

    def _outcome_of_cancelling(self, user_id: UUID, order: Order) -> object:
        try:
            return self.store.cancel_order(user_id, order.id).status
        except (errors.OrderNotFound, errors.OrderNotCancellable) as refusal:
            return type(refusal)

    def _lines(self, data: st.DataObject, source: list[Item]) -> list[CheckoutLine]:
        used, early, new = self.shop.names()
        names = [*new * 2, *early, *used[:2]]
        return data.draw(strategies.checkout_lines(source, names))


def test_the_database_does_what_the_model_says(
    database_url: str, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Carts, checkouts and order events behave as the model in any sequence."""
    tables = Tables(conn)
    with stores.opened(database_url, cart_max_items=MOST_ITEMS) as store:
        run_machine(lambda: ShopMachine(store, conn, tables))
