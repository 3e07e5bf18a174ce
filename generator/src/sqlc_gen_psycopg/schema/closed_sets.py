"""The closed set of strings that a CHECK allows."""

from sqlc_gen_psycopg.schema.model import Check
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node


def allowed_values(expression: Node) -> Check:
    """Return the strings that a CHECK allows, None if it is no closed set."""
    kind, node = tree.only(expression)
    if kind == "TypeCast":
        return allowed_values(node["arg"])
    if kind == "NullTest" and node["nulltesttype"] == "IS_NULL":
        return ()
    if kind == "BoolExpr":
        return _combined(node)
    if kind == "A_Expr" and tree.last_name(node, "name") == "=":
        return _compared(node)
    return None


def _combined(node: Node) -> Check:
    arms = [allowed_values(arm) for arm in node["args"]]
    closed = [arm for arm in arms if arm is not None]
    if node["boolop"] == "OR_EXPR" and len(closed) == len(arms):
        return tuple(dict.fromkeys(v for arm in closed for v in arm))
    if node["boolop"] == "AND_EXPR" and closed:
        return tuple(v for v in closed[0] if all(v in arm for arm in closed))
    return None


def _compared(node: Node) -> Check:
    left = _uncast(node["lexpr"])
    if left.get("ColumnRef", {}).get("fields") != [{"String": {"sval": "value"}}]:
        return None
    right = _uncast(node["rexpr"])
    if node["kind"] == "AEXPR_OP":
        items = [right]
    elif node["kind"] == "AEXPR_IN":
        items = tree.children(right["List"], "items")
    elif node["kind"] == "AEXPR_OP_ANY" and "A_ArrayExpr" in right:
        items = tree.children(right["A_ArrayExpr"], "elements")
    else:
        return None
    values = [_string(item) for item in items]
    found = tuple(value for value in values if value is not None)
    return tuple(dict.fromkeys(found)) if len(found) == len(values) else None


def _string(node: Node) -> str | None:
    constant: Node = _uncast(node).get("A_Const", {})
    return str(constant["sval"].get("sval", "")) if "sval" in constant else None


def _uncast(node: Node) -> Node:
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    return node
