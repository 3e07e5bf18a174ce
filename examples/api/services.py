"""What requests and workers work with, and who asks."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie

from generated.aio import users
from generated.enums import WalletStatus
from generated.models import UserProfile
from store import AsyncStore, errors

from .problems import Problem
from .settings import ApiSettings
from .standins import Chain, Crossmint, Model, UpstreamError

JWT, REFRESH, EMAIL = "crossmint-jwt", "crossmint-refresh-token", "crossmint-email"
"""The cookies of a session."""

_log = logging.getLogger("examples.api")
_token = APIKeyCookie(name=JWT, scheme_name="CookieAuth", auto_error=False)


@dataclass(frozen=True, slots=True)
class Services:
    """One of each for a process; the store's pool is its only connections."""

    store: AsyncStore
    settings: ApiSettings = field(default_factory=ApiSettings)
    crossmint: Crossmint = field(default_factory=Crossmint)
    chain: Chain = field(default_factory=Chain)
    model: Model = field(default_factory=Model)

    @property
    def onchain(self) -> bool:
        """Whether the contract has the carts."""
        return self.store.settings.cart_service == "onchain"


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Serving = Annotated[Services, Depends(_services)]


async def _signed_in(
    services: Serving,
    request: Request,
    token: Annotated[str | None, Security(_token)] = None,
) -> UserProfile:
    claims = services.crossmint.claims(token) if token else None
    if claims is None:
        raise Problem(401, "UNAUTHORIZED", "sign in")
    async with services.store.connection() as conn:
        user = await users.get_user_by_crossmint_user_id(
            conn, crossmint_user_id=claims["sub"]
        )
    if user is None:
        email = claims["email"] or request.cookies.get(EMAIL)
        user = await services.store.create_user(claims["sub"], email=email)
    if user.wallet_status not in {WalletStatus.NONE, WalletStatus.FAILED}:
        return user
    async with services.store.connection() as conn:
        begun = await users.begin_wallet(conn, id=user.id)
    return await provision(services, begun) if begun else user


async def provision(services: Services, begun: UserProfile) -> UserProfile:
    """Make the wallet of a user for whom `begin_wallet` or `retry_wallet` gave the row.

    A process that dies on the way leaves it pending, for a worker to find.
    """
    store = services.store
    try:
        wallet = await services.crossmint.create_wallet()
    except UpstreamError:
        async with store.connection() as conn:
            await users.fail_wallet(
                conn, id=begun.id, pending_since=begun.wallet_status_since
            )
        raise Problem(
            503, "WALLET_PROVISION_FAILED", "no wallet could be made: try again"
        ) from None
    try:
        return await store.provision_wallet(
            begun.id,
            wallet_address=wallet.sui_address,
            key=wallet.key,
            crossmint_wallet_id=wallet.id,
            evm_address=wallet.evm_address,
        )
    except errors.WalletAlreadyActive:  # a worker that took it over was faster
        async with store.connection() as conn:
            user = await users.get_user(conn, id=begun.id)
        if user is None:
            raise errors.UserNotFound(begun.id) from None
        return user


SignedIn = Annotated[UserProfile, Depends(_signed_in)]
"""The user of the request's cookie, who is made at the first request."""


async def _onboarded(user: SignedIn) -> UserProfile:
    if user.onboarding_step < 3:
        raise Problem(
            403,
            "ONBOARDING_INCOMPLETE",
            "finish the onboarding first",
            step=user.onboarding_step,
        )
    return user


Onboarded = Annotated[UserProfile, Depends(_onboarded)]
"""The same, who has finished the three steps."""
