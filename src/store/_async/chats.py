"""Chats: what was said, saved as often as the client sends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from generated.aio import chats
from generated.models import ChatSession
from store import errors
from store import messages as ui_messages

from .database import AsyncDatabase


class AsyncChats(AsyncDatabase):
    """The chats of a store. All methods raise DatabaseError, too."""

    async def save_turn(
        self,
        user_id: UUID,
        session_id: UUID,
        messages: Sequence[dict[str, Any]],
        *,
        replace_after: str | None = None,
    ) -> ChatSession:
        """Save a session's UIMessages, all or the last ones, and return the session.

        A message that is there keeps its place and takes the new role and parts; new
        ones follow in the order given. What follows the message ``replace_after`` is
        deleted first. The session becomes the user's newest; if it has no title, the
        user's first text makes one.

        Raises:
            MessageRefused: a message cannot be stored, or ``replace_after`` is none.
            ChatSessionNotFound: the user has no such session.
        """
        turn = ui_messages.load(messages)
        title = ui_messages.title_of(turn)

        async def attempt() -> ChatSession | None:
            async with self.transaction() as conn:
                touched = await chats.send_touch_chat_session(
                    conn, id=session_id, user_id=user_id, title=title
                )
                if replace_after is not None:
                    kept = await chats.delete_chat_messages_after(
                        conn,
                        session_id=session_id,
                        user_id=user_id,
                        msg_id=replace_after,
                    )
                    if kept is None and await touched():
                        raise errors.MessageRefused("replace_after", "is not there")
                await chats.save_chat_messages(
                    conn,
                    session_id=session_id,
                    user_id=user_id,
                    msg_ids=[message.id for message in turn],
                    roles=[message.role for message in turn],
                    parts=[message["parts"] for message in messages],
                )
            return await touched()

        if session := await self._retried(attempt):
            return session
        raise errors.ChatSessionNotFound(session_id)
