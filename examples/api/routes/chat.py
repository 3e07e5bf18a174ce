"""The chat: a question in, a stream out."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from generated.aio import chats
from store import errors, messages

from ..bodies import ChatRequest, Said
from ..problems import Problem, documented
from ..services import Onboarded, Serving
from ..turns import EventStream, Turn, new_id

router = APIRouter(prefix="/api/chat", tags=["chat"])

_REMEMBERED = 50
_EVENT = {"type": "object", "properties": {"data": {"type": "string"}}}


@router.post(
    "",
    response_class=StreamingResponse,
    responses={
        **documented(400, 401, 403, 404),
        200: {
            "content": {"text/event-stream": {"schema": _EVENT}},
            "description": "The AI SDK's UI message stream",
            "headers": {"X-Session-Id": {"schema": {"type": "string"}}},
        },
    },
)
async def chat(body: ChatRequest, user: Onboarded, services: Serving) -> EventStream:
    """Say something, in a session that is there or a new one, and hear the answer."""
    store, asked = services.store, _question(body.messages[-1])
    if body.session_id is None:
        async with store.connection() as conn:
            opened = await chats.create_chat_session(conn, user_id=user.id, title=None)
        if opened is None:
            raise errors.UserNotFound(user.id)
        session_id = opened.id
    else:
        session_id = body.session_id
    # Before the answer begins, so that no question is lost, and a 404 can be one.
    await store.save_turn(user.id, session_id, [asked])
    async with store.connection() as conn:
        rows = await chats.list_chat_messages_before(
            conn,
            session_id=session_id,
            user_id=user.id,
            before_position=None,
            max_rows=_REMEMBERED,
        )
    turn = Turn(services, user, session_id, messages.from_rows(rows))
    return EventStream(turn.stream(), {"X-Session-Id": str(session_id)})


def _question(said: Said) -> dict[str, Any]:
    """Make the user's message, to which the server gives its id."""
    parts: Any = said.parts
    if not parts:
        content = said.content
        text = content if isinstance(content, str) else json.dumps(content)
        parts = [{"type": "text", "text": text}] if content else []
    if not parts:
        raise Problem(400, "VALIDATION_ERROR", "messages: the last one says nothing")
    return {"id": new_id(), "role": "user", "parts": parts}
