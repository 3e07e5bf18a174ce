"""asyncpg, which prepares every statement by itself but cannot pipeline."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg

from generated.internal.cart_steps import CLAIM_CART_ITEMS_BY_ID
from generated.internal.order_steps import (
    CREATE_ORDERS,
    LOCK_CROSSMINT_ORDERS,
)
from generated.users import GET_USER

from .carts import Cart
from .contender import Work
from .records import Order, OrderItem, User
from .statements import ONE_CTE, order_and_item


@asynccontextmanager
async def checkout(url: str) -> AsyncGenerator[Work]:
    """Await the store's statements one by one in a transaction."""
    async with asyncpg.create_pool(url, min_size=1, max_size=5) as pool:

        async def work(cart: Cart) -> object:
            ids = [uuid4() for _ in cart.item_ids]
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute(LOCK_CROSSMINT_ORDERS, cart.crossmint_order_ids)
                created = await conn.fetch(
                    CREATE_ORDERS,
                    uuid4(),
                    True,
                    ids,
                    cart.crossmint_order_ids,
                    cart.amounts,
                    cart.user_id,
                )
                claimed = await conn.fetch(
                    CLAIM_CART_ITEMS_BY_ID,
                    ids,
                    cart.item_ids,
                    [None] * len(ids),
                    cart.user_id,
                )
            orders = [Order(*row) for row in created]
            return orders, [OrderItem(*row) for row in claimed]

        yield work


@asynccontextmanager
async def one_cte(url: str) -> AsyncGenerator[Work]:
    """Check out with a single statement, which commits by itself."""
    async with asyncpg.create_pool(url, min_size=1, max_size=5) as pool:

        async def work(cart: Cart) -> object:
            rows = await pool.fetch(
                ONE_CTE,
                cart.user_id,
                uuid4(),
                [uuid4() for _ in cart.item_ids],
                cart.item_ids,
                cart.crossmint_order_ids,
                cart.amounts,
            )
            return [order_and_item(tuple(row)) for row in rows]

        yield work


@asynccontextmanager
async def read(url: str) -> AsyncGenerator[Work]:
    """Read a user by key."""
    async with asyncpg.create_pool(url, min_size=1, max_size=5) as pool:

        async def work(cart: Cart) -> object:
            row = await pool.fetchrow(GET_USER, cart.user_id)
            return row and User(*row)

        yield work
