"""psycopg by hand: the store's statements in one pipeline, or a single one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection, AsyncRawCursor, Connection, RawCursor
from psycopg.rows import args_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

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
async def checkout_sync(url: str) -> AsyncGenerator[Work]:
    """Send BEGIN, the store's statements and COMMIT in one pipeline."""
    with _pool(url) as pool:

        async def work(cart: Cart) -> object:
            order_ids = [uuid4() for _ in cart.item_ids]
            with pool.connection() as conn, conn.pipeline():
                conn.execute("BEGIN")
                conn.execute(LOCK_CROSSMINT_ORDERS, [cart.crossmint_order_ids])
                created = conn.cursor(row_factory=args_row(Order))
                created.execute(CREATE_ORDERS, _creation(cart, order_ids))
                claimed = conn.cursor(row_factory=args_row(OrderItem))
                claimed.execute(CLAIM_CART_ITEMS_BY_ID, _claim(cart, order_ids))
                conn.execute("COMMIT")
            return created.fetchall(), claimed.fetchall()

        yield work


@asynccontextmanager
async def checkout_async(url: str) -> AsyncGenerator[Work]:
    """Do the same, awaited."""
    async with _async_pool(url) as pool:

        async def work(cart: Cart) -> object:
            order_ids = [uuid4() for _ in cart.item_ids]
            async with pool.connection() as conn, conn.pipeline():
                await conn.execute("BEGIN")
                await conn.execute(LOCK_CROSSMINT_ORDERS, [cart.crossmint_order_ids])
                created = conn.cursor(row_factory=args_row(Order))
                await created.execute(CREATE_ORDERS, _creation(cart, order_ids))
                claimed = conn.cursor(row_factory=args_row(OrderItem))
                await claimed.execute(CLAIM_CART_ITEMS_BY_ID, _claim(cart, order_ids))
                await conn.execute("COMMIT")
            return await created.fetchall(), await claimed.fetchall()

        yield work


@asynccontextmanager
async def one_cte_sync(url: str) -> AsyncGenerator[Work]:
    """Check out with a single statement, which commits by itself."""
    with _pool(url) as pool:

        async def work(cart: Cart) -> object:
            with pool.connection() as conn:
                rows = conn.execute(ONE_CTE.encode(), _all(cart)).fetchall()
            return [order_and_item(row) for row in rows]

        yield work


@asynccontextmanager
async def one_cte_async(url: str) -> AsyncGenerator[Work]:
    """Do the same, awaited."""
    async with _async_pool(url) as pool:

        async def work(cart: Cart) -> object:
            async with pool.connection() as conn:
                cursor = await conn.execute(ONE_CTE.encode(), _all(cart))
                rows = await cursor.fetchall()
            return [order_and_item(row) for row in rows]

        yield work


@asynccontextmanager
async def read_sync(url: str) -> AsyncGenerator[Work]:
    """Read a user by key."""
    with _pool(url) as pool:

        async def work(cart: Cart) -> object:
            with pool.connection() as conn:
                cursor = conn.cursor(row_factory=args_row(User))
                return cursor.execute(GET_USER, [cart.user_id]).fetchone()

        yield work


@asynccontextmanager
async def read_async(url: str) -> AsyncGenerator[Work]:
    """Do the same, awaited."""
    async with _async_pool(url) as pool:

        async def work(cart: Cart) -> object:
            async with pool.connection() as conn:
                cursor = conn.cursor(row_factory=args_row(User))
                await cursor.execute(GET_USER, [cart.user_id])
                return await cursor.fetchone()

        yield work


def _pool(url: str) -> ConnectionPool[Connection[Any]]:
    kwargs = {"autocommit": True, "cursor_factory": RawCursor}
    return ConnectionPool(url, min_size=1, max_size=5, open=False, kwargs=kwargs)


def _async_pool(url: str) -> AsyncConnectionPool[AsyncConnection[Any]]:
    kwargs = {"autocommit": True, "cursor_factory": AsyncRawCursor}
    return AsyncConnectionPool(url, min_size=1, max_size=5, open=False, kwargs=kwargs)


def _claim(cart: Cart, order_ids: list[UUID]) -> list[object]:
    return [order_ids, cart.item_ids, [None] * len(order_ids), cart.user_id]


def _creation(cart: Cart, order_ids: list[UUID]) -> list[object]:
    return [
        uuid4(),
        True,
        order_ids,
        cart.crossmint_order_ids,
        cart.amounts,
        cart.user_id,
    ]


def _all(cart: Cart) -> list[object]:
    return [
        cart.user_id,
        uuid4(),
        [uuid4() for _ in cart.item_ids],
        cart.item_ids,
        cart.crossmint_order_ids,
        cart.amounts,
    ]
