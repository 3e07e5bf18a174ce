"""Chats: what was said, saved as often as the client sends it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from generated.aio import chats
from generated.internal.aio import chat_steps
from generated.models import ChatSession
from store import errors
from store import messages as ui_messages
from store.limits import refuse_too_many
from store.pages import Page

from .database import AsyncDatabase
from .waiting import sleep

# Serializing this much takes about a millisecond, or a few where it is small numbers.
_BYTES_BETWEEN_PAUSES = 1 << 16


class AsyncChats(AsyncDatabase):
    """The chats of a store. All methods raise DatabaseError, too."""

    async def save_turn(
        self,
        user_id: UUID,
        session_id: UUID,
        messages: Sequence[dict[str, Any]],
        *,
        replace_after: str | None = None,
        from_version: int | None = None,
        make_title: bool = True,
    ) -> ChatSession:
        """Save a session's UIMessages, all or the last ones, and return the session.

        A message that is there keeps its place and takes the new role, parts and
        metadata; new ones follow in the order given. What follows the message
        ``replace_after`` is deleted first. The session becomes the user's newest; if it
        has no title, the user's first text makes one, unless ``make_title`` is False.

        ``from_version`` is the ``version`` of the session from which these messages
        began: if it was saved since, nothing is written. The same call again, however,
        has the same result, as long as nobody else saved. Without it, the last save
        wins. Each save makes the version grow.

        Raises:
            TooMany: more than TURN_MAX_MESSAGES messages.
            InvalidValue: a message cannot be stored, or ``replace_after`` is no
                message's id; ``place`` says where.
            ChatSessionNotFound: the user has no such session.
            ChatOvertaken: the session was saved since ``from_version``.

        Example:
            ```python
            text = {"type": "text", "text": "Which pen goes with it?"}
            question = {"id": "m1", "role": "user", "parts": [text]}
            asked = await store.save_turn(user.id, session.id, [question])

            text = {"type": "text", "text": "A fountain pen."}  # once it is streamed
            answer = {"id": "m2", "role": "assistant", "parts": [text]}
            await store.save_turn(
                user.id, session.id, [answer], from_version=asked.version
            )
            ```
        """
        limit = self.settings.turn_max_messages
        refuse_too_many("messages", messages, limit, "TURN_MAX_MESSAGES")
        turn, size = ui_messages.Turn(), 0
        for message in [*messages]:
            size += turn.add(message)
            if size > _BYTES_BETWEEN_PAUSES:
                size = 0
                await sleep(0)
        json, index = turn.json, turn.index
        title = ui_messages.title_of(turn.messages) if make_title else None
        last_save = None
        if from_version is not None:
            said = repr((from_version, replace_after, title, index)).encode()
            last_save = UUID(bytes=sha256(said).digest()[:16])

        async def attempt() -> ChatSession | None:
            async with self.transaction() as conn:
                touched = await chat_steps.send_touch_chat_session(
                    conn,
                    id=session_id,
                    user_id=user_id,
                    title=title,
                    from_version=from_version,
                    last_save=last_save,
                )
                if replace_after is not None:
                    kept = await chat_steps.delete_chat_messages_after(
                        conn,
                        session_id=session_id,
                        user_id=user_id,
                        msg_id=replace_after,
                    )
                    if kept is None and await touched():
                        raise errors.InvalidValue(
                            "the id of a message of the session", place="replace_after"
                        )
                await chat_steps.save_chat_messages(
                    conn,
                    session_id=session_id,
                    user_id=user_id,
                    messages=json,
                    index=index,
                )
            return await touched()

        try:
            session = await self._retried(attempt)
        except errors.InvalidValue as error:
            if (error.table, error.column) != ("chat_sessions", "version"):
                raise
            session = await self._saved_before(user_id, session_id, last_save)
        if session:
            return session
        raise errors.ChatSessionNotFound(session_id)

    async def _saved_before(
        self, user_id: UUID, session_id: UUID, last_save: UUID | None
    ) -> ChatSession | None:
        async with self.connection() as conn:
            session = await chats.get_chat_session(conn, id=session_id, user_id=user_id)
        if session and session.last_save != last_save:
            raise errors.ChatOvertaken(session_id) from None
        return session

    async def page_chat_sessions(
        self, user_id: UUID, *, limit: int = 20, offset: int = 0
    ) -> Page[ChatSession]:
        """Give some of a user's sessions, the last touched first, with their number.

        One round trip. The number is right beyond the last page, too.

        A session that is touched moves to the top, so that the next page by offset
        repeats one; `list_chat_sessions` repeats none.

        Example:
            ```python
            page = await store.page_chat_sessions(user.id, limit=20, offset=0)
            assert (page.rows, page.total) == ([session], 1)
            ```
        """
        async with self.connection() as conn:
            found = await chat_steps.page_chat_sessions(
                conn, user_id=user_id, max_rows=limit, skipped_rows=offset
            )
        rows = [each.chat_session for each in found if each.chat_session]
        return Page(rows, found[0].total)
