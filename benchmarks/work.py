"""What is measured, and who takes part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from . import (
    by_asyncpg,
    by_other_generators,
    by_psycopg,
    by_psycopg_steps,
    by_sqlalchemy,
    by_store,
    carts,
    chain,
    chats,
    connecting,
    crowd,
    lines,
    reading,
    webhooks,
)
from .by_processes import DJANGO, DRIZZLE
from .reading import Read
from .tasks import Contender, Opened, Task

STORE, GENERATED = "store", "generated function"
PIPELINE, ONE_CTE, BY_HAND = "psycopg, pipeline", "psycopg, one CTE", "psycopg by hand"
POOL_BY_HAND, ASYNCPG = "psycopg_pool by hand", "asyncpg"
ASYNCPG_ORJSON, SQLALCHEMY = "asyncpg, orjson", "SQLAlchemy ORM"
ONE_STATEMENT, BINARY_COPY = "psycopg, one statement", "psycopg, binary COPY"
ONE_BY_ONE = "psycopg, one by one"
SQLC_GEN_PYTHON, BETTER_PYTHON = "as sqlc-gen-python's", "as better-python's"

_ONE_CTE_SYNC = Contender(ONE_CTE, "sync", connecting.pool, by_psycopg.one_cte)
_ONE_CTE_ASYNC = Contender(
    ONE_CTE, "async", connecting.async_pool, by_psycopg.one_cte_async
)
_CHECKOUTS = (
    Contender(STORE, "sync", connecting.store, by_store.checkout),
    Contender(PIPELINE, "sync", connecting.pool, by_psycopg.checkout),
    _ONE_CTE_SYNC,
    Contender(STORE, "async", connecting.async_store, by_store.checkout_async),
    Contender(PIPELINE, "async", connecting.async_pool, by_psycopg.checkout_async),
    _ONE_CTE_ASYNC,
)
CHECKOUT = Task(
    "checkout",
    "checkout of 3 items",
    carts.fill,
    (
        *_CHECKOUTS,
        Contender("asyncpg, one by one", "async", by_asyncpg.pool, by_asyncpg.checkout),
        Contender("asyncpg, one CTE", "async", by_asyncpg.pool, by_asyncpg.one_cte),
        Contender(SQLALCHEMY, "sync", by_sqlalchemy.sessions, by_sqlalchemy.checkout),
        DJANGO,
        DRIZZLE,
    ),
    per_round=4,
    left=carts.LEFT,
)
FAR_CHECKOUT = replace(
    CHECKOUT,
    name="far",
    title="checkout, 1 ms each way",
    contenders=_CHECKOUTS,
    delay=0.001,
)
READ = Task(
    "read",
    "user by key, one connection",
    reading.users,
    (
        Contender(GENERATED, "sync", connecting.connection, by_store.get_user),
        Contender(BY_HAND, "sync", connecting.connection, by_psycopg.get_user),
        Contender(
            SQLC_GEN_PYTHON,
            "sync",
            by_other_generators.engine_connection,
            by_other_generators.sqlc_gen_python_user,
        ),
        Contender(
            BETTER_PYTHON,
            "sync",
            by_other_generators.connection,
            by_other_generators.better_python_user,
        ),
        Contender(
            GENERATED, "async", connecting.async_connection, by_store.get_user_async
        ),
        Contender(
            BY_HAND, "async", connecting.async_connection, by_psycopg.get_user_async
        ),
        Contender(STORE, "sync", connecting.lent, by_store.get_user),
        Contender(STORE, "async", connecting.async_lent, by_store.get_user_async),
        Contender(ASYNCPG, "async", by_asyncpg.connection, by_asyncpg.get_user),
    ),
    # So short that another process's turn on the CPU would outweigh a few.
    per_round=20,
    comparable=reading.comparable_user,
)
POOLED_READ = Task(
    "pooled",
    "user by key, from the pool",
    reading.users,
    (
        Contender(STORE, "sync", connecting.store, by_store.pooled_user),
        Contender(POOL_BY_HAND, "sync", connecting.pool, by_psycopg.pooled_user),
        Contender(SQLALCHEMY, "sync", by_sqlalchemy.sessions, by_sqlalchemy.get_user),
        Contender(STORE, "async", connecting.async_store, by_store.pooled_user_async),
        Contender(
            POOL_BY_HAND, "async", connecting.async_pool, by_psycopg.pooled_user_async
        ),
    ),
    # So short that another process's turn on the CPU would outweigh a few.
    per_round=20,
    comparable=reading.comparable_user,
)
LIST = Task(
    "list",
    f"cart of {reading.ITEMS} items, one connection",
    reading.long_carts,
    (
        Contender(GENERATED, "sync", connecting.connection, by_store.list_items),
        Contender(
            SQLC_GEN_PYTHON,
            "sync",
            by_other_generators.engine_connection,
            by_other_generators.sqlc_gen_python_items,
        ),
        Contender(
            BETTER_PYTHON,
            "sync",
            by_other_generators.connection,
            by_other_generators.better_python_items,
        ),
    ),
    per_round=10,
    comparable=reading.comparable_items,
)
MESSAGES = Task(
    "messages",
    "1,000 chat messages into models",
    chats.pages,
    (
        Contender(STORE, "sync", connecting.lent, by_store.list_messages),
        Contender(STORE, "async", connecting.async_lent, by_store.list_messages_async),
        Contender(
            ASYNCPG_ORJSON, "async", by_asyncpg.connection, by_asyncpg.list_messages
        ),
        Contender(
            SQLALCHEMY, "sync", by_sqlalchemy.sessions, by_sqlalchemy.list_messages
        ),
    ),
    per_round=2,
    comparable=chats.comparable,
)
TURN = Task(
    "turn",
    "turn of 2 in a chat of 100",
    chats.turns,
    (
        Contender(STORE, "sync", connecting.store, by_store.save_turn),
        Contender(BY_HAND, "sync", connecting.pool, by_psycopg_steps.save_turn),
    ),
    per_round=4,
    left=chats.LEFT,
)
WHOLE_CHAT = Task(
    "save",
    "unchanged chat of 100, 0.6 MB",
    chats.whole,
    (
        Contender(STORE, "sync", connecting.store, by_store.save_turn),
        Contender(ONE_STATEMENT, "sync", connecting.pool, by_psycopg_steps.save_whole),
        Contender(STORE, "async", connecting.async_store, by_store.save_turn_async),
        Contender(
            ONE_STATEMENT,
            "async",
            connecting.async_pool,
            by_psycopg_steps.save_whole_async,
        ),
    ),
    per_round=3,
    left=chats.WHOLE_LEFT,
)
GAP = replace(
    WHOLE_CHAT,
    name="gap",
    title="that save holds the event loop",
    contenders=(
        Contender(STORE, "async", connecting.async_store, by_store.save_beside_others),
    ),
    per_round=1,
)
WEBHOOK = Task(
    "webhook",
    "webhook of a payment",
    webhooks.fill,
    (
        Contender(STORE, "sync", connecting.store, by_store.receive_webhook),
        Contender(BY_HAND, "sync", connecting.pool, by_psycopg_steps.receive_webhook),
    ),
    per_round=4,
    left=webhooks.LEFT,
)
CHAIN_PAGE = Task(
    "chain",
    f"page of {chain.EVENTS} chain events",
    chain.fill,
    (
        Contender(STORE, "sync", connecting.onchain_store, by_store.record_page),
        Contender(BY_HAND, "sync", connecting.pool, by_psycopg_steps.record_page),
    ),
    per_round=2,
    left=chain.LEFT,
)
COPY = Task(
    "copy",
    "10,000 rows, :copyfrom",
    lines.filled(10_000),
    (
        Contender(":copyfrom", "sync", connecting.connection, by_store.copy_lines),
        Contender(BINARY_COPY, "sync", connecting.connection, by_psycopg.copy_lines),
    ),
    per_round=1,
    left=lines.left(10_000),
    reset="TRUNCATE lines",
)
BATCH = Task(
    "batch",
    "1,000 rows, :batchexec",
    lines.filled(1_000),
    (
        Contender(":batchexec", "sync", connecting.connection, by_store.batch_lines),
        Contender(ONE_BY_ONE, "sync", connecting.connection, by_psycopg.insert_lines),
    ),
    per_round=1,
    left=lines.left(1_000),
    reset="TRUNCATE lines",
)


def _threads(
    name: str,
    opened: Callable[[str], AbstractContextManager[Any]],
    once: Callable[[Any, Read], object],
    workers: int,
) -> Contender:
    many = crowd.with_threads(opened, workers)
    return Contender(name, "sync", many, crowd.spread(once, workers))


def _tasks(
    name: str,
    opened: Callable[[str], Opened],
    once: Callable[[Any, Read], Awaitable[object]],
    workers: int,
) -> Contender:
    return Contender(name, "async", opened, crowd.spread_async(once, workers))


def _mixed(workers: int) -> Task:
    return Task(
        f"mixed-{workers}",
        f"mixed reads, {workers} workers",
        reading.mixes,
        (
            _threads(STORE, connecting.store, by_store.read, workers),
            _threads(POOL_BY_HAND, connecting.pool, by_psycopg.read, workers),
            _tasks(STORE, connecting.async_store, by_store.read_async, workers),
            _tasks(POOL_BY_HAND, connecting.async_pool, by_psycopg.read_async, workers),
            _tasks(ASYNCPG, by_asyncpg.pool, by_asyncpg.read, workers),
        ),
        per_round=1,
        warm_up=3,
    )


MIXED = (_mixed(16), _mixed(5))

TASKS = (
    CHECKOUT,
    FAR_CHECKOUT,
    READ,
    POOLED_READ,
    LIST,
    MESSAGES,
    TURN,
    WHOLE_CHAT,
    GAP,
    WEBHOOK,
    CHAIN_PAGE,
    COPY,
    BATCH,
    *MIXED,
)
