"""Sessions, their messages, and two who write them."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg

from generated import chats
from generated.internal import chat_steps
from generated.models import ChatMessage, ChatSession
from store import Store
from tests.support.gates import Gate


def open_session(conn: psycopg.Connection, user_id: UUID) -> ChatSession:
    """Open a session without a title."""
    session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session
    return session


def said(msg_id: str, text: str | None = None, role: str = "user") -> dict[str, Any]:
    """Make a message of a text, which is the id unless given."""
    part = {"type": "text", "text": msg_id if text is None else text}
    return {"id": msg_id, "role": role, "parts": [part]}


def read(conn: psycopg.Connection, session: ChatSession) -> list[ChatMessage]:
    """Read a session's messages."""
    return chats.list_chat_messages(
        conn,
        session_id=session.id,
        user_id=session.user_id,
        after_position=0,
        max_rows=99,
    )


def texts(conn: psycopg.Connection, session: ChatSession) -> list[object]:
    """Read what was said."""
    parts: Any = [row.parts for row in read(conn, session)]
    return [each[0]["text"] for each in parts]


def newest_first(conn: psycopg.Connection, user_id: UUID) -> list[UUID]:
    """Read the ids of a user's sessions."""
    rows = chat_steps.list_chat_sessions(
        conn, user_id=user_id, before_updated_at=None, before_id=None, max_rows=99
    )
    return [row.id for row in rows]


def touch(conn: psycopg.Connection, session: ChatSession) -> None:
    """Touch a session as a save does."""
    assert chat_steps.touch_chat_session(
        conn,
        id=session.id,
        user_id=session.user_id,
        title=None,
        from_version=None,
        last_save=None,
    )


def race(
    gate: Gate, first: Callable[[], Any], second: Callable[[], Any]
) -> tuple["Future[Any]", "Future[Any]"]:
    """Bring T1 to its COMMIT, T2 to wait for T1, then let both end."""
    with ThreadPoolExecutor(2) as threads:
        try:
            one = threads.submit(first)
            holder = gate.wait_for_arrival()
            other = threads.submit(second)
            gate.wait_for_one_behind(holder)
        finally:
            gate.open()
    return one, other


def delete(store: Store, session: ChatSession) -> UUID | None:
    """Delete a session as the API does."""
    with store.connection() as conn:
        return chats.delete_chat_session(conn, id=session.id, user_id=session.user_id)
