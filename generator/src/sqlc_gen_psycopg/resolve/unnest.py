"""`@unnest`: the INSERT of one row, turned into one statement for any number."""

import re

from sqlc_gen_psycopg.inference.analyzer import Analysis
from sqlc_gen_psycopg.inference.facts import SqlType
from sqlc_gen_psycopg.ir.results import Field, Value
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve.builtin_types import OTHER_DELIMITERS
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import query_files, tree
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import Query

_VALUES = re.compile(r"\bVALUES\s*(?=\()", re.IGNORECASE)
_PARAMETER = re.compile(r"\$(\d+)")


def rewritten(
    query: Query,
    parsed: tuple[Analysis, Schema],
    parameters: tuple[Field, ...],
    problems: Problems,
) -> str:
    """Return the text that takes an array for each parameter, if it can be so."""
    analysis, schema = parsed
    for number, parameter in enumerate(parameters, 1):
        kind = analysis.parameters.get(number, SqlType(Name("", "")))
        value = parameter.value
        is_flattened = kind.name in schema.composites or (
            isinstance(value, Value) and value.type.dims > 0
        )
        if is_flattened or kind.name.name in OTHER_DELIMITERS:
            problems.add(
                query.where,
                f"@unnest cannot take {parameter.name!r}: arrays, composites, "
                "box and geometry do not pass through it",
                "use :batchexec, or :copyfrom",
            )
    try:
        [statement] = tree.parse(query.text)
    except tree.InvalidSqlError:
        # Which is a problem already.
        return query.text
    insert: Node = statement.get("InsertStmt", {})
    what = _obstacle(insert)
    text = "" if what else _with_arrays(query.text, analysis)
    if not what and not _means(text, insert):
        what = "is not of the form INSERT … VALUES (…)", "write VALUES once, in one row"
    if what:
        problems.add(query.where, f"@unnest, but the statement {what[0]}", what[1])
        return query.text
    return text


def _obstacle(insert: Node) -> tuple[str, str] | None:
    select: Node = insert.get("selectStmt", {}).get("SelectStmt", {})
    rows = tree.children(select, "valuesLists")
    if len(rows) != 1:
        return "inserts no row of VALUES, or several", "write one row of parameters"
    items = tree.children(rows[0]["List"], "items")
    if any("SetToDefault" in item for item in items):
        return "has DEFAULT among its values", "leave the column out"
    used = _numbers(insert)
    if not used:
        return "has no parameters", "remove the directive"
    if sorted(n for n in map(_plain, items) if n) != used:
        return (
            "has a parameter in an expression, or outside of VALUES",
            "let each be a value of the row, and compute it before, or use :batchexec",
        )
    return None


def _numbers(node: Node) -> list[int]:
    """Return the number of each use of a parameter, in order."""
    found = (n["ParamRef"].get("number", 0) for n in tree.walk(node) if "ParamRef" in n)
    return sorted(found)


def _plain(value: Node) -> int:
    """Return the number of the parameter that is the value, cast or not; 0 if none."""
    while "TypeCast" in value:
        value = value["TypeCast"]["arg"]
    reference: Node = value.get("ParamRef", {})
    number: int = reference.get("number", 0)
    return number


def _with_arrays(text: str, analysis: Analysis) -> str:
    """Select the values from what the arrays hold; empty if there is no such row."""
    bare = query_files.without_quotes(text)
    found = _VALUES.search(bare)
    end = _closing(bare, found.end()) if found else None
    if not found or end is None:
        return ""
    values = text[found.end() + 1 : end]
    numbers = sorted({int(number) for number in _PARAMETER.findall(bare)})
    columns = [f"p{number}" for number in numbers]
    arrays = [_array(number, analysis) for number in numbers]
    # Beside what is quoted, which may look like a parameter.
    for place in reversed([*_PARAMETER.finditer(bare, found.end() + 1, end)]):
        start, stop = (where - found.end() - 1 for where in place.span())
        values = f"{values[:start]}given.p{place[1]}{values[stop:]}"
    source = f"unnest({', '.join(arrays)}) AS given ({', '.join(columns)})"
    selected = f"SELECT {values.strip()}\nFROM {source}"
    return f"{text[: found.start()]}{selected}{text[end + 1 :]}"


def _closing(text: str, start: int) -> int | None:
    """Return where the parenthesis that opens at a place is closed."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _array(number: int, analysis: Analysis) -> str:
    kind = analysis.parameters.get(number)
    return f"${number}::{SqlType(kind.name, 1).as_cast}" if kind else f"${number}"


def _means(text: str, insert: Node) -> bool:
    """Tell whether a text is the statement, but for where the values come from."""
    try:
        [statement] = tree.parse(text)
    except (tree.InvalidSqlError, ValueError):
        return False
    made: Node = statement.get("InsertStmt", {})
    select: Node = made.get("selectStmt", {}).get("SelectStmt", {})
    count = len(tree.children(select, "targetList"))
    [row] = tree.children(insert["selectStmt"]["SelectStmt"], "valuesLists")
    rest = [{**each, "selectStmt": None} for each in (made, insert)]
    one, other = tree.placeless(rest)
    return one == other and count == len(tree.children(row["List"], "items"))
