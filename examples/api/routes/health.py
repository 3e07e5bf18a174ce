"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from store import StoreError

from ..problems import Problem, ProblemBody
from ..services import Serving

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    ok: bool = True


class Ready(BaseModel):
    """The database answers, too; with what the pool is doing."""

    ready: bool = True
    connections: int
    waiting: int


@router.get("/health")
async def health() -> Alive:
    """Say that the process lives: whoever gets no answer should restart it."""
    return Alive()


@router.get("/ready", responses={503: {"model": ProblemBody}})
async def ready(services: Serving) -> Ready:
    """Say whether requests should be sent here: not while the database is away."""
    try:
        await services.store.limited(acquire=1, statement=1).ping()
    except StoreError:
        raise Problem(503, "NOT_READY", "the database does not answer") from None
    pool = services.store.statistics
    return Ready(connections=pool.connections, waiting=pool.waiting)
