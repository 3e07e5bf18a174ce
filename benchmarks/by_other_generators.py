"""What two other generators for Python make of these queries, written after them.

Theirs do not run here, as they are no packages: these functions do what theirs do, and
docs/benchmarks.md says what theirs took when they ran once. sqlc-gen-python's go
through SQLAlchemy's text(), as its examples/src/authors/query.py; better-python's give
psycopg a dictionary for named placeholders, as its
test/driver_psycopg_sync/dataclass/functions/queries.py. Both make rows with keywords.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy

from generated.carts import LIST_CART_ITEMS
from generated.users import GET_USER

from . import reading
from .records import CartItem, User


def _maker(model: type[Any]) -> Callable[[Sequence[Any]], Any]:
    """Compile what they write: `Model(id=row[0], …)`, for the columns there are now."""
    keywords = (f"{field.name}=row[{n}]" for n, field in enumerate(fields(model)))
    made: Callable[[Sequence[Any]], Any] = eval(  # noqa: S307 - the names are our columns'
        f"lambda row: model({', '.join(keywords)})", {"model": model}
    )
    return made


_user, _item = _maker(User), _maker(CartItem)
_TEXT_USER, _TEXT_ITEMS = (
    re.sub(r"\$(\d)", r":p\1", sql) for sql in (GET_USER, LIST_CART_ITEMS)
)
_NAMED_USER, _NAMED_ITEMS = (
    re.sub(r"\$(\d)", r"%(p\1)s", sql).encode() for sql in (GET_USER, LIST_CART_ITEMS)
)


@contextmanager
def engine_connection(url: str) -> Generator[sqlalchemy.Connection]:
    """Connect as sqlc-gen-python's functions want it; autocommit, as all others."""
    url = url.replace("postgresql:", "postgresql+psycopg:", 1)
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()


def connection(url: str) -> psycopg.Connection[Any]:
    """Connect as better-python's functions want it."""
    return psycopg.connect(url, autocommit=True)


def sqlc_gen_python_user(conn: sqlalchemy.Connection, user_id: UUID) -> object:
    """Read a user by key."""
    row = conn.execute(sqlalchemy.text(_TEXT_USER), {"p1": user_id}).first()
    if row is None:
        return None
    return _user(row)


def sqlc_gen_python_items(conn: sqlalchemy.Connection, user_id: UUID) -> object:
    """Read a long cart."""
    given = {"p1": user_id, "p2": reading.ITEMS}
    result = conn.execute(sqlalchemy.text(_TEXT_ITEMS), given)
    return [_item(row) for row in result]


def better_python_user(conn: psycopg.Connection[Any], user_id: UUID) -> object:
    """Read a user by key."""
    row = conn.execute(_NAMED_USER, {"p1": user_id}).fetchone()
    if row is None:
        return None
    return _user(row)


def better_python_items(conn: psycopg.Connection[Any], user_id: UUID) -> object:
    """Read a long cart."""
    given = {"p1": user_id, "p2": reading.ITEMS}
    result = conn.execute(_NAMED_ITEMS, given).fetchall()
    return [_item(row) for row in result]
