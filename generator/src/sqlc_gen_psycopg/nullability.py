"""Which result columns can be proven NOT NULL.

sqlc calls far too much NOT NULL: every aggregate but count, arithmetic over nullable
columns, the left arm of a UNION. What is not proven here is Optional.
"""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.request import Column, Query
from sqlc_gen_psycopg.schema import Schema
from sqlc_gen_psycopg.statement import Statement
from sqlc_gen_psycopg.tree import Node

# Never NULL, whatever their arguments.
_TOTAL = frozenset(
    [
        "clock_timestamp",
        "concat",
        "count",
        "cume_dist",
        "current_database",
        "dense_rank",
        "gen_random_uuid",
        "json_build_array",
        "json_build_object",
        "jsonb_build_array",
        "jsonb_build_object",
        "nextval",
        "now",
        "num_nonnulls",
        "num_nulls",
        "percent_rank",
        "random",
        "rank",
        "row_number",
        "statement_timestamp",
        "transaction_timestamp",
        "txid_current",
    ]
)
# NULL exactly if an argument is.
_STRICT = frozenset(
    [
        "abs",
        "btrim",
        "ceil",
        "char_length",
        "date_trunc",
        "decode",
        "encode",
        "floor",
        "initcap",
        "left",
        "length",
        "lower",
        "ltrim",
        "md5",
        "repeat",
        "replace",
        "reverse",
        "right",
        "round",
        "rtrim",
        "to_char",
        "upper",
    ]
)
_OPERATORS = {"+", "-", "*", "/", "%", "||", "=", "<>", "!=", "<", ">", "<=", ">="}
_NEVER_NULL = {"SQLValueFunction", "NullTest", "BooleanTest", "A_ArrayExpr", "RowExpr"}


def proven(query: Query, statement: Statement, schema: Schema) -> list[bool]:
    """Return for each result column whether it cannot be NULL.

    For an embed: whether the join always finds its row.
    """
    outer = _has_outer_join(statement.node)
    derived = any(column.table in schema.derived for column in query.columns)
    safe = not derived and not _is_beyond(statement.node)
    return [
        not outer if column.embed else _is_not_null(column, values, safe=safe)
        for column, values in zip(query.columns, statement.targets, strict=True)
    ]


def _is_not_null(column: Column, values: tuple[Node, ...], *, safe: bool) -> bool:
    if len(values) == 1 and "ColumnRef" not in values[0]:
        return _is_total(values[0])
    return safe and column.not_null


def _is_beyond(node: Node) -> bool:
    """Set operations, right and full joins, grouping sets: where sqlc goes wrong."""
    return any(
        inner.get("op", "SETOP_NONE") in ("SETOP_UNION", "SETOP_INTERSECT")
        or inner.get("jointype") in ("JOIN_RIGHT", "JOIN_FULL")
        or "GroupingSet" in inner
        for inner in tree.walk(node)
    )


def _has_outer_join(node: Node) -> bool:
    outer = ("JOIN_LEFT", "JOIN_RIGHT", "JOIN_FULL")
    return any(inner.get("jointype") in outer for inner in tree.walk(node))


def _is_total(value: Node) -> bool:  # noqa: PLR0911 - one return a kind of node
    """Tell whether an expression is never NULL, columns being taken as nullable."""
    kind, node = tree.only(value)
    match kind:
        case "A_Const":
            return not node.get("isnull")
        case "TypeCast":
            return _is_total(node["arg"])
        case "CoalesceExpr":
            return any(map(_is_total, tree.children(node, "args")))
        case "FuncCall":
            return _is_total_call(node)
        case "A_Expr" if node["kind"] == "AEXPR_OP":
            operands: list[Node] = [node[s] for s in ("lexpr", "rexpr") if s in node]
            known = tree.last_name(node, "name") in _OPERATORS
            return known and all(map(_is_total, operands))
        case "BoolExpr":
            return all(map(_is_total, tree.children(node, "args")))
        case "SubLink":
            return node["subLinkType"] in ("EXISTS_SUBLINK", "ARRAY_SUBLINK")
        case _:
            return kind in _NEVER_NULL


def _is_total_call(node: Node) -> bool:
    name = tree.last_name(node, "funcname")
    if name in _STRICT and "agg_filter" not in node:
        return all(map(_is_total, tree.children(node, "args")))
    return name in _TOTAL
