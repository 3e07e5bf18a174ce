"""Conversations."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from generated import models
from generated.aio import chats
from store import errors, messages

from ..bodies import (
    ChatMessage,
    ChatSession,
    ChatSessionPage,
    ChatSessionTitle,
    NewChatSession,
    WholeChatSession,
)
from ..problems import documented
from ..services import Onboarded, Serving

router = APIRouter(prefix="/api/sessions", tags=["sessions"])

_MESSAGES_AT_ONCE = 500


@router.post("", status_code=201, responses=documented(400, 401, 403, 404))
async def open_session(
    body: NewChatSession, user: Onboarded, services: Serving
) -> ChatSession:
    """Open a conversation."""
    async with services.store.connection() as conn:
        opened = await chats.create_chat_session(
            conn, user_id=user.id, title=body.title
        )
    if opened is None:
        raise errors.UserNotFound(user.id)
    return ChatSession.model_validate(opened)


@router.get("", responses=documented(400, 401, 403))
async def list_sessions(
    user: Onboarded,
    services: Serving,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> ChatSessionPage:
    """List conversations, the last touched first."""
    page = await services.store.page_chat_sessions(user.id, limit=limit, offset=offset)
    sessions = [ChatSession.model_validate(row) for row in page.rows]
    return ChatSessionPage(sessions=sessions, total=page.total)


@router.get(
    "/{session_id}",
    response_model_exclude_unset=True,  # a message has metadata, or has none
    responses=documented(400, 401, 403, 404),
)
async def get_session(
    session_id: UUID, user: Onboarded, services: Serving
) -> WholeChatSession:
    """Read a conversation with all of its messages."""
    rows: list[models.ChatMessage] = []
    async with services.store.connection() as conn:
        session = await chats.get_chat_session(conn, id=session_id, user_id=user.id)
        if session is None:
            raise errors.ChatSessionNotFound(session_id)
        while len(rows) % _MESSAGES_AT_ONCE == 0:
            page = await chats.list_chat_messages(
                conn,
                session_id=session_id,
                user_id=user.id,
                after_position=rows[-1].position if rows else 0,
                max_rows=_MESSAGES_AT_ONCE,
            )
            rows += page
            if not page:
                break
    said = [
        ChatMessage(**message, created_at=row.created_at)
        for row, message in zip(rows, messages.from_rows(rows), strict=True)
    ]
    known = ChatSession.model_validate(session).model_dump()
    return WholeChatSession(**known, messages=said)


@router.patch("/{session_id}", responses=documented(400, 401, 403, 404))
async def rename_session(
    session_id: UUID, body: ChatSessionTitle, user: Onboarded, services: Serving
) -> ChatSession:
    """Give a conversation a name, which stays."""
    async with services.store.connection() as conn:
        renamed = await chats.rename_chat_session(
            conn, id=session_id, user_id=user.id, title=body.title
        )
    if renamed is None:
        raise errors.ChatSessionNotFound(session_id)
    return ChatSession.model_validate(renamed)


@router.delete(
    "/{session_id}", status_code=204, responses=documented(400, 401, 403, 404)
)
async def delete_session(session_id: UUID, user: Onboarded, services: Serving) -> None:
    """Delete a conversation and its messages."""
    async with services.store.connection() as conn:
        deleted = await chats.delete_chat_session(conn, id=session_id, user_id=user.id)
    if deleted is None:
        raise errors.ChatSessionNotFound(session_id)
