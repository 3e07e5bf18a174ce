"""What is measured, and who takes part."""

from __future__ import annotations

from dataclasses import dataclass

from . import by_asyncpg, by_psycopg, by_sqlalchemy, by_store, records
from .contender import Contender

STORE = "store"
PIPELINE = "psycopg, pipeline"
ONE_CTE = "psycopg, one CTE"
BY_HAND = "psycopg by hand"


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work, and the contenders that do it.

    `per_round` is how often each does it in a row; `baselines` are the names of the
    contenders that the others are compared with, each with the one of its own face.
    `orders` is how many orders doing it once leaves; `returns` is a record with the
    names of what it returns, where that can be compared.
    """

    name: str
    contenders: tuple[Contender, ...]
    baselines: tuple[str, ...]
    per_round: int
    orders: int = 0
    returns: type | None = None


CHECKOUT = Task(
    "checkout of 3 items, committed",
    (
        Contender(STORE, "sync", by_store.checkout_sync),
        Contender(PIPELINE, "sync", by_psycopg.checkout_sync),
        Contender(ONE_CTE, "sync", by_psycopg.one_cte_sync),
        Contender("SQLAlchemy ORM", "sync", by_sqlalchemy.checkout),
        Contender(STORE, "async", by_store.checkout_async),
        Contender(PIPELINE, "async", by_psycopg.checkout_async),
        Contender(ONE_CTE, "async", by_psycopg.one_cte_async),
        Contender("asyncpg, one by one", "async", by_asyncpg.checkout),
        Contender("asyncpg, one CTE", "async", by_asyncpg.one_cte),
    ),
    baselines=(PIPELINE, ONE_CTE),
    per_round=4,
    orders=3,
)

READ = Task(
    "read of a user by key",
    (
        Contender(STORE, "sync", by_store.read_sync),
        Contender(BY_HAND, "sync", by_psycopg.read_sync),
        Contender("SQLAlchemy ORM", "sync", by_sqlalchemy.read),
        Contender(STORE, "async", by_store.read_async),
        Contender(BY_HAND, "async", by_psycopg.read_async),
        Contender("asyncpg", "async", by_asyncpg.read),
    ),
    baselines=(BY_HAND,),
    per_round=6,
    returns=records.User,
)

TASKS = (CHECKOUT, READ)
