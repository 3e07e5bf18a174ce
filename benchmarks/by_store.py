"""The store, as API code uses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from generated import users
from generated.aio import users as aio_users
from store import AsyncStore, CheckoutLine, Settings, Store

from .carts import Cart
from .contender import Work


@asynccontextmanager
async def checkout_sync(url: str) -> AsyncGenerator[Work]:
    """Check out with `Store`."""
    with Store(_settings(url)) as store:

        async def work(cart: Cart) -> object:
            return store.checkout(cart.user_id, _lines(cart))

        yield work


@asynccontextmanager
async def checkout_async(url: str) -> AsyncGenerator[Work]:
    """Check out with `AsyncStore`."""
    async with AsyncStore(_settings(url)) as store:

        async def work(cart: Cart) -> object:
            return await store.checkout(cart.user_id, _lines(cart))

        yield work


@asynccontextmanager
async def read_sync(url: str) -> AsyncGenerator[Work]:
    """Read a user with a generated function."""
    with Store(_settings(url)) as store:

        async def work(cart: Cart) -> object:
            with store.connection() as conn:
                return users.get_user(conn, id=cart.user_id)

        yield work


@asynccontextmanager
async def read_async(url: str) -> AsyncGenerator[Work]:
    """Read a user with a generated function, awaited."""
    async with AsyncStore(_settings(url)) as store:

        async def work(cart: Cart) -> object:
            async with store.connection() as conn:
                return await aio_users.get_user(conn, id=cart.user_id)

        yield work


def _settings(url: str) -> Settings:
    # Both, lest one in the environment makes the store believe in a pooler.
    return Settings.model_validate({"database_url": url, "database_url_direct": url})


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
