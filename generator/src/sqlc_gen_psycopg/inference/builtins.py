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
def _tables() -> tuple[dict[str, list[Signature]], dict[str, list[Signature]]]:
    functions: dict[str, list[Signature]] = {}
    operators: dict[str, list[Signature]] = {}
    text = Path(__file__).with_name("builtins.txt").read_text("utf-8")
    for line in text.splitlines():
        what, name, *rest = line.split("\t")
        if what == "f":
            functions.setdefault(name, []).append(_function(rest))
        else:
            left, right, result = rest
            operands = (left, right) if left else (right,)
            operators.setdefault(name, []).append(Signature(operands, result))
    return functions, operators


def _function(rest: list[str]) -> Signature:
    kind, is_set, defaults, variadic, arguments, result = rest
    return Signature(
        tuple(arguments.split()),
        result,
        kind,
        is_set == "1",
        int(defaults),
        variadic == "1",
    )


def overloads(name: str) -> list[Signature]:
    """Return the built-in functions of a name."""
    return _tables()[0].get(name, [])


def operators(name: str) -> list[Signature]:
    """Return the built-in operators of a name."""
    return _tables()[1].get(name, [])
