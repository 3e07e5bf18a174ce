"""psycopg by hand: the store's statements, with as few round trips as it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection, Connection
from psycopg.rows import args_row

from generated.carts import LIST_CART_ITEMS
from generated.internal.cart_steps import CLAIM_CART_ITEMS_BY_ID
from generated.internal.order_steps import (
    CREATE_ORDERS,
    LOCK_CROSSMINT_ORDERS,
)
from generated.users import GET_USER

from .carts import Cart
from .connecting import AsyncPool, Pool
from .reading import Read
from .records import CartItem, Order, OrderItem, User
from .statements import ONE_CTE, order_and_item


def checkout(pool: Pool, cart: Cart) -> object:
    """Send BEGIN, the store's statements and COMMIT in one pipeline."""
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


async def checkout_async(pool: AsyncPool, cart: Cart) -> object:
    """Do the same, awaited."""
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


def one_cte(pool: Pool, cart: Cart) -> object:
    """Check out with a single statement, which commits by itself."""
    with pool.connection() as conn:
        rows = conn.execute(ONE_CTE.encode(), _all(cart)).fetchall()
    return [order_and_item(row) for row in rows]


async def one_cte_async(pool: AsyncPool, cart: Cart) -> object:
    """Do the same, awaited."""
    async with pool.connection() as conn:
        cursor = await conn.execute(ONE_CTE.encode(), _all(cart))
        rows = await cursor.fetchall()
    return [order_and_item(row) for row in rows]


def get_user(conn: Connection[Any], user_id: UUID) -> object:
    """Read a user by key on a connection that is there."""
    cursor = conn.cursor(row_factory=args_row(User))
    return cursor.execute(GET_USER, [user_id]).fetchone()


async def get_user_async(conn: AsyncConnection[Any], user_id: UUID) -> object:
    """Do the same, awaited."""
    cursor = conn.cursor(row_factory=args_row(User))
    await cursor.execute(GET_USER, [user_id])
    return await cursor.fetchone()


def pooled_user(pool: Pool, user_id: UUID) -> object:
    """Read a user by key on a connection of the pool."""
    with pool.connection() as conn:
        return get_user(conn, user_id)


async def pooled_user_async(pool: AsyncPool, user_id: UUID) -> object:
    """Do the same, awaited."""
    async with pool.connection() as conn:
        return await get_user_async(conn, user_id)


def read(pool: Pool, read: Read) -> object:
    """Read one of a mix on a connection of the pool."""
    with pool.connection() as conn:
        if read.what == "user":
            return get_user(conn, read.user_id)
        cursor = conn.cursor(row_factory=args_row(CartItem))
        return cursor.execute(LIST_CART_ITEMS, [read.user_id, 10]).fetchall()


async def read_async(pool: AsyncPool, read: Read) -> object:
    """Do the same, awaited."""
    async with pool.connection() as conn:
        if read.what == "user":
            return await get_user_async(conn, read.user_id)
        cursor = conn.cursor(row_factory=args_row(CartItem))
        await cursor.execute(LIST_CART_ITEMS, [read.user_id, 10])
        return await cursor.fetchall()


def copy_lines(conn: Connection[Any], rows: Sequence[Any]) -> object:
    """Send rows by COPY, in the binary format."""
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "COPY lines (id, article, note, total) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.set_types(["int8", "text", "text", "numeric"])
        for row in rows:
            copy.write_row((row.id, row.article, row.note, row.total))
    return len(rows)


_INSERT_LINE = "INSERT INTO lines (id, article, note, total) VALUES ($1, $2, $3, $4)"


def insert_lines(conn: Connection[Any], rows: Sequence[Any]) -> object:
    """Send rows one by one, in a transaction."""
    with conn.transaction():
        for row in rows:
            conn.execute(_INSERT_LINE, [row.id, row.article, row.note, row.total])
    return len(rows)


def _claim(cart: Cart, order_ids: list[UUID]) -> list[object]:
    return [order_ids, cart.item_ids, [None] * len(order_ids), cart.user_id]


def _creation(cart: Cart, order_ids: list[UUID]) -> list[object]:
    names = cart.crossmint_order_ids
    return [uuid4(), cart.user_id, True, order_ids, names, cart.amounts]


def _all(cart: Cart) -> list[object]:
    return [
        cart.user_id,
        uuid4(),
        [uuid4() for _ in cart.item_ids],
        cart.item_ids,
        cart.crossmint_order_ids,
        cart.amounts,
    ]
