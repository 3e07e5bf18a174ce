"""PostgreSQL's built-in functions and operators: which overload is meant."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlc_gen_psycopg.inference.facts import SqlType
from sqlc_gen_psycopg.request import Name

_EXACT, _SAME, _IMPLICIT = 4, 3, 1
_IMPLICIT_CASTS = {
    "int2": ("int4", "int8", "numeric", "float4", "float8", "oid"),
    "int4": ("int8", "numeric", "float4", "float8", "oid"),
    "int8": ("numeric", "float4", "float8", "oid"),
    "numeric": ("float4", "float8"),
    "float4": ("float8",),
    "varchar": ("text", "bpchar"),
    "bpchar": ("text", "varchar"),
    "name": ("text",),
    "char": ("text",),
    "date": ("timestamp", "timestamptz"),
    "timestamp": ("timestamptz",),
    "time": ("interval", "timetz"),
    "cidr": ("inet",),
    "bit": ("varbit",),
    "macaddr": ("macaddr8",),
    "oid": ("regclass", "regtype", "regproc"),
    "regclass": ("oid",),
    "regtype": ("oid",),
    "regproc": ("oid",),
}
_SAME_BYTES = {("varchar", "text"), ("cidr", "inet"), ("bit", "varbit")}
_PREFERRED = {"bool", "float8", "inet", "interval", "oid", "text", "timestamptz"}
_ANY_ELEMENT = {"any", "anyelement", "anycompatible"}
_NO_ARRAY = {"anynonarray", "anycompatiblenonarray", "anyenum"}
_ANY_ARRAY = {"anyarray", "anycompatiblearray"}
_RANGES = {
    "daterange": "date",
    "int4range": "int4",
    "int8range": "int8",
    "numrange": "numeric",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
}
_ANY_RANGE = {"anyrange", "anycompatiblerange"}
_MULTIRANGES = {"anymultirange", "anycompatiblemultirange"}
_POLYMORPHIC = _ANY_ELEMENT | _NO_ARRAY | _ANY_ARRAY | _ANY_RANGE | _MULTIRANGES


@dataclass(frozen=True, slots=True)
class Signature:
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


@cache
def function(
    name: str,
    arguments: tuple[SqlType | None, ...],
    given: tuple[SqlType | None, ...],
) -> SqlType | None:
    """Return a call's result type, None if it cannot be told, as unknown types are.

    ``arguments`` are base types, ``given`` may be domains: `any…` keeps them.
    """
    found = _resolve(overloads(name), arguments, given)
    return found or _resolve(overloads(name), arguments)


@cache
def operator(name: str, operands: tuple[SqlType | None, ...]) -> SqlType | None:
    """Return an operation's result type, None if it cannot be told."""
    signatures = _tables()[1].get(name, [])
    if len(operands) == 2 and None in operands:  # noqa: PLR2004 - a binary operator
        # PostgreSQL first takes an untyped literal as of the other side's type.
        known = operands[0] or operands[1]
        found = _resolve(signatures, (known, known), exact=True)
        if found:
            return found
    return _resolve(signatures, operands)


def _resolve(
    signatures: list[Signature],
    arguments: tuple[SqlType | None, ...],
    given: tuple[SqlType | None, ...] | None = None,
    *,
    exact: bool = False,
) -> SqlType | None:
    best, results = 0, list[SqlType | None]()
    for signature in signatures:
        wanted = signature.takes(len(arguments))
        if wanted is None:
            continue
        score = _score(wanted, arguments)
        if score is None or not _is_consistent(wanted, arguments):
            continue
        if exact and score < _EXACT * len(arguments):
            continue
        if score > best or not results:
            best, results = score, []
        if score == best:
            results.append(_result(signature.result, wanted, given or arguments))
    return results[0] if results and len(set(results)) == 1 else None


def _score(
    wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> int | None:
    total = 0
    for parameter, argument in zip(wanted, arguments, strict=True):
        score = _fit(parameter, argument)
        if score is None:
            return None
        total += score
    return total


def _fit(parameter: str, argument: SqlType | None) -> int | None:
    if argument is None:
        # An untyped literal would rather be text than anything else.
        return _IMPLICIT + (parameter == "text")
    if parameter in _POLYMORPHIC:
        return _IMPLICIT if _fits_polymorphic(parameter, argument) else None
    name = _spelled(argument)
    if name == parameter:
        return _EXACT
    if (name, parameter) in _SAME_BYTES:
        return _SAME
    if parameter in _IMPLICIT_CASTS.get(name, ()):
        return _IMPLICIT + (parameter in _PREFERRED)
    return None


def _fits_polymorphic(parameter: str, argument: SqlType) -> bool:
    if parameter in _ANY_ARRAY:
        return argument.dims > 0
    if parameter in _ANY_RANGE:
        return argument.name.name.endswith("range") and not argument.dims
    if parameter in _MULTIRANGES:
        return argument.name.name.endswith("multirange")
    return parameter in _ANY_ELEMENT or argument.dims == 0


def _spelled(found: SqlType) -> str:
    return f"_{found.name.name}" if found.dims else found.name.name


def _result(
    result: str, wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> SqlType | None:
    if result not in _POLYMORPHIC:
        if result in ("record", "anyelement"):
            return None
        dims = int(result.startswith("_"))
        return SqlType(Name("", result.removeprefix("_")), dims)
    if result in _ANY_RANGE | _MULTIRANGES:
        return _same_span(result, wanted, arguments)
    elements = _elements(wanted, arguments)
    common = unify(elements) if elements else None
    if common is None:
        return None
    return common.array if result in _ANY_ARRAY else common


def _same_span(
    result: str, wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> SqlType | None:
    """Return the range or multirange type that an argument has."""
    suffix = "range" if result in _ANY_RANGE else "multirange"
    found = {
        SqlType(Name("", _span_root(argument) + suffix))
        for parameter, argument in zip(wanted, arguments, strict=True)
        if argument and parameter in _ANY_RANGE | _MULTIRANGES
    }
    return found.pop() if len(found) == 1 else None


def _span_root(found: SqlType) -> str:
    return found.name.name.removesuffix("range").removesuffix("multi")


def _elements(
    wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> list[SqlType]:
    """Return what the arguments say of the type that `any…` stands for."""
    found = [
        _element(parameter, argument)
        for parameter, argument in zip(wanted, arguments, strict=True)
        if argument is not None and parameter in _POLYMORPHIC and parameter != "any"
    ]
    return [element for element in found if element]


def _is_consistent(
    wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> bool:
    elements = _elements(wanted, arguments)
    return not elements or unify(elements) is not None


def _element(parameter: str, argument: SqlType) -> SqlType | None:
    if parameter in _ANY_ARRAY:
        return argument.element
    if parameter in _ANY_RANGE | _MULTIRANGES:
        bound = _RANGES.get(argument.name.name.replace("multirange", "range"))
        return SqlType(Name("", bound)) if bound else None
    return argument


def is_alike(one: SqlType | None, other: SqlType | None) -> bool:
    """Tell whether two types are carried alike: the same, or both texts."""
    if one and other and one.dims == other.dims:
        return {one.name.name, other.name.name} <= {*_TEXTS} or one.name == other.name
    return one == other


_TOWER = ("int2", "int4", "int8", "numeric", "float4", "float8")
_TIMES = ("date", "timestamp", "timestamptz")
_TEXTS = ("name", "bpchar", "varchar", "text")


def unify(types: list[SqlType]) -> SqlType | None:
    """Return the common type of a CASE's or UNION's arms, None if it cannot be told."""
    found = dict.fromkeys(types)
    if len(found) <= 1:
        return next(iter(found), None)
    names = [t.name.name for t in found]
    if any(t.dims or t.name.schema for t in found):
        return None
    for ladder in (_TOWER, _TIMES):
        if all(name in ladder for name in names):
            return SqlType(Name("", max(names, key=ladder.index)))
    if all(name in _TEXTS for name in names):
        return SqlType(Name("", "text"))
    return None
