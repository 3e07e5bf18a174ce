"""psycopg by hand, where several statements wait for each other's results.

Turns, webhooks and pages of the chain: the store's statements in a pipeline, which is
fetched from as often as the store does. Requests are read as the store reads them.
"""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg.rows import args_row, scalar_row
from psycopg.types.json import Jsonb
from pydantic_core import to_json

from generated.chain import DROP_SET_ASIDE_CHAIN_EVENTS
from generated.internal import cart_steps, chain_steps, chat_steps, order_steps
from generated.models import ChatSession
from store import webhooks
from store.chain import ChainPage
from store_testing.crossmint import SECRET

from .chain import Page
from .chats import Turn
from .connecting import AsyncPool, Pool
from .webhooks import Webhook

_WHOLE = """
INSERT INTO chat_messages (session_id, msg_id, role, parts)
SELECT $1, message.id, message.role, message.parts
FROM jsonb_to_recordset($2::jsonb) AS message (id text, role text, parts jsonb)
ON CONFLICT (session_id, msg_id) DO UPDATE
SET role = excluded.role, parts = excluded.parts
WHERE (chat_messages.role, chat_messages.parts)
    IS DISTINCT FROM (excluded.role, excluded.parts)
"""


def save_turn(pool: Pool, turn: Turn) -> object:
    """Touch the session, and save the messages that changed."""
    json, index = bytearray(), list[dict[str, object]]()
    for message in turn.messages:
        one = to_json(message)
        digest = sha256(one).hexdigest()[:32]
        index.append(
            {
                "id": message["id"],
                "digest": digest,
                "first": len(json) + 1,
                "length": len(one),
            }
        )
        json += one
    with pool.connection() as conn, conn.pipeline():
        conn.execute("BEGIN")
        touched = conn.cursor(row_factory=args_row(ChatSession))
        touched.execute(
            chat_steps.TOUCH_CHAT_SESSION,
            [None, None, None, turn.session_id, turn.user_id],
        )
        conn.execute(
            chat_steps.SAVE_CHAT_MESSAGES,
            [bytes(json), to_json(index).decode(), turn.session_id, turn.user_id],
        )
        conn.execute("COMMIT")
    return touched.fetchone()


def save_whole(pool: Pool, turn: Turn) -> object:
    """Save a chat with one statement, which checks nothing and locks nobody out."""
    with pool.connection() as conn:
        json = to_json(turn.messages).decode()
        return conn.execute(_WHOLE, [turn.session_id, json])


async def save_whole_async(pool: AsyncPool, turn: Turn) -> object:
    """Do the same, awaited."""
    async with pool.connection() as conn:
        json = to_json(turn.messages).decode()
        return await conn.execute(_WHOLE, [turn.session_id, json])


def receive_webhook(pool: Pool, webhook: Webhook) -> object:
    """Keep an event of a payment, and apply it to its order."""
    event = webhooks.verify(webhook.body, webhook.headers, [SECRET])
    with pool.connection() as conn, conn.pipeline():
        conn.execute("BEGIN")
        conn.execute(order_steps.LOCK_CROSSMINT_ORDERS, [[event.crossmint_order_id]])
        inserted = conn.execute(
            order_steps.INSERT_ORDER_EVENT,
            [
                event.id,
                event.crossmint_order_id,
                event.type,
                event.payment_hash,
                event.amount_usdc,
                event.quoted_usdc,
                event.received_usdc,
                event.amount,
                event.currency,
                True,
                event.body,
            ],
        )
        locked = conn.cursor(row_factory=scalar_row)
        locked.execute(
            order_steps.LOCK_OWNER_OF_CROSSMINT_ORDER, [event.crossmint_order_id]
        )
        order_id = locked.fetchone()
        assert inserted.rowcount == 1
        changed = conn.cursor(row_factory=order_steps.recompute_orders_row)
        changed.execute(order_steps.RECOMPUTE_ORDERS, [[order_id]])
        order = changed.fetchone()
        conn.execute(cart_steps.TAKE_CART_ITEM_OF_ORDER, [order_id])
        conn.execute("COMMIT")
    return order


def record_page(pool: Pool, page: Page) -> object:
    """Keep the events of a page, and make the carts what they say."""
    given = ChainPage.read(page.json)
    cursor = given.next_cursor
    assert cursor
    events = [entry.event for entry in given.entries if entry.event]
    objects = sorted({event.object_id for event in events})
    with pool.connection() as conn, conn.pipeline():
        conn.execute("BEGIN")
        conn.execute(chain_steps.LOCK_CHAIN_CURSOR)
        stored = conn.execute(chain_steps.GET_CHAIN_CURSOR).fetchone()
        asked_with = page.asked_with
        assert (stored is None) == (asked_with is None)
        conn.execute(
            chain_steps.MOVE_CHAIN_CURSOR, [cursor.tx_digest, cursor.event_seq]
        )
        wallets = conn.cursor(row_factory=scalar_row)
        wallets.execute(
            chain_steps.LIST_KNOWN_WALLETS,
            [sorted({event.wallet_address for event in events})],
        )
        known = wallets.fetchall()
        owners = conn.execute(chain_steps.LOCK_USERS_OF_WALLETS, [known]).fetchall()
        users: list[UUID] = [owner[0] for owner in owners]
        inserted = conn.execute(
            chain_steps.INSERT_CHAIN_EVENTS,
            [Jsonb([_as_json(event) for event in events])],
        )
        conn.execute(chain_steps.ADOPT_CART_ITEMS, [objects, users])
        conn.execute(chain_steps.MIRROR_CART_ITEMS, [[], objects, users])
        conn.execute(chain_steps.LINK_SNAPSHOTS_TO_CART_ITEMS, [objects, users])
        conn.execute(
            DROP_SET_ASIDE_CHAIN_EVENTS, [[entry.id for entry in given.entries]]
        )
        conn.execute("COMMIT")
    return inserted.rowcount


def _as_json(event: Any) -> dict[str, object]:  # noqa: ANN401 - a ChainEvent
    return asdict(event) | {"occurred_at": event.occurred_at.isoformat()}
