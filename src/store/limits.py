"""How long anything may take, and how much one call may be given."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass, replace

from .errors import InvalidValue, TooMany


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of time, in seconds; `docs/connections.md` says what each one ends.

    ``connect``: a new connection, to each host of the URL. ``acquire``: until a
    connection is had. ``statement``: one statement, or the round trip of several.
    ``lock``: a statement that waits for a lock. ``transaction``: from BEGIN to COMMIT.
    ``idle``: between two round trips of a transaction. ``network``: without a sign of
    the server's machine.
    """

    connect: float = 5
    acquire: float = 10
    statement: float = 10
    lock: float = 5
    transaction: float = 30
    idle: float = 10
    network: float = 15

    def lowered(
        self,
        *,
        acquire: float | None = None,
        statement: float | None = None,
        lock: float | None = None,
        transaction: float | None = None,
    ) -> Limits:
        """Give these limits with lower ones; higher ones change nothing.

        Raises:
            InvalidValue: a limit is not above 0.
        """
        given = {
            "acquire": acquire,
            "statement": statement,
            "lock": lock,
            "transaction": transaction,
        }
        lower: dict[str, float] = {}
        for name, limit in given.items():
            if limit is None:
                continue
            if not limit > 0:
                raise InvalidValue("more than 0 seconds", place=name)
            lower[name] = min(limit, getattr(self, name))
        return replace(self, **lower)


def refuse_too_many(what: str, given: Sized, limit: int, setting: str) -> None:
    """Refuse a call that would hold its locks for too long.

    Raises:
        TooMany: it is given more than the setting allows.
    """
    if len(given) > limit:
        raise TooMany(what, len(given), limit, setting)


def milliseconds(seconds: float) -> int:
    """Give a limit as PostgreSQL takes it, for which 0 would be none."""
    return max(1, min(round(seconds * 1000), 2**31 - 1))
