"""Which of the operators or functions of a name PostgreSQL calls."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlc_gen_psycopg.catalog.catalog import Catalog
from sqlc_gen_psycopg.catalog.types import Operator, PgType, Signature
from sqlc_gen_psycopg.inference.conversion import (
    EXPLICIT,
    can_call,
    pathway,
)

_Candidate = TypeVar("_Candidate")
Types = tuple[PgType, ...]


class NoneFits(Exception):
    """No candidate takes the operands."""


class SeveralFit(Exception):
    """Of several candidates none is the best."""


def operator(name: str, operands: Types, catalog: Catalog) -> Operator:
    """Return the operator that takes these operands.

    Raises:
        NoneFits: there is none.
        SeveralFit: none of several is the best.
    """
    key = (name, operands)
    found = catalog.resolved_operators.get(key)
    if found is None:
        found = catalog.resolved_operators[key] = _operator(name, operands, catalog)
    return found


def _operator(name: str, operands: Types, catalog: Catalog) -> Operator:
    candidates = [
        one for one in catalog.operators(name) if len(one.operands) == len(operands)
    ]
    alike = operands
    if len(operands) == 2:  # noqa: PLR2004 - left and right
        left, right = operands
        if left.is_unknown:
            alike = right, right
        elif right.is_unknown:
            alike = left, left
    for wanted in (alike, tuple(one.flat for one in alike)):
        for one in candidates:
            if one.operands == wanted:
                return one
        if alike == operands:
            break
    return _best(operands, [(one, one.operands) for one in candidates], catalog)


def _best(
    given: Types, candidates: list[tuple[_Candidate, Types]], catalog: Catalog
) -> _Candidate:
    """Return the one candidate that fits best."""
    fitting = [one for one in candidates if can_call(given, one[1], catalog)]
    if not fitting:
        raise NoneFits
    if len(fitting) > 1:
        fitting = select(given, fitting, catalog)
    if len(fitting) != 1:
        raise SeveralFit
    return fitting[0][0]


def select(
    given: Types, candidates: list[tuple[_Candidate, Types]], catalog: Catalog
) -> list[tuple[_Candidate, Types]]:
    """Return the candidates that none beats; exactly one where there is a best."""
    flat = tuple(one.flat for one in given)
    typed = [place for place, one in enumerate(flat) if not one.is_unknown]
    candidates = _most(
        candidates, lambda taken: sum(taken[i] is flat[i] for i in typed)
    )
    if len(candidates) == 1:
        return candidates
    candidates = _most(
        candidates,
        lambda taken: sum(
            taken[i] is flat[i]
            or (taken[i].is_preferred and taken[i].category == flat[i].category)
            for i in typed
        ),
    )
    if len(candidates) == 1 or len(typed) == len(flat):
        return candidates
    candidates = _by_category(flat, candidates)
    if len(candidates) == 1:
        return candidates
    types = {given[place] for place in typed}
    if len(types) == 1:
        same = tuple(types) * len(given)
        fitting = [one for one in candidates if can_call(same, one[1], catalog)]
        if len(fitting) == 1:
            return fitting
    return candidates


def _most(
    candidates: list[tuple[_Candidate, Types]], score: Callable[[Types], int]
) -> list[tuple[_Candidate, Types]]:
    best = -1
    kept: list[tuple[_Candidate, Types]] = []
    for one in candidates:
        points = score(one[1])
        if points > best:
            best, kept = points, []
        if points == best:
            kept.append(one)
    return kept


def _by_category(
    flat: Types, candidates: list[tuple[_Candidate, Types]]
) -> list[tuple[_Candidate, Types]]:
    """Keep what takes the category, and the preferred type, of each unknown place."""
    wanted: dict[int, tuple[str, bool]] = {}
    for place, one in enumerate(flat):
        if not one.is_unknown:
            continue
        category, preferred, conflict = "", False, False
        for _, taken in candidates:
            now = taken[place]
            if not category:
                category, preferred = now.category, now.is_preferred
            elif now.category == category:
                preferred = preferred or now.is_preferred
            elif now.category == "S":
                category, preferred = "S", now.is_preferred
            else:
                conflict = True
        if conflict and category != "S":
            return candidates
        wanted[place] = category, preferred
    kept = [
        one
        for one in candidates
        if all(
            one[1][place].category == category
            and (one[1][place].is_preferred or not preferred)
            for place, (category, preferred) in wanted.items()
        )
    ]
    return kept or candidates


def function(
    signatures: list[Signature],
    given: Types,
    names: Sequence[str],
    catalog: Catalog,
    *,
    is_variadic: bool = False,
) -> tuple[Signature, list[int], Types]:
    """Return the function that is called, what it takes, and who gives what.

    ``names`` are those of the last arguments. The second is the place of each given
    argument among those that it has, the third the types that the given ones are for.

    Raises:
        NoneFits: there is none.
        SeveralFit: none of several is the best.
    """
    found = _candidates(signatures, len(given), names, is_variadic=is_variadic)
    for one, taken in found:
        if taken == given:
            return *one, taken
    return _best(given, [((*one, taken), taken) for one, taken in found], catalog)


def _candidates(
    signatures: list[Signature],
    count: int,
    names: Sequence[str],
    *,
    is_variadic: bool,
) -> list[tuple[tuple[Signature, list[int]], Types]]:
    """Return the functions that take so many arguments, each with their types.

    For the same types the one without VARIADIC wins, then the one with fewer defaults.
    """
    best: dict[Types, tuple[tuple[int, bool, int], Signature, list[int]]] = {}
    for one in signatures:
        taken = _taken(one, count, names, is_variadic=is_variadic)
        if taken is None:
            continue
        types, order, expanded = taken
        rank = (one.rank, expanded, len(one.arguments) - count)
        if types not in best or rank < best[types][0]:
            best[types] = rank, one, order
    return [((one, order), types) for types, (_, one, order) in best.items()]


def _taken(
    one: Signature, count: int, names: Sequence[str], *, is_variadic: bool
) -> tuple[Types, list[int], bool] | None:
    """Return the types of so many arguments, None if it takes others."""
    arguments = one.arguments
    if names:
        return _taken_by_name(one, count, names)
    if one.variadic is not None and not is_variadic and count >= len(arguments):
        more = count - len(arguments) + 1
        types = (*arguments[:-1], *[one.variadic] * more)
        return types, [*range(count)], True
    if is_variadic and (one.variadic is None or count != len(arguments)):
        return None
    if len(arguments) - one.defaults <= count <= len(arguments):
        return arguments[:count], [*range(count)], False
    return None


def _taken_by_name(
    one: Signature, count: int, names: Sequence[str]
) -> tuple[Types, list[int], bool] | None:
    placed = [*range(count - len(names))]
    for name in names:
        if name not in one.names:
            return None
        placed.append(one.names.index(name))
    missing = {*range(len(one.arguments))} - {*placed}
    required = len(one.arguments) - one.defaults
    if len({*placed}) < count or any(place < required for place in missing):
        return None
    if max(placed, default=-1) >= len(one.arguments):
        return None
    return tuple(one.arguments[place] for place in placed), placed, False


def is_cast(
    target: PgType, given: PgType, catalog: Catalog, *, is_literal: bool
) -> bool:
    """Tell whether a call by a type's name, with one argument, is a cast to it."""
    if given.is_unknown and is_literal:
        return True
    how = pathway(given, target, EXPLICIT, catalog)
    if how == "i":
        row = given is catalog.record or given.flat.kind == "c"
        return not (row and target.category == "S")
    return how == "b"
