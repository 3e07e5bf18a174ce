"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level", "notice", "ok", "unseen", "wrong"]


class Level(StrEnum):
    """How bad it is.

    A notice is what may be meant; `UNSEEN` what could not be looked at.
    """

    OK = "ok"
    NOTICE = "notice"
    WRONG = "wrong"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to do.

    `remedy` is empty where nothing is to be done.
    """

    check: str
    level: Level
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """Tell what is as it should be."""
    return Finding(check, Level.OK, message)


def notice(check: str, message: str, remedy: str) -> Finding:
    """Tell what may be meant, and what to do if it is not."""
    return Finding(check, Level.NOTICE, message, remedy)


def wrong(check: str, message: str, remedy: str) -> Finding:
    """Tell what is wrong, and what mends it."""
    return Finding(check, Level.WRONG, message, remedy)


def unseen(check: str, message: str, remedy: str) -> Finding:
    """Tell what could not be looked at, and what to do first."""
    return Finding(check, Level.UNSEEN, message, remedy)
