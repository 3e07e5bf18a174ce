"""Pages by number, beside the keysets of the generated functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Rows of a list, and how many the whole list has; both are of one moment."""

    rows: list[_T]
    total: int
