"""The onboarding's steps."""

from collections.abc import Callable

from generated import users
from generated.models import UserProfile

__all__ = ["FIELDS", "MAY_BE_ABSENT", "STEPS", "text"]

STEPS: list[tuple[Callable[..., UserProfile | None], dict[str, int]]] = [
    (users.set_display_name, {"display_name": 100}),
    (
        users.set_shipping_address,
        {
            "first_name": 50,
            "last_name": 50,
            "street": 200,
            "apt": 50,
            "city": 100,
            "state": 100,
            "zip": 20,
            "country": 2,
        },
    ),
    (users.set_sizes, {"tops_size": 10, "bottoms_size": 10, "footwear_size": 10}),
]
"""The query of each step, and what it sets, with the length of the longest text."""

FIELDS = [name for _, lengths in STEPS for name in lengths]

MAY_BE_ABSENT = {"apt", "state"}


def text(field: str, length: int, letter: str = "a") -> str:
    """Make a text for a field; a country is a code, whatever length is asked for."""
    return "US" if field == "country" else letter * length
