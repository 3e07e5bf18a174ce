"""A migration that is drafted, as statements and as the text of its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..sql import statements
from ..sql.statements import Statement

__all__ = ["IRREVERSIBLE", "RECREATES", "Step"]

IRREVERSIBLE = "-- irreversible: "
"""Begins the line of a down part that says what it does not take back, and why."""

RECREATES = "RECREATES: {}, but not its owner, nor what was granted by hand."
"""Names what is dropped and made anew."""


@dataclass(frozen=True, slots=True)
class Step:
    """A file of a draft.

    `suffix` tells it from the others and is empty for the main one; `locks` are lines
    that say what is locked for long; `irreversible` says what `down` leaves, and why.
    """

    suffix: str
    up: Sequence[Statement]
    down: Sequence[Statement]
    irreversible: str = ""
    locks: Sequence[str] = ()
    in_transaction: bool = True

    @property
    def losses(self) -> list[str]:
        """Say which statements lose rows or values."""
        return statements.losses(self.up, self.down)

    @property
    def text(self) -> str:
        """Give the file's text."""
        option = "" if self.in_transaction else " transaction:false"
        return "\n".join(
            [
                "-- Drafted from db/schema.sql: read it before it is applied.",
                *(f"-- LOSES: it {loss}." for loss in self.losses),
                *(f"-- {RECREATES.format(n)}" for n in statements.recreated(self.up)),
                *(f"-- {lock}" for lock in self.locks),
                f"-- migrate:up{option}",
                *(f"\n{statement.text};" for statement in self.up),
                f"\n-- migrate:down{option}",
                *(
                    [f"\n{IRREVERSIBLE}{self.irreversible}"]
                    if self.irreversible
                    else []
                ),
                *(f"\n{statement.text};" for statement in self.down),
                "",
            ]
        )
