"""The routes, by what they are about."""

from . import (
    auth,
    cart,
    chat,
    checkout,
    deposits,
    health,
    onboarding,
    orders,
    sessions,
    standins,
    webhooks,
)

ROUTERS = tuple(
    module.router
    for module in (
        health,
        auth,
        onboarding,
        sessions,
        chat,
        cart,
        checkout,
        deposits,
        orders,
        webhooks,
        standins,
    )
)
