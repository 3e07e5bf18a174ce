"""What is proven of a function's call."""

from functools import cache

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import builtins, overloads, totals
from sqlc_gen_psycopg.inference.facts import Fact, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.request import Name
from sqlc_gen_psycopg.tree import Node

# What the parser writes where a window names no frame.
_DEFAULT_FRAME = 1058
_TEXTS = ("text", "varchar", "bpchar", "name")


def name_of(node: Node) -> str:
    """Return the function's name; a schema of one's own makes it nobody we know."""
    path = tree.path(node, "funcname")
    return path[-1] if len(path) == 1 or path[0] == "pg_catalog" else ""


def is_named(node: Node) -> bool:
    """Tell whether arguments are named, so that their places say nothing."""
    return any("NamedArgExpr" in written for written in tree.children(node, "args"))


def fact(node: Node, arguments: list[Fact], scope: Scope) -> Fact:
    """Return what is proven of a call, given what is of its arguments."""
    name = name_of(node)
    if is_named(node):
        found = overloads.only_result(name)
    else:
        given = tuple(argument.type for argument in arguments)
        found = overloads.function(name, tuple(map(scope.world.base, given)), given)
    doubtful = found is None and bool(builtins.overloads(name))
    total = _is_total(name, node, arguments, scope)
    return Fact(found, total, is_doubtful=doubtful)


@cache
def returns_set(name: str) -> bool:
    """Tell whether a built-in function returns a set."""
    return any(signature.is_set for signature in builtins.overloads(name))


@cache
def is_aggregate(name: str) -> bool:
    """Tell whether a built-in function is an aggregate."""
    return any(signature.kind == "a" for signature in builtins.overloads(name))


def _is_total(name: str, node: Node, arguments: list[Fact], scope: Scope) -> bool:
    given = all(argument.not_null for argument in arguments)
    if name in totals.ALWAYS:
        return True
    if "over" in node:
        return given and name in totals.WINDOWS and _has_own_row(node)
    if is_aggregate(name):
        grouped = scope.has_groups and not scope.has_grouping_sets
        taken = given or name in totals.COLLECTING
        known = name in totals.AGGREGATES and "agg_filter" not in node
        return grouped and taken and known
    if name in ("lower", "upper") and not _is_text(arguments):
        # A range's bound may be missing.
        return False
    return given and name in totals.STRICT


def _has_own_row(node: Node) -> bool:
    frame = node["over"]
    named = "name" in frame or "refname" in frame
    default = frame.get("frameOptions", _DEFAULT_FRAME) == _DEFAULT_FRAME
    return default and not named and "agg_filter" not in node


def _is_text(arguments: list[Fact]) -> bool:
    return all(
        argument.type in [SqlType(Name("", name)) for name in _TEXTS]
        for argument in arguments
    )
