"""The types that stand for others: `anyelement`, `anyarray`, `anyrange` and so on."""

from sqlc_gen_psycopg.inference.facts import SqlType
from sqlc_gen_psycopg.inference.unification import unify
from sqlc_gen_psycopg.request import Name

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
TYPES = _ANY_ELEMENT | _NO_ARRAY | _ANY_ARRAY | _ANY_RANGE | _MULTIRANGES


def fits(parameter: str, argument: SqlType) -> bool:
    """Tell whether an argument can be what a polymorphic type stands for."""
    if parameter in _ANY_ARRAY:
        return argument.dims > 0
    if parameter in _ANY_RANGE:
        return argument.name.name.endswith("range") and not argument.dims
    if parameter in _MULTIRANGES:
        return argument.name.name.endswith("multirange")
    return parameter in _ANY_ELEMENT or argument.dims == 0


def result(
    name: str, wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> SqlType | None:
    """Return what an overload gives whose result type has this name."""
    if name not in TYPES:
        if name in ("record", "anyelement"):
            return None
        dims = int(name.startswith("_"))
        return SqlType(Name("", name.removeprefix("_")), dims)
    if name in _ANY_RANGE | _MULTIRANGES:
        return _same_span(name, wanted, arguments)
    elements = _elements(wanted, arguments)
    common = unify(elements) if elements else None
    if common is None:
        return None
    return common.array if name in _ANY_ARRAY else common


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
        if argument is not None and parameter in TYPES and parameter != "any"
    ]
    return [element for element in found if element]


def is_consistent(
    wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> bool:
    """Tell whether the arguments agree on the type that `any…` stands for."""
    elements = _elements(wanted, arguments)
    return not elements or unify(elements) is not None


def _element(parameter: str, argument: SqlType) -> SqlType | None:
    if parameter in _ANY_ARRAY:
        return argument.element
    if parameter in _ANY_RANGE | _MULTIRANGES:
        bound = _RANGES.get(argument.name.name.replace("multirange", "range"))
        return SqlType(Name("", bound)) if bound else None
    return argument
