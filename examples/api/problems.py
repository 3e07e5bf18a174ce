"""Errors to HTTP: the one place. Each answer is `{"error": …, "code": …}`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from store import StoreError, errors

from .standins import Aborted, UpstreamError

RETRY_AFTER = 1
"""Seconds, told with each 503."""

_log = logging.getLogger("examples.api")

# By the nearest class; what is not below here is 503 where it may be tried again, and
# 500 where it may not. The codes are those of the replaced system, where it had one.
_ANSWERS: dict[type[StoreError], tuple[int, str]] = {
    errors.NotOpen: (503, "UNAVAILABLE"),  # the lifespan goes on trying
    errors.OutcomeUnknown: (503, "UNAVAILABLE"),
    errors.PartlyDone: (503, "UNAVAILABLE"),
    errors.AlreadyExists: (409, "CONFLICT"),
    errors.MissingReference: (404, "NOT_FOUND"),
    errors.InvalidValue: (400, "VALIDATION_ERROR"),
    errors.CheckoutRefused: (409, "CONFLICT"),
    errors.EmptyCheckout: (400, "VALIDATION_ERROR"),
    errors.RepeatedItem: (400, "VALIDATION_ERROR"),
    errors.ItemUnavailable: (404, "CartItemNotFoundError"),
    errors.PriceChanged: (409, "PriceChangedError"),
    errors.TooMany: (413, "TOO_MANY"),
    errors.CartFull: (400, "CartFullError"),
    errors.CartItemNotFound: (404, "CartItemNotFoundError"),
    errors.CartItemOrdered: (409, "CartItemOrderedError"),
    errors.ChainEventNotFound: (404, "NOT_FOUND"),
    errors.UserNotFound: (404, "USER_NOT_FOUND"),
    errors.UserHasOpenOrders: (409, "CONFLICT"),
    errors.WalletAlreadyActive: (409, "CONFLICT"),
    errors.WalletNotPending: (409, "CONFLICT"),
    errors.OrderNotFound: (404, "OrderNotFoundError"),
    errors.OrderNotCancellable: (409, "CONFLICT"),
    errors.ChatSessionNotFound: (404, "SessionNotFound"),
    errors.ChatOvertaken: (409, "CONFLICT"),
    errors.WebhookError: (400, "BAD_REQUEST"),
    errors.SignatureInvalid: (401, "UNAUTHORIZED"),
}


# In place of an error's own text, which is for our log alone.
_UNSAID = {
    500: "internal server error",
    502: "another service has failed",
    503: "the service is not available: try again",
}


class Problem(Exception):
    """What a route refuses by itself; raise it with the answer."""

    def __init__(self, status: int, code: str, error: str, **more: object) -> None:
        super().__init__(error)
        self.status = status
        self.content = {"error": error, "code": code, **more}


class ProblemBody(BaseModel):
    """What every error looks like."""

    error: str
    code: str


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Give the errors that a route may answer, for its OpenAPI: these, 500 and 503."""
    return {
        status: {"model": ProblemBody, "description": HTTPStatus(status).phrase}
        for status in (*statuses, 500, 503)
    }


def document(openapi: dict[str, Any]) -> None:
    """Take out the 422 that FastAPI adds for bad requests: here they are 400."""
    for path in openapi["paths"].values():
        for operation in path.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]


def problem_of(error: Exception) -> Problem:
    """Say what an API answers to an error; what is unforeseen tells nothing.

    Texts of the store's errors hold no values, so those of refusals may be shown.
    """
    match error:
        case Problem():
            return error
        case RequestValidationError():
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"] if _is_ours(step))
            return Problem(400, "VALIDATION_ERROR", f"{place}: {first['msg']}")
        case HTTPException():
            code = HTTPStatus(error.status_code).name
            return Problem(error.status_code, code, str(error.detail))
        case UpstreamError() | Aborted():
            status, code = 502, "UPSTREAM_ERROR"
        case StoreError():
            status, code = _answer(error)
        case _:
            status, code = 500, "INTERNAL_ERROR"
    return Problem(status, code, _UNSAID.get(status) or str(error))


def _answer(error: StoreError) -> tuple[int, str]:
    for kind in type(error).__mro__:
        if kind in _ANSWERS:
            return _ANSWERS[kind]
    return (503, "UNAVAILABLE") if error.retryable else (500, "INTERNAL_ERROR")


def _is_ours(step: object) -> bool:
    """Tell whether a step of a place is of our models, and no key that was sent."""
    return isinstance(step, int) or (isinstance(step, str) and step.isidentifier())


def respond(_: Request, error: Exception) -> JSONResponse:
    """Make the response to an error; of a 5xx, the log has the reason."""
    problem = problem_of(error)
    if problem.status >= 500:
        _log.error("%s: %s", type(error).__name__, error)
    headers = dict(getattr(error, "headers", None) or {})
    if problem.status == 503:
        headers["Retry-After"] = str(RETRY_AFTER)
    return JSONResponse(problem.content, problem.status, headers)


def install(app: FastAPI) -> None:
    """Have the app answer errors so; what is unforeseen, `RequestLog` answers."""
    for kind in (
        Problem,
        RequestValidationError,
        HTTPException,
        UpstreamError,
        Aborted,
        StoreError,
    ):
        app.add_exception_handler(kind, respond)
