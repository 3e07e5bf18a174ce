"""What is proven where one of several expressions is chosen."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import comparisons, uses
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.inference.unification import common
from sqlc_gen_psycopg.tree import Node


def case(node: Node, scope: Scope) -> Fact:
    """Return what is proven of CASE."""
    whens = [when["CaseWhen"] for when in tree.children(node, "args")]
    for when in whens:
        _compare(node.get("arg"), when["expr"], scope)
    results = [when["result"] for when in whens]
    results += [node["defresult"]] if "defresult" in node else []
    arms = scope.facts(results)
    uses.alternatives(results, arms, scope)
    found = common(arms, scope)
    # Where nothing applies and there is no ELSE, it is NULL.
    total = "defresult" in node and all(arm.not_null for arm in arms)
    return Fact(found, total, is_doubtful=found is None)


def _compare(tested: Node | None, expression: Node, scope: Scope) -> None:
    """Look at a condition of CASE for what its parameters are."""
    if tested is None:
        uses.conditions([expression], scope)
        scope.fact(expression)
    else:
        sides = [tested, expression]
        comparisons.link("AEXPR_OP", sides, scope.facts(sides), scope)


def coalesce(node: Node, scope: Scope) -> Fact:
    """Return what is proven of COALESCE, GREATEST and LEAST: the NULLs are left out."""
    arms = scope.facts(tree.children(node, "args"))
    uses.alternatives(tree.children(node, "args"), arms, scope)
    found = common(arms, scope)
    total = any(arm.not_null for arm in arms)
    return Fact(found, total, is_doubtful=found is None)
