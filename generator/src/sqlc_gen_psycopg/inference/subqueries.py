"""What is proven of subqueries in expressions."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import calls, facts
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.tree import Node


def fact(node: Node, scope: Scope) -> Fact:
    """Return what is proven of a subquery: of its value, or of a test against it."""
    select: Node = node["subselect"].get("SelectStmt", {})
    kind = node["subLinkType"]
    if kind == "EXISTS_SUBLINK":
        return facts.boolean(not_null=True)
    rows = scope.world.rows(scope.inner(), select)
    first = rows.columns[0][1] if rows.columns else UNKNOWN
    if kind == "EXPR_SUBLINK":
        return first if _has_one_row(select) else first.nullable()
    if kind == "ARRAY_SUBLINK":
        return Fact(first.type.array if first.type else None, not_null=True)
    tested = scope.fact(node["testexpr"]) if "testexpr" in node else UNKNOWN
    return facts.boolean(not_null=tested.not_null and first.not_null)


def _has_one_row(select: Node) -> bool:
    """An aggregate over everything gives a row, whatever there is to aggregate."""
    limits = ("groupClause", "havingClause", "limitCount", "limitOffset", "larg")
    if any(part in select for part in limits):
        return False
    [target] = tree.children(select, "targetList")[:1] or [{}]
    return any(
        calls.is_aggregate(calls.name_of(call)) and "over" not in call
        for call in tree.calls(target)
    )
