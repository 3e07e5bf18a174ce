"""asyncpg, which prepares every statement by itself but cannot pipeline."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import orjson

from generated.carts import LIST_CART_ITEMS
from generated.chats import LIST_CHAT_MESSAGES
from generated.enums import MessageRole
from generated.internal.cart_steps import CLAIM_CART_ITEMS_BY_ID
from generated.internal.order_steps import (
    CREATE_ORDERS,
    LOCK_CROSSMINT_ORDERS,
)
from generated.users import GET_USER

from .carts import Cart
from .chats import Turn
from .reading import Read
from .records import CartItem, ChatMessage, Order, OrderItem, User
from .statements import ONE_CTE, order_and_item

Pool: TypeAlias = "asyncpg.Pool[Any]"
Connection: TypeAlias = "asyncpg.Connection[Any]"


@asynccontextmanager
async def pool(url: str) -> AsyncGenerator[Pool]:
    """Open its pool, which resets a session as it is given back."""
    async with asyncpg.create_pool(url, min_size=5, max_size=5) as opened:
        yield opened


@asynccontextmanager
async def connection(url: str) -> AsyncGenerator[Connection]:
    """Connect, with orjson for what is JSON."""
    conn = await asyncpg.connect(url)
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\1" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(memoryview(data)[1:]),
        format="binary",
    )
    try:
        yield conn
    finally:
        await conn.close()


async def checkout(pool: Pool, cart: Cart) -> object:
    """Await the store's statements one by one in a transaction."""
    ids = [uuid4() for _ in cart.item_ids]
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(LOCK_CROSSMINT_ORDERS, cart.crossmint_order_ids)
        created = await conn.fetch(
            CREATE_ORDERS,
            uuid4(),
            cart.user_id,
            True,
            ids,
            cart.crossmint_order_ids,
            cart.amounts,
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


async def one_cte(pool: Pool, cart: Cart) -> object:
    """Check out with a single statement, which commits by itself."""
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


async def get_user(conn: Connection, user_id: UUID) -> object:
    """Read a user by key on a connection that is there."""
    row = await conn.fetchrow(GET_USER, user_id)
    return row and User(*row)


async def list_messages(conn: Connection, turn: Turn) -> object:
    """Read a page of a thousand messages on a connection that is there."""
    rows = await conn.fetch(LIST_CHAT_MESSAGES, turn.session_id, turn.user_id, 0, 1000)
    messages = [ChatMessage(*row) for row in rows]
    for message in messages:
        message.role = MessageRole(message.role)
    return messages


async def read(pool: Pool, read: Read) -> object:
    """Read one of a mix on a connection of the pool."""
    async with pool.acquire() as conn:
        if read.what == "user":
            row = await conn.fetchrow(GET_USER, read.user_id)
            return row and User(*row)
        rows = await conn.fetch(LIST_CART_ITEMS, read.user_id, 10)
        return [CartItem(*row) for row in rows]
