"""What goes on beside the requests, in as many processes as there are.

Each worker may run in several at once: the store lets them take turns. They end by
being cancelled, which leaves nothing half done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from generated.aio import users
from store import errors

from .problems import Problem
from .services import Services, provision
from .standins import Aborted

Worker = Callable[[Services], Awaitable[object]]

_HANGS_AFTER = timedelta(minutes=10)
_log = logging.getLogger("examples.api.workers")


async def read_chain(services: Services) -> None:
    """Record the pages of chain events from where the last ones ended."""
    store = services.store
    cursor = await store.get_chain_cursor()
    while True:
        page = await services.chain.query_events(cursor.as_json() if cursor else None)
        try:
            recorded = await store.record_chain_page(page, asked_with=cursor)
        except errors.ChainCursorMoved as moved:  # another process was faster
            cursor = moved.stored
            continue
        cursor = recorded.cursor
        if not recorded.has_next_page:
            return


async def submit_checkouts(services: Services) -> None:
    """Check paid items out on chain, and record the digests."""
    page = await services.store.list_orders_without_digest()
    for row in page.rows:
        order, item = row.order, row.order_item
        if not (row.wallet_address and order.crossmint_order_id):
            continue
        with suppress(Aborted):  # done before: the chain's event brings the digest
            digest = await services.chain.check_out(
                row.wallet_address,
                item.on_chain_object_id or "",
                order.crossmint_order_id,
            )
            await services.store.attach_transaction(order.crossmint_order_id, digest)


async def give_up(services: Services) -> None:
    """Cancel what awaits approval for too long; the items return to the carts."""
    after = timedelta(hours=services.settings.give_up_hours)
    for given_up in await services.store.give_up_checkouts(after):
        _log.info("order %s was given up", given_up.order.id)


async def provision_hanging(services: Services) -> None:
    """Go on with the wallets whose provisioning ended with its process."""
    async with services.store.connection() as conn:
        hanging = await users.list_pending_wallets(
            conn, older_than=_HANGS_AFTER, max_rows=50
        )
    for user in hanging:
        async with services.store.connection() as conn:
            begun = await users.retry_wallet(
                conn, id=user.id, pending_since=user.wallet_status_since
            )
        if begun:
            with suppress(Problem):  # it is failed now: the next request begins anew
                await provision(services, begun)


def of(services: Services) -> tuple[Worker, ...]:
    """Give the workers that the carts' mode needs."""
    always = (give_up, provision_hanging)
    return (*always, read_chain, submit_checkouts) if services.onchain else always


@asynccontextmanager
async def running(services: Services) -> AsyncGenerator[None]:
    """Run the workers beside the block; they have ended when it ends."""
    tasks = [
        asyncio.create_task(_repeat(worker, services), name=worker.__name__)
        for worker in of(services)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(worker: Worker, services: Services) -> None:
    while True:
        try:
            await worker(services)
        except errors.StoreError as error:
            _log.warning("%s: %s", worker.__name__, error)
        except Exception:  # a mistake in one worker ends no other, and no request
            _log.exception("%s failed", worker.__name__)
        await asyncio.sleep(services.settings.worker_seconds)
