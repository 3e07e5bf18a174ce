"""How many rows a statement gives, whatever the tables hold."""

from sqlc_gen_psycopg.inference.scope import Level
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

# What takes rows away, or makes more of them.
_CHANGING = (
    "groupClause",
    "havingClause",
    "limitCount",
    "limitOffset",
    "distinctClause",
)


def selects_one_row(node: Node, level: Level) -> bool:
    """Tell whether a SELECT gives exactly one row.

    ``level`` tells what its own expressions turned out to have: an aggregate makes one
    row of any number, a call that returns a set makes several of one.
    """
    if level.sets or any(key in node for key in _CHANGING):
        return False
    return level.has_aggregate or not ("fromClause" in node or "whereClause" in node)


def inserts_one_row(node: Node, level: Level) -> bool:
    """Tell whether an INSERT gives one row, or fails.

    A trigger may still swallow it.
    """
    select: Node = node.get("selectStmt", {}).get("SelectStmt", {})
    conflict: Node = node.get("onConflictClause", {})
    updates = conflict.get("action") == "ONCONFLICT_UPDATE"
    return (
        len(tree.children(select, "valuesLists")) == 1
        and not level.sets
        and (not conflict or (updates and "whereClause" not in conflict))
    )
