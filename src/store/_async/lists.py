"""Lists that are read page after page, each from the cursor of the one before."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from generated.enums import OrderStatus, OrderType
from generated.internal.aio import chain_steps, chat_steps, order_steps
from generated.internal.order_steps import (
    ListItemsPaidTwiceRow,
    ListOrdersRow,
    ListOrdersWithoutDigestRow,
    ListPaymentsWithoutOrderRow,
)
from generated.models import ChatSession, Order, SetAsideChainEvent
from store.pages import CursorPage, Listing

from .database import AsyncDatabase

_ORDERS = Listing("list_orders", UUID)
_CHAT_SESSIONS = Listing("list_chat_sessions", UUID)
_PAYMENTS_WITHOUT_ORDER = Listing("list_payments_without_order", str)
_ORDERS_WITHOUT_DIGEST = Listing("list_orders_without_digest", UUID)
_ITEMS_PAID_TWICE = Listing("list_items_paid_twice", UUID)
_PAYMENTS_THAT_DIFFER = Listing("list_payments_that_differ", UUID)
_SET_ASIDE = Listing("list_set_aside_chain_events", UUID)


class AsyncLists(AsyncDatabase):
    """The lists of a store that have pages.

    Without a cursor they begin at the beginning. All raise InvalidValue where the
    cursor is none that the same list gave, or ``max_rows`` is below 1.
    """

    async def list_orders(
        self,
        user_id: UUID,
        *,
        type: OrderType | None = None,  # noqa: A002 - the column's name
        status: OrderStatus | None = None,
        cursor: str | None = None,
        max_rows: int = 20,
    ) -> CursorPage[ListOrdersRow]:
        """List a user's orders, the newest first, each checkout with its product.

        Example:
            ```python
            page = await store.list_orders(user.id, max_rows=20)
            while page.next_cursor:
                page = await store.list_orders(user.id, cursor=page.next_cursor)
            ```
        """
        time, key = _ORDERS.position(cursor, max_rows)
        async with self.connection() as conn:
            rows = await order_steps.list_orders(
                conn,
                user_id=user_id,
                type=type,
                status=status,
                before_created_at=time,
                before_id=key,
                max_rows=max_rows + 1,
            )
        return _ORDERS.page(rows, max_rows, lambda row: _placed(row.order))

    async def list_chat_sessions(
        self, user_id: UUID, *, cursor: str | None = None, max_rows: int = 20
    ) -> CursorPage[ChatSession]:
        """List a user's chat sessions, the last touched first.

        One that is touched moves to the top: paging down repeats none, and misses only
        what is newer by now than the first page.

        Example:
            ```python
            page = await store.list_chat_sessions(user.id, max_rows=20)
            assert page.rows == [session]
            ```
        """
        time, key = _CHAT_SESSIONS.position(cursor, max_rows)
        async with self.connection() as conn:
            rows = await chat_steps.list_chat_sessions(
                conn,
                user_id=user_id,
                before_updated_at=time,
                before_id=key,
                max_rows=max_rows + 1,
            )
        return _CHAT_SESSIONS.page(
            rows, max_rows, lambda session: (session.updated_at, session.id)
        )

    async def list_payments_without_order(
        self, older_than: timedelta, *, cursor: str | None = None, max_rows: int = 100
    ) -> CursorPage[ListPaymentsWithoutOrderRow]:
        """List signed payments of all whose order is not here, the oldest first.

        Only what came longer ago than that; of an order that was deleted with its user,
        ``is_retired`` says so.

        Example:
            ```python
            page = await store.list_payments_without_order(timedelta(hours=1))
            for payment in page.rows:
                print(payment.id, payment.crossmint_order_id)
            ```
        """
        time, key = _PAYMENTS_WITHOUT_ORDER.position(cursor, max_rows)
        async with self.connection() as conn:
            rows = await order_steps.list_payments_without_order(
                conn,
                older_than=older_than,
                after_received_at=time,
                after_id=key,
                max_rows=max_rows + 1,
            )
        return _PAYMENTS_WITHOUT_ORDER.page(
            rows, max_rows, lambda row: (row.received_at, row.id)
        )

    async def list_orders_without_digest(
        self, *, cursor: str | None = None, max_rows: int = 100
    ) -> CursorPage[ListOrdersWithoutDigestRow]:
        """List paid orders of all with an item on chain and no digest, oldest first.

        Example:
            ```python
            page = await store.list_orders_without_digest()
            for row in page.rows:
                print("check out on chain:", row.order.id)
            ```
        """
        time, key = _ORDERS_WITHOUT_DIGEST.position(cursor, max_rows)
        async with self.connection() as conn:
            rows = await order_steps.list_orders_without_digest(
                conn,
                after_created_at=time,
                after_id=key,
                max_rows=max_rows + 1,
            )
        return _ORDERS_WITHOUT_DIGEST.page(
            rows, max_rows, lambda row: _placed(row.order)
        )

    async def list_items_paid_twice(
        self,
        user_id: UUID | None = None,
        *,
        cursor: str | None = None,
        max_rows: int = 100,
    ) -> CursorPage[ListItemsPaidTwiceRow]:
        """List orders whose money came late and is owed back, the oldest first.

        Something else paid for the same item, or for the same product in its place:
        ``other_order_ids``. Of one user, or of all.

        Example:
            ```python
            page = await store.list_items_paid_twice(user.id)
            for row in page.rows:
                print("pay back:", row.order.id, row.other_order_ids)
            ```
        """
        time, key = _ITEMS_PAID_TWICE.position(cursor, max_rows)
        async with self.connection() as conn:
            rows = await order_steps.list_items_paid_twice(
                conn,
                user_id=user_id,
                after_created_at=time,
                after_id=key,
                max_rows=max_rows + 1,
            )
        return _ITEMS_PAID_TWICE.page(rows, max_rows, lambda row: _placed(row.order))

    async def list_payments_that_differ(
        self, *, cursor: str | None = None, max_rows: int = 100
    ) -> CursorPage[Order]:
        """List orders of all that were paid less, or more, than was quoted.

        Example:
            ```python
            page = await store.list_payments_that_differ()
            for order in page.rows:
                print(order.id, order.quoted_usdc, order.received_usdc)
            ```
        """
        time, key = _PAYMENTS_THAT_DIFFER.position(cursor, max_rows)
        async with self.connection() as conn:
            rows = await order_steps.list_payments_that_differ(
                conn,
                after_created_at=time,
                after_id=key,
                max_rows=max_rows + 1,
            )
        return _PAYMENTS_THAT_DIFFER.page(rows, max_rows, _placed)

    async def list_set_aside_chain_events(
        self, *, cursor: str | None = None, max_rows: int = 100
    ) -> CursorPage[SetAsideChainEvent]:
        """List events of the chain that were set aside, the oldest first.

        Example:
            ```python
            page = await store.list_set_aside_chain_events()
            for event in page.rows:
                print(event.id, event.reason)
            ```
        """
        time, key = _SET_ASIDE.position(cursor, max_rows)
        async with self.connection() as conn:
            rows = await chain_steps.list_set_aside_chain_events(
                conn,
                after_set_aside_at=time,
                after_id=key,
                max_rows=max_rows + 1,
            )
        return _SET_ASIDE.page(
            rows, max_rows, lambda event: (event.set_aside_at, event.id)
        )


def _placed(order: Order) -> tuple[datetime, UUID]:
    return order.created_at, order.id
