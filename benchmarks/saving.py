"""Saving a whole chat that did not change, beside one statement written by hand.

What the client's whole list costs at the end of each turn: how long it takes, and how
long the event loop stands still meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Literal, TypeAlias

import psycopg
from pydantic_core import to_json

from postgres_testing import databases
from store import AsyncStore, Settings, Store
from store_testing.schema import SCHEMA

from . import chats
from .chats import Chat, Message
from .sameness import RowsDifferError

MAX_RATIO = 1.5
MAX_GAP = 0.020  # seconds
PER_ROUND = 3

Save: TypeAlias = Callable[[], Awaitable[object]]

_BY_HAND = """
INSERT INTO chat_messages (session_id, msg_id, role, parts)
SELECT $1, message.id, message.role, message.parts
FROM jsonb_to_recordset($2::jsonb) AS message (id text, role text, parts jsonb)
ON CONFLICT (session_id, msg_id) DO UPDATE
SET role = excluded.role, parts = excluded.parts
WHERE (chat_messages.role, chat_messages.parts)
    IS DISTINCT FROM (excluded.role, excluded.parts)
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to save; `open` takes a URL, a chat of its own, and what to save."""

    name: str
    face: Literal["sync", "async"]
    open: Callable[[str, Chat, list[Message]], AbstractAsyncContextManager[Save]]

    def __str__(self) -> str:
        return f"{self.name} ({self.face})"


@dataclass(frozen=True, slots=True)
class Saved:
    """What one contender took, in seconds.

    `elapsed` has a list a round; `gaps` the longest time, each round, that another task
    had to wait for its turn: only of what is awaited.
    """

    contender: Contender
    elapsed: list[list[float]] = field(default_factory=list[list[float]])
    gaps: list[float] = field(default_factory=list[float])

    @property
    def median(self) -> float:
        """What a save took."""
        return median(each for done in self.elapsed for each in done)

    @property
    def gap(self) -> float | None:
        """How long it held the event loop."""
        return median(self.gaps) if self.gaps else None

    def ratio(self, other: Saved) -> float:
        """Tell how many times as long it took, paired by round."""
        pairs = zip(self.elapsed, other.elapsed, strict=True)
        return median(median(ours) / median(theirs) for ours, theirs in pairs)


@asynccontextmanager
async def store_sync(
    url: str, chat: Chat, messages: list[Message]
) -> AsyncGenerator[Save]:
    """Save with `Store`."""
    with Store(_settings(url)) as store:

        async def save() -> object:
            return store.save_turn(chat.user_id, chat.session_id, messages)

        yield save


@asynccontextmanager
async def store_async(
    url: str, chat: Chat, messages: list[Message]
) -> AsyncGenerator[Save]:
    """Save with `AsyncStore`."""
    async with AsyncStore(_settings(url)) as store:

        async def save() -> object:
            return await store.save_turn(chat.user_id, chat.session_id, messages)

        yield save


@asynccontextmanager
async def by_hand_sync(
    url: str, chat: Chat, messages: list[Message]
) -> AsyncGenerator[Save]:
    """Save with one statement, which checks nothing and locks nobody else out."""
    with psycopg.connect(
        url, autocommit=True, cursor_factory=psycopg.RawCursor
    ) as conn:

        async def save() -> object:
            json = to_json(messages).decode()
            return conn.execute(_BY_HAND, [chat.session_id, json])

        yield save


@asynccontextmanager
async def by_hand_async(
    url: str, chat: Chat, messages: list[Message]
) -> AsyncGenerator[Save]:
    """Save with one statement, awaited."""
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, cursor_factory=psycopg.AsyncRawCursor
    ) as conn:

        async def save() -> object:
            json = to_json(messages).decode()
            return await conn.execute(_BY_HAND, [chat.session_id, json])

        yield save


STORE = "store"
BY_HAND = "psycopg, one statement"
CONTENDERS = (
    Contender(STORE, "sync", store_sync),
    Contender(BY_HAND, "sync", by_hand_sync),
    Contender(STORE, "async", store_async),
    Contender(BY_HAND, "async", by_hand_async),
)


async def run(
    server_url: str,
    rounds: int,
    advance: Callable[[str], None],
    *,
    contenders: Sequence[Contender] = CONTENDERS,
    warm_up: int = 20,
) -> list[Saved]:
    """Measure on a database of its own, which is dropped again.

    Raises RowsDifferError where a contender did not leave what it was given.
    """
    messages = chats.messages()
    with (
        databases.template(server_url, SCHEMA.build) as template,
        template.clone() as url,
        psycopg.connect(url, autocommit=True) as conn,
    ):
        opened = [(each, chats.open_chat(conn)) for each in contenders]
        async with AsyncExitStack() as stack:
            saves = {
                each: await stack.enter_async_context(each.open(url, chat, messages))
                for each, chat in opened
            }
            saved = {each: Saved(each) for each in contenders}
            for save in saves.values():
                for _ in range(warm_up):
                    await save()
            gc.collect()
            gc.freeze()
            for _ in range(rounds):
                for each in random.sample(list(saves), len(saves)):
                    await _measure(saves[each], saved[each])
                advance("save of an unchanged chat")
        for each, chat in opened:
            _check(conn, each, chat, messages)
    return list(saved.values())


async def _measure(save: Save, saved: Saved) -> None:
    done: list[float] = []
    for _ in range(PER_ROUND):
        start = perf_counter()
        await save()
        done.append(perf_counter() - start)
    saved.elapsed.append(done)
    if saved.contender.face == "async":
        saved.gaps.append(await worst_gap(save))


async def worst_gap(save: Save) -> float:
    """Give the longest time, in seconds, that a save makes another task wait."""
    worst, last = 0.0, perf_counter()
    saving = asyncio.ensure_future(save())
    while not saving.done():
        await asyncio.sleep(0)
        now = perf_counter()
        worst, last = max(worst, now - last), now
    await saving
    return worst


def _check(
    conn: psycopg.Connection, each: Contender, chat: Chat, messages: list[Message]
) -> None:
    rows = conn.execute(
        "SELECT msg_id, role, parts FROM chat_messages"
        " WHERE session_id = %s ORDER BY position",
        [chat.session_id],
    )
    left = [{"id": id_, "role": role, "parts": parts} for id_, role, parts in rows]
    if left != messages:
        raise RowsDifferError(f"{each} left other messages than it was given")


def _settings(url: str) -> Settings:
    return Settings.model_validate({"database_url": url, "database_url_direct": url})
