"""Queries that give exactly one row, whatever the tables hold."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import totals
from sqlc_gen_psycopg.tree import Node

# What takes rows away, or makes more of them.
_CHANGING = (
    "groupClause",
    "havingClause",
    "limitCount",
    "limitOffset",
    "distinctClause",
    "larg",
    "valuesLists",
)
_AGGREGATES = totals.AGGREGATES | {"count"}
# The functions that are known to give one value: none of them returns a set.
_SCALAR = _AGGREGATES | totals.ALWAYS | (totals.STRICT - {"generate_series"})
# The functions that may make more rows of an INSERT's VALUES.
_SETS = frozenset(
    """generate_series generate_subscripts json_array_elements json_each
    json_object_keys json_populate_recordset jsonb_array_elements jsonb_each
    jsonb_object_keys jsonb_path_query jsonb_populate_recordset regexp_matches
    regexp_split_to_table string_to_table unnest""".split()  # noqa: SIM905 - a list of names reads best so
)


def is_one_row(kind: str, node: Node) -> bool:
    """Tell whether a statement gives one row, or fails.

    A trigger may still swallow the row of an INSERT.
    """
    if kind == "SelectStmt":
        return _selects_one(node)
    return kind == "InsertStmt" and _inserts_one(node)


def _selects_one(node: Node) -> bool:
    if any(key in node for key in _CHANGING):
        return False
    calls = tree.calls(_computed(node))
    if any(_builtin(call) not in _SCALAR for call in calls):
        return False
    if "fromClause" not in node and "whereClause" not in node:
        return True
    return any(_is_aggregate(call) for call in calls)


def _computed(node: Node) -> list[Node]:
    """Return the targets that are more than a column."""
    targets = [t["ResTarget"].get("val", {}) for t in tree.children(node, "targetList")]
    return [target for target in targets if "ColumnRef" not in target]


def _is_aggregate(call: Node) -> bool:
    return "over" not in call and _builtin(call) in _AGGREGATES


def _builtin(call: Node) -> str:
    """Return the name of a function of PostgreSQL's own, empty for another."""
    path = tree.path(call, "funcname")
    return path[-1] if path[:-1] in ([], ["pg_catalog"]) else ""


def _inserts_one(node: Node) -> bool:
    select: Node = node.get("selectStmt", {}).get("SelectStmt", {})
    conflict: Node = node.get("onConflictClause", {})
    rows = tree.children(select, "valuesLists")
    if any(_builtin(call) in _SETS for call in tree.calls(rows)):
        return False
    updates = conflict.get("action") == "ONCONFLICT_UPDATE"
    return len(rows) == 1 and (
        not conflict or (updates and "whereClause" not in conflict)
    )
