"""What a real database holds, kind by kind, read from `objects.sql`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

__all__ = ["KINDS", "Kind", "of"]

_KIND = re.compile(
    r"^-- kind: (?P<name>.*)\n-- draft: (?P<draft>.*)\n(?:-- since: (?P<since>.*)\n)?"
    r"(?:-- needs: (?P<needs>.*)\n)?-- shown: (?P<shown>.*)\n"
    r"-- made\n(?P<made>(?:(?!-- changed\n).*\n)*)-- changed\n(?P<changed>.*)\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Objects of a kind: made, then changed, which a difference shows by these words.

    `draft` says what a draft makes of them.
    """

    name: str
    made: str
    changed: str
    shown: str
    since: int
    needs: str
    draft: str


KINDS = [
    Kind(
        found["name"],
        found["made"],
        found["changed"],
        found["shown"],
        int(found["since"] or 0),
        found["needs"] or "",
        found["draft"],
    )
    for found in _KIND.finditer(
        Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    )
]


def of(conn: psycopg.Connection) -> list[Kind]:
    """Give the kinds that a server has."""
    version = conn.info.server_version // 10000
    there = {
        name
        for (name,) in conn.execute(
            "SELECT name FROM pg_available_extensions UNION"
            " SELECT 'icu' FROM pg_collation WHERE collname = 'und-x-icu'"
        )
    }
    return [
        kind
        for kind in KINDS
        if kind.since <= version and (not kind.needs or kind.needs in there)
    ]
