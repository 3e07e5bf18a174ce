"""A turn of the chat: the model's answer as a stream, kept when it ends.

The stream is the UI message stream of the AI SDK: docs/api-example.md says where it is
from. Its answer is kept as the SDK's client shows it, whole or as far as it came.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from anyio import CancelScope
from fastapi.responses import StreamingResponse
from starlette.types import Send

from generated.aio import chats
from generated.models import UserProfile
from store import Product, StoreError, messages

from . import shopping
from .problems import Problem, problem_of
from .services import Services
from .standins import CATALOGUE, Aborted, ToolCall, UpstreamError

MOST_STEPS = 5

_log = logging.getLogger("examples.api")
_EXPECTED = (StoreError, UpstreamError, Aborted, Problem)


class EventStream(StreamingResponse):
    """Sends parts as the AI SDK does; when the client leaves, ends their generator."""

    def __init__(
        self, parts: AsyncGenerator[dict[str, Any]], headers: Mapping[str, str]
    ) -> None:
        self._parts = parts
        super().__init__(
            self._events(),
            headers={
                **headers,
                "Content-Type": "text/event-stream",  # without a charset, as the SDK's
                "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",  # or nginx collects it
                "X-Vercel-AI-UI-Message-Stream": "v1",
            },
        )

    async def _events(self) -> AsyncGenerator[str]:
        async for part in self._parts:
            yield f"data: {json.dumps(part, separators=(',', ':'))}\n\n"
        yield "data: [DONE]\n\n"

    async def stream_response(self, send: Send) -> None:
        """Send all; whatever ends that, have the generator keep what there is."""
        try:
            await super().stream_response(send)
        finally:
            with CancelScope(shield=True):
                await self._parts.aclose()


@dataclass
class Turn:
    """An answer to what was said last in a session."""

    services: Services
    user: UserProfile
    session_id: UUID
    history: list[dict[str, Any]]
    answer: dict[str, Any] = field(
        default_factory=lambda: {"id": new_id(), "role": "assistant", "parts": []}
    )
    is_kept: bool = False

    async def stream(self) -> AsyncGenerator[dict[str, Any]]:
        """Give the parts of the stream; `finish` says that the answer is kept."""
        try:
            yield {"type": "start", "messageId": self.answer["id"]}
            for _ in range(MOST_STEPS):
                yield {"type": "start-step"}
                self.answer["parts"].append({"type": "step-start"})
                wants_more = False
                async for part in self._step():
                    wants_more = wants_more or part["type"] == "tool-input-start"
                    yield part
                yield {"type": "finish-step"}
                if not wants_more:
                    break
            await self._keep()
            await self._name_session()
            yield {"type": "finish", "finishReason": "stop"}
        except Exception as error:
            # The status was sent long ago, so the stream itself has to say it.
            _log.exception("the answer of session %s was cut off", self.session_id)
            yield {"type": "error", "errorText": str(problem_of(error))}
        finally:
            if not self.is_kept:  # the client left, or something failed
                with CancelScope(shield=True):
                    await self._keep_what_there_is()

    async def _step(self) -> AsyncGenerator[dict[str, Any]]:
        parts = self.answer["parts"]
        text: dict[str, Any] | None = None
        async for said in self.services.model.step([*self.history, self.answer]):
            if isinstance(said, ToolCall):
                async for part in self._call(said):
                    yield part
                continue
            if text is None:
                text = {"type": "text", "text": "", "state": "streaming"}
                parts.append(text)
                yield {"type": "text-start", "id": "txt-0"}
            text["text"] += said
            yield {"type": "text-delta", "id": "txt-0", "delta": said}
        if text is not None:
            text["state"] = "done"
            yield {"type": "text-end", "id": "txt-0"}

    async def _call(self, call: ToolCall) -> AsyncGenerator[dict[str, Any]]:
        named = {"toolCallId": f"call-{secrets.token_hex(8)}"}
        tool = {**named, "toolName": call.name}
        yield {"type": "tool-input-start", **tool}
        delta = json.dumps(call.input, separators=(",", ":"))
        yield {"type": "tool-input-delta", **named, "inputTextDelta": delta}
        yield {"type": "tool-input-available", **tool, "input": call.input}
        part = {"type": f"tool-{call.name}", **named, "input": call.input}
        self.answer["parts"].append(part | {"state": "input-available"})
        output: dict[str, Any] = {}
        try:
            # What was begun is ended, and kept with its result: it may be a purchase.
            with CancelScope(shield=True):
                output = await self._run(call)
        except _EXPECTED as error:
            said = {"errorText": str(problem_of(error))}
            self.answer["parts"][-1] = part | {"state": "output-error", **said}
            yield {"type": "tool-output-error", **named, **said}
        else:
            self.answer["parts"][-1] = part | {
                "state": "output-available",
                "output": output,
            }
            yield {"type": "tool-output-available", **named, "output": output}

    async def _run(self, call: ToolCall) -> dict[str, Any]:
        services, user = self.services, self.user
        match call.name, call.input:
            case "searchProducts", {"query": str()}:
                return {"products": [_shown(product) for product in CATALOGUE]}
            case "addToCart", {"productId": product_id}:
                wanted = [each for each in CATALOGUE if each.product_id == product_id]
                item = await shopping.add_to_cart(services, user, wanted[0])
                return {"success": True, "cartItemId": str(item.id)}
            case "viewCart", _:
                items = await shopping.list_cart(services, user)
                rows = [{"id": str(item.id), "price": item.price} for item in items]
                return {"items": rows, "total": shopping.total_of(items)}
            case "initiateCheckout", {"cartItemId": str(name)}:
                order = await shopping.check_out(services, user, name)
                return order.model_dump(mode="json", by_alias=True)
            case _:
                raise UpstreamError(f"the model called {call.name}, which is no tool")

    async def _keep(self) -> None:
        store = self.services.store
        await store.save_turn(self.user.id, self.session_id, [self.answer])
        self.is_kept = True

    async def _keep_what_there_is(self) -> None:
        if not self.answer["parts"]:
            return
        try:
            await self._keep()
        except StoreError as error:
            _log.error("an answer of session %s is lost: %s", self.session_id, error)

    async def _name_session(self) -> None:
        """Have the model name a new session; it keeps a name that somebody chose."""
        if len(self.history) > 1:
            return
        title = messages.shorten_title(self.services.model.title(self.history))
        try:
            async with self.services.store.connection() as conn:
                await chats.give_model_title(
                    conn, id=self.session_id, user_id=self.user.id, title=title
                )
        except StoreError as error:
            _log.warning("session %s was not named: %s", self.session_id, error)


def new_id() -> str:
    """Make a message's id, as the server does for each."""
    return f"msg-{secrets.token_hex(8)}"


def _shown(product: Product) -> dict[str, Any]:
    return {
        "id": product.product_id,
        "name": product.product_name,
        "price": product.price,
    }
