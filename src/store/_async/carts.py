"""Carts as their users write them, where CART_SERVICE is db."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal
from uuid import UUID, uuid4

from generated.aio import users
from generated.internal.aio import cart_steps
from generated.models import CartItem
from store import errors
from store.products import CartAddition, ItemName, Product

from .database import AsyncDatabase


class AsyncCarts(AsyncDatabase):
    """The carts of a store. All methods raise DatabaseError and WrongCartService."""

    async def add_cart_item(
        self, user_id: UUID, product: Product, *, replace: bool = False
    ) -> CartAddition:
        """Put a product into a cart, in one round trip.

        If its variant (product, size, colour) is in the cart, that item stays as it is,
        price included, or takes the new details if ``replace`` is set; the result's
        ``is_new`` is False then.

        Raises:
            CartFull: the cart has CART_MAX_ITEMS items of other variants.
            UserNotFound: there is no such user.
            InvalidValue: a text is too long.

        Example:
            ```python
            added = await store.add_cart_item(user.id, pen)
            assert added.is_new  # answer 201, else 409
            ```
        """
        self._require("db")
        new_id = uuid4()
        details = asdict(product)

        async def attempt() -> CartItem | None:
            async with self.transaction() as conn:
                await cart_steps.lock_cart(conn, user_id=user_id)
                if replace:
                    await cart_steps.send_replace_cart_item(
                        conn, user_id=user_id, **details
                    )
                added = await cart_steps.send_add_cart_item(
                    conn,
                    id=new_id,
                    user_id=user_id,
                    max_items=self.settings.cart_max_items,
                    **details,
                )
            return await added()

        if item := await self._retried(attempt):
            return CartAddition(item, is_new=item.id == new_id)
        async with self.connection() as conn:
            if await users.get_user(conn, id=user_id) is None:
                raise errors.UserNotFound(user_id)
        raise errors.CartFull(self.settings.cart_max_items)

    async def get_cart_item(self, user_id: UUID, item: UUID | str) -> CartItem | None:
        """Give an item of the user's cart by its id or its id on chain, if it is there.

        Raises:
            InvalidValue: ``item`` is neither.

        Example:
            ```python
            found = await store.get_cart_item(user.id, item.id)
            assert found == item
            ```
        """
        name = ItemName.of(item, "item")
        async with self.connection() as conn:
            return await cart_steps.get_cart_item(
                conn,
                user_id=user_id,
                id=name.id,
                on_chain_object_id=name.on_chain_object_id,
            )

    async def remove_cart_item(self, user_id: UUID, item: UUID | str) -> CartItem:
        """Take an item out of the user's cart, by its id or its id on chain.

        One that was taken out before is returned as it was then.

        Raises:
            CartItemNotFound: the user never had it.
            CartItemOrdered: an order has it.
            InvalidValue: ``item`` is neither.

        Example:
            ```python
            removed = await store.remove_cart_item(user.id, item.id)
            assert removed.deleted_at is not None
            ```
        """
        self._require("db")
        name = ItemName.of(item, "item")
        async with self.connection() as conn:
            while True:  # again only if an order gave the item back between the two
                removed = await cart_steps.remove_cart_item(
                    conn,
                    user_id=user_id,
                    id=name.id,
                    on_chain_object_id=name.on_chain_object_id,
                )
                if removed:
                    return removed
                found = await cart_steps.get_named_cart_item(
                    conn,
                    user_id=user_id,
                    id=name.id,
                    on_chain_object_id=name.on_chain_object_id,
                )
                if found is None:
                    raise errors.CartItemNotFound(item)
                gone, order = found.cart_item, found.order
                if gone.deleted_at is not None and order:
                    raise errors.CartItemOrdered(gone.id, order.id, order.status)
                if gone.deleted_at is not None:
                    return gone

    async def clear_cart(self, user_id: UUID) -> int:
        """Take everything out of the user's cart, and tell how many items that was.

        Example:
            ```python
            assert await store.clear_cart(user.id) == 1
            ```
        """
        self._require("db")

        async def attempt() -> int:
            async with self.transaction() as conn:
                await cart_steps.lock_cart(conn, user_id=user_id)
                cleared = await cart_steps.send_clear_cart(conn, user_id=user_id)
            return await cleared()

        return await self._retried(attempt)

    def _require(self, service: Literal["db", "onchain"]) -> None:
        if self.settings.cart_service != service:
            raise errors.WrongCartService(service)
