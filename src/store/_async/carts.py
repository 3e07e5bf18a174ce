"""Who writes carts: their users, or the mirror of Sui events. CART_SERVICE decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from generated.aio import carts, chain
from generated.models import CartItem
from store import errors
from store.chain import ChainEvent, Product

from .database import AsyncDatabase

_Connection = AsyncConnection[TupleRow]


async def mirror(conn: _Connection, user_ids: Sequence[UUID]) -> None:
    """Make carts what the stored events say; needs the locks of their users."""
    await chain.adopt_cart_items(conn, user_ids=user_ids)
    await chain.mirror_cart_items(conn, user_ids=user_ids)


class AsyncCarts(AsyncDatabase):
    """The carts of a store. All methods raise DatabaseError and WrongCartService."""

    async def add_cart_item(self, user_id: UUID, product: Product) -> CartItem:
        """Put a product into a cart; its variant again is the same item, updated.

        Raises:
            UserNotFound: there is no such user.
        """
        self._require("db")
        async with self.connection() as conn:
            item = await carts.add_cart_item(conn, user_id=user_id, **asdict(product))
        if item is None:
            raise errors.UserNotFound(user_id)
        return item

    async def remove_cart_item(self, user_id: UUID, item_id: UUID) -> CartItem | None:
        """Take an item out of the user's cart; None if it is not in it."""
        self._require("db")
        async with self.connection() as conn:
            return await carts.remove_cart_item(conn, id=item_id, user_id=user_id)

    async def clear_cart(self, user_id: UUID) -> int:
        """Take everything out of the user's cart, and tell how many items that was."""
        self._require("db")
        async with self.connection() as conn:
            return await carts.clear_cart(conn, user_id=user_id)

    async def record_chain_events(
        self, events: Sequence[ChainEvent], *, cursor: int
    ) -> None:
        """Keep events of Sui, each once, and make the carts what all of them say.

        The cursor is the last checkpoint of which these are the last events. It moves
        with them or not at all, and never back. Events of a wallet that no user has
        are kept until `activate_wallet`.

        Raises:
            InvalidValue: a value of an event breaks a rule of the schema.
        """
        self._require("onchain")
        rows = [event.model_dump(mode="json") for event in events]
        objects = [event.object_id for event in events]

        async def work(conn: _Connection) -> None:
            await chain.advance_chain_cursor(conn, checkpoint=cursor)
            await chain.insert_chain_events(conn, events=rows)
            owners = await chain.lock_owners_of_objects(conn, object_ids=objects)
            await mirror(conn, owners)

        await self.atomically(work)

    def _require(self, service: Literal["db", "onchain"]) -> None:
        if self.settings.cart_service != service:
            raise errors.WrongCartService(service)
