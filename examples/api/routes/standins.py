"""STAND-INS: what a user does elsewhere, so that the API can be tried by hand."""

from __future__ import annotations

from typing import Annotated

import httpx
from fastapi import APIRouter, Request
from pydantic import Field

from ..bodies import Body
from ..problems import Problem, documented
from ..services import Serving, SignedIn
from ..shopping import wallet_of

router = APIRouter(prefix="/stand-ins", tags=["stand-ins"])


class Login(Body):
    """Who logs in at Crossmint."""

    user_id: Annotated[str, Field(min_length=1, max_length=200)] = "google|1017"
    email: str | None = "ann@example.org"


class Token(Body):
    """What `POST /api/auth/session` takes."""

    jwt: str


class NewDeposit(Body):
    """How much is deposited, in millionths of a USDC."""

    amount: Annotated[int, Field(strict=True, gt=0, lt=10**12)]


class Deposited(Body):
    """What `POST /api/deposit/verify` takes."""

    tx_digest: str
    nonce: str
    amount: str
    coin_type: str


@router.post("/login", responses=documented(400))
async def log_in(body: Login, services: Serving) -> Token:
    """Log in at Crossmint, which gives a token."""
    return Token(jwt=services.crossmint.sign_in(body.user_id, body.email))


@router.post("/deposits", responses=documented(400, 401))
async def deposit(body: NewDeposit, user: SignedIn, services: Serving) -> Deposited:
    """Pay USDC to the user's wallet on Sui."""
    digest, receipt = services.chain.pay(wallet_of(user), body.amount)
    return Deposited(
        tx_digest=digest,
        nonce=receipt.nonce,
        amount=str(receipt.amount),
        coin_type=receipt.coin_type,
    )


@router.post("/orders/{crossmint_order_id}/{event}", responses=documented(400, 404))
async def have_webhook_sent(
    crossmint_order_id: str, event: str, request: Request, services: Serving
) -> dict[str, bool]:
    """Have Crossmint send `orders.payment.succeeded`, or another event, of an order."""
    secrets = services.store.settings.crossmint_webhook_secrets
    if not secrets or await services.crossmint.get_order(crossmint_order_id) is None:
        raise Problem(404, "NOT_FOUND", "Crossmint has no such order")
    body, headers = services.crossmint.event(
        event, crossmint_order_id, secrets[0].get_secret_value()
    )
    # By the same door as Crossmint's own.
    transport = httpx.ASGITransport(request.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        url = "/api/webhooks/crossmint"
        sent = await client.post(url, content=body, headers=headers)
    return {"ok": sent.is_success}
