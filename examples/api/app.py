"""The application: `uvicorn --factory examples.api.app:create`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from store import AsyncStore, errors

from . import problems, request_log, workers
from .routes import ROUTERS
from .services import Services

_log = logging.getLogger("examples.api")
_OPENING_PAUSE = 0.5


def create(services: Services | None = None) -> FastAPI:
    """Make the application of a process; without services, from the environment."""
    if services is None:
        request_log.log_to_stderr()
    serving = services or Services(AsyncStore())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(serving.store.close)
            await stack.enter_async_context(_opened(serving.store))
            if serving.settings.workers:
                await stack.enter_async_context(workers.running(serving))
            yield

    app = FastAPI(
        title="Chat commerce",
        version="0.1.0",
        summary="An example of an API on the store. What is beyond it is stood in for.",
        lifespan=lifespan,
        openapi_url="/doc",
        docs_url="/swagger",
        redoc_url=None,
    )
    app.state.services = serving
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    problems.document(app.openapi())
    app.add_middleware(
        CORSMiddleware,
        allow_origins=serving.settings.origins,
        allow_credentials=True,
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Content-Type"],
        expose_headers=["X-Session-Id", "X-Request-Id"],
    )
    app.add_middleware(request_log.RequestLog)  # the last one is the outermost
    return app


@asynccontextmanager
async def _opened(store: AsyncStore) -> AsyncGenerator[None]:
    """Open the store; if its server is away, go on trying while the process runs.

    Until then requests get 503, and `/ready` says so: a start that waited or failed
    would have the orchestrator restart what is not broken. A wrong password is no
    outage, and ends the start.
    """
    try:
        await store.open()
    except (errors.ServerUnreachable, errors.ServerNotReady) as error:
        _log.warning("starting without the database: %s", error)
        task = asyncio.create_task(_open_later(store))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    else:
        yield


async def _open_later(store: AsyncStore) -> None:
    while True:
        await asyncio.sleep(_OPENING_PAUSE)
        try:
            await store.open()
        except errors.Unavailable as error:
            _log.warning("the database is still away: %s", error)
        else:
            _log.info("the database is there")
            return
