"""Changes of a schema, one of each kind, read from `changes.sql`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHANGES", "Change"]

_CHANGE = re.compile(
    r"^-- change: (?P<kind>.*?)(?P<one_way> \(one way\))?\n"
    r"-- before\n(?P<before>.*?)^-- after\n(?P<after>.*?)(?=^-- change|\Z)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Change:
    """Two states of some objects; `one_way` where there is no way back."""

    kind: str
    before: str
    after: str
    one_way: bool


def _read() -> Iterator[Change]:
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for found in _CHANGE.finditer(text):
        before, after = found["before"], found["after"]
        yield Change(found["kind"], before, after, found["one_way"] is not None)


CHANGES = [*_read()]
