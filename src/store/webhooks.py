"""Crossmint's webhooks: verified, then read into an `OrderEvent`.

Crossmint sends them through Svix: at least once, for up to 27 hours, in any order.
Format: https://docs.crossmint.com/payments/advanced/webhooks
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import pydantic
import standardwebhooks

from generated.json_types import JsonValue

from . import errors

_USDC_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One event of a Crossmint order.

    ``id`` is the `svix-id`, the same at each redelivery. ``amount_usdc`` is in USDC,
    rounded to 6 decimals. ``payload`` is the whole body.
    """

    id: str
    type: str
    crossmint_order_id: str
    payment_hash: str | None = None
    amount_usdc: Decimal | None = None
    payload: JsonValue


class _Price(pydantic.BaseModel):
    amount: str | None = None
    currency: str | None = None


class _Quote(pydantic.BaseModel):
    total: _Price | None = pydantic.Field(default=None, alias="totalPrice")


class _Received(pydantic.BaseModel):
    transaction: str | None = pydantic.Field(default=None, alias="txId", max_length=255)


class _Payment(pydantic.BaseModel):
    received: _Received | None = None


class _Order(pydantic.BaseModel):
    id: str = pydantic.Field(alias="orderId", min_length=1, max_length=255)
    quote: _Quote | None = None
    payment: _Payment | None = None


class _Event(pydantic.BaseModel):
    type: str = pydantic.Field(min_length=1, max_length=100)
    payload: _Order


def verify(
    body: bytes, headers: Mapping[str, str], secrets: Iterable[str]
) -> OrderEvent:
    """Check a webhook's signature with each secret, then read its event.

    The headers are `svix-id`, `svix-timestamp` (within 5 minutes of now) and
    `svix-signature`, in any case.

    Raises:
        SignatureInvalid: none of the secrets signed this body, or not now.
        EventMalformed: it is signed, but no event of an order.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    standard = {
        f"webhook-{part}": lower.get(f"svix-{part}", "")
        for part in ("id", "timestamp", "signature")
    }
    if not any(_signed(body, standard, secret) for secret in secrets):
        raise errors.SignatureInvalid(
            "no webhook secret signed this body within the last 5 minutes: check"
            " CROSSMINT_WEBHOOK_SECRETS and the clock"
        )
    return _read(body, standard["webhook-id"])


def _signed(body: bytes, headers: dict[str, str], secret: str) -> bool:
    # A malformed header or secret escapes the library as ValueError.
    try:
        standardwebhooks.Webhook(secret).verify(body, headers, json_parse=False)
    except (standardwebhooks.WebhookVerificationError, ValueError):
        return False
    return True


def _read(body: bytes, event_id: str) -> OrderEvent:
    try:
        event = _Event.model_validate_json(body)
    except pydantic.ValidationError as error:
        places = {".".join(map(str, each["loc"])) or "body" for each in error.errors()}
        raise errors.EventMalformed(
            f"the signed event is not one of an order: see {', '.join(sorted(places))}"
        ) from None
    order = event.payload
    received = order.payment and order.payment.received
    price = order.quote and order.quote.total
    return OrderEvent(
        id=event_id,
        type=event.type,
        crossmint_order_id=order.id,
        payment_hash=received.transaction if received else None,
        amount_usdc=_usdc(price) if price else None,
        payload=json.loads(body),
    )


def _usdc(price: _Price) -> Decimal | None:
    """Read an amount of USDC; None for another currency, or what is no amount."""
    if (price.currency or "").lower() != "usdc":
        return None
    try:
        amount = Decimal(price.amount or "").quantize(_USDC_PLACES)
        return amount if amount > 0 else None
    except InvalidOperation:
        return None
