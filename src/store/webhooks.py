"""Crossmint's webhooks: verified, then read into an `OrderEvent`.

Crossmint sends them through Svix: at least once, for up to 27 hours, in any order.
Format: https://docs.crossmint.com/payments/advanced/webhooks
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import pydantic
import standardwebhooks

from generated.json_types import JsonValue

from . import errors

_USDC_PLACES = Decimal("0.000001")
_LONGEST_HASH = 255


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


class _Order(pydantic.BaseModel):
    id: str = pydantic.Field(alias="orderId", min_length=1, max_length=255)
    # Of any shape: new types of events are kept, whatever they bring.
    quote: Any = None
    payment: Any = None


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
    return OrderEvent(
        id=event_id,
        type=event.type,
        crossmint_order_id=event.payload.id,
        payment_hash=_transaction(event.payload.payment),
        amount_usdc=_usdc(event.payload.quote),
        payload=json.loads(body),
    )


def _transaction(payment: object) -> str | None:
    match payment:
        case {"received": {"txId": str(text)}} if len(text) <= _LONGEST_HASH:
            return text
        case _:
            return None


def _usdc(quote: object) -> Decimal | None:
    """Read an amount of USDC; None for another currency, or what is no amount."""
    match quote:
        case {"totalPrice": {"amount": str(text), "currency": str(currency)}}:
            with suppress(InvalidOperation):
                amount = Decimal(text).quantize(_USDC_PLACES)
                return amount if currency.lower() == "usdc" and amount > 0 else None
        case _:
            pass
    return None
