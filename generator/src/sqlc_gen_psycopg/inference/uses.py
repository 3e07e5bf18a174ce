"""What PostgreSQL takes parameters for that say no type of their own."""

from sqlc_gen_psycopg.inference import overloads
from sqlc_gen_psycopg.inference.facts import BOOL, Fact
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.inference.unification import common
from sqlc_gen_psycopg.tree import Node


def conditions(nodes: list[Node], scope: Scope) -> None:
    """Note the parameters that stand where only a boolean can."""
    for node in nodes:
        scope.world.use(node, BOOL)


def alternatives(nodes: list[Node], arms: list[Fact], scope: Scope) -> None:
    """Note the parameters among alternatives, which all become of one type."""
    others = [a for node, a in zip(nodes, arms, strict=True) if "ParamRef" not in node]
    if not others:
        return
    found = common(others, scope)
    for node in nodes:
        scope.world.use(node, found)


def arguments(name: str, nodes: list[Node], given: list[Fact], scope: Scope) -> None:
    """Note the parameters that a function takes for what its other arguments are."""
    if not any("ParamRef" in node for node in nodes):
        return
    bases = tuple(
        None if "ParamRef" in node else scope.world.base(fact.type)
        for node, fact in zip(nodes, given, strict=True)
    )
    found = overloads.polymorphic_arguments(name, bases)
    for node, taken in zip(nodes, found, strict=False):
        scope.world.use(node, taken)
