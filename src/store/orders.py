"""What the store's methods on orders give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generated.enums import OrderStatus
from generated.internal.order_steps import PageOrdersRow
from generated.models import Order

from .webhooks import OrderEvent

_UNPAID = frozenset({OrderStatus.AWAITING_APPROVAL, OrderStatus.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """What became of an event: of this delivery, or of an earlier one.

    ``is_first`` tells the first delivery from those that follow. ``order`` is the order
    as it is now, None if it is not here yet; ``status_before`` and ``status_after`` are
    what it was when the event was applied, and what that made of it, None until then.
    ``is_announced`` tells whether `mark_event_announced` was called for the event.
    """

    event: OrderEvent
    is_first: bool
    order: Order | None
    status_before: OrderStatus | None
    status_after: OrderStatus | None
    is_announced: bool

    @property
    def to_announce(self) -> bool:
        """Whether its order is here and nobody has said yet that it was announced."""
        return self.status_after is not None and not self.is_announced

    @property
    def pays(self) -> bool:
        """Whether it made its order a paid one, and is to be announced.

        So it is at each delivery until the event is marked as announced. It is an event
        of the order's delivery, where that came before the payment's.

        Example::

            received = store.receive_order_event(body, headers)
            if received.pays:
                with store.transaction() as conn:
                    if orders.mark_event_announced(conn, id=received.event.id):
                        ...  # write down, in this transaction, what is to be sent
        """
        before, after = self.status_before, self.status_after
        return self.to_announce and before in _UNPAID and after not in _UNPAID

    def brings(self, status: OrderStatus) -> bool:
        """Tell whether it changed its order to this status, and is to be announced."""
        return self.to_announce and self.status_before != self.status_after == status


@dataclass(frozen=True, slots=True)
class GivenUpOrder:
    """An order that was given up, and whether its item is in the cart by that."""

    order: Order
    item_in_cart: bool


@dataclass(frozen=True, slots=True)
class ForgottenEvents:
    """How many events lost their payloads, and how many were deleted."""

    stripped: int
    deleted: int


@dataclass(frozen=True, slots=True)
class RecordedDeposit:
    """A deposit, and whether this call recorded it: if not, it was there before."""

    deposit: Order
    is_first: bool


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of a user's orders, and how many there are on all pages."""

    orders: Sequence[PageOrdersRow]
    total: int
