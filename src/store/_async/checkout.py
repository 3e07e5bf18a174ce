"""Checkout: cart items become orders, all or nothing, in one round trip or two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from generated.internal.aio import cart_steps, order_steps
from generated.models import Order, OrderItem
from store import checkouts, errors
from store.checkouts import CheckoutLine, PlacedOrder
from store.limits import refuse_too_many
from store.products import ItemName

from .database import AsyncDatabase

# What the short way breaks where it is not enough: of an order with events, and of an
# item that is not there by that id, though perhaps by that name on chain.
_LONG_NEEDED = {("orders", "status"), ("order_items", "product_id")}


class AsyncCheckout(AsyncDatabase):
    """The checkout of a store. All methods raise DatabaseError, too."""

    async def checkout(
        self, user_id: UUID, lines: Sequence[CheckoutLine]
    ) -> list[PlacedOrder]:
        """Turn items of the user's cart into orders, one a line, in the lines' order.

        The same lines again, at least one of which names its Crossmint order, give the
        first result: whatever the orders' status by now, and whatever was attached to
        those that had none.

        Raises:
            EmptyCheckout: no line.
            TooMany: more than CHECKOUT_MAX_LINES lines.
            RepeatedItem: two lines name one item or Crossmint order.
            ItemUnavailable: an item is not in the user's cart.
            PriceChanged: an item costs another price than the line expects.
            AlreadyExists: a Crossmint order belongs to another checkout.
            InvalidValue: an id, price or amount breaks a rule of the schema, or an
                item's name is neither an id nor one on chain.

        Example:
            ```python
            line = CheckoutLine(
                cart_item_id=item.id,
                expected_price=item.price,
                crossmint_order_id="crossmint-1",
            )
            [bought] = await store.checkout(user.id, [line])
            assert bought.order.status == "awaiting_approval"
            assert await store.checkout(user.id, [line]) == [bought]  # once
            ```
        """
        limit = self.settings.checkout_max_lines
        refuse_too_many("lines", lines, limit, "CHECKOUT_MAX_LINES")
        names = checkouts.refuse_malformed(lines)
        try:
            return await self._retried(lambda: self._place(user_id, lines, names))
        except (errors.AlreadyExists, errors.InvalidValue) as refusal:
            if placed := await self._placed_before(user_id, lines, names):
                return placed
            raise await self._reason(user_id, lines, names, refusal) from None

    async def _place(
        self, user_id: UUID, lines: Sequence[CheckoutLine], names: Sequence[ItemName]
    ) -> list[PlacedOrder]:
        if self.settings.cart_service == "db" and all(name.id for name in names):
            try:
                return await self._send_short(user_id, lines, names)
            except errors.InvalidValue as refusal:
                if (refusal.table, refusal.column) not in _LONG_NEEDED:
                    raise
        return await self._send_long(user_id, lines, names)

    async def _send_short(
        self, user_id: UUID, lines: Sequence[CheckoutLine], names: Sequence[ItemName]
    ) -> list[PlacedOrder]:
        """Send what is enough where items go by their ids and no event came before.

        What it is not enough for, the schema refuses. It leaves the same rows as
        `_send_long`, in four fifths of the time.
        """
        ids = [uuid4() for _ in lines]
        async with self.transaction() as conn:
            created = await _create(conn, user_id, lines, ids, eventless=True)
            claimed = await cart_steps.send_claim_cart_items_by_id(
                conn,
                user_id=user_id,
                order_ids=ids,
                cart_item_ids=[name.id for name in names],
                expected_prices=[line.expected_price for line in lines],
            )
        return _placed(ids, await created(), await claimed())

    async def _send_long(
        self, user_id: UUID, lines: Sequence[CheckoutLine], names: Sequence[ItemName]
    ) -> list[PlacedOrder]:
        """Send everything, COMMIT included, before anything is fetched.

        Nobody looks in between, so the database itself refuses: an item that could not
        be claimed breaks the snapshot's NOT NULL.
        """
        ids = [uuid4() for _ in lines]
        async with self.transaction() as conn:
            created = await _create(conn, user_id, lines, ids, eventless=False)
            # An event may have come before the order.
            recomputed = await order_steps.send_recompute_orders(conn, ids=ids)
            claimed = await cart_steps.send_claim_cart_items(
                conn,
                user_id=user_id,
                order_ids=ids,
                cart_item_ids=[name.id for name in names],
                on_chain_object_ids=[name.on_chain_object_id for name in names],
                expected_prices=[line.expected_price for line in lines],
            )
        orders = [*await created(), *[row.order for row in await recomputed()]]
        return _placed(ids, orders, await claimed())

    async def _placed_before(
        self, user_id: UUID, lines: Sequence[CheckoutLine], names: Sequence[ItemName]
    ) -> list[PlacedOrder] | None:
        async with self.connection() as conn:
            rows = await order_steps.list_orders_of_checkouts(
                conn,
                user_id=user_id,
                crossmint_order_ids=checkouts.crossmint_order_ids(lines),
            )
        placed = [PlacedOrder(row.order, row.order_item) for row in rows]
        return checkouts.same_checkout(lines, names, placed)

    async def _reason(
        self,
        user_id: UUID,
        lines: Sequence[CheckoutLine],
        names: Sequence[ItemName],
        refusal: errors.AlreadyExists | errors.InvalidValue,
    ) -> errors.StoreError:
        if isinstance(refusal, errors.AlreadyExists) or refusal.table != "order_items":
            return refusal
        async with self.connection() as conn:
            items = await cart_steps.list_named_cart_items(
                conn,
                user_id=user_id,
                ids=[name.id for name in names if name.id],
                on_chain_object_ids=[
                    name.on_chain_object_id for name in names if name.on_chain_object_id
                ],
            )
        return checkouts.explain_refusal(lines, names, items)


async def _create(
    conn: AsyncConnection[Any],
    user_id: UUID,
    lines: Sequence[CheckoutLine],
    ids: Sequence[UUID],
    *,
    eventless: bool,
) -> Callable[[], Awaitable[list[Order]]]:
    crossmint_order_ids = checkouts.crossmint_order_ids(lines)
    if crossmint_order_ids:
        await order_steps.lock_crossmint_orders(
            conn, crossmint_order_ids=crossmint_order_ids
        )
    return await order_steps.send_create_orders(
        conn,
        user_id=user_id,
        checkout_id=uuid4(),
        ids=ids,
        crossmint_order_ids=[line.crossmint_order_id for line in lines],
        amounts_usdc=[line.amount_usdc for line in lines],
        eventless=eventless,
    )


def _placed(
    ids: Sequence[UUID], orders: Iterable[Order], items: Iterable[OrderItem]
) -> list[PlacedOrder]:
    """Match the orders, of which later ones count, with their snapshots."""
    order_by_id = {order.id: order for order in orders}
    item_by_order = {item.order_id: item for item in items}
    # Set by the snapshot, which came after the orders that were returned.
    for each, item in item_by_order.items():
        order_by_id[each].on_chain = item.on_chain_object_id is not None
    return [PlacedOrder(order_by_id[each], item_by_order[each]) for each in ids]
