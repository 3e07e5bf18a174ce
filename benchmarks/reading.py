"""What is read in a run: users by key, lists, and a mix of both by many at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import cycle, islice
from typing import Any, Literal, cast
from uuid import UUID

import psycopg

from generated.models import CartItem, UserProfile

from . import carts

ITEMS = 100
"""How many items the long list has."""

READS = 600
"""How many reads the workers do together."""

_LONG_CART = """
INSERT INTO cart_items (user_id, product_id, product_name, price, image, size, color)
SELECT
    %s, 'B' || n, 'Product ' || n, 1000 + n, 'https://shop.example/' || n || '.jpg',
    'M', 'blue'
FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True, slots=True)
class Read:
    """One of a mix: a user, or what is in the user's cart."""

    what: Literal["user", "cart"]
    user_id: UUID


def users(url: str, count: int) -> list[UUID]:
    """Give users to read, of a thousand."""
    made = [cart.user_id for cart in carts.fill(url, 1000)]
    return list(islice(cycle(made), count))


def long_carts(url: str, count: int) -> list[UUID]:
    """Give the one user whose cart is long, again and again."""
    [cart] = carts.fill(url, 1)
    with psycopg.connect(url) as conn:
        conn.execute("DELETE FROM cart_items WHERE deleted_at IS NULL")
        conn.execute(_LONG_CART, [cart.user_id, ITEMS])
    return [cart.user_id] * count


def mixes(url: str, count: int) -> list[list[Read]]:
    """Give reads of users and of carts in turn."""
    made = users(url, READS)
    kinds: tuple[Literal["user", "cart"], ...] = ("user", "cart")
    mix = [Read(kinds[n % 2], user_id) for n, user_id in enumerate(made)]
    return [mix] * count


def comparable_user(result: object) -> object:
    """Give what a user is told by, whatever class that is of."""
    return _fields(UserProfile, result)


def comparable_items(result: object) -> object:
    """Give what the items of a cart are told by, whatever class they are of."""
    return [_fields(CartItem, item) for item in cast("list[object]", result)]


def _fields(model: type[Any], record: object) -> list[object]:
    return [(field.name, getattr(record, field.name)) for field in fields(model)]
