"""One line a request, and its id on every line that is logged meanwhile."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import problems

_log = logging.getLogger("examples.api.requests")
_request_id: ContextVar[str] = ContextVar("request id", default="-")
_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """Gives each request an id, its client's or a new one, and logs how it ended.

    What no handler has foreseen it answers itself, so that it has the id, too.

    Plain ASGI: what wraps a response in a task of its own hides that the client left.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GOOD_ID.fullmatch(given) else uuid4().hex
        token = _request_id.set(request_id)
        start, status = perf_counter(), ""

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            pass  # it left before it had said all, and hears no answer
        except Exception as error:
            _log.exception("unforeseen")
            if status:  # the answer has begun: the client has to see it break off
                raise
            response = problems.respond(Request(scope), error)
            await response(scope, receive, answer)
        finally:
            # Without the query, which may hold what nobody wants in a log.
            _log.info(
                "%s %s: %s in %.1f ms",
                scope["method"],
                scope["path"],
                status or "no answer",
                (perf_counter() - start) * 1000,
            )
            _request_id.reset(token)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Log in lines that begin with the request's id."""
    logging.basicConfig(
        level=level, format="%(levelname)s %(name)s [%(request_id)s] %(message)s"
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(_with_request_id)


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = _request_id.get()
    return True
