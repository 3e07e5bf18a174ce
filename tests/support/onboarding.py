"""The onboarding's steps."""

from collections.abc import Callable

from generated import users
from generated.models import User

__all__ = ["FIELDS", "STEPS"]

STEPS: list[tuple[Callable[..., User | None], dict[str, int]]] = [
    (users.set_display_name, {"display_name": 100}),
    (
        users.set_shipping_address,
        {
            "first_name": 50,
            "last_name": 50,
            "street": 255,
            "apt": 50,
            "city": 100,
            "state": 100,
            "zip": 20,
            "country": 100,
        },
    ),
    (users.set_sizes, {"tops_size": 10, "bottoms_size": 10, "footwear_size": 10}),
]
"""The query of each step, and what it sets, with the length of the longest text."""

FIELDS = [name for _, lengths in STEPS for name in lengths]
