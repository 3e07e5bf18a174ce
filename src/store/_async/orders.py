"""What happens to an order after it was placed: events, and a change of mind."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from generated.aio import carts, orders, users
from generated.enums import OrderStatus, OrderType
from generated.models import Order
from store import errors, webhooks
from store.webhooks import OrderEvent

from .carts import mirror
from .database import AsyncDatabase

_Connection = AsyncConnection[TupleRow]


class AsyncOrders(AsyncDatabase):
    """The order events of a store. All methods raise DatabaseError, too."""

    async def receive_order_event(
        self, body: bytes, headers: Mapping[str, str]
    ) -> OrderEvent:
        """Take a Crossmint webhook as it came: verify, keep and apply its event.

        Raises:
            ConfigurationError: CROSSMINT_WEBHOOK_SECRETS is missing.
            SignatureInvalid: none of its secrets signed this body.
            EventMalformed: it is signed, but no event of an order.
        """
        event = webhooks.verify(body, headers, self.settings.webhook_secrets())
        await self.record_order_event(event)
        return event

    async def record_order_event(self, event: OrderEvent) -> None:
        """Keep an event and make its order what its events say; once per event id.

        It may come before its order, which then starts as the event says.

        Raises:
            InvalidValue: a value of the event breaks a rule of the schema.
        """

        async def work(conn: _Connection) -> None:
            await orders.lock_crossmint_orders(
                conn, crossmint_order_ids=[event.crossmint_order_id]
            )
            kept = await orders.insert_order_event(
                conn,
                id=event.id,
                crossmint_order_id=event.crossmint_order_id,
                type=event.type,
                payment_hash=event.payment_hash,
                amount_usdc=event.amount_usdc,
                payload=event.payload,
            )
            order_id = kept and await orders.lock_owner_of_crossmint_order(
                conn, crossmint_order_id=event.crossmint_order_id
            )
            if order_id:
                await self._recompute(conn, order_id)

        await self.atomically(work)

    async def cancel_order(self, user_id: UUID, order_id: UUID) -> Order:
        """Cancel an order that the user no longer wants; its item returns to the cart.

        An order that is cancelled already is returned as it is.

        Raises:
            OrderNotFound: the user has no such order.
            OrderNotCancellable: it is not awaiting approval.
        """

        async def work(conn: _Connection) -> Order:
            # The user's lock is enough: an event that comes at the same time takes it
            # too before it recomputes the status.
            await users.lock_user(conn, id=user_id)
            order = await orders.get_order(conn, id=order_id, user_id=user_id)
            if order is None:
                raise errors.OrderNotFound(order_id)
            if order.status == OrderStatus.CANCELLED:
                return order
            waiting = order.status == OrderStatus.AWAITING_APPROVAL
            if not waiting or order.type != OrderType.CHECKOUT:
                raise errors.OrderNotCancellable(order_id, order.status)
            await orders.insert_order_cancellation(conn, order_id=order_id)
            return await self._recompute(conn, order_id) or order

        return await self.atomically(work)

    async def attach_crossmint_order(
        self,
        user_id: UUID,
        order_id: UUID,
        crossmint_order_id: str,
        *,
        amount_usdc: Decimal | None = None,
    ) -> Order:
        """Name the Crossmint order of a checkout that was placed without; once.

        Events that came before are applied at once. The same call again returns the
        order as it is by then. ``amount_usdc`` has at most 6 decimals.

        Raises:
            OrderNotFound: the user has no such order.
            CheckoutConflict: it has another Crossmint order.
            AlreadyExists: another order has this Crossmint order.
        """

        async def work(conn: _Connection) -> Order:
            await orders.lock_crossmint_orders(
                conn, crossmint_order_ids=[crossmint_order_id]
            )
            await users.lock_user(conn, id=user_id)
            order = await orders.attach_crossmint_order(
                conn,
                id=order_id,
                user_id=user_id,
                crossmint_order_id=crossmint_order_id,
                amount_usdc=amount_usdc,
            )
            if order:
                return await self._recompute(conn, order_id) or order
            if await orders.get_order(conn, id=order_id, user_id=user_id):
                raise errors.CheckoutConflict("orders_crossmint_order_id_key")
            raise errors.OrderNotFound(order_id)

        return await self.atomically(work)

    async def _recompute(self, conn: _Connection, order_id: UUID) -> Order | None:
        """Recompute an order under its locks, and move its cart item accordingly."""
        for changed in await orders.recompute_orders(conn, ids=[order_id]):
            after = changed.order.status
            if after == changed.status_before:
                pass
            elif after == OrderStatus.CANCELLED:
                await carts.restore_cart_item(conn, order_id=order_id)
            elif changed.status_before == OrderStatus.CANCELLED:
                await carts.retake_cart_item(conn, order_id=order_id)
            if self.settings.cart_service == "onchain":
                await mirror(conn, [changed.order.user_id])
            return changed.order
        return None
