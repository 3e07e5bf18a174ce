"""What is proven of an expression."""

from collections.abc import Callable

from sqlc_gen_psycopg import schema, tree
from sqlc_gen_psycopg.inference import (
    alternatives,
    calls,
    facts,
    operations,
    subqueries,
    uses,
)
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.inference.unification import common
from sqlc_gen_psycopg.request import Name
from sqlc_gen_psycopg.tree import Node

_JSON = ("json", "jsonb")


def fact(wrapped: Node, scope: Scope) -> Fact:
    """Return what is proven of an expression; nothing of one that is not known here."""
    for kind, node in wrapped.items():
        rule = _RULES.get(kind)
        return rule(node, scope) if rule else UNKNOWN
    return UNKNOWN


def _column(node: Node, scope: Scope) -> Fact:
    path = tree.path(node, "fields")
    return scope.look_up(path) if path else UNKNOWN


def _parameter(node: Node, scope: Scope) -> Fact:
    return scope.world.parameters.get(node.get("number", 0), UNKNOWN)


def _constant(node: Node, _: Scope) -> Fact:
    if node.get("isnull"):
        return UNKNOWN
    if "ival" in node:
        return facts.of("int4", not_null=True)
    if "fval" in node:
        return facts.of(_numeral(node["fval"]["fval"]), not_null=True)
    if "boolval" in node:
        return facts.boolean(not_null=True)
    # A quoted literal has no type before its context gives it one.
    return Fact(None, not_null=True)


def _numeral(digits: str) -> str:
    if not digits.isdigit():
        return "numeric"
    return "int8" if int(digits).bit_length() < 64 else "numeric"  # noqa: PLR2004 - int8's width


def _cast(node: Node, scope: Scope) -> Fact:
    written = node["typeName"]
    name = schema.name_of(scope.world.schema, tree.children(written, "names"))
    target = SqlType(name, len(tree.children(written, "arrayBounds")))
    scope.world.use(node["arg"], target)
    given = scope.fact(node["arg"])
    source = scope.world.base(given.type)
    # JSON's null becomes SQL's where it is cast to something else.
    from_json = source is None or source.name.name in _JSON
    known = "ParamRef" in node["arg"] or "A_Const" in node["arg"]
    total = given.not_null and (known or not from_json or target == source)
    origin = given.origin if given.type == target else None
    return Fact(target, total, origin, parameter=given.parameter)


def _call(node: Node, scope: Scope) -> Fact:
    given = [*map(_unnamed, tree.children(node, "args"))]
    if node.get("agg_within_group"):
        given += [sort["SortBy"]["node"] for sort in tree.children(node, "agg_order")]
    arguments = scope.facts(given)
    if calls.name_of(node) == "unnest" and arguments and arguments[0].type:
        kind = arguments[0].type
        return arguments[0]._replace(type=kind.element, not_null=False)
    if not calls.is_named(node):
        uses.arguments(calls.name_of(node), given, arguments, scope)
    return calls.fact(node, arguments, scope)


def _unnamed(node: Node) -> Node:
    inner: Node = node.get("NamedArgExpr", {"arg": node})["arg"]
    return inner


_VALUE_FUNCTIONS = {
    "SVFOP_CURRENT_DATE": "date",
    "SVFOP_CURRENT_TIME": "timetz",
    "SVFOP_CURRENT_TIME_N": "timetz",
    "SVFOP_CURRENT_TIMESTAMP": "timestamptz",
    "SVFOP_CURRENT_TIMESTAMP_N": "timestamptz",
    "SVFOP_LOCALTIME": "time",
    "SVFOP_LOCALTIME_N": "time",
    "SVFOP_LOCALTIMESTAMP": "timestamp",
    "SVFOP_LOCALTIMESTAMP_N": "timestamp",
}


def _value_function(node: Node, _: Scope) -> Fact:
    kind = _VALUE_FUNCTIONS.get(node["op"])
    # The others are names of roles, database and schema; the last may be missing.
    if kind is None:
        return facts.of("name", not_null=node["op"] != "SVFOP_CURRENT_SCHEMA")
    return facts.of(kind, not_null=True)


def _array(node: Node, scope: Scope) -> Fact:
    elements = scope.facts(tree.children(node, "elements"))
    found = common([e for e in elements if e.type], scope) if elements else None
    if not any(e.type for e in elements) and elements:
        found = SqlType(Name("", "text"))
    return Fact(found.array if found else None, not_null=True)


def _indirection(node: Node, scope: Scope) -> Fact:
    inner = scope.fact(node["arg"]).type
    steps = tree.children(node, "indirection")
    if inner is None or not all("A_Indices" in step for step in steps):
        return UNKNOWN
    if inner.dims == 0:
        return Fact(inner if inner.name.name == "jsonb" else None)
    sliced = any(step["A_Indices"].get("is_slice") for step in steps)
    return Fact(inner if sliced else SqlType(inner.name, 0))


def _row(node: Node, scope: Scope) -> Fact:
    parts = scope.facts(tree.children(node, "args"))
    return Fact(None, all(part.not_null for part in parts))


def _collated(node: Node, scope: Scope) -> Fact:
    return scope.fact(node["arg"])


def _grouping(_: Node, __: Scope) -> Fact:
    return facts.of("int4", not_null=True)


_RULES: dict[str, Callable[[Node, Scope], Fact]] = {
    "A_ArrayExpr": _array,
    "A_Const": _constant,
    "A_Expr": operations.operation,
    "A_Indirection": _indirection,
    "BoolExpr": operations.boolean,
    "BooleanTest": operations.boolean_test,
    "CaseExpr": alternatives.case,
    "CoalesceExpr": alternatives.coalesce,
    "CollateClause": _collated,
    "ColumnRef": _column,
    "FuncCall": _call,
    "GroupingFunc": _grouping,
    "MinMaxExpr": alternatives.coalesce,
    "NullTest": operations.null_test,
    "ParamRef": _parameter,
    "RowExpr": _row,
    "SQLValueFunction": _value_function,
    "SubLink": subqueries.fact,
    "TypeCast": _cast,
}
