"""What the parameters in a comparison stand for."""

import itertools

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference.facts import Fact, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.request import Name
from sqlc_gen_psycopg.tree import Node

OPERATORS = {"=", "<>", "!=", "<", ">", "<=", ">=", "BETWEEN", "NOT BETWEEN"}


def link(kind: str, sides: list[Node], operands: list[Fact], scope: Scope) -> None:
    """Note which columns the parameters in a comparison stand for."""
    if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
        _link_elements(sides, operands, scope)
        return
    left, right = (
        _parts(side, operand, scope)
        for side, operand in zip(sides, operands, strict=True)
    )
    for (one, left_fact), (other, right_fact) in (
        itertools.product(left, right)
        if len(left) == 1
        else (zip(left, right, strict=False))
    ):
        if left_fact.parameter or right_fact.parameter:
            scope.world.link(left_fact, right_fact)
            scope.world.use(one, _taken_for(other, right_fact))
            scope.world.use(other, _taken_for(one, left_fact))


def _link_elements(sides: list[Node], operands: list[Fact], scope: Scope) -> None:
    """Note which columns the parameter in `= ANY(…)` stands for."""
    element, array = operands
    scope.world.link(element, array)
    scope.world.use(sides[0], array.type.element if array.type else None)
    scope.world.use(sides[1], element.type.array if element.type else None)


def _taken_for(node: Node, found: Fact) -> SqlType | None:
    """Return the type of a parameter that is compared with an expression."""
    if "ParamRef" in node:
        return None
    is_literal = "sval" in node.get("A_Const", {})
    return SqlType(Name("", "text")) if is_literal else found.type


def _parts(side: Node, found: Fact, scope: Scope) -> list[tuple[Node, Fact]]:
    """Return the elements of a row or of a list, else the expression itself."""
    if "List" in side:
        items = tree.children(side["List"], "items")
    elif "RowExpr" in side:
        items = tree.children(side["RowExpr"], "args")
    else:
        return [(side, found)]
    return [(item, scope.fact(item)) for item in items]
