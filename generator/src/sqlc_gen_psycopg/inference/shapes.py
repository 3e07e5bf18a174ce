"""What becomes of a value's shape where its type changes, or alternatives meet."""

from collections.abc import Callable, Iterable, Sequence

from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference.facts import (
    Constants,
    Entries,
    Fact,
    Fields,
    Items,
    Scalar,
    Shape,
)
from sqlc_gen_psycopg.naming.sql_names import Name

_TEXTS = (Name("", "text"), Name("", "varchar"))
_INTEGERS = (Name("", "int2"), Name("", "int4"), Name("", "int8"))
_JSON = (Name("", "json"), Name("", "jsonb"))
# The literals that JSON starts with where there may be nothing.
_EMPTY: dict[str, Shape] = {"[]": Items(()), "{}": Entries(())}
# Always NULL, which is an alternative to anything.
NOTHING = Constants(())


def is_json(found: PgType | None) -> bool:
    """Tell whether a type is JSON, and no domain over it."""
    return found is not None and found.name in _JSON


def kept(shape: Shape | None, given: PgType | None, target: PgType) -> Shape | None:
    """Return the shape that a value has once it is of another type, if that keeps it.

    A domain may refuse it, and has Python types of its own; `char(n)` pads it.
    """
    if shape is None or given is target or shape == NOTHING:
        return shape
    if given is None:
        return None
    if not isinstance(shape, Constants):
        return shape if is_json(given) and is_json(target) else None
    if given.is_unknown and is_json(target):
        [text] = shape.values
        return _EMPTY.get(str(text).strip())
    is_text = target.name in _TEXTS and (given.is_unknown or given.name in _TEXTS)
    is_integer = target.name in _INTEGERS and given.name in _INTEGERS
    return shape if is_text or is_integer else None


def merged(facts: Iterable[Fact]) -> Shape | None:
    """Return the shape of a value that is one of several, if they share one."""
    found: Shape | None = NOTHING
    for fact in facts:
        if fact.shape == NOTHING:
            continue
        found = fact.shape if found == NOTHING else _either(found, fact.shape)
        if found is None:
            return None
    return found


def _either(one: Shape | None, other: Shape | None) -> Shape | None:
    match one, other:
        case Constants(), Constants():
            return Constants(tuple(dict.fromkeys(one.values + other.values)))
        case Items(), Items():
            return Items(tuple(dict.fromkeys(one.items + other.items)))
        case Entries(), Entries():
            return Entries(tuple(dict.fromkeys(one.values + other.values)))
        case Fields(), Fields():
            return one if one == other else None
        case _:
            return None


def of_call(name: str, facts: Sequence[Fact]) -> Shape | None:
    """Return the shape of what one of PostgreSQL's own functions gives."""
    if name not in _CALLS or not facts:
        return Items(()) if name in _ARRAYS else None
    return _CALLS[name](facts)


def converted(fact: Fact) -> Shape | None:
    """Return the shape of a value's JSON."""
    if is_json(fact.type) or isinstance(fact.shape, Fields):
        return fact.shape
    # What is NULL has no JSON.
    return Scalar(_inner(fact)._replace(not_null=True))


def keyed(pairs: Iterable[tuple[Fact, Fact]]) -> Shape | None:
    """Return the shape of a JSON object, given its keys and values."""
    fields: list[tuple[str, Fact]] = []
    for key, value in pairs:
        match key.shape:
            case Constants((bool(truth),)):
                fields.append((str(truth).lower(), _inner(value)))
            case Constants((text,)):
                fields.append((str(text), _inner(value)))
            case _:
                return None
    return Fields(tuple(fields)) if fields else Entries(())


def listed(facts: Iterable[Fact]) -> Shape:
    """Return the shape of an array of such values."""
    return Items(tuple(dict.fromkeys(map(_inner, facts))))


def row(columns: Iterable[tuple[str, Fact]]) -> Shape | None:
    """Return the shape of a row, unless names of it are equal."""
    found = tuple((name, _inner(fact)) for name, fact in columns)
    return Fields(found) if len(dict(found)) == len(found) else None


def _inner(fact: Fact) -> Fact:
    """Return what of a value matters within another one."""
    return Fact(
        fact.type,
        fact.not_null,
        dims=fact.dims,
        is_filled=fact.is_filled,
        shape=fact.shape,
    )


def _present(fact: Fact) -> Fact:
    return fact._replace(not_null=True)


def _built(facts: Sequence[Fact]) -> Shape | None:
    return keyed(zip(facts[::2], facts[1::2], strict=False))


def _aggregated(facts: Sequence[Fact]) -> Shape | None:
    is_of_rows = isinstance(facts[0].shape, Fields)
    return listed(facts[:1]) if is_of_rows else None


_ARRAYS = ("json_build_array", "jsonb_build_array")
_CALLS: dict[str, Callable[[Sequence[Fact]], Shape | None]] = {
    "array_agg": _aggregated,
    "array_to_json": lambda facts: converted(facts[0]),
    "json_build_array": listed,
    "jsonb_build_array": listed,
    "json_build_object": _built,
    "jsonb_build_object": _built,
    "row_to_json": lambda facts: converted(facts[0]),
    "to_json": lambda facts: converted(facts[0]),
    "to_jsonb": lambda facts: converted(facts[0]),
}
for _kind in ("json", "jsonb"):
    _CALLS[f"{_kind}_agg"] = lambda facts: listed(facts[:1])
    _CALLS[f"{_kind}_agg_strict"] = lambda facts: listed(map(_present, facts[:1]))
    for _end in ("", "_unique"):
        _name = f"{_kind}_object_agg{_end}"
        _CALLS[_name] = lambda facts: Entries((_inner(facts[1]),))
        _CALLS[f"{_name}_strict"] = lambda facts: Entries((_present(_inner(facts[1])),))
