"""Signing in: a token of Crossmint's becomes cookies."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ..bodies import Done, Profile, Session
from ..problems import Problem, documented
from ..services import EMAIL, JWT, REFRESH, Services, Serving, SignedIn

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/session", responses=documented(400, 401))
async def set_session(session: Session, services: Serving, response: Response) -> Done:
    """Set the cookies of a session."""
    if services.crossmint.claims(session.jwt) is None:
        raise Problem(401, "UNAUTHORIZED", "the token is not valid, or has expired")
    for name, value in (
        (JWT, session.jwt),
        (REFRESH, session.refresh_token),
        (EMAIL, session.email),
    ):
        if value and value.isascii() and value.isprintable():
            _set_cookie(services, response, name, value)
    return Done()


def _set_cookie(services: Services, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        httponly=True,
        samesite="lax",
        secure=services.settings.secure_cookies,
    )


@router.get("/profile", responses=documented(401, 404))
async def get_profile(user: SignedIn) -> Profile:
    """Say who is signed in."""
    return Profile(
        user_id=user.id,
        email=user.email,
        wallet_address=user.wallet_address,
        wallet_status=user.wallet_status,
        onboarding_step=user.onboarding_step,
        evm_address=user.evm_address,
    )


@router.post("/logout")
async def log_out(response: Response) -> Done:
    """Forget the cookies, if there are any."""
    for name in (JWT, REFRESH, EMAIL):
        response.delete_cookie(name)
    return Done()
