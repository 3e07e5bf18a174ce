"""The data of a run: Crossmint's webhooks about orders that were placed before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from store import CheckoutLine, Store
from store_testing import crossmint

from . import carts
from .connecting import settings
from .tasks import Left

LEFT = Left(
    carts.LEFT.rows,
    count="SELECT count(*) FROM order_events WHERE id LIKE 'paid-%'",
    each=1,
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request of Crossmint's, as it came."""

    body: bytes
    headers: dict[str, str]


def fill(url: str, count: int) -> list[Webhook]:
    """Have `count` carts checked out; give for each that its first order was paid."""
    made = carts.fill(url, count)
    with Store(settings(url)) as store:
        for cart in made:
            lines = [
                CheckoutLine(cart_item_id=item_id, crossmint_order_id=crossmint_id)
                for item_id, crossmint_id in zip(
                    cart.item_ids, cart.crossmint_order_ids, strict=True
                )
            ]
            store.checkout(cart.user_id, lines)
    # They are good for five minutes before and after: for nine from now.
    at = datetime.now(UTC) + timedelta(minutes=4)
    webhooks: list[Webhook] = []
    for number, cart in enumerate(made):
        order = crossmint.order(cart.crossmint_order_ids[0])
        event = crossmint.event("orders.payment.succeeded", order)
        webhooks.append(Webhook(*crossmint.delivery(f"paid-{number}", event, at=at)))
    return webhooks
