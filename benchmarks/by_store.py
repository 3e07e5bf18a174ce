"""The store, as API code uses it, and the functions generated for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, Connection

from generated import carts as cart_queries
from generated import chats as chat_queries
from generated import users
from generated.aio import carts as aio_cart_queries
from generated.aio import chats as aio_chat_queries
from generated.aio import users as aio_users
from store import AsyncStore, CheckoutLine, Store

from . import reading
from .carts import Cart
from .chain import Page
from .chats import Turn
from .lines import generated
from .reading import Read
from .tasks import Sample
from .webhooks import Webhook


def checkout(store: Store, cart: Cart) -> object:
    """Check out."""
    return store.checkout(cart.user_id, _lines(cart))


async def checkout_async(store: AsyncStore, cart: Cart) -> object:
    """Check out."""
    return await store.checkout(cart.user_id, _lines(cart))


def get_user(conn: Connection[Any], user_id: UUID) -> object:
    """Read a user by key on a connection that is there."""
    return users.get_user(conn, id=user_id)


async def get_user_async(conn: AsyncConnection[Any], user_id: UUID) -> object:
    """Read a user by key on a connection that is there."""
    return await aio_users.get_user(conn, id=user_id)


def pooled_user(store: Store, user_id: UUID) -> object:
    """Read a user by key on a connection that is lent for it."""
    with store.connection() as conn:
        return users.get_user(conn, id=user_id)


async def pooled_user_async(store: AsyncStore, user_id: UUID) -> object:
    """Read a user by key on a connection that is lent for it."""
    async with store.connection() as conn:
        return await aio_users.get_user(conn, id=user_id)


def list_items(conn: Connection[Any], user_id: UUID) -> object:
    """Read a long cart on a connection that is there."""
    return cart_queries.list_cart_items(conn, user_id=user_id, max_rows=reading.ITEMS)


def list_messages(conn: Connection[Any], turn: Turn) -> object:
    """Read a page of a thousand messages on a connection that is there."""
    return chat_queries.list_chat_messages(
        conn,
        session_id=turn.session_id,
        user_id=turn.user_id,
        after_position=0,
        max_rows=1000,
    )


async def list_messages_async(conn: AsyncConnection[Any], turn: Turn) -> object:
    """Read a page of a thousand messages on a connection that is there."""
    return await aio_chat_queries.list_chat_messages(
        conn,
        session_id=turn.session_id,
        user_id=turn.user_id,
        after_position=0,
        max_rows=1000,
    )


def save_turn(store: Store, turn: Turn) -> object:
    """Save messages of a chat."""
    return store.save_turn(turn.user_id, turn.session_id, turn.messages)


async def save_turn_async(store: AsyncStore, turn: Turn) -> object:
    """Save messages of a chat."""
    return await store.save_turn(turn.user_id, turn.session_id, turn.messages)


async def save_beside_others(store: AsyncStore, turn: Turn) -> Sample:
    """Save messages of a chat; give the longest time that another task had to wait."""
    return await longest_wait(save_turn_async(store, turn))


async def longest_wait(work: Awaitable[object]) -> Sample:
    """Do the work; give the longest time that another task had to wait for its turn."""
    longest, last, busy = 0.0, perf_counter(), process_time()
    working = asyncio.ensure_future(work)
    while not working.done():
        await asyncio.sleep(0)
        now = perf_counter()
        longest, last = max(longest, now - last), now
    await working
    return Sample(longest, process_time() - busy)


def receive_webhook(store: Store, webhook: Webhook) -> object:
    """Take a webhook as it came."""
    return store.receive_order_event(webhook.body, webhook.headers)


def record_page(store: Store, page: Page) -> object:
    """Record a page of the chain's events."""
    return store.record_chain_page(page.json, asked_with=page.asked_with)


def copy_lines(conn: Connection[Any], rows: Sequence[Any]) -> object:
    """Send rows by a function for `:copyfrom`."""
    return generated().copy(conn, rows=rows)


def batch_lines(conn: Connection[Any], rows: Sequence[Any]) -> object:
    """Send rows by a function for `:batchexec`, in a transaction."""
    with conn.transaction():
        return generated().batch(conn, rows=rows)


def read(store: Store, read: Read) -> object:
    """Read one of a mix on a connection that is lent for it."""
    with store.connection() as conn:
        if read.what == "user":
            return users.get_user(conn, id=read.user_id)
        return cart_queries.list_cart_items(conn, user_id=read.user_id, max_rows=10)


async def read_async(store: AsyncStore, read: Read) -> object:
    """Read one of a mix on a connection that is lent for it."""
    async with store.connection() as conn:
        if read.what == "user":
            return await aio_users.get_user(conn, id=read.user_id)
        return await aio_cart_queries.list_cart_items(
            conn, user_id=read.user_id, max_rows=10
        )


def _lines(cart: Cart) -> list[CheckoutLine]:
    return [
        CheckoutLine(
            cart_item_id=item_id,
            crossmint_order_id=crossmint_order_id,
            amount_usdc=amount,
        )
        for item_id, crossmint_order_id, amount in zip(
            cart.item_ids, cart.crossmint_order_ids, cart.amounts, strict=True
        )
    ]
