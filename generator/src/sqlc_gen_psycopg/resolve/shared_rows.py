"""Row classes that several queries of a module share."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.function import Function
from sqlc_gen_psycopg.ir.results import Row
from sqlc_gen_psycopg.problems import Problems


class _Owner(NamedTuple):
    """A class, and the first query that has it."""

    row: Row
    function: Function


def resolve(
    functions: tuple[Function, ...], problems: Problems, *, all_equal: bool
) -> tuple[Function, ...]:
    """Give queries that name one class that class; on request all of equal columns."""
    named = _named(functions, problems)
    if not (named or all_equal):
        return functions
    _check_free(functions, named, problems)
    by_columns = {owner.row.columns: owner.row for owner in named.values()}
    found: list[Function] = []
    for function in functions:
        row = function.result
        if isinstance(row, Row):
            if row.is_named:
                row = named[row.name].row
            elif all_equal:
                row = by_columns.setdefault(row.columns, row)
        found.append(function._replace(result=row))
    return tuple(found)


def _named(functions: tuple[Function, ...], problems: Problems) -> dict[str, _Owner]:
    """Return the classes that directives name; their queries have the same columns."""
    named: dict[str, _Owner] = {}
    for function in functions:
        row = function.result
        if not isinstance(row, Row) or not row.is_named:
            continue
        first = named.setdefault(row.name, _Owner(row, function))
        if row.columns != first.row.columns:
            problems.add(
                function.where,
                f"@row {row.name}, but its columns are not those of "
                f"{first.function.query_name}",
                "give them equal names, types and nullability, or name another class",
            )
    return named


def _check_free(
    functions: tuple[Function, ...], named: dict[str, _Owner], problems: Problems
) -> None:
    for function in functions:
        rows = [
            row
            for row in (function.arguments, function.result)
            if isinstance(row, Row) and not row.is_named
        ]
        for name in (function.constant, *(row.name for row in rows)):
            if name in named:
                problems.add(
                    named[name].function.where,
                    f"@row {name}, which {function.query_name} has already",
                    "choose another name",
                )
