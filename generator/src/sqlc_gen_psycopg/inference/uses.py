"""What PostgreSQL takes parameters for that say no type of their own."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from sqlc_gen_psycopg.inference import overloads
from sqlc_gen_psycopg.inference.facts import BOOL, Fact, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.inference.unification import common
from sqlc_gen_psycopg.tree import Node

Types: TypeAlias = tuple[SqlType | None, ...]


def conditions(nodes: list[Node], scope: Scope) -> None:
    """Note the parameters that stand where only a boolean can."""
    for node in nodes:
        scope.world.use(node, BOOL)


def alternatives(nodes: list[Node], arms: list[Fact], scope: Scope) -> None:
    """Note the parameters among alternatives, which all become of one type."""
    others = [a for node, a in zip(nodes, arms, strict=True) if "ParamRef" not in node]
    found = common(others or arms, scope)
    for node in nodes:
        scope.world.use(node, found)


def arguments(name: str, nodes: list[Node], given: list[Fact], scope: Scope) -> None:
    """Note the parameters that a function takes for what its other arguments are."""
    if not any("ParamRef" in node for node in nodes):
        return
    found = overloads.polymorphic_arguments(name, _untyped(nodes, given, scope))
    for node, taken in zip(nodes, found, strict=False):
        scope.world.use(node, taken)
    _overloaded(partial(overloads.arguments, name), nodes, given, scope)


def operands(name: str, nodes: list[Node], given: list[Fact], scope: Scope) -> None:
    """Note the parameters that an operator takes for what its other side asks for."""
    if any("ParamRef" in node for node in nodes):
        _overloaded(partial(overloads.operands, name), nodes, given, scope)


def _overloaded(
    choose: Callable[[Types], Types], nodes: list[Node], given: list[Fact], scope: Scope
) -> None:
    """Note what the overload that is meant takes, where what sqlc says cannot be."""
    told = tuple(scope.world.base(fact.type) for fact in given)
    is_known = bool(choose(told))
    taken = choose(_untyped(nodes, given, scope))
    for node, fact, found in zip(nodes, given, taken, strict=False):
        if fact.type is None or not is_known:
            scope.world.use(node, found)


def _untyped(nodes: list[Node], given: list[Fact], scope: Scope) -> Types:
    """Return base types, None for a parameter, of which PostgreSQL knows none."""
    return tuple(
        None if "ParamRef" in node else scope.world.base(fact.type)
        for node, fact in zip(nodes, given, strict=True)
    )
