"""The data of a run: users with a full profile, a past, and three items in the cart."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from .tasks import Left

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
RETURNING id
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

# Without a past, the server would plan for tables that are empty.
_PAST_ORDERS = """
WITH bought AS (
    INSERT INTO cart_items (id, user_id, product_id, product_name, price, deleted_at)
    SELECT
        md5('past item ' || n || ' of ' || u.id)::uuid, u.id, 'A0' || n,
        'Past product ' || n, 1000 * n, now()
    FROM users AS u, generate_series(1, 10) AS n
    RETURNING *
),

paid AS (
    INSERT INTO orders (
        user_id, type, crossmint_order_id, status, amount_usdc, checkout_id
    )
    SELECT
        user_id, 'checkout', 'crossmint-' || id, 'delivered', price / 100.0,
        gen_random_uuid()
    FROM bought
    RETURNING *
)

INSERT INTO order_items (order_id, cart_item_id, product_id, product_name, price)
SELECT paid.id, bought.id, bought.product_id, bought.product_name, bought.price
FROM bought INNER JOIN paid ON paid.crossmint_order_id = 'crossmint-' || bought.id
"""

_PAST_EVENTS = """
INSERT INTO order_events (id, crossmint_order_id, type, amount_usdc, payload)
SELECT
    happened || crossmint_order_id, crossmint_order_id, happened, amount_usdc,
    jsonb_build_object('type', happened)
FROM
    orders,
    unnest('{orders.payment.succeeded,orders.delivery.completed}'::text []) AS happened
"""

_CARTS = """
SELECT
    user_id,
    array_agg(id ORDER BY product_id),
    array_agg(price::integer ORDER BY product_id)
FROM cart_items
WHERE deleted_at IS NULL
GROUP BY user_id
ORDER BY user_id
"""


# Each without the ids and times that differ from call to call.
LEFT = Left(
    {
        "users": "SELECT to_jsonb(users) FROM users ORDER BY id",
        "order_events": """
            SELECT to_jsonb(order_events) - '{received_at,applied_at}'::text []
            FROM order_events ORDER BY id
        """,
        "cart_items, order_items, orders": """
            SELECT
                to_jsonb(cart_items) - 'deleted_at',
                cart_items.deleted_at IS NULL,
                to_jsonb(order_items) - '{id,order_id,created_at}'::text [],
                to_jsonb(orders) - '{id,checkout_id,created_at}'::text [],
                CASE
                    WHEN orders.checkout_id IS NOT NULL
                        THEN count(*) OVER (PARTITION BY orders.checkout_id)
                END
            FROM cart_items
            FULL JOIN order_items ON cart_items.id = order_items.cart_item_id
            FULL JOIN orders ON order_items.order_id = orders.id
            ORDER BY cart_items.id, orders.crossmint_order_id
        """,
    },
    # Those of the users' past are delivered.
    count="SELECT count(*) FROM orders WHERE status = 'awaiting_approval'",
    each=3,
)


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
    with psycopg.connect(url, autocommit=True) as conn:
        add_users(conn, count)
        for statement in (_ITEMS, _PAST_ORDERS, _PAST_EVENTS):
            conn.execute(statement)
        conn.execute("VACUUM ANALYZE")
        rows = conn.execute(_CARTS).fetchall()
    return [
        Cart(
            user_id,
            item_ids,
            [f"crossmint-{item_id}" for item_id in item_ids],
            [Decimal(price) / 100 for price in prices],
        )
        for user_id, item_ids, prices in rows
    ]


def add_users(conn: psycopg.Connection[Any], count: int) -> list[UUID]:
    """Make so many users; give their ids."""
    return [user_id for (user_id,) in conn.execute(_USERS, [count]).fetchall()]
