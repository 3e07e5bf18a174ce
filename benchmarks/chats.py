"""The data of a run: a chat of tool calls, as a shop's assistant makes them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from generated import chats
from store_testing import factories

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chat:
    """A session that one contender saves again and again."""

    user_id: UUID
    session_id: UUID


def messages(count: int = 100, products: int = 12) -> list[Message]:
    """Make messages with a search's result each: 0.6 MB of many small values."""
    return [_message(number, products) for number in range(count)]


def open_chat(conn: psycopg.Connection[Any]) -> Chat:
    """Open a session of a new user's."""
    user_id = factories.add_user(conn)
    session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session
    return Chat(user_id, session.id)


def _message(number: int, products: int) -> Message:
    chance = random.Random(number)  # noqa: S311 - the same in each run
    search: Message = {
        "type": "tool-searchProducts",
        "toolCallId": f"call_{chance.getrandbits(64):016x}",
        "state": "output-available",
        "input": {"query": "squared notebook", "maxPrice": 40, "colors": ["red"]},
        "output": {
            "products": [_product(chance) for _ in range(products)],
            "total": 99,
            "nextCursor": None,
        },
    }
    said = {"type": "text", "text": "Here are squared notebooks. " * 5, "state": "done"}
    return {
        "id": f"msg-{number:04}",
        "role": "assistant",
        "parts": [{"type": "step-start"}, search, said],
    }


def _product(chance: random.Random) -> Message:
    key = f"{chance.getrandbits(60):015x}"
    return {
        "id": f"product/{key}",
        "name": f"Leuchtturm notebook no. {chance.randrange(1000)}, liniert für Füller",
        "brand": "Leuchtturm",
        "price": chance.randrange(500, 9000) / 100,
        "currency": "USD",
        "retailer": "shop.example",
        "rating": chance.randrange(10, 50) / 10,
        "reviews": chance.randrange(1000),
        "inStock": chance.random() < 0.8,
        "url": f"https://shop.example/products/{key}?variant={chance.randrange(10**9)}",
        "images": [f"https://cdn.example/{key}_{n}.jpg" for n in range(2)],
        "variants": [
            {"size": "A5", "color": color, "price": chance.randrange(500, 9000)}
            for color in ("red", None)
        ],
    }
