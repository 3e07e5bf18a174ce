"""PostgreSQL's built-in functions and operators, each with its overloads."""

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
def _lines() -> dict[tuple[str, str], list[str]]:
    """Return the lines of each function and operator; few are ever asked for."""
    found: dict[tuple[str, str], list[str]] = {}
    text = Path(__file__).with_name("builtins.txt").read_text("utf-8")
    for line in text.splitlines():
        what, name, rest = line.split("\t", 2)
        found.setdefault((what, name), []).append(rest)
    return found


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
    return [_function(line) for line in _lines().get(("f", name), ())]


@cache
def operators(name: str) -> list[Signature]:
    """Return the built-in operators of a name."""
    return [_operator(line) for line in _lines().get(("o", name), ())]
