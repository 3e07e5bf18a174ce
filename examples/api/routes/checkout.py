"""Checkout: an item of the cart becomes an order."""

from __future__ import annotations

from fastapi import APIRouter

from .. import shopping
from ..bodies import CheckedOut, Checkout
from ..problems import documented
from ..services import Onboarded, Serving

router = APIRouter(prefix="/api/checkout", tags=["checkout"])


@router.post(
    "", status_code=201, responses=documented(400, 401, 403, 404, 409, 422, 502)
)
async def check_out(body: Checkout, user: Onboarded, services: Serving) -> CheckedOut:
    """Order an item of the cart, to be approved by the user's wallet."""
    return await shopping.check_out(services, user, body.cart_item_id)
