"""What is proven of an expression."""

import itertools
from collections.abc import Callable, Iterable

from sqlc_gen_psycopg import schema, tree
from sqlc_gen_psycopg.inference import (
    calls,
    facts,
    overloads,
    totals,
    uses,
)
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.inference.unification import common
from sqlc_gen_psycopg.request import Name
from sqlc_gen_psycopg.tree import Node

_INT4_MAX = 2**31 - 1
_JSON = ("json", "jsonb")


def fact(wrapped: Node, scope: Scope) -> Fact:
    """Return what is proven of an expression; nothing of one that is not known here."""
    for kind, node in wrapped.items():
        rule = _RULES.get(kind)
        return rule(node, scope) if rule else UNKNOWN
    return UNKNOWN


def _all(nodes: Iterable[Node], scope: Scope) -> list[Fact]:
    return [fact(node, scope) for node in nodes]


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
    given = fact(node["arg"], scope)
    source = scope.world.base(given.type)
    # JSON's null becomes SQL's where it is cast to something else.
    from_json = source is None or source.name.name in _JSON
    known = "ParamRef" in node["arg"] or "A_Const" in node["arg"]
    total = given.not_null and (known or not from_json or target == source)
    origin = given.origin if given.type == target else None
    return Fact(target, total, origin, parameter=given.parameter)


def _operation(node: Node, scope: Scope) -> Fact:
    sides: list[Node] = [node[side] for side in ("lexpr", "rexpr") if side in node]
    operands = _all(sides, scope)
    name = tree.last_name(node, "name")
    if name in _COMPARISONS and len(sides) > 1:
        _link(node["kind"], sides, operands, scope)
    match node["kind"]:
        case "AEXPR_OP":
            return _operator(name, operands, scope)
        case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT":
            return facts.boolean(not_null=True)
        case "AEXPR_NULLIF":
            return Fact(scope.world.base(operands[0].type))
        case "AEXPR_OP_ANY" | "AEXPR_OP_ALL":
            return facts.boolean(not_null=_has_given_elements(sides, scope))
        case _:
            flat = _all(_flat(sides), scope)
            return facts.boolean(not_null=all(f.not_null for f in flat))


_COMPARISONS = {"=", "<>", "!=", "<", ">", "<=", ">=", "BETWEEN", "NOT BETWEEN"}


def _link(kind: str, sides: list[Node], operands: list[Fact], scope: Scope) -> None:
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
    return [(item, fact(item, scope)) for item in items]


def _flat(sides: list[Node]) -> list[Node]:
    return [
        item
        for side in sides
        for item in (tree.children(side["List"], "items") if "List" in side else [side])
    ]


def _has_given_elements(sides: list[Node], scope: Scope) -> bool:
    elements = tree.children(sides[1].get("A_ArrayExpr", {}), "elements")
    return bool(elements) and all(
        f.not_null for f in _all([sides[0], *elements], scope)
    )


def _operator(name: str, operands: list[Fact], scope: Scope) -> Fact:
    total = name in totals.OPERATORS and all(f.not_null for f in operands)
    if name in _COMPARISONS and len(operands) > 1:
        # Also of types that are no built-in ones.
        return facts.boolean(not_null=total)
    bases = tuple([scope.world.base(operand.type) for operand in operands])
    found = overloads.operator(name, bases)
    return Fact(found, total, is_doubtful=found is None)


def _boolean(node: Node, scope: Scope) -> Fact:
    uses.conditions(tree.children(node, "args"), scope)
    arms = _all(tree.children(node, "args"), scope)
    return facts.boolean(not_null=all(arm.not_null for arm in arms))


def _null_test(node: Node, scope: Scope) -> Fact:
    fact(node["arg"], scope)
    return facts.boolean(not_null=True)


def _boolean_test(node: Node, scope: Scope) -> Fact:
    uses.conditions([node["arg"]], scope)
    return _null_test(node, scope)


def _case(node: Node, scope: Scope) -> Fact:
    whens = [when["CaseWhen"] for when in tree.children(node, "args")]
    for when in whens:
        _compare(node.get("arg"), when["expr"], scope)
    results = [when["result"] for when in whens]
    results += [node["defresult"]] if "defresult" in node else []
    arms = _all(results, scope)
    uses.alternatives(results, arms, scope)
    found = common(arms, scope)
    # Where nothing applies and there is no ELSE, it is NULL.
    total = "defresult" in node and all(arm.not_null for arm in arms)
    return Fact(found, total, is_doubtful=found is None)


def _compare(tested: Node | None, expression: Node, scope: Scope) -> None:
    """Look at a condition of CASE for what its parameters are."""
    if tested is None:
        uses.conditions([expression], scope)
        fact(expression, scope)
    else:
        sides = [tested, expression]
        _link("AEXPR_OP", sides, _all(sides, scope), scope)


def _coalesce(node: Node, scope: Scope) -> Fact:
    arms = _all(tree.children(node, "args"), scope)
    uses.alternatives(tree.children(node, "args"), arms, scope)
    found = common(arms, scope)
    total = any(arm.not_null for arm in arms)
    return Fact(found, total, is_doubtful=found is None)


def _subquery(node: Node, scope: Scope) -> Fact:
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
    tested = fact(node["testexpr"], scope) if "testexpr" in node else UNKNOWN
    return facts.boolean(not_null=tested.not_null and first.not_null)


def _has_one_row(select: Node) -> bool:
    """An aggregate over everything gives a row, whatever there is to aggregate."""
    limits = ("groupClause", "havingClause", "limitCount", "limitOffset", "larg")
    if any(part in select for part in limits):
        return False
    [target] = tree.children(select, "targetList")[:1] or [{}]
    calls_ = [n["FuncCall"] for n in tree.walk(target) if "FuncCall" in n]
    return any(
        calls.is_aggregate(calls.name_of(call)) and "over" not in call
        for call in calls_
    )


def _call(node: Node, scope: Scope) -> Fact:
    given = [*map(_unnamed, tree.children(node, "args"))]
    if node.get("agg_within_group"):
        given += [sort["SortBy"]["node"] for sort in tree.children(node, "agg_order")]
    arguments = _all(given, scope)
    if calls.name_of(node) == "unnest" and arguments and arguments[0].type:
        kind = arguments[0].type
        return arguments[0]._replace(type=kind.element, not_null=False)
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
    elements = _all(tree.children(node, "elements"), scope)
    found = common([e for e in elements if e.type], scope) if elements else None
    if not any(e.type for e in elements) and elements:
        found = SqlType(Name("", "text"))
    return Fact(found.array if found else None, not_null=True)


def _indirection(node: Node, scope: Scope) -> Fact:
    inner = fact(node["arg"], scope).type
    steps = tree.children(node, "indirection")
    if inner is None or not all("A_Indices" in step for step in steps):
        return UNKNOWN
    if inner.dims == 0:
        return Fact(inner if inner.name.name == "jsonb" else None)
    sliced = any(step["A_Indices"].get("is_slice") for step in steps)
    return Fact(inner if sliced else SqlType(inner.name, 0))


def _row(node: Node, scope: Scope) -> Fact:
    parts = _all(tree.children(node, "args"), scope)
    return Fact(None, all(part.not_null for part in parts))


def _extreme(node: Node, scope: Scope) -> Fact:
    return _coalesce(node, scope)


def _collated(node: Node, scope: Scope) -> Fact:
    return fact(node["arg"], scope)


def _grouping(_: Node, __: Scope) -> Fact:
    return facts.of("int4", not_null=True)


_RULES: dict[str, Callable[[Node, Scope], Fact]] = {
    "A_ArrayExpr": _array,
    "A_Const": _constant,
    "A_Expr": _operation,
    "A_Indirection": _indirection,
    "BoolExpr": _boolean,
    "BooleanTest": _boolean_test,
    "CaseExpr": _case,
    "CoalesceExpr": _coalesce,
    "CollateClause": _collated,
    "ColumnRef": _column,
    "FuncCall": _call,
    "GroupingFunc": _grouping,
    "MinMaxExpr": _extreme,
    "NullTest": _null_test,
    "ParamRef": _parameter,
    "RowExpr": _row,
    "SQLValueFunction": _value_function,
    "SubLink": _subquery,
    "TypeCast": _cast,
}
