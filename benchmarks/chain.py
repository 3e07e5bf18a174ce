"""The data of a run: pages of Sui's events about carts."""

from __future__ import annotations

import json
from dataclasses import dataclass

import psycopg

from store.chain import ChainCursor
from store_testing import chains

from . import carts
from .tasks import Left

EVENTS = 50

LEFT = Left(
    {
        "chain_events": """
            SELECT to_jsonb(chain_events) - '{recorded_at}'::text []
            FROM chain_events ORDER BY tx_digest, event_sequence
        """,
        "cart_items": """
            SELECT to_jsonb(cart_items) - '{id,created_at,deleted_at}'::text [],
                deleted_at IS NULL
            FROM cart_items ORDER BY on_chain_object_id
        """,
        "chain_cursor": "SELECT tx_digest, event_seq FROM chain_cursor",
    },
    count="SELECT count(*) FROM cart_items",
    each=EVENTS,
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the node sends it, and the cursor that it was asked with."""

    json: bytes
    asked_with: ChainCursor | None


def fill(url: str, count: int) -> list[Page]:
    """Make users with wallets; give pages, of ten of them with five items each."""
    with psycopg.connect(url) as conn:
        carts.add_users(conn, 10 * count)
        wallets = conn.execute(
            "SELECT wallet_address FROM users ORDER BY id"
        ).fetchall()
    pages: list[Page] = []
    cursor = None
    for number in range(count):
        events = [
            chains.happened(
                "CartItemAdded",
                wallets[10 * number + each % 10][0],
                chains.item_id(EVENTS * number + each),
                tx=chains.digest(1 + number // 200, 1 + number % 200, 1 + each),
                product_id=f"B{each}",
                product_name=f"Product {each}",
            )
            for each in range(EVENTS)
        ]
        following = events[-1]["id"]["txDigest"], "0"
        page = chains.page(events, following, more=True)
        pages.append(Page(json.dumps(page).encode(), cursor))
        cursor = ChainCursor.of(page["nextCursor"])
    return pages
