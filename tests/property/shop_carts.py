"""What users, and the chain's mirror, do to carts."""

from contextlib import ExitStack
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from generated.internal import cart_steps
from store import Product, errors
from store_testing import strategies
from store_testing.model import Details, Item, Variant
from tests.property.shop_invariants import ShopInvariants

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

# What the machine's store is opened with.
MOST_ITEMS = 4

people = st.sampled_from([0, 1])
# What comes first is drawn most.
rarely = st.sampled_from([False] * 7 + [True])


class CartRules(ShopInvariants):
    """Drives the carts of the store and the model alike."""

    @rule(
        who=people,
        variant=strategies.variants,
        details=strategies.details,
        on_chain=rarely,
        replace=st.booleans(),
    )
    def add(
        self,
        who: int,
        variant: Variant,
        details: Details,
        *,
        on_chain: bool = False,
        replace: bool = True,
    ) -> None:
        """Put a variant into a cart, or find the one that is in it."""
        user_id = self.users[who]
        item = self.shop.in_cart(user_id, variant)
        if on_chain and not item:
            self._mirror(user_id, variant, details)
            return
        product = Product(**variant._asdict(), **details._asdict())
        if not item and len(self.shop.cart(user_id)) >= MOST_ITEMS:
            with self.acting_for(user_id), pytest.raises(errors.CartFull):
                self.store.add_cart_item(user_id, product, replace=replace)
            assert self.rows == self.before, "a refused addition wrote"
            return
        with self.acting_for(user_id):
            added = self.store.add_cart_item(user_id, product, replace=replace)
        assert added.is_new == (item is None)
        if item is None:
            assert added.item.id not in self.shop.items, "a gone item's row came back"
            self.shop.items[added.item.id] = Item(
                added.item.id, user_id, variant, strategies.stored(details)
            )
        else:
            assert added.item.id == item.id
            if replace:
                item.details = strategies.stored(details)

    @precondition(lambda self: self.shop.items)
    @rule(data=st.data(), details=strategies.details)
    def change(self, data: st.DataObject, details: Details) -> None:
        """Add again what was added before, in the cart by now or not."""
        item = self._any_item(data)
        self.add(self.users.index(item.owner), item.variant, details)

    def _mirror(self, user_id: UUID, variant: Variant, details: Details) -> None:
        """Put an item into a cart as the chain's mirror does."""
        details = strategies.stored(details)
        object_id = f"0x{len(self.shop.items):064x}"
        with self.acting_for(user_id):
            row = variant._asdict() | details._asdict()
            [(item_id,)] = self.conn.execute(
                MIRROR, row | {"user_id": user_id, "object_id": object_id}
            )
        self.shop.items[item_id] = Item(
            item_id, user_id, variant, details, on_chain_object_id=object_id
        )

    @precondition(lambda self: self.shop.items)
    @rule(data=st.data(), stranger=rarely)
    def remove(self, data: st.DataObject, stranger: bool) -> None:
        """Take an item out of the cart, or try to; not out of another one's."""
        item = self._any_item(data)
        owner = self.users.index(item.owner)
        user_id = self.users[(owner + stranger) % len(self.users)]
        names: list[UUID | str] = [item.id, item.on_chain_object_id or str(item.id)]
        name = data.draw(st.sampled_from(names))
        refusal = self.shop.refusal_to_remove(user_id, item)
        with self.acting_for(user_id), ExitStack() as refused:
            if refusal:
                refused.enter_context(pytest.raises(refusal))
            removed = self.store.remove_cart_item(user_id, name)
            assert removed.id == item.id
            item.live = False

    @precondition(lambda self: len(self.shop.cart(self.users[0])) > 3)
    @rule(who=people)
    def clear(self, who: int) -> None:
        """Take everything out of a cart."""
        user_id = self.users[who]
        with self.acting_for(user_id), self.store.transaction() as conn:
            cleared = cart_steps.clear_cart(conn, user_id=user_id)
        cart = self.shop.cart(user_id)
        assert cleared == len(cart)
        for item in cart:
            item.live = False

    def _any_item(self, data: st.DataObject) -> Item:
        return data.draw(st.sampled_from(list(self.shop.items.values())))
