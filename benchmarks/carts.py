"""The data of a run: users with a full profile and three items in the cart."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import psycopg

_USERS = """
INSERT INTO users (
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    onboarding_step, display_name, first_name, last_name, street, city, zip, country,
    tops_size, bottoms_size, footwear_size, evm_address
)
SELECT
    md5('user ' || n)::uuid, 'google|' || n, 'user' || n || '@example.com',
    '0x' || repeat(md5(n::text), 2), 'wallet-' || n, 'active',
    3, 'User ' || n, 'Ada', 'Lovelace', 'St James''s Square 12', 'London', 'SW1Y 4JH',
    'GB', 'M', 'M', '39', '0x' || left(repeat(md5(n::text), 2), 40)
FROM generate_series(1, %s) AS n
"""

_ITEMS = """
INSERT INTO cart_items (
    id, user_id, product_id, product_name, price, image, product_url, size, color,
    retailer
)
SELECT
    md5('item ' || n || ' of ' || u.id)::uuid, u.id, 'B0' || n, 'Product ' || n,
    1000 * n + 99, 'https://shop.example/B0' || n || '.jpg',
    'https://shop.example/B0' || n, 'M', 'blue', 'shop.example'
FROM users AS u, generate_series(1, 3) AS n
"""

_CARTS = """
SELECT
    user_id,
    array_agg(id ORDER BY product_id),
    array_agg(price::integer ORDER BY product_id)
FROM cart_items
GROUP BY user_id
ORDER BY user_id
"""


@dataclass(frozen=True, slots=True)
class Cart:
    """What a checkout is told: the items, with a Crossmint order and an amount each.

    `amounts` are in USDC. The lists match by place.
    """

    user_id: UUID
    item_ids: list[UUID]
    crossmint_order_ids: list[str]
    amounts: list[Decimal]


def fill(url: str, count: int) -> list[Cart]:
    """Make `count` users with a cart each; the same ones at every call."""
    with psycopg.connect(url) as conn:
        conn.execute(_USERS, [count])
        conn.execute(_ITEMS)
        rows = conn.execute(_CARTS).fetchall()
        conn.commit()
        conn.autocommit = True
        conn.execute("VACUUM ANALYZE")
    return [
        Cart(
            user_id,
            item_ids,
            [f"crossmint-{item_id}" for item_id in item_ids],
            [Decimal(price) / 100 for price in prices],
        )
        for user_id, item_ids, prices in rows
    ]
