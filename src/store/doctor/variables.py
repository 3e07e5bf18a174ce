"""The settings: which are set, which are bad, and which names are none of ours."""

from __future__ import annotations

import difflib
import os
from collections.abc import Generator

from ..errors import ConfigurationError
from ..settings import Settings, problems
from .findings import Finding, notice, ok, wrong

__all__ = ["NAMES", "examine", "usable"]

NAMES = tuple(name.upper() for name in Settings.model_fields)
"""The variables that the store reads."""

# Without these the store starts, and what needs them refuses.
_WANTED = {
    "CROSSMINT_WEBHOOK_SECRETS": "receive_order_event refuses every webhook",
    "WALLET_ENCRYPTION_KEYS": "wallet keys can neither be kept nor read",
}
# They change what libpq does with a URL, for every program that is started from here.
_LIBPQ = ("PGOPTIONS", "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGSSLMODE")
_SIMILAR = 0.85


def usable() -> Settings | None:
    """Read the settings, if they are good."""
    try:
        return Settings.load()
    except ConfigurationError:
        return None


def examine() -> Generator[Finding]:
    """Look at each variable; no value is told."""
    bad = problems()
    for name in NAMES:
        if problem := bad.get(name):
            yield wrong(name, *_halves(problem))
        elif os.environ.get(name):
            yield ok(name, "is set")
        elif without := _WANTED.get(name):
            yield notice(name, f"is not set: {without}", "set it where that is needed")
    unset = sum(1 for name in NAMES if not os.environ.get(name) and name not in bad)
    yield ok("settings", f"{unset} of {len(NAMES)} are left to their defaults")
    for name in sorted(os.environ):
        if name not in NAMES and (meant := _similar(name)):
            yield wrong(name, f"is no setting; {meant} is", f"rename it to {meant}")
    for name in _LIBPQ:
        if os.environ.get(name):
            yield notice(
                name, "is set: libpq takes it where a URL says nothing", "unset it"
            )


def _similar(name: str) -> str | None:
    """Name the setting that was meant, where the case or a few letters differ."""
    if name.upper() in NAMES:
        # Variables are read in any case.
        return None
    close = difflib.get_close_matches(name.upper(), NAMES, n=1, cutoff=_SIMILAR)
    return close[0] if close else None


def _halves(problem: str) -> tuple[str, str]:
    """Take what is wrong from what to do: a setting's sentence has both."""
    what, _, remedy = problem.partition(": ")
    return what, remedy
