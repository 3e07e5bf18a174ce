"""PostgreSQL's rules of conversion: what becomes what, and the common type of several.

Chapter 10 of its documentation, "Type Conversion", in the order of its parser.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlc_gen_psycopg.catalog.catalog import Catalog
from sqlc_gen_psycopg.catalog.types import PgType

IMPLICIT, ASSIGNMENT, EXPLICIT = "i", "a", "e"
_RANK = {IMPLICIT: 0, ASSIGNMENT: 1, EXPLICIT: 2}

_SIMPLE = frozenset({"anyelement", "anynonarray", "anyenum"})
_COMPATIBLE = frozenset({"anycompatible", "anycompatiblenonarray"})
POLYMORPHIC = (
    _SIMPLE
    | _COMPATIBLE
    | frozenset(
        {
            "anyarray",
            "anyrange",
            "anymultirange",
            "anycompatiblearray",
            "anycompatiblerange",
            "anycompatiblemultirange",
        }
    )
)


def is_polymorphic(found: PgType) -> bool:
    """Tell whether a type stands for others."""
    return found.kind == "p" and found.name.name in POLYMORPHIC


def is_composite(found: PgType) -> bool:
    """Tell whether values of a type are rows of known columns."""
    return found.flat.kind == "c"


def is_array(found: PgType) -> bool:
    """Tell whether a type is an array, domains over arrays left out."""
    return found.element is not None


def pathway(source: PgType, target: PgType, context: str, catalog: Catalog) -> str:
    """Return how a type is converted, "" if the context does not allow it.

    By nothing ("b"), by a function ("f"), by text ("i"), or element by element ("a").
    """
    source, target = source.flat, target.flat
    if source is target:
        return "b"
    cast = catalog.cast(source, target)
    if cast:
        return cast[1] if _RANK[context] >= _RANK[cast[0]] else ""
    if (
        source.element
        and target.element
        and target.name.name not in ("oidvector", "int2vector")
        and (pathway(source.element, target.element, context, catalog))
    ):
        return "a"
    if context != IMPLICIT and target.category == "S":
        return "i"
    if context == EXPLICIT and source.category == "S":
        return "i"
    return ""


def can_become(  # noqa: PLR0911 - a rule each
    source: PgType, target: PgType, context: str, catalog: Catalog
) -> bool:
    """Tell whether a value of one type can become one of another."""
    if source is target or target is catalog.any or source.is_unknown:
        return True
    if is_polymorphic(target):
        return True
    if source.is_foreign or target.is_foreign:
        return context != IMPLICIT
    if pathway(source, target, context, catalog):
        return True
    record = catalog.record
    if source is record and target.kind == "c":
        return True
    if source.flat.kind == "c" and target is record:
        return True
    array = record.array
    return bool(
        (target is array and source.element and source.element.kind == "c")
        or (source is array and target.element and target.element.kind == "c")
    )


def is_binary_coercible(source: PgType, target: PgType, catalog: Catalog) -> bool:
    """Tell whether a type is another one already, for a function that takes it."""
    return pathway(source, target, IMPLICIT, catalog) == "b"


def can_call(
    given: Sequence[PgType], taken: Sequence[PgType], catalog: Catalog
) -> bool:
    """Tell whether arguments of types can be given to a function by implicit casts."""
    for one, other in zip(given, taken, strict=True):
        if not can_become(one, other, IMPLICIT, catalog):
            return False
    if any(is_polymorphic(one) for one in taken):
        return stands_for(given, taken, catalog) is not None
    return True


class Generics(NamedTuple):
    """What polymorphic types stand for; None where all arguments are unknown."""

    element: PgType | None = None
    array: PgType | None = None
    range: PgType | None = None
    multirange: PgType | None = None
    compatible: PgType | None = None
    compatible_range: PgType | None = None
    compatible_multirange: PgType | None = None


def stands_for(  # noqa: PLR0911, PLR0912 - a rule each
    given: Sequence[PgType], taken: Sequence[PgType], catalog: Catalog
) -> Generics | None:
    """Return what polymorphic types stand for; None if the arguments do not agree."""
    exact: dict[str, PgType] = {}
    commons: list[PgType] = []
    names = [one.name.name if is_polymorphic(one) else "" for one in taken]
    for argument, name in zip(given, names, strict=True):
        if not name or argument.is_unknown:
            continue
        if name in _COMPATIBLE:
            commons.append(argument)
            continue
        slot = "anyelement" if name in _SIMPLE else name
        found = argument if slot == "anyelement" else argument.flat
        if name == "anycompatiblearray":
            if found.element is None:
                return None
            commons.append(found.element)
            continue
        if exact.setdefault(slot, found) is not found:
            return None
    element = exact.get("anyelement")
    array = exact.get("anyarray")
    if array is not None:
        if array.element is None or element not in (None, array.element):
            return None
        element = array.element
    spans = _spans(exact, "any", catalog)
    if spans is None or (spans[2] is not None and element not in (None, spans[2])):
        return None
    element = element or spans[2]
    if element is not None:
        if "anynonarray" in names and element.flat.element is not None:
            return None
        if "anyenum" in names and element.flat.kind != "e":
            return None
    compatible, others = None, _spans(exact, "anycompatible", catalog)
    if others is None:
        return None
    if others[2] is not None:
        commons.append(others[2])
    if commons:
        compatible = common_type(commons, catalog)
        if compatible is None or not all(
            can_become(one, compatible, IMPLICIT, catalog) for one in commons
        ):
            return None
        if others[2] is not None and others[2] is not compatible:
            return None
        if "anycompatiblenonarray" in names and compatible.flat.element is not None:
            return None
    return Generics(
        element, array, spans[0], spans[1], compatible, others[0], others[1]
    )


def _spans(
    exact: dict[str, PgType], prefix: str, catalog: Catalog
) -> tuple[PgType | None, PgType | None, PgType | None] | None:
    """Return the range, the multirange and what they are ranges of."""
    found = exact.get(f"{prefix}range")
    multiple = exact.get(f"{prefix}multirange")
    if multiple is not None:
        single = catalog.multirange_ranges.get(multiple)
        if single is None or found not in (None, single):
            return None
        found = single
    if found is None:
        return None, None, None
    if found not in catalog.range_subtypes:
        return None
    return found, multiple, catalog.range_subtypes[found]


def specific(  # noqa: PLR0911 - a type each
    name: str, generics: Generics, catalog: Catalog
) -> PgType | None:
    """Return what one polymorphic type stands for; None if that cannot be told."""
    if name in _SIMPLE:
        return generics.element
    if name == "anyarray":
        return generics.array or (generics.element.array if generics.element else None)
    if name == "anyrange":
        return generics.range
    if name == "anymultirange":
        return generics.multirange or _multirange(generics.range, catalog)
    if name in _COMPATIBLE:
        return generics.compatible or catalog.text
    if name == "anycompatiblearray":
        return (generics.compatible or catalog.text).array
    if name == "anycompatiblerange":
        return generics.compatible_range
    if name == "anycompatiblemultirange":
        return generics.compatible_multirange or _multirange(
            generics.compatible_range, catalog
        )
    return None


def _multirange(span: PgType | None, catalog: Catalog) -> PgType | None:
    for multiple, single in catalog.multirange_ranges.items():
        if single is span:
            return multiple
    return None


def common_type(types: Sequence[PgType], catalog: Catalog) -> PgType | None:
    """Return the type that several become; None if their categories differ."""
    first = types[0]
    if not first.is_unknown and all(one is first for one in types):
        return first
    found = first.flat
    for one in types[1:]:
        other = one.flat
        if other.is_unknown or other is found:
            continue
        if found.is_unknown:
            found = other
        elif other.category != found.category:
            return None
        elif (
            not found.is_preferred
            and can_become(found, other, IMPLICIT, catalog)
            and not can_become(other, found, IMPLICIT, catalog)
        ):
            found = other
    return catalog.text if found.is_unknown else found
