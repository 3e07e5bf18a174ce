"""What happens to an order after it was placed: events, and a change of mind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from generated.aio import deposits, orders, users
from generated.enums import OrderStatus, OrderType
from generated.internal.aio import cart_steps, deposit_steps, order_steps, user_steps
from generated.internal.order_steps import ListCheckoutsToGiveUpRow, RecomputeOrdersRow
from generated.models import Order
from store import addresses, errors, webhooks
from store.orders import (
    ForgottenEvents,
    GivenUpOrder,
    OrderPage,
    ReceivedEvent,
    RecordedDeposit,
)
from store.webhooks import OrderEvent

from .chain import mirror_order_items
from .database import AsyncDatabase

_Connection = AsyncConnection[TupleRow]

# A transaction's worth: of locks held together, and of work lost if it fails.
_CHECKOUTS_AT_ONCE = 50
_EVENTS_AT_ONCE = 1000


class AsyncOrders(AsyncDatabase):
    """The order events of a store. All methods raise DatabaseError, too."""

    async def receive_order_event(
        self, body: bytes, headers: Mapping[str, str]
    ) -> ReceivedEvent:
        """Take a Crossmint webhook as it came: verify, keep and apply its event.

        Whatever is signed is kept, of an order that is here or not, of a known type or
        none, and is to be answered with 200.

        Raises:
            ConfigurationError: CROSSMINT_WEBHOOK_SECRETS is missing.
            SignatureInvalid: none of its secrets signed this body.

        Example:
            ```python
            try:
                received = await store.receive_order_event(body, headers)
            except errors.SignatureInvalid:
                status = 401
            else:
                status = 200  # of an unknown order or type, and again, too
            ```
        """
        event = webhooks.verify(body, headers, self.settings.webhook_secrets())
        return await self.record_order_event(event)

    async def record_order_event(self, event: OrderEvent) -> ReceivedEvent:
        """Keep an event and make its order what its events say; once per event id.

        It may come before its order, which then starts as the event says.

        Raises:
            InvalidValue: a value of the event breaks a rule of the schema; of one that
                `receive_order_event` reads, none does.

        Example:
            ```python
            event = OrderEvent(
                id="msg_1",
                type="orders.payment.succeeded",
                crossmint_order_id="crossmint-1",
            )
            received = await store.record_order_event(event)
            assert received.is_first
            ```
        """
        named = event.crossmint_order_id
        body = event.bytes_to_keep()

        async def work(conn: _Connection) -> ReceivedEvent:
            if named is not None:
                await order_steps.lock_crossmint_orders(
                    conn, crossmint_order_ids=[named]
                )
            kept = await order_steps.insert_order_event(
                conn,
                id=event.id,
                crossmint_order_id=named,
                type=event.type,
                payment_hash=event.payment_hash,
                amount_usdc=event.amount_usdc,
                quoted_usdc=event.quoted_usdc,
                received_usdc=event.received_usdc,
                amount=event.amount,
                currency=event.currency,
                is_json=event.payload is not None,
                body=body,
            )
            if kept is None:
                return await self._received_before(conn, event)
            order_id = named and await order_steps.lock_owner_of_crossmint_order(
                conn, crossmint_order_id=named
            )
            made = await self._recompute(conn, order_id) if order_id else None
            if named and not order_id:
                await order_steps.strip_retired_event(conn, id=event.id)
            applied = made if made and made.order.type == OrderType.CHECKOUT else None
            return ReceivedEvent(
                event=event,
                is_first=True,
                order=made.order if made else None,
                status_before=applied.status_before if applied else None,
                status_after=applied.order.status if applied else None,
                is_announced=False,
            )

        return await self.atomically(work)

    async def cancel_order(self, user_id: UUID, order_id: UUID) -> Order:
        """Cancel an order that the user no longer wants; its item returns to the cart.

        An order that is cancelled already is returned as it is.

        Raises:
            OrderNotFound: the user has no such order.
            OrderNotCancellable: it is not awaiting approval.

        Example:
            ```python
            cancelled = await store.cancel_order(user.id, placed.order.id)
            assert cancelled.status == "cancelled"
            ```
        """

        async def work(conn: _Connection) -> Order:
            # The user's lock is enough: an event that comes at the same time takes it
            # too before it recomputes the status.
            await user_steps.lock_user(conn, id=user_id)
            order = await orders.get_order(conn, id=order_id, user_id=user_id)
            if order is None:
                raise errors.OrderNotFound(order_id)
            if order.status == OrderStatus.CANCELLED:
                return order
            waiting = order.status == OrderStatus.AWAITING_APPROVAL
            if not waiting or order.type != OrderType.CHECKOUT:
                raise errors.OrderNotCancellable(order_id, order.status)
            await order_steps.insert_order_cancellation(conn, order_id=order_id)
            made = await self._recompute(conn, order_id)
            return made.order if made else order

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
            AlreadyExists: it has another Crossmint order, or another order has this
                one.

        Example:
            ```python
            order = await store.attach_crossmint_order(
                user.id, placed.order.id, "crossmint-1", amount_usdc=Decimal("14.90")
            )
            assert order.crossmint_order_id == "crossmint-1"
            ```
        """

        async def work(conn: _Connection) -> Order:
            await order_steps.lock_crossmint_orders(
                conn, crossmint_order_ids=[crossmint_order_id]
            )
            await user_steps.lock_user(conn, id=user_id)
            order = await order_steps.attach_crossmint_order(
                conn,
                id=order_id,
                user_id=user_id,
                crossmint_order_id=crossmint_order_id,
                amount_usdc=amount_usdc,
            )
            if order:
                made = await self._recompute(conn, order_id)
                return made.order if made else order
            if await orders.get_order(conn, id=order_id, user_id=user_id):
                raise errors.AlreadyExists(
                    "the order has another Crossmint order",
                    constraint="orders_crossmint_order_id_key",
                )
            raise errors.OrderNotFound(order_id)

        return await self.atomically(work)

    async def attach_transaction(
        self, crossmint_order_id: str, tx_digest: str
    ) -> Order:
        """Record the Sui digest that paid for a Crossmint order on chain; once.

        The same digest again returns the order as it is by then.

        Raises:
            InvalidValue: it is no Sui digest.
            OrderNotFound: no checkout has this Crossmint order.
            AlreadyExists: it has another digest, or another order has this one.

        Example:
            ```python
            await store.attach_crossmint_order(user.id, placed.order.id, "crossmint-1")
            digest = "44PMwfFs4tfN4ujLy5xwpiGxQfa9abP5HFYtub8vgHXn"
            order = await store.attach_transaction("crossmint-1", digest)
            assert order.tx_hash == digest
            ```
        """
        digest = addresses.sui_digest(tx_digest, place="tx_digest")
        for _ in range(2):  # again if the order was only placed between the two
            try:
                async with self.connection() as conn:
                    order = await order_steps.attach_transaction_by_crossmint_order(
                        conn, crossmint_order_id=crossmint_order_id, tx_hash=digest
                    )
            except errors.AlreadyExists:
                order = None  # of two orders at once the other one was first
            if order:
                return order
            async with self.connection() as conn:
                there = await orders.get_order_by_crossmint_order(
                    conn, crossmint_order_id=crossmint_order_id
                )
            if there is None:
                raise errors.OrderNotFound(crossmint_order_id=crossmint_order_id)
        raise errors.AlreadyExists(
            "the order has another digest already, or the digest is another order's",
            constraint="orders_tx_hash_key",
        )

    async def page_orders(
        self,
        user_id: UUID,
        *,
        page: int = 1,
        limit: int = 20,
        type: OrderType | None = None,  # noqa: A002 - the column's name
        status: OrderStatus | None = None,
    ) -> OrderPage:
        """Give a numbered page of a user's orders, the newest first, and the total.

        Pages are counted from 1. Each checkout comes with its snapshot. Where orders
        come in between, one may be on two pages; `list_orders` has no such gaps, and
        costs the same however far back it reads.

        Raises:
            InvalidValue: the page or the limit is below 1.

        Example:
            ```python
            page = await store.page_orders(user.id, page=1, limit=20)
            assert page.total == len(page.orders) == 1
            ```
        """
        for place, given in (("page", page), ("limit", limit)):
            if given < 1:
                raise errors.InvalidValue("1 or more", place=place)
        async with self.connection() as conn:
            rows = await order_steps.page_orders(
                conn,
                user_id=user_id,
                type=type,
                status=status,
                max_rows=limit,
                skip_rows=(page - 1) * limit,
            )
            if rows:
                return OrderPage(rows, rows[0].total)
            total = await orders.count_orders(
                conn, user_id=user_id, type=type, status=status
            )
        return OrderPage(rows, total or 0)

    async def give_up_checkouts(
        self, older_than: timedelta, *, max_orders: int = 1000
    ) -> list[GivenUpOrder]:
        """Cancel checkouts that have awaited approval for longer than that.

        Their items return to the carts, however full those are, and money that comes
        later still wins. Left alone are deposits, orders whose payment the chain has
        seen, and adopted ones without a snapshot. The oldest go first, in transactions
        of 50, which several workers may run at once. Each is an event `store.given_up`,
        which waits to be announced like those of Crossmint.

        Raises:
            PartlyDone: ``done`` has the orders of the transactions before, which are
                given up; the next call takes the rest.

        Example:
            ```python
            for given_up in await store.give_up_checkouts(timedelta(hours=24)):
                print(given_up.order.id, given_up.item_in_cart)
            ```
        """
        given_up: list[GivenUpOrder] = []
        last: ListCheckoutsToGiveUpRow | None = None
        try:
            while len(given_up) < max_orders:
                async with self.connection() as conn:
                    batch = await order_steps.list_checkouts_to_give_up(
                        conn,
                        older_than=older_than,
                        after_created_at=last.created_at if last else None,
                        after_id=last.id if last else None,
                        max_rows=min(_CHECKOUTS_AT_ONCE, max_orders - len(given_up)),
                    )
                if not batch:
                    break
                given_up += await self._give_up(batch)
                last = batch[-1]
        except errors.StoreError as reason:
            if not given_up or self._bound is not None:
                raise  # nothing is committed: within a transaction, not yet
            raise errors.PartlyDone(given_up, reason) from None
        return given_up

    async def _give_up(
        self, batch: Sequence[ListCheckoutsToGiveUpRow]
    ) -> list[GivenUpOrder]:
        order_ids = [each.id for each in batch]

        async def work(conn: _Connection) -> list[GivenUpOrder]:
            # As for a cancellation, the users' locks are enough.
            await order_steps.lock_owners_of_orders(conn, order_ids=order_ids)
            ids = await order_steps.insert_givings_up(conn, order_ids=order_ids)
            gone = [each for each in ids if each]
            changed = await order_steps.recompute_orders(conn, ids=gone)
            given_up = [each.order for each in changed]
            given_up.sort(key=lambda order: (order.created_at, order.id))
            for order in given_up:
                await cart_steps.restore_cart_item(conn, order_id=order.id)
            if self.settings.cart_service == "onchain":
                await mirror_order_items(conn, gone)
            back = set(
                await order_steps.list_orders_with_item_in_cart(conn, order_ids=gone)
            )
            return [GivenUpOrder(order, order.id in back) for order in given_up]

        return await self.atomically(work)

    async def forget_order_events(
        self, older_than: timedelta, *, max_events: int = 100_000
    ) -> ForgottenEvents:
        """Drop the payloads of events that came longer ago than that.

        Events that never have an effect (quotes, and types that nobody knows) are
        deleted, announced or not. Statuses, hashes and amounts of orders stay, and so
        does every event that they come from. The oldest go first, in transactions of
        1,000. Nothing is forgotten unless this is called.

        Raises:
            PartlyDone: ``done`` counts those of the transactions before, which are
                forgotten; the next call takes the rest.

        Example:
            ```python
            forgotten = await store.forget_order_events(timedelta(days=90))
            print(forgotten.stripped, "stripped,", forgotten.deleted, "deleted")
            ```
        """
        stripped = deleted = 0
        try:
            while stripped + deleted < max_events:
                async with self.connection() as conn:
                    batch = await order_steps.forget_order_events(
                        conn,
                        older_than=older_than,
                        max_rows=min(_EVENTS_AT_ONCE, max_events - stripped - deleted),
                    )
                if batch.stripped + batch.deleted == 0:
                    break
                stripped += batch.stripped
                deleted += batch.deleted
        except errors.StoreError as reason:
            if stripped + deleted == 0 or self._bound is not None:
                raise  # nothing is committed: within a transaction, not yet
            done = ForgottenEvents(stripped, deleted)
            raise errors.PartlyDone(done, reason) from None
        return ForgottenEvents(stripped, deleted)

    async def record_deposit(
        self, user_id: UUID, tx_hash: str, amount_usdc: Decimal
    ) -> RecordedDeposit:
        """Record a transaction that was verified on chain as the user's deposit; once.

        It is payment_confirmed then, and waits to be credited. Recorded before for the
        same user, it is returned as it is by now, and not as the first. ``amount_usdc``
        is not negative and has at most 6 decimals.

        Raises:
            UserNotFound: there is no such user.
            AlreadyExists: the transaction is another user's, or paid for an order.
            InvalidValue: the amount or the hash breaks a rule of the schema.

        Example:
            ```python
            tx_hash = "0x" + "5eed" * 16
            recorded = await store.record_deposit(user.id, tx_hash, Decimal("25.5"))
            assert recorded.is_first
            ```
        """
        if isinstance(amount_usdc, float):
            raise errors.InvalidValue("Decimal", place="amount_usdc")
        async with self.connection() as conn:
            recorded = await deposit_steps.insert_verified_deposit(
                conn, user_id=user_id, tx_hash=tx_hash, amount_usdc=amount_usdc
            )
            if recorded:
                return RecordedDeposit(recorded, is_first=True)
            there = await deposits.get_deposit(conn, user_id=user_id, tx_hash=tx_hash)
            if there:
                return RecordedDeposit(there, is_first=False)
            if await users.get_user(conn, id=user_id) is None:
                raise errors.UserNotFound(user_id)
        raise errors.AlreadyExists(
            "the transaction is used already", constraint="orders_tx_hash_key"
        )

    async def _received_before(
        self, conn: _Connection, event: OrderEvent
    ) -> ReceivedEvent:
        kept = await order_steps.get_received_event(conn, id=event.id)
        return ReceivedEvent(
            event=event,
            is_first=False,
            order=kept.order if kept else None,
            status_before=kept.status_before if kept else None,
            status_after=kept.status_after if kept else None,
            is_announced=bool(kept and kept.announced_at),
        )

    async def _recompute(
        self, conn: _Connection, order_id: UUID
    ) -> RecomputeOrdersRow | None:
        """Recompute an order under its locks, and move its cart item accordingly.

        A paid order's item is not in the cart, whatever brought it there; on a change
        into cancelled it comes back. Gives the order and the status that it had.
        """
        for changed in await order_steps.recompute_orders(conn, ids=[order_id]):
            made = changed
            break
        else:
            found = await order_steps.reread_order(conn, id=order_id)
            if found is None:
                return None
            made = RecomputeOrdersRow(found, found.status)
        if made.order.type != OrderType.CHECKOUT:
            return made
        if made.order.status == OrderStatus.CANCELLED:
            if made.status_before != OrderStatus.CANCELLED:
                await cart_steps.restore_cart_item(conn, order_id=order_id)
        elif made.order.status != OrderStatus.AWAITING_APPROVAL:
            await cart_steps.take_cart_item_of_order(conn, order_id=order_id)
        if self.settings.cart_service == "onchain":
            await mirror_order_items(conn, [order_id])
        return made
