"""Webhooks as Crossmint documents them, and as they were seen to arrive.

The envelope (`type`, `actionId`, and the order under `data`; in one sample under
`payload`) is that of https://docs.crossmint.com/payments/advanced/webhooks, the order
that of "get order" in its reference. Nothing here is shaped by what the store reads.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import standardwebhooks

__all__ = [
    "SECRET",
    "Shape",
    "as_documented",
    "delivery",
    "event",
    "order",
    "signed",
]

Shape: TypeAlias = Literal["data", "payload"]

SECRET = "whsec_" + base64.b64encode(b"a secret of these tests").decode()
"""What the fixture `store_settings` has as CROSSMINT_WEBHOOK_SECRETS."""


def order(
    order_id: str,
    *,
    quoted: object = "69.99",
    received: object = "69.99",
    currency: str = "usdc",
    tx_id: str = "0xc9537a0e4ee4794101514d30418bd20f09cf66c3ce86b82b0be916489a338e85",
) -> dict[str, Any]:
    """Make a paid order, as "get order" shows one."""
    return {
        "orderId": order_id,
        "phase": "delivery",
        "locale": "en-US",
        "lineItems": [
            {
                "chain": "base",
                "quantity": 1,
                "callData": {"quantity": 1, "orderHash": None},
                "metadata": {
                    "name": "Squared notebook",
                    "description": "With \u201cquotes\u201d \U0001f6d2",
                    "imageUrl": "https://cdn.example/image.png",
                },
                "quote": {
                    "status": "valid",
                    "charges": {
                        "unit": {"amount": "61.00", "currency": currency},
                        "salesTax": {"amount": "5.49", "currency": currency},
                        "shipping": {"amount": "3.50", "currency": currency},
                    },
                    "totalPrice": {"amount": "1", "currency": "eth"},
                },
                "delivery": {"status": "in-progress", "recipient": {"locator": "x"}},
            }
        ],
        "quote": {
            "status": "valid",
            "quotedAt": "2026-06-07T16:55:44.653Z",
            "expiresAt": "2026-06-07T17:55:44.653Z",
            "totalPrice": {"amount": quoted, "currency": currency},
        },
        "payment": {
            "status": "completed",
            "method": "base",
            "currency": currency,
            "received": {
                "chain": "base",
                "txId": tx_id,
                "amount": received,
                "currency": currency,
            },
        },
    }


def event(type_: str, order: dict[str, Any], shape: Shape = "data") -> dict[str, Any]:
    """Put an order into an event."""
    return {
        "type": type_,
        "actionId": order["orderId"],
        "timestamp": "2026-06-07T16:56:01.000Z",
        shape: order,
    }


def as_documented(order_id: str) -> dict[str, Any]:
    """Make the sample of the replaced system's documentation, on staging."""
    return {
        "type": "orders.payment.succeeded",
        "actionId": order_id,
        "data": {
            "orderId": order_id,
            "payment": {"received": {"txId": "0xevm-payment-tx", "amount": "69.99"}},
            "quote": {"totalPrice": {"amount": "69.99", "currency": "usdxm"}},
        },
    }


def signed(
    event_id: str,
    body: str | bytes,
    *,
    secret: str = SECRET,
    at: datetime | None = None,
) -> dict[str, str]:
    """Sign a webhook's body; give its headers."""
    at = at or datetime.now(UTC)
    timestamp = str(int(at.timestamp()))
    if isinstance(body, str):
        signature = standardwebhooks.Webhook(secret).sign(event_id, at, body)
    else:  # for which the library has no way
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
        signature = f"v1,{base64.b64encode(digest).decode()}"
    return {
        "svix-id": event_id,
        "svix-timestamp": timestamp,
        "svix-signature": signature,
    }


def delivery(
    event_id: str,
    event: Mapping[str, object],
    *,
    secret: str = SECRET,
    at: datetime | None = None,
) -> tuple[bytes, dict[str, str]]:
    """Make the request that delivers an event: its body and its signed headers.

    Example::

        order = crossmint.order("crossmint-1")
        event = crossmint.event("orders.payment.succeeded", order)
        body, headers = crossmint.delivery("event-1", event)
        client.post("/webhooks/crossmint", content=body, headers=headers)
    """
    body = json.dumps(event)
    return body.encode(), signed(event_id, body, secret=secret, at=at)
