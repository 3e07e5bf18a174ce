"""`sqlc.slice`, which sqlc leaves in the text as `IN ($1)`.

PostgreSQL takes a whole list as one array: `= ANY($1)` is what `IN` means, and
`<> ALL($1)` is `NOT IN`, of a list of any length.
"""

import re

from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import Parameter, Query

_SPELLED = {
    "=": (re.compile(rb"IN\s*\(\s*", re.IGNORECASE), b"= ANY(", "AEXPR_OP_ANY"),
    "<>": (
        re.compile(rb"NOT\s+IN\s*\(\s*", re.IGNORECASE),
        b"<> ALL(",
        "AEXPR_OP_ALL",
    ),
}


def rewritten(query: Query, problems: Problems) -> Query:
    """Return a query whose slices are arrays; those that cannot be are problems."""
    slices = {p.number for p in query.parameters if p.column.is_slice}
    if not slices:
        return query
    try:
        parsed = tree.parse(query.text)
    except tree.InvalidSqlError:
        return query
    text = _with_arrays(query.text, parsed, slices)
    if text is None:
        problems.add(
            query.where,
            "sqlc.slice stands where it cannot be an array",
            "let it be alone in IN (…), or write = ANY(sqlc.arg(name)::type[])",
        )
        text = query.text
    parameters = tuple(_as_array(p) for p in query.parameters)
    return query._replace(text=text, parameters=parameters)


def _as_array(parameter: Parameter) -> Parameter:
    column = parameter.column
    if not column.is_slice:
        return parameter
    dims = column.array_dims + 1
    return parameter._replace(column=column._replace(array_dims=dims, is_slice=False))


def _with_arrays(text: str, wanted: list[Node], slices: set[int]) -> str | None:
    """Return the text with arrays, or None where that would not be the same.

    ``wanted`` is the text's tree, which becomes what the new text must mean.
    """
    spans: list[tuple[int, int, bytes]] = []
    encoded = text.encode()
    for node in tree.walk(wanted):
        operation: Node = node.get("A_Expr", {})
        reference = _listed_alone(operation)
        if reference.get("number") not in slices:
            continue
        [operator] = tree.path(operation, "name")
        pattern, spelled, kind = _SPELLED[operator]
        start, end = operation["location"], reference["location"]
        if not pattern.fullmatch(encoded[start:end]):
            return None
        spans.append((start, end, spelled))
        operation["kind"] = kind
        operation["rexpr"] = {"ParamRef": reference}
    for start, end, spelled in sorted(spans, reverse=True):
        encoded = encoded[:start] + spelled + encoded[end:]
    made = encoded.decode()
    return made if _means(made, wanted) and _all_are_arrays(wanted, slices) else None


def _listed_alone(operation: Node) -> Node:
    """Return the parameter that is all that an IN lists, if so."""
    if operation.get("kind") != "AEXPR_IN":
        return {}
    items = tree.children(operation["rexpr"].get("List", {}), "items")
    return items[0].get("ParamRef", {}) if len(items) == 1 else {}


def _means(text: str, wanted: list[Node]) -> bool:
    """Tell whether PostgreSQL reads the text as wanted: precedence may differ."""
    try:
        return tree.placeless(tree.parse(text)) == tree.placeless(wanted)
    except tree.InvalidSqlError:
        return False


def _all_are_arrays(wanted: list[Node], slices: set[int]) -> bool:
    arrays = ("AEXPR_OP_ANY", "AEXPR_OP_ALL")
    used = [n["ParamRef"].get("number") for n in tree.walk(wanted) if "ParamRef" in n]
    made = [
        n["A_Expr"]["rexpr"].get("ParamRef", {}).get("number")
        for n in tree.walk(wanted)
        if n.get("A_Expr", {}).get("kind") in arrays
    ]
    return all(used.count(number) == made.count(number) for number in slices)
