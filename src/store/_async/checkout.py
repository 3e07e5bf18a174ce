"""Checkout: cart items become orders, all or nothing, in one network flight."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from generated.aio import carts, orders
from store import checkouts, errors
from store.checkouts import CheckoutLine, PlacedOrder

from .database import AsyncDatabase


class AsyncCheckout(AsyncDatabase):
    """The checkout of a store. All methods raise DatabaseError, too."""

    async def checkout(
        self, user_id: UUID, lines: Sequence[CheckoutLine]
    ) -> list[PlacedOrder]:
        """Turn items of the user's cart into orders, one a line, in the lines' order.

        The same lines with their Crossmint orders (or transactions) again give the
        first result, whatever the orders' status by now.

        Raises:
            EmptyCheckout: no line.
            RepeatedItem: two lines name one item, Crossmint order or transaction.
            ItemUnavailable: an item is not in the user's cart.
            PriceChanged: an item costs another price than the line expects.
            CheckoutConflict: a Crossmint order or transaction belongs to another one.
            InvalidValue: an id, amount or hash breaks a rule of the schema.
        """
        checkouts.refuse_malformed(lines)
        try:
            return await self._retried(lambda: self._place(user_id, lines))
        except (errors.AlreadyExists, errors.InvalidValue) as refusal:
            if placed := await self._placed_before(user_id, lines):
                return placed
            raise await self._reason(user_id, lines, refusal) from None

    async def _place(
        self, user_id: UUID, lines: Sequence[CheckoutLine]
    ) -> list[PlacedOrder]:
        """Send everything, COMMIT included, before anything is fetched.

        Nobody looks in between, so the database itself refuses: an item that could not
        be claimed breaks the snapshot's NOT NULL.
        """
        ids = [uuid4() for _ in lines]
        crossmint_order_ids = checkouts.crossmint_order_ids(lines)
        async with self.transaction() as conn:
            if crossmint_order_ids:
                await orders.lock_crossmint_orders(
                    conn, crossmint_order_ids=crossmint_order_ids
                )
            created = await orders.send_create_orders(
                conn,
                user_id=user_id,
                checkout_id=uuid4(),
                ids=ids,
                crossmint_order_ids=[line.crossmint_order_id for line in lines],
                amounts_usdc=[line.amount_usdc for line in lines],
                tx_hashes=[line.tx_hash for line in lines],
            )
            # An event may have come before the order.
            recomputed = await orders.send_recompute_orders(conn, ids=ids)
            claimed = await carts.send_claim_cart_items(
                conn,
                user_id=user_id,
                order_ids=ids,
                cart_item_ids=[line.cart_item_id for line in lines],
                expected_prices=[line.expected_price for line in lines],
            )
        order_by_id = {order.id: order for order in await created()}
        order_by_id.update({row.order.id: row.order for row in await recomputed()})
        item_by_order = {item.order_id: item for item in await claimed()}
        return [PlacedOrder(order_by_id[each], item_by_order[each]) for each in ids]

    async def _placed_before(
        self, user_id: UUID, lines: Sequence[CheckoutLine]
    ) -> list[PlacedOrder] | None:
        async with self.connection() as conn:
            rows = await orders.list_orders_of_checkouts(
                conn,
                user_id=user_id,
                crossmint_order_ids=checkouts.crossmint_order_ids(lines),
                tx_hashes=checkouts.tx_hashes(lines),
            )
        placed = [PlacedOrder(row.order, row.order_item) for row in rows]
        return checkouts.same_checkout(lines, placed)

    async def _reason(
        self,
        user_id: UUID,
        lines: Sequence[CheckoutLine],
        refusal: errors.AlreadyExists | errors.InvalidValue,
    ) -> errors.StoreError:
        if isinstance(refusal, errors.AlreadyExists):
            return errors.CheckoutConflict(refusal.constraint)
        if refusal.table != "order_items":
            return refusal
        wanted = {line.cart_item_id: line.expected_price for line in lines}
        async with self.connection() as conn:
            there = await carts.list_prices_in_cart(
                conn, user_id=user_id, ids=[*wanted]
            )
        changed = {row.id for row in there if wanted[row.id] not in {None, row.price}}
        if changed:
            return errors.PriceChanged(changed)
        return errors.ItemUnavailable(wanted.keys() - {row.id for row in there})
