"""Which types are carried alike, and which one several have in common."""

from sqlc_gen_psycopg.inference.facts import Fact, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.request import Name

_TOWER = ("int2", "int4", "int8", "numeric", "float4", "float8")
_TIMES = ("date", "timestamp", "timestamptz")
_TEXTS = ("name", "bpchar", "varchar", "text")


def is_alike(one: SqlType | None, other: SqlType | None) -> bool:
    """Tell whether two types are carried alike: the same, or both texts."""
    if one and other and one.dims == other.dims:
        return {one.name.name, other.name.name} <= {*_TEXTS} or one.name == other.name
    return one == other


def unify(types: list[SqlType]) -> SqlType | None:
    """Return the common type of a CASE's or UNION's arms, None if it cannot be told."""
    found = dict.fromkeys(types)
    if len(found) <= 1:
        return next(iter(found), None)
    names = [t.name.name for t in found]
    dims = {t.dims for t in found}
    if len(dims) > 1 or any(t.name.schema for t in found):
        return None
    for ladder in (_TOWER, _TIMES):
        if all(name in ladder for name in names):
            return SqlType(Name("", max(names, key=ladder.index)), *dims)
    if all(name in _TEXTS for name in names):
        return SqlType(Name("", "text"), *dims)
    return None


def common(arms: list[Fact], scope: Scope) -> SqlType | None:
    """Return the type that alternatives share: a domain only if it is everybody's."""
    typed = [arm.type for arm in arms if arm.type]
    if len(typed) == len(arms) and len(set(typed)) == 1:
        return typed[0]
    found = unify([base for t in typed if (base := scope.world.base(t))])
    if typed:
        return found
    # Literals alone are text, and so are parameters beside them.
    untyped = all(arm.not_null or arm.parameter for arm in arms)
    return SqlType(Name("", "text")) if untyped else None
