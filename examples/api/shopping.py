"""Carts and checkout, for the routes and for the tools of the chat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from generated import models
from generated.aio import carts
from generated.models import UserProfile
from store import AsyncStore, CheckoutLine, PlacedOrder, Product, errors

from . import bodies
from .problems import Problem
from .services import Services
from .standins import Aborted

_TRIES = 3


async def list_cart(services: Services, user: UserProfile) -> list[models.CartItem]:
    """List what is in the cart; the mirror keeps it where it is on chain."""
    async with services.store.connection() as conn:
        return await carts.list_cart_items(conn, user_id=user.id, max_rows=100)


async def add_to_cart(
    services: Services, user: UserProfile, product: Product
) -> bodies.CartItem:
    """Put a product into the cart; on chain, it is listed once its event was read."""
    if not services.onchain:
        added = await services.store.add_cart_item(user.id, product)
        if not added.is_new:
            raise Problem(409, "CartDuplicateItemError", "it is in the cart already")
        return bodies.CartItem.model_validate(added.item)
    owner, item_id = wallet_of(user), uuid4()
    await services.chain.create_cart(owner)
    try:
        await services.chain.add_item(owner, str(item_id), product)
    except Aborted as refused:
        if refused.args != ("full",):
            raise
        raise Problem(400, "CartFullError", "the cart is full") from None
    row = {
        field: getattr(product, field) for field in bodies.ProductSnapshot.model_fields
    }
    return bodies.CartItem(
        id=item_id, user_id=user.id, created_at=datetime.now(UTC), **row
    )


async def remove_from_cart(services: Services, user: UserProfile, name: str) -> None:
    """Take an item out of the cart, by its id or its id on chain."""
    if not services.onchain:
        await services.store.remove_cart_item(user.id, name)
        return
    item = await services.store.get_cart_item(user.id, name)
    object_id = item.on_chain_object_id if item else name
    try:
        await services.chain.remove_item(wallet_of(user), object_id or name)
    except Aborted:
        raise errors.CartItemNotFound(name) from None


async def check_out(
    services: Services, user: UserProfile, name: str
) -> bodies.CheckedOut:
    """Order an item at Crossmint, then take it out of the cart for that order.

    An order that the store then refuses is never paid, as nobody approves it.
    """
    store = services.store
    if not user.evm_address:
        raise Problem(400, "CheckoutNoWalletError", "there is no wallet yet")
    if not (
        user.first_name and user.street and user.city and user.zip and user.country
    ):
        raise Problem(400, "CheckoutMissingAddressError", "the address is incomplete")
    item = await store.get_cart_item(user.id, name)
    if item is None:
        raise errors.CartItemNotFound(name)
    order = await services.crossmint.create_order(user.evm_address, item.price)
    if order.payment == "crypto-payer-insufficient-funds":
        raise Problem(422, "InsufficientFundsError", "the wallet has too little USDC")
    line = CheckoutLine(
        cart_item_id=item.id,
        expected_price=item.price,
        crossmint_order_id=order.id,
        amount_usdc=order.total,
    )
    placed = await _place(store, user.id, line)
    return bodies.CheckedOut(
        order_id=placed.order.id,
        crossmint_order_id=order.id,
        phase="awaiting-approval",
        serialized_transaction=order.transaction,
        wallet_address=user.evm_address,
    )


async def _place(store: AsyncStore, user_id: UUID, line: CheckoutLine) -> PlacedOrder:
    """Check out, again if nobody knows whether it was done: the same call finds it."""
    for left in reversed(range(_TRIES)):
        try:
            [placed] = await store.checkout(user_id, [line])
        except errors.OutcomeUnknown:
            if not left:
                raise
        else:
            return placed
    raise AssertionError  # the last try returned or raised


def wallet_of(user: UserProfile) -> str:
    """Give the user's wallet on Sui."""
    if user.wallet_address is None:
        raise Problem(400, "WALLET_NOT_PROVISIONED", "there is no wallet yet")
    return user.wallet_address


def total_of(items: Sequence[models.CartItem]) -> str:
    """Add prices up, in dollars."""
    return f"{Decimal(sum(item.price for item in items)) / 100:.2f}"
