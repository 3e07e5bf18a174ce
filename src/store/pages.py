"""Pages of lists: by cursor, which repeat and miss nothing, and by number."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from . import errors

_T = TypeVar("_T")
_K = TypeVar("_K", UUID, str)


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Rows of a list, and how many the whole list has; both are of one moment."""

    rows: list[_T]
    total: int


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[_T]):
    """Rows of a list, and where the next page begins.

    ``next_cursor`` is a text to be given back as it is, by an API's client too; None on
    the last page.
    """

    rows: list[_T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[_K]):
    """A list that is ordered by a time and an id, and read by cursor.

    A cursor of one list is none of another's, whose order may be another.
    """

    name: str
    key: type[_K]

    def position(
        self, cursor: str | None, max_rows: int
    ) -> tuple[datetime | None, _K | None]:
        """Read from a cursor the time and id of the row that the next page is after.

        Raises:
            InvalidValue: it is no cursor of this list, or fewer than one row is asked
                for.
        """
        if max_rows < 1:
            raise errors.InvalidValue("1 or more", place="max_rows")
        if cursor is None:
            return None, None
        try:
            name, time, key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            if name == self.name and isinstance(key, str):
                return datetime.fromisoformat(time), self.key(key)
        except (AttributeError, RecursionError, TypeError, ValueError):
            pass  # below, in our words
        raise errors.InvalidValue(f"a cursor that {self.name} gave", place="cursor")

    def page(
        self,
        rows: Sequence[_T],
        max_rows: int,
        position_of: Callable[[_T], tuple[datetime, _K]],
    ) -> CursorPage[_T]:
        """Make a page of the rows that were read, one more than it is to have."""
        page = list(rows[:max_rows])
        if len(rows) <= max_rows:
            return CursorPage(page, None)
        time, key = position_of(page[-1])
        text = json.dumps([self.name, time.isoformat(), str(key)])
        return CursorPage(page, base64.urlsafe_b64encode(text.encode()).decode())
