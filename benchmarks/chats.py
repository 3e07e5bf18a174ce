"""The data of a run: chats of tool calls, as a shop's assistant makes them."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Any, cast
from uuid import UUID, uuid5

import psycopg
from psycopg.types.json import Jsonb

from generated.models import ChatMessage

from . import carts
from .tasks import Left

Message = dict[str, Any]

LEFT = Left(
    {
        "chat_messages": """
            SELECT
                session_id, msg_id, role, parts, metadata,
                row_number() OVER (PARTITION BY session_id ORDER BY position)
            FROM chat_messages
            ORDER BY session_id, position
        """,
        "chat_sessions": """
            SELECT to_jsonb(chat_sessions) - '{updated_at,created_at}'::text []
            FROM chat_sessions ORDER BY id
        """,
    },
    count="SELECT count(*) FROM chat_messages WHERE msg_id LIKE 'new-%'",
    each=2,
)

WHOLE_LEFT = Left(
    {"chat_messages": LEFT.rows["chat_messages"]},
    # Each save writes the same ones: what is counted is that it never writes others.
    count="SELECT count(*) - 100 FROM chat_messages",
    each=0,
)

_SESSION = """
INSERT INTO chat_sessions (id, user_id, title, title_source)
VALUES (%s, %s, 'Notebooks', 'chosen')
"""
_MESSAGE = """
INSERT INTO chat_messages (session_id, msg_id, role, parts) VALUES (%s, %s, %s, %s)
"""
_COPIED = """
INSERT INTO chat_messages (session_id, msg_id, role, parts)
SELECT other.id, message.msg_id, message.role, message.parts
FROM chat_messages AS message
INNER JOIN chat_sessions AS other ON message.session_id <> other.id
ORDER BY other.id, message.position
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is saved at the end of a turn, and where."""

    user_id: UUID
    session_id: UUID
    messages: list[Message]


def turns(url: str, count: int) -> list[Turn]:
    """Make `count` chats of 100 messages; give a question and an answer for each."""
    question = {"id": "new-1", "role": "user", "parts": [{"type": "text", "text": "?"}]}
    answer = {**messages(1, products=2)[0], "id": "new-2"}
    return _chats(url, count, messages(100, products=0), [question, answer])


def whole(url: str, count: int) -> list[Turn]:
    """Make a chat of 100 messages, 0.6 MB, to save unchanged again and again."""
    made = messages()
    return _chats(url, 1, [], made) * count


def pages(url: str, count: int) -> list[Turn]:
    """Make a chat of 1,000 messages of a kilobyte, to read again and again."""
    return _chats(url, 1, messages(1000, products=1), []) * count


def messages(count: int = 100, products: int = 12) -> list[Message]:
    """Make messages with a search's result each: 0.6 MB of many small values."""
    return [_message(number, products) for number in range(count)]


def comparable(result: object) -> object:
    """Give what the messages of a page are told by, whatever class they are of."""
    names = [field.name for field in fields(ChatMessage)]
    rows = cast("list[object]", result)
    return [[getattr(row, name) for name in names] for row in rows]


def _chats(
    url: str, count: int, before: list[Message], saved: list[Message]
) -> list[Turn]:
    with psycopg.connect(url) as conn:
        users = carts.add_users(conn, count)
        made = [Turn(user, uuid5(user, "a chat"), saved) for user in users]
        cursor = conn.cursor()
        cursor.executemany(_SESSION, [(turn.session_id, turn.user_id) for turn in made])
        first = made[0].session_id
        cursor.executemany(
            _MESSAGE,
            [
                (first, each["id"], each["role"], Jsonb(each["parts"]))
                for each in before
            ],
        )
        conn.execute(_COPIED)
    return made


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
