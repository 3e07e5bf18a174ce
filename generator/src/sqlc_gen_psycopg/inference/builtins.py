"""PostgreSQL's built-in functions and operators, each with its overloads."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Signature(NamedTuple):
    """One overload; types are spelled as in pg_type, arrays with an underscore."""

    arguments: tuple[str, ...]
    result: str
    kind: str = "f"
    is_set: bool = False
    defaults: int = 0
    is_variadic: bool = False

    def takes(self, count: int) -> tuple[str, ...] | None:
        """Return the types that so many arguments have, None if it takes others."""
        wanted = self.arguments
        if self.is_variadic and count >= len(wanted):
            last = wanted[-1].removeprefix("_") if wanted[-1] != "any" else "any"
            last = {"anyarray": "anyelement"}.get(last, last)
            return (*wanted[:-1], *[last] * (count - len(wanted) + 1))
        if len(wanted) - self.defaults <= count <= len(wanted):
            return wanted[:count]
        return None


@cache
def _text() -> str:
    return "\n" + Path(__file__).with_name("builtins.txt").read_text("utf-8")


def _lines(what: str, name: str) -> Iterator[str]:
    """Yield the lines of a name; so few are ever asked for that none is split off."""
    text, start = _text(), f"\n{what}\t{name}\t"
    place = text.find(start)
    while place >= 0:
        end = text.index("\n", place + 1)
        yield text[place + len(start) : end]
        place = text.find(start, end)


def _function(line: str) -> Signature:
    kind, is_set, defaults, variadic, arguments, result = line.split("\t")
    return Signature(
        tuple(arguments.split()),
        result,
        kind,
        is_set == "1",
        int(defaults),
        variadic == "1",
    )


def _operator(line: str) -> Signature:
    left, right, result = line.split("\t")
    return Signature((left, right) if left else (right,), result)


@cache
def overloads(name: str) -> list[Signature]:
    """Return the built-in functions of a name."""
    return [_function(line) for line in _lines("f", name)]


@cache
def operators(name: str) -> list[Signature]:
    """Return the built-in operators of a name."""
    return [_operator(line) for line in _lines("o", name)]
