"""Values that a column takes: texts that the server was asked about.

Nothing is known here of types and their rules. What the rules themselves name, texts
made from their regular expressions and common spellings are tried, and those stay that
the server takes as a value of the column's type, which includes a domain's rules.
"""

from __future__ import annotations

import importlib
import random
import re
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import Connection, RawCursor

from generated.internal.catalog import ListFillableColumnsRow

from ..errors import MigrationError

__all__ = ["accepted"]

_SPELLINGS = (
    *("1", "2", "0", "42", "1000", "0.5", "1.5", "-1", "t", "f"),
    *("a", "b", "some text", "other text", "abcdefghijklmnopqrst"),
    *("2024-01-02", "2025-06-07 08:09:10+00", "04:05:06", "1 day"),
    *("{}", "[]", '{"a": 1}', "empty", "\\x00ff", "<a>1</a>"),
    *("10.0.0.0/8", "08:00:2b:01:02:03", "08:00:2b:01:02:03:04:05", "a.b"),
    *("(1,2)", "{1,2,3}", "[(0,0),(1,1)]", "((0,0),(1,1),(2,0))", "<(1,2),3>"),
    *("0/16B3748", "public", "[1,2]", "(a)", "[2024-01-02,2025-06-07]"),
)
_UUIDS = tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(1, 6))
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_PATTERN = re.compile(r"~\*? '((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w$.'-])-?\d{1,9}(?![\w.'])")
_MADE_OF_EACH_PATTERN = 3


def accepted(
    conn: Connection[Any], column: ListFillableColumnsRow, seeded: random.Random
) -> list[str]:
    """Give the values that the column's type takes, as the server spells them.

    Those that the rules name come first. `conn` is in autocommit.
    """
    found = dict.fromkeys(_cast(conn, column.casting, _candidates(column, seeded)))
    return [*found]


def _cast(
    conn: Connection[Any], casting: str, candidates: Iterable[str]
) -> Iterator[str]:
    cursor = RawCursor(conn)
    for candidate in dict.fromkeys(candidates):
        try:
            row = cursor.execute(casting.encode(), [candidate]).fetchone()
        except psycopg.Error:
            continue
        if row and row[0] is not None:
            yield str(row[0])


def _candidates(column: ListFillableColumnsRow, seeded: random.Random) -> Iterator[str]:
    yield from filter(None, column.labels)
    for rule in filter(None, column.rules):
        for pattern in _PATTERN.findall(rule):
            yield from _matching(pattern.replace("''", "'"), seeded)
        yield from (text.replace("''", "'") for text in _QUOTED.findall(rule))
        for number in map(int, _NUMBER.findall(rule)):
            yield from (str(number), str(number + 1), str(number - 1))
    yield from _SPELLINGS
    yield from _UUIDS


def _matching(pattern: str, seeded: random.Random) -> Iterator[str]:
    """Make texts that match, where Python reads the pattern as PostgreSQL does."""
    try:
        rstr = importlib.import_module("rstr")
    except ModuleNotFoundError:
        raise MigrationError(
            "rstr, which makes texts for rules, is not installed: run make setup, or "
            "pip install rstr"
        ) from None
    for _ in range(_MADE_OF_EACH_PATTERN):
        try:
            yield str(rstr.Rstr(seeded).xeger(pattern))
        except (re.error, KeyError, ValueError):
            return
