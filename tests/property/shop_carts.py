"""What users, and the chain's mirror, do to carts."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from generated import carts
from tests.property import strategies
from tests.property.model import Details, Item, Variant
from tests.property.shop_invariants import ShopInvariants
from tests.support import factories

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
    )
    def add(
        self, who: int, variant: Variant, details: Details, *, on_chain: bool = False
    ) -> None:
        """Put a variant into a cart, or give the one that is in it new details."""
        user_id = self.users[who]
        if on_chain and not self.shop.in_cart(user_id, variant):
            self._mirror(user_id, variant, details)
            return
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

    def _mirror(self, user_id: UUID, variant: Variant, details: Details) -> None:
        """Put an item into a cart as the chain's mirror does."""
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
        with self.acting_for(user_id), self.store.connection() as conn:
            removed = carts.remove_cart_item(conn, id=item.id, user_id=user_id)
        assert (removed is not None) == (item.live and user_id == item.owner)
        item.live = item.live and removed is None

    @precondition(lambda self: len(self.shop.cart(self.users[0])) > 3)
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

    def _any_item(self, data: st.DataObject) -> Item:
        return data.draw(st.sampled_from(list(self.shop.items.values())))
