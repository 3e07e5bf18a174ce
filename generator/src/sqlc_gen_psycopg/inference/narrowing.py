"""What is not NULL where a condition is true.

What is strict gives NULL for NULL, and a condition that is NULL is not true.
"""

from collections.abc import Callable
from typing import TypeAlias

from sqlc_gen_psycopg.catalog.catalog import Catalog
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

# A column's name, perhaps with its relation's, or the place of a parameter.
Operand: TypeAlias = tuple[str, ...] | int
Operands: TypeAlias = frozenset[Operand]

# All other operators of PostgreSQL's and of its extensions' are strict.
NOT_STRICT = frozenset({"||", "#="})
# Functions that are strict in each of their forms.
STRICT_FUNCTIONS = frozenset(
    """abs age array_length array_to_tsvector bit_length btrim cardinality ceil ceiling
    char_length character_length date_bin date_part date_trunc floor hashtext initcap
    isempty isfinite json_array_length json_typeof jsonb_array_length jsonb_typeof
    left length lower lower_inc ltrim make_date md5 mod octet_length
    phraseto_tsquery plainto_tsquery position regexp_like regexp_replace repeat replace
    reverse right round rpad lpad rtrim sign split_part starts_with strpos substr
    substring timezone to_char to_date to_number to_timestamp to_tsquery to_tsvector
    translate trunc upper upper_inc websearch_to_tsquery width_bucket""".split()  # noqa: SIM905 - a list of names reads best so
)
_NONE: Operands = frozenset()
_PLAIN = ("AEXPR_OP", "AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR")
_BETWEEN = ("AEXPR_BETWEEN", "AEXPR_BETWEEN_SYM")
_OF_LEFT_SIDE = (*_BETWEEN, "AEXPR_NOT_BETWEEN", "AEXPR_NOT_BETWEEN_SYM", "AEXPR_IN")
_WRAPPERS = ("A_Indirection", "CollateClause", "TypeCast")


class Narrowing:
    """Reads conditions, as the catalog has their operators and functions."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def if_true(  # noqa: PLR0911 - a syntax each
        self, wrapped: Node
    ) -> Operands:
        """Return what is not NULL where a condition is true."""
        kind, node = tree.only(wrapped)
        match kind, node.get("boolop") or node.get("booltesttype"):
            case "BoolExpr", "AND_EXPR":
                return _all(node, self.if_true)
            case "BoolExpr", "OR_EXPR":
                return _any(node, self.if_true)
            case "BoolExpr", _:
                return self.if_false(node["args"][0])
            case "BooleanTest", "IS_TRUE":
                return self.if_true(node["arg"])
            case "BooleanTest", "IS_FALSE":
                return self.if_false(node["arg"])
            case "BooleanTest", "IS_NOT_UNKNOWN":
                return self._strict([node["arg"]])
            case "NullTest", _:
                is_there = node["nulltesttype"] == "IS_NOT_NULL"
                return self._strict([node["arg"]]) if is_there else _NONE
            case "SubLink", _:
                # Some row must be found, which IN and = ANY compare with.
                is_any = node["subLinkType"] == "ANY_SUBLINK" and "testexpr" in node
                is_any = is_any and self._is_strict(tree.path(node, "operName"))
                return self._strict([node["testexpr"]]) if is_any else _NONE
            case "A_Expr", _:
                return self._strict(self._compared(node, wrapped))
            case _:
                return self._strict([wrapped])

    def if_false(  # noqa: PLR0911 - a syntax each
        self, wrapped: Node
    ) -> Operands:
        """Return what is not NULL where a condition is false."""
        kind, node = tree.only(wrapped)
        match kind, node.get("boolop") or node.get("booltesttype"):
            case "BoolExpr", "AND_EXPR":
                return _any(node, self.if_false)
            case "BoolExpr", "OR_EXPR":
                return _all(node, self.if_false)
            case "BoolExpr", _:
                return self.if_true(node["args"][0])
            case "BooleanTest", "IS_NOT_TRUE":
                return self.if_true(node["arg"])
            case "BooleanTest", "IS_NOT_FALSE":
                return self.if_false(node["arg"])
            case "BooleanTest", "IS_UNKNOWN":
                return self._strict([node["arg"]])
            case "NullTest", _:
                is_missing = node["nulltesttype"] == "IS_NULL"
                return self._strict([node["arg"]]) if is_missing else _NONE
            case _:
                return self._strict([wrapped])

    def _compared(self, node: Node, wrapped: Node) -> list[Node]:
        """Return what must be there for a comparison to be true."""
        kind = node["kind"]
        if kind in _BETWEEN:
            return [node["lexpr"], *tree.children(node["rexpr"]["List"], "items")]
        if kind == "AEXPR_OP_ANY" and self._is_strict(tree.path(node, "name")):
            return [node["lexpr"], node["rexpr"]]
        return [wrapped]

    def _strict(self, waiting: list[Node]) -> Operands:
        """Return the operands of which each makes all NULL if it is."""
        found: set[Operand] = set()
        # A chain of operators may be deep.
        while waiting:
            kind, node = tree.only(waiting.pop())
            if kind == "ColumnRef":
                found.add(tuple(tree.path(node, "fields")))
            elif kind == "ParamRef":
                found.add(node["location"])
            elif kind == "A_Expr":
                waiting += self._operands(node)
            elif kind in _WRAPPERS or node.get("boolop") == "NOT_EXPR":
                waiting.append(node["arg"] if "arg" in node else node["args"][0])
            elif kind == "FuncCall" and self._is_strict_call(node):
                waiting += tree.children(node, "args")
        return frozenset(found)

    def _operands(self, node: Node) -> list[Node]:
        kind = node["kind"]
        if kind in _PLAIN:
            sides = [node[side] for side in ("lexpr", "rexpr") if side in node]
            return sides if self._is_strict(tree.path(node, "name")) else []
        if kind in _OF_LEFT_SIDE or kind == "AEXPR_NULLIF":
            return [node["lexpr"]]
        # Of an empty array a comparison is not NULL, whatever is compared with it.
        return [node["rexpr"]] if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL") else []

    def _is_strict(self, path: list[str]) -> bool:
        name = path[-1] if path else "="
        return name not in NOT_STRICT and not self._catalog.has_own_operator(name)

    def _is_strict_call(self, node: Node) -> bool:
        path = tree.path(node, "funcname")
        is_plain = not {"agg_filter", "over", "func_variadic"} & node.keys()
        return (
            path[-1] in STRICT_FUNCTIONS
            and is_plain
            and all(one.rank == 0 for one in self._catalog.functions(path))
        )


def _all(node: Node, prove: Callable[[Node], Operands]) -> Operands:
    return _NONE.union(*map(prove, node["args"]))


def _any(node: Node, prove: Callable[[Node], Operands]) -> Operands:
    first, *others = map(prove, node["args"])
    return first.intersection(*others)
