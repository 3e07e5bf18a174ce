"""The commands of sqlc, a record each."""

from enum import Enum
from typing import NamedTuple


class Gives(Enum):
    """What a function gives."""

    ONE = "a row"
    MANY = "a list of rows"
    COUNT = "a number of rows"
    CURSOR = "a cursor"
    NOTHING = "nothing"


class Command(NamedTuple):
    """A command: what its function gives, and what may be asked of it.

    One that ``takes_rows`` is called with many rows of arguments at once, of which a
    ``copies`` one makes a COPY.
    """

    name: str
    gives: Gives
    takes_rows: bool = False
    copies: bool = False
    is_deferrable: bool = False
    is_streamable: bool = False

    @property
    def has_rows(self) -> bool:
        """Whether it reads rows, or hands them on."""
        return self.gives in (Gives.ONE, Gives.MANY, Gives.CURSOR)

    @property
    def needs_columns(self) -> bool:
        """Whether a query without columns is of no use to it."""
        return self.gives in (Gives.ONE, Gives.MANY)


COMMANDS = {
    command.name: command
    for command in (
        Command(":one", Gives.ONE, is_deferrable=True),
        Command(":many", Gives.MANY, is_deferrable=True, is_streamable=True),
        Command(":exec", Gives.NOTHING),
        Command(":execrows", Gives.COUNT, is_deferrable=True),
        Command(":execresult", Gives.CURSOR),
        Command(":batchone", Gives.ONE, takes_rows=True),
        Command(":batchmany", Gives.MANY, takes_rows=True),
        Command(":batchexec", Gives.NOTHING, takes_rows=True),
        Command(":copyfrom", Gives.COUNT, takes_rows=True, copies=True),
    )
}
# What one that is not supported is taken for.
UNKNOWN = Command("", Gives.NOTHING)
