"""Storms: calls of a store that are cut off at random points, and what is left then.

    python -m tests.support.storms KIND CALLS [SEED]

Starts a server of its own, unless TEST_DATABASE_URL names one. The kinds: `timeouts`
(asyncio.timeout), `repeated` (a cancellation at every await, as anyio does), `ended`
(timeouts, while backends are ended), `signals` (in blocking code). Prints what
happened, and ends with 1 if anything was lost.
"""

import asyncio
import gc
import json
import logging
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg

from generated import users
from generated.aio import users as aio_users
from generated.internal import user_steps
from generated.internal.aio import user_steps as aio_user_steps
from generated.models import CartItem
from postgres_testing import databases, servers
from store import AsyncStore, Settings, Store, errors
from store_testing import factories
from store_testing.schema import SCHEMA

__all__ = ["KINDS", "Outcome", "run"]

POOL_SIZE = 5
_TASKS = 12
_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'chat-commerce-store'"
)


@dataclass
class Outcome:
    """What a storm did, and what it left: the lists are empty if all is well."""

    lost: list[str] = field(default_factory=list[str])
    logged: list[str] = field(default_factory=list[str])
    unforeseen: list[str] = field(default_factory=list[str])
    calls: Counter[str] = field(default_factory=Counter[str])
    most_sessions: int = 0
    latest: float = 0
    seconds: float = 0


class _Shop:
    """Users, and items to check out, of which nothing may ever be half there."""

    def __init__(self, url: str, calls: int, generator: random.Random) -> None:
        self.random = generator
        with psycopg.connect(url, autocommit=True) as conn:
            self.pair = factories.add_user(conn), factories.add_user(conn)
            self.buyer = factories.add_user(conn)
            self.items: list[CartItem] = [
                factories.add_item(conn, self.buyer) for _ in range(calls // 4 + 1)
            ]

    def verify(self, url: str, outcome: Outcome) -> None:
        """Look for what is half written."""
        with psycopg.connect(url, autocommit=True) as conn:
            names = {
                user.display_name
                for each in self.pair
                if (user := users.get_user(conn, id=each))
            }
            if len(names) != 1:
                outcome.lost.append("a transaction is half there")
            [(torn,)] = conn.execute(
                "SELECT count(*) FROM orders FULL JOIN order_items"
                " ON order_items.order_id = orders.id LEFT JOIN cart_items"
                " ON cart_items.id = order_items.cart_item_id"
                " WHERE orders.id IS NULL OR order_items.id IS NULL"
                " OR cart_items.deleted_at IS NULL"
            )
            if torn:
                outcome.lost.append(f"{torn} checkouts are half there")


class _Log(logging.Handler):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(logging.WARNING)
        self.outcome = outcome

    def emit(self, record: logging.LogRecord) -> None:
        self.outcome.logged.append(f"{record.name}: {record.getMessage()}")


@contextmanager
def _watched(url: str, outcome: Outcome) -> Generator[None]:
    """Collect all that is logged or warned of, and look how many sessions there are."""
    over = threading.Event()

    def watch() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            while not over.wait(0.01):
                conn.execute("SELECT pg_stat_clear_snapshot()")
                [(count,)] = conn.execute(_SESSIONS)
                outcome.most_sessions = max(outcome.most_sessions, count)

    def unraisable(problem: "sys.UnraisableHookArgs") -> None:
        if problem.exc_type is not _Interrupt:  # Python could not raise it there
            outcome.logged.append(f"unraisable: {problem.exc_value!r}")

    warnings.simplefilter("error")
    sys.unraisablehook = unraisable
    watcher = threading.Thread(target=watch)
    handler = _Log(outcome)
    logging.getLogger().addHandler(handler)
    watcher.start()
    start = time.monotonic()
    try:
        yield
    finally:
        outcome.seconds = time.monotonic() - start
        over.set()
        watcher.join()
        logging.getLogger().removeHandler(handler)


# Awaited


async def _call(store: AsyncStore, shop: _Shop) -> str:
    kind = shop.random.choice(["read", "read", "transaction", "checkout", "bound"])
    if kind == "read":
        async with store.connection() as conn:
            await aio_users.get_user(conn, id=shop.buyer)
    elif kind == "checkout" and shop.items:
        item = shop.items.pop()
        with suppress(errors.ItemUnavailable):
            await store.checkout(shop.buyer, [factories.line(item, str(item.id))])
    else:
        name = str(uuid4())
        async with store.transaction() as conn:
            await aio_user_steps.lock_user(conn, id=shop.pair[0])
            if kind == "bound":
                with suppress(errors.OrderNotFound):
                    await store.within(conn).cancel_order(shop.pair[0], UUID(int=0))
            for each in shop.pair:
                await aio_users.set_display_name(conn, id=each, display_name=name)
    return kind


async def _timed(work: Awaitable[str], seconds: float) -> str:
    async with asyncio.timeout(seconds):
        return await work


async def _repeated(work: Awaitable[str], seconds: float) -> str:
    """Cancel as anyio does: at each turn of the loop, until the task has ended."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        if not task.done():
            task.cancel()
            loop.call_soon(cancel)

    timer = loop.call_later(seconds, cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise TimeoutError from None
    finally:
        timer.cancel()


async def _await_calls(
    store: AsyncStore,
    shop: _Shop,
    outcome: Outcome,
    calls: int,
    *,
    cut: Callable[[Awaitable[str], float], Awaitable[str]],
    tolerated: tuple[type[BaseException], ...],
) -> None:
    longest = 0.02

    async def caller() -> None:
        nonlocal longest
        while outcome.calls.total() < calls:
            seconds = shop.random.uniform(0, longest)
            start = time.monotonic()
            try:
                outcome.calls[await cut(_call(store, shop), seconds)] += 1
                longest = max(0.005, longest * 0.98)  # about half are to be cut
            except TimeoutError:
                outcome.calls["cut"] += 1
                longest = min(0.2, longest * 1.02)
                late = time.monotonic() - start - seconds
                outcome.latest = max(outcome.latest, late)
            except tolerated:
                outcome.calls["failed"] += 1
            except Exception as error:
                outcome.unforeseen.append(repr(error))
                outcome.calls["unforeseen"] += 1

    await asyncio.gather(*(caller() for _ in range(_TASKS)))


async def _count(store: AsyncStore, shop: _Shop, outcome: Outcome) -> None:
    if len(asyncio.all_tasks()) > 1:
        outcome.lost.append("tasks are left")
    try:
        async with AsyncExitStack() as stack:
            for _ in range(POOL_SIZE):
                lender = store.limited(acquire=2).connection()
                conn = await stack.enter_async_context(lender)
                await aio_users.get_user(conn, id=shop.buyer)
    except errors.Unavailable:
        outcome.lost.append(f"connections: {store.statistics}")


def _awaiting(
    cut: Callable[[Awaitable[str], float], Awaitable[str]], *, ending: bool = False
) -> Callable[[str, int, random.Random, Outcome], None]:
    def storm(url: str, calls: int, generator: random.Random, outcome: Outcome) -> None:
        shop = _Shop(url, calls, generator)
        tolerated = (errors.ConnectionLost, errors.OutcomeUnknown) if ending else ()

        async def work() -> None:
            async with AsyncStore(Settings.load(database_url=url)) as store:
                with _backends_ended(url) if ending else ExitStack():
                    await _await_calls(
                        store, shop, outcome, calls, cut=cut, tolerated=tolerated
                    )
                await _count(store, shop, outcome)

        with _watched(url, outcome):
            asyncio.run(work())
        shop.verify(url, outcome)

    return storm


@contextmanager
def _backends_ended(url: str) -> Generator[None]:
    over = threading.Event()

    def end() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            while not over.wait(0.1):
                conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database()"
                    " AND application_name = 'chat-commerce-store'"
                    " ORDER BY random() LIMIT 1"
                )

    ender = threading.Thread(target=end)
    ender.start()
    try:
        yield
    finally:
        over.set()
        ender.join()


# Blocking


class _Interrupt(Exception):
    """What a signal raises, wherever the main thread is."""


def _block(store: Store, shop: _Shop) -> str:
    kind = shop.random.choice(["read", "read", "transaction", "checkout"])
    if kind == "read":
        with store.connection() as conn:
            users.get_user(conn, id=shop.buyer)
    elif kind == "checkout" and shop.items:
        item = shop.items.pop()
        with suppress(errors.ItemUnavailable):
            store.checkout(shop.buyer, [factories.line(item, str(item.id))])
    else:
        name = str(uuid4())
        with store.transaction() as conn:
            user_steps.lock_user(conn, id=shop.pair[0])
            for each in shop.pair:
                users.set_display_name(conn, id=each, display_name=name)
    return kind


def _signals(url: str, calls: int, generator: random.Random, outcome: Outcome) -> None:
    shop = _Shop(url, calls, generator)
    armed = False

    def interrupt(*_: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise _Interrupt

    def one_call(store: Store, longest: float) -> bool:
        nonlocal armed
        try:
            signal.setitimer(signal.ITIMER_REAL, generator.uniform(0.0001, longest))
            try:
                armed = True
                outcome.calls[_block(store, shop)] += 1
            finally:
                armed = False
                signal.setitimer(signal.ITIMER_REAL, 0)
        except _Interrupt:
            outcome.calls["cut"] += 1
            return True
        except Exception as error:
            outcome.unforeseen.append(repr(error))
            outcome.calls["unforeseen"] += 1
        return False

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with _watched(url, outcome), Store(Settings.load(database_url=url)) as store:
            longest = 0.02
            while outcome.calls.total() < calls:
                longest *= 1.02 if one_call(store, longest) else 0.98
                longest = min(0.2, max(0.002, longest))
            gc.collect()
            try:
                with ExitStack() as stack:
                    for _ in range(POOL_SIZE):
                        lender = store.limited(acquire=2).connection()
                        users.get_user(stack.enter_context(lender), id=shop.buyer)
            except errors.Unavailable:
                outcome.lost.append(f"connections: {store.statistics}")
    finally:
        signal.signal(signal.SIGALRM, before)
    shop.verify(url, outcome)


KINDS: dict[str, Callable[[str, int, random.Random, Outcome], None]] = {
    "timeouts": _awaiting(_timed),
    "repeated": _awaiting(_repeated),
    "ended": _awaiting(_timed, ending=True),
    "signals": _signals,
}


def run(kind: str, url: str, calls: int, seed: int) -> Outcome:
    """Let a storm pass over an empty database."""
    outcome = Outcome()
    KINDS[kind](url, calls, random.Random(seed), outcome)  # noqa: S311 - no secret
    return outcome


def _main(kind: str, calls: str, seed: str = "") -> int:
    chosen = int(seed) if seed else random.randrange(1 << 30)  # noqa: S311 - no secret
    if url := os.environ.get("STORM_DATABASE_URL"):
        outcome = run(kind, url, int(calls), chosen)
    else:
        with (
            servers.choose().start() as server,
            databases.template(server.url, SCHEMA.build) as template,
            template.clone() as url,
        ):
            outcome = run(kind, url, int(calls), chosen)
    print(json.dumps({"kind": kind, "seed": chosen, **vars(outcome)}))
    return int(bool(outcome.lost or outcome.unforeseen))


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
