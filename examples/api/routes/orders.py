"""Orders and deposits, as the user sees them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from generated import models
from generated.aio import orders
from generated.enums import OrderStatus, OrderType
from store import errors

from .. import bodies
from ..problems import documented
from ..services import Onboarded, Serving

router = APIRouter(prefix="/api/orders", tags=["orders"])

_PHASES = {status.replace("_", "-"): status for status in OrderStatus}
_ENDED = {OrderStatus.DELIVERED, OrderStatus.CANCELLED}


@router.get("", responses=documented(400, 401, 403))
async def list_orders(  # noqa: PLR0917 - FastAPI calls it by names
    user: Onboarded,
    services: Serving,
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    type: OrderType | None = None,  # noqa: A002 - the parameter's name
    status: OrderStatus | None = None,
    phase: Annotated[str | None, Query(pattern="^[a-z-]{1,50}$")] = None,
) -> bodies.OrderPage:
    """List orders, the newest first, with their number on all pages."""
    named = _PHASES.get(phase) if phase else status
    if phase and (named is None or status not in {None, named}):
        return bodies.OrderPage(orders=[], total=0, page=page, limit=limit)
    found = await services.store.page_orders(
        user.id, page=page, limit=limit, type=type, status=named
    )
    return bodies.OrderPage(
        orders=[_summary(row.order, row.order_item) for row in found.orders],
        total=found.total,
        page=page,
        limit=limit,
    )


@router.get("/{order_id}", responses=documented(400, 401, 403, 404, 502))
async def get_order(
    order_id: UUID, user: Onboarded, services: Serving
) -> bodies.OrderSummary:
    """Read an order; while it is open, with what Crossmint says of it."""
    async with services.store.connection() as conn:
        row = await orders.get_order_with_item(conn, id=order_id, user_id=user.id)
    if row is None:
        raise errors.OrderNotFound(order_id)
    summary = _summary(row.order, row.order_item)
    if row.order.crossmint_order_id is None or row.order.status in _ENDED:
        return summary
    live = await services.crossmint.get_order(row.order.crossmint_order_id)
    if live is not None:
        summary.phase, summary.payment.status = live.phase, live.payment
        summary.quote = bodies.Quote(total_price=bodies.Money(amount=str(live.total)))
    return summary


def _summary(order: models.Order, item: models.OrderItem | None) -> bodies.OrderSummary:
    amount = order.amount_usdc
    price = None if amount is None else bodies.Money(amount=f"{amount.normalize():f}")
    return bodies.OrderSummary(
        order_id=order.id,
        crossmint_order_id=order.crossmint_order_id or "",
        type=order.type,
        phase=order.status.replace("_", "-"),
        status=order.status,
        item=bodies.ProductSnapshot.model_validate(item) if item else None,
        payment=bodies.Payment(status=order.status),
        quote=bodies.Quote(total_price=price) if price else None,
        created_at=order.created_at,
    )
