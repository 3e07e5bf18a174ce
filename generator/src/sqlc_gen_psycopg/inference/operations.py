"""What is proven of operators, conditions and tests."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import comparisons, facts, overloads, totals, uses
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.tree import Node


def operation(node: Node, scope: Scope) -> Fact:
    """Return what is proven of an operator's result."""
    sides: list[Node] = [node[side] for side in ("lexpr", "rexpr") if side in node]
    operands = scope.facts(sides)
    name = tree.last_name(node, "name")
    if name in comparisons.OPERATORS and len(sides) > 1:
        comparisons.link(node["kind"], sides, operands, scope)
    match node["kind"]:
        case "AEXPR_OP":
            if name not in comparisons.OPERATORS:
                uses.operands(name, sides, operands, scope)
            return _operator(name, operands, scope)
        case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT":
            return facts.boolean(not_null=True)
        case "AEXPR_NULLIF":
            return Fact(scope.world.base(operands[0].type))
        case "AEXPR_OP_ANY" | "AEXPR_OP_ALL":
            return facts.boolean(not_null=_has_given_elements(sides, scope))
        case _:
            flat = scope.facts(_flat(sides))
            return facts.boolean(not_null=all(f.not_null for f in flat))


def _flat(sides: list[Node]) -> list[Node]:
    return [
        item
        for side in sides
        for item in (tree.children(side["List"], "items") if "List" in side else [side])
    ]


def _has_given_elements(sides: list[Node], scope: Scope) -> bool:
    elements = tree.children(sides[1].get("A_ArrayExpr", {}), "elements")
    return bool(elements) and all(
        f.not_null for f in scope.facts([sides[0], *elements])
    )


def _operator(name: str, operands: list[Fact], scope: Scope) -> Fact:
    total = name in totals.OPERATORS and all(f.not_null for f in operands)
    if name in comparisons.OPERATORS and len(operands) > 1:
        # Also of types that are no built-in ones.
        return facts.boolean(not_null=total)
    bases = tuple([scope.world.base(operand.type) for operand in operands])
    found = overloads.operator(name, bases)
    return Fact(found, total, is_doubtful=found is None)


def boolean(node: Node, scope: Scope) -> Fact:
    """Return what is proven of AND, OR and NOT."""
    uses.conditions(tree.children(node, "args"), scope)
    arms = scope.facts(tree.children(node, "args"))
    return facts.boolean(not_null=all(arm.not_null for arm in arms))


def null_test(node: Node, scope: Scope) -> Fact:
    """Return what is proven of IS NULL."""
    scope.fact(node["arg"])
    return facts.boolean(not_null=True)


def boolean_test(node: Node, scope: Scope) -> Fact:
    """Return what is proven of IS TRUE."""
    uses.conditions([node["arg"]], scope)
    return null_test(node, scope)
