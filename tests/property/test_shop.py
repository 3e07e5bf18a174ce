"""Whatever users and Crossmint do, the database holds what the model says."""

import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from generated import carts
from generated.enums import OrderStatus
from store import CheckoutLine, OrderEvent, PlacedOrder, errors
from tests.property import strategies
from tests.property.model import Details, Item, Order, Variant
from tests.property.shop_invariants import ShopInvariants
from tests.support import factories, stores
from tests.support.tables import Tables

Basket: TypeAlias = tuple[int, list[CheckoutLine]]
"""What somebody (by number) has checked out."""

Nothing: TypeAlias = MultipleResults[Basket]

MIRROR = """
INSERT INTO cart_items (
    user_id, on_chain_object_id, product_id, size, color,
    product_name, price, image, product_url, retailer
)
VALUES (
    %(user_id)s, %(object_id)s, %(product_id)s, %(size)s, %(color)s,
    %(product_name)s, %(price)s, %(image)s, %(product_url)s, %(retailer)s
)
RETURNING id
"""

people = st.sampled_from([0, 1, 2])


class ShopMachine(ShopInvariants):
    """Drives the store and the model alike."""

    baskets: Bundle[Basket] = Bundle("baskets")

    # What users do to their carts

    @rule(who=people, variant=strategies.variants, details=strategies.details)
    def add(self, who: int, variant: Variant, details: Details) -> None:
        """Put a variant into a cart, or give the one that is in it new details."""
        user_id = self.users[who]
        with self.acting_for(user_id), self.store.connection() as conn:
            row = factories.add_item(
                conn, user_id, **variant._asdict(), **details._asdict()
            )
        item = self.shop.in_cart(user_id, variant)
        if item is None:
            assert row.id not in self.shop.items, "a gone item's row came back"
            self.shop.items[row.id] = Item(row.id, user_id, variant, details)
        else:
            assert row.id == item.id
            item.details = details

    @precondition(lambda self: self.shop.items)
    @rule(data=st.data(), details=strategies.details)
    def change(self, data: st.DataObject, details: Details) -> None:
        """Add again what was added before, in the cart by now or not."""
        item = self._any_item(data)
        self.add(self.users.index(item.owner), item.variant, details)

    @rule(who=people, variant=strategies.variants, details=strategies.details)
    def mirror(self, who: int, variant: Variant, details: Details) -> None:
        """Put an item into a cart as the chain's mirror does."""
        user_id, object_id = self.users[who], f"0x{len(self.shop.items):064x}"
        if self.shop.in_cart(user_id, variant):
            return
        with self.acting_for(user_id):
            row = variant._asdict() | details._asdict()
            [(item_id,)] = self.conn.execute(
                MIRROR, row | {"user_id": user_id, "object_id": object_id}
            )
        self.shop.items[item_id] = Item(
            item_id, user_id, variant, details, on_chain_object_id=object_id
        )

    @precondition(lambda self: self.shop.items)
    @rule(data=st.data(), stranger=st.integers(0, 7))
    def remove(self, data: st.DataObject, stranger: int) -> None:
        """Take an item out of the cart, or try to; not out of another one's."""
        item = self._any_item(data)
        owner = self.users.index(item.owner)
        user_id = self.users[(owner + (stranger == 0)) % len(self.users)]
        with self.acting_for(user_id), self.store.connection() as conn:
            removed = carts.remove_cart_item(conn, id=item.id, user_id=user_id)
        assert (removed is not None) == (item.live and user_id == item.owner)
        item.live = item.live and removed is None

    @rule(who=people)
    def clear(self, who: int) -> None:
        """Take everything out of a cart."""
        user_id = self.users[who]
        with self.acting_for(user_id), self.store.transaction() as conn:
            cleared = carts.clear_cart(conn, user_id=user_id)
        cart = self.shop.cart(user_id)
        assert cleared == len(cart)
        for item in cart:
            item.live = False

    # Checkouts

    @precondition(lambda self: self.shop.items)
    @rule(target=baskets, data=st.data(), who=people)
    def check_out(self, data: st.DataObject, who: int) -> Basket | Nothing:
        """Check out some items, mostly of the user's own cart."""
        own = self.shop.cart(self.users[who])
        mostly: bool = data.draw(st.sampled_from([True] * 4 + [False]))
        source = own if own and mostly else list(self.shop.items.values())
        lines = data.draw(strategies.checkout_lines(source, self.shop.early()))
        return self._check_out(who, lines)

    @rule(target=baskets, basket=baskets, data=st.data(), stranger=st.integers(0, 7))
    def check_out_again(
        self, basket: Basket, data: st.DataObject, stranger: int
    ) -> Basket | Nothing:
        """Check out the same lines in any order, some of them, or with others."""
        who, lines = basket
        again: list[CheckoutLine] = data.draw(st.permutations(lines))
        kind = data.draw(st.sampled_from(["same", "same", "fewer", "more"]))
        if kind == "fewer":
            again = again[1:]
        elif kind == "more":
            source = list(self.shop.items.values())
            again += data.draw(strategies.checkout_lines(source, self.shop.early()))
        return self._check_out((who + (stranger == 0)) % len(self.users), again)

    def _check_out(self, who: int, lines: list[CheckoutLine]) -> Basket | Nothing:
        user_id = self.users[who]
        refusal = self.shop.refusal(user_id, lines)
        if refusal:
            with (
                self.acting_for(user_id),
                pytest.raises(errors.CheckoutRefused) as ours,
            ):
                self.store.checkout(user_id, lines)
            self._check_refusal(ours.value, refusal, user_id, lines)
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

    def _check_refusal(
        self,
        refused: errors.CheckoutRefused,
        expected: type[errors.CheckoutRefused],
        user_id: UUID,
        lines: list[CheckoutLine],
    ) -> None:
        assert type(refused) is expected
        if isinstance(refused, errors.ItemUnavailable):
            unavailable = self.shop.unavailable(user_id, lines)
            assert refused.cart_item_ids == unavailable

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

    @rule(event=strategies.events)
    def happen(self, event: OrderEvent) -> None:
        """Receive an event, of an order that is here, or that is not yet."""
        with self.acting_for(self.shop.owner_of(event.crossmint_order_id)):
            self.store.record_order_event(event)
        self.shop.record(event)

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), event=strategies.events)
    def happen_to_order(self, data: st.DataObject, event: OrderEvent) -> None:
        """Receive an event of an order that is here, if Crossmint knows it."""
        known = [each.line.crossmint_order_id for each in self.shop.orders.values()]
        target = data.draw(st.sampled_from(known))
        if target:
            self.happen(dataclasses.replace(event, crossmint_order_id=target))

    @precondition(lambda self: self.shop.orders)
    @rule(
        data=st.data(), name=strategies.crossmint_order_ids, amount=strategies.amounts
    )
    def attach(self, data: st.DataObject, name: str, amount: Decimal | None) -> None:
        """Name the Crossmint order of an order that was placed without, or try to."""
        order: Order = data.draw(st.sampled_from(list(self.shop.orders.values())))
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
    @rule(data=st.data(), stranger=st.integers(0, 7))
    def cancel(self, data: st.DataObject, stranger: int) -> None:
        """Cancel an order, or try to."""
        order: Order = data.draw(st.sampled_from(list(self.shop.orders.values())))
        owner = self.users.index(order.owner)
        user_id = self.users[(owner + (stranger == 0)) % len(self.users)]
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

    def _outcome_of_cancelling(self, user_id: UUID, order: Order) -> object:
        try:
            return self.store.cancel_order(user_id, order.id).status
        except (errors.OrderNotFound, errors.OrderNotCancellable) as refusal:
            return type(refusal)

    def _any_item(self, data: st.DataObject) -> Item:
        return data.draw(st.sampled_from(list(self.shop.items.values())))


def test_the_database_does_what_the_model_says(
    database_url: str, conn: psycopg.Connection
) -> None:
    """Carts, checkouts and order events behave as the model in any sequence."""
    tables = Tables(conn)
    with stores.opened(database_url) as store:

        class Machine(ShopMachine):
            def __init__(self) -> None:
                super().__init__(store, conn, tables)

        run_state_machine_as_test(Machine)
