"""A checkout whose connection is cut after any number of bytes, in either direction."""

import asyncio
import os
import random
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import psycopg
import pytest

from postgres_testing import proxy
from postgres_testing.proxy import Proxy, Sender
from store import AsyncStore, CheckoutLine, PlacedOrder, Store, errors
from store_testing import factories
from store_testing.history.calls import AnyStore, waited
from tests.support import stores

CUTS = 1 + int(os.environ.get("FAULT_CALLS", "0")) // 20
CHANCE = random.Random()  # noqa: S311 - no secret

# Of a checkout that says so, so many may be there.
ALLOWED = {"ConnectionLost": {0}, "OutcomeUnknown": {0, 1}}


@pytest.mark.parametrize("sender", ["client", "server"])
def test_a_checkout_cut_after_any_bytes(
    database_url: str, conn: psycopg.Connection, sender: Sender
) -> None:
    """It is as the error says, and the same checkout again gives the one result.

    One that is made in a transaction waits for its rows before COMMIT goes out: until
    then nothing was written, and the error says that, too.
    """
    outcomes = asyncio.run(_trials(database_url, conn, sender))
    done, lost = ("OutcomeUnknown", 1), ("OutcomeUnknown", 0)
    for kind in ("Store", "AsyncStore"):
        # The server answers when all is done.
        assert outcomes[kind, False] == ({lost, done} if sender == "client" else {done})
        assert outcomes[kind, True] >= {("ConnectionLost", 0), done}


_Outcomes = dict[tuple[str, bool], set[tuple[str, int]]]


async def _trials(url: str, conn: psycopg.Connection, sender: Sender) -> _Outcomes:
    """Cut checkouts after the first byte, in the last ones, and in between."""
    user_id = factories.add_user(conn)
    outcomes: _Outcomes = {}
    async with AsyncExitStack() as stack:
        tap = stack.enter_context(proxy.before(url))
        blocking = stack.enter_context(Store(stores.settings(tap.url)))
        opened = AsyncStore(stores.settings(tap.url))
        for store in (blocking, await stack.enter_async_context(opened)):
            for bound in (False, True):
                trial = _Trial(tap, conn, store, user_id, sender, bound=bound)
                outcomes[type(store).__name__, bound] = await trial.run()
    return outcomes


class _Trial:
    def __init__(
        self,
        tap: Proxy,
        conn: psycopg.Connection,
        store: AnyStore,
        user_id: UUID,
        sender: Sender,
        *,
        bound: bool,
    ) -> None:
        self.tap = tap
        self.conn = conn
        self.store = store
        self.user_id = user_id
        self.sender: Sender = sender
        self.bound = bound

    async def run(self) -> set[tuple[str, int]]:
        """Give the outcomes, each with the number of orders that were there."""
        await waited(self.store.ping())
        self.tap.reset()
        await self._checkout(self._line())
        size = self.tap.sent[self.sender]
        drawn = CHANCE.choices(range(2, size - 32), k=CUTS)
        outcomes = {await self._cut_after(number) for number in (1, *drawn)}
        assert None not in outcomes
        # The last bytes, which are an answer to COMMIT of 18. As times end with their
        # last digit that is no zero, one checkout's answers are longer than another's.
        last, number = None, size + 8
        while last is None:
            number -= 8  # less than that answer has
            last = await self._cut_after(number)
        outcomes.add(last)
        return {outcome for outcome in outcomes if outcome}

    async def _cut_after(self, number: int) -> tuple[str, int] | None:
        """Give what a checkout said and did; None if it was over before the cut."""
        line = self._line()
        self.tap.reset()
        with suppress(errors.ConnectionLost):  # cut behind the last answer's end
            await waited(self.store.ping())
        await waited(self.store.ping())  # there is a connection
        self.tap.cut_after_bytes(self.sender, number)
        try:
            await self._checkout(line)
        except (errors.ConnectionLost, errors.OutcomeUnknown) as told:
            outcome = type(told).__name__
        else:
            return None
        stored = self._stored(line)
        assert stored in ALLOWED[outcome], number
        [placed] = await waited(self.store.checkout(self.user_id, [line]))
        [again] = await waited(self.store.checkout(self.user_id, [line]))
        assert placed.order.id == again.order.id
        assert self._stored(line) == 1
        return outcome, stored

    async def _checkout(self, line: CheckoutLine) -> list[PlacedOrder]:
        if not self.bound:
            return await waited(self.store.checkout(self.user_id, [line]))
        if isinstance(self.store, AsyncStore):
            async with self.store.transaction() as conn:
                bound = self.store.within(conn)
                return await bound.checkout(self.user_id, [line])
        with self.store.transaction() as blocking:
            return self.store.within(blocking).checkout(self.user_id, [line])

    def _line(self) -> CheckoutLine:
        item = factories.add_item(self.conn, self.user_id)
        return factories.line(item, str(item.id))

    def _stored(self, line: CheckoutLine) -> int:
        """Count the orders of an item, each of which is there as a whole."""
        [(orders, snapshots, taken)] = self.conn.execute(
            "SELECT count(orders.id), count(order_items.id),"
            " count(cart_items.deleted_at) FROM cart_items"
            " LEFT JOIN order_items ON cart_item_id = cart_items.id"
            " LEFT JOIN orders ON crossmint_order_id = cart_items.id::text"
            " WHERE cart_items.id = %s",
            [line.cart_item_id],
        )
        assert orders == snapshots == taken
        assert isinstance(orders, int)
        return orders
