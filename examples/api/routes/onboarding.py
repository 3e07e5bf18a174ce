"""The three steps of onboarding."""

from __future__ import annotations

from fastapi import APIRouter

from generated.aio import users
from generated.models import UserProfile

from ..bodies import DisplayName, OnboardingStatus, ShippingAddress, Sizes, StepDone
from ..problems import Problem, documented
from ..services import Serving, SignedIn

router = APIRouter(prefix="/api/onboarding", tags=["onboarding"])


@router.get("/status", responses=documented(401))
async def get_status(user: SignedIn) -> OnboardingStatus:
    """Say how far the user is."""
    step = user.onboarding_step
    return OnboardingStatus(step=step, completed=step >= 3)


@router.post("/step-1", responses=documented(400, 401))
async def set_name(body: DisplayName, user: SignedIn, services: Serving) -> StepDone:
    """Set the display name."""
    async with services.store.connection() as conn:
        changed = await users.set_display_name(
            conn, id=user.id, display_name=body.display_name
        )
    return _done(changed, 1)


@router.post("/step-2", responses=documented(400, 401, 403))
async def set_address(
    body: ShippingAddress, user: SignedIn, services: Serving
) -> StepDone:
    """Set the shipping address."""
    async with services.store.connection() as conn:
        changed = await users.set_shipping_address(
            conn, id=user.id, **body.model_dump()
        )
    return _done(changed, 2)


@router.post("/step-3", responses=documented(400, 401, 403))
async def set_sizes(body: Sizes, user: SignedIn, services: Serving) -> StepDone:
    """Set the clothing sizes."""
    async with services.store.connection() as conn:
        changed = await users.set_sizes(conn, id=user.id, **body.model_dump())
    return _done(changed, 3)


def _done(changed: UserProfile | None, step: int) -> StepDone:
    if changed is None:
        raise Problem(403, "STEP_NOT_REACHED", f"complete step {step - 1} first")
    return StepDone(step=step)
