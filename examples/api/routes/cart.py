"""The cart, in the database or on chain."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from store import Product

from .. import bodies, shopping
from ..problems import Problem, documented
from ..services import Onboarded, Serving

router = APIRouter(prefix="/api/cart", tags=["cart"])

ItemName = Annotated[str, Path(min_length=1, max_length=100)]


@router.get("", responses=documented(401, 403))
async def get_cart(user: Onboarded, services: Serving) -> bodies.Cart:
    """List what is in the cart, the newest first."""
    items = await shopping.list_cart(services, user)
    return bodies.Cart(items=[bodies.CartItem.model_validate(item) for item in items])


@router.post("", status_code=201, responses=documented(400, 401, 403, 404, 409))
async def add_item(
    body: bodies.NewCartItem, user: Onboarded, services: Serving
) -> bodies.CartItem:
    """Put a product into the cart."""
    return await shopping.add_to_cart(services, user, Product(**body.model_dump()))


@router.post("/init", responses=documented(400, 401, 403))
async def make_cart(user: Onboarded, services: Serving) -> bodies.CartCreation:
    """Make the user's cart on chain."""
    if not services.onchain:
        raise Problem(400, "CONTRACT_NOT_CONFIGURED", "carts are not on chain")
    created = await services.chain.create_cart(shopping.wallet_of(user))
    return bodies.CartCreation(
        created=created, message="Cart created" if created else "Cart already exists"
    )


@router.get("/address", responses=documented(400, 401, 403))
async def get_address(user: Onboarded, services: Serving) -> bodies.CartAddress:
    """Say where the user's cart is on chain."""
    address = services.chain.cart_address(shopping.wallet_of(user))
    return bodies.CartAddress(cart_address=address, exists=address is not None)


@router.get("/info", responses=documented(400, 401, 403))
async def get_info(user: Onboarded, services: Serving) -> bodies.CartInfo:
    """Say where the user's cart is on chain, and how much is in it."""
    owner = shopping.wallet_of(user)
    address = services.chain.cart_address(owner)
    return bodies.CartInfo(
        cart_address=address,
        exists=address is not None,
        item_count=services.chain.count_items(owner),
    )


@router.delete(
    "/{item_id}", status_code=204, responses=documented(400, 401, 403, 404, 409)
)
async def remove_item(item_id: ItemName, user: Onboarded, services: Serving) -> None:
    """Take an item out of the cart, by its `id` or its id on chain."""
    await shopping.remove_from_cart(services, user, item_id)
