"""Crossmint's webhooks."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ..bodies import Received
from ..problems import Problem, documented
from ..services import Serving

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])


@router.post("/crossmint", responses=documented(401))
async def receive(request: Request, services: Serving) -> Received:
    """Store whatever is signed, and answer 200 to it; 5xx has it come again."""
    if not services.store.settings.crossmint_webhook_secrets:
        raise Problem(503, "WEBHOOK_NOT_CONFIGURED", "no webhook secret is set")
    await services.store.receive_order_event(await request.body(), request.headers)
    return Received()
