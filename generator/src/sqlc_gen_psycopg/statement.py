"""A query's parse tree, and what is proven of it column by column."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import builtins, totals
from sqlc_gen_psycopg.inference.analyst import Analyst
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Origin, SqlType
from sqlc_gen_psycopg.request import Query
from sqlc_gen_psycopg.tree import Node

_NUMBER_IT = "write $1, $2, … here, or another statement"
_WRITING = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


class Embedded(NamedTuple):
    """What is proven of an embed: its alias, and whether its row may be missing."""

    qualifier: str
    absent: bool


class Statement(NamedTuple):
    """A query's tree, and what is proven of its columns and of its parameters."""

    text: str
    kind: str
    node: Node
    columns: list[Fact | Embedded]
    parameters: dict[int, Origin]
    types: dict[int, SqlType]

    @property
    def writes(self) -> bool:
        """Whether it changes rows, be it in a CTE."""
        return self.kind in _WRITING or any(
            kind in node for node in tree.walk(self.node) for kind in _WRITING
        )

    def left_over(self) -> list[tuple[str, str]]:
        """Return sqlc's own syntax that is still in a text, each with its remedy.

        The text cannot run then.
        """
        found: list[tuple[str, str]] = []
        if "@" not in self.text and "sqlc." not in self.text:
            return found
        for inner in tree.walk(self.node):
            operation: Node = inner.get("A_Expr", {})
            if operation.get("kind") == "AEXPR_OP":
                found += _parameters_left(operation)
            call = tree.path(inner.get("FuncCall", {}), "funcname")
            if call[:1] == ["sqlc"]:
                found.append((".".join(call), _NUMBER_IT))
        return found


def _parameters_left(operation: Node) -> Iterator[tuple[str, str]]:
    """Yield an operation that is a parameter of sqlc's, or ends in one."""
    operator = tree.last_name(operation, "name")
    operand: Node = operation["rexpr"]
    while "TypeCast" in operand:
        operand = operand["TypeCast"]["arg"]
    path = ".".join(tree.path(operand.get("ColumnRef", {}), "fields"))
    if not path or not operator.endswith("@"):
        return
    if "lexpr" not in operation and operator == "@":
        yield f"@{path}", _NUMBER_IT
    elif _is_operator(operator[:-1]) and not _is_operator(operator):
        # PostgreSQL reads as many characters as it can: `=@x` is no `= @x`.
        yield f"{operator}{path}", f"write {operator[:-1]} @{path}, with a space"


def _is_operator(name: str) -> bool:
    return name in totals.OPERATORS or bool(builtins.operators(name))


def unknown(query: Query) -> Statement:
    """Return a statement of which nothing is known."""
    return Statement(query.text, "", {}, [UNKNOWN] * len(query.columns), {}, {})


def parse(query: Query, analyst: Analyst) -> Statement:
    """Parse a query and align its targets with its columns."""
    [wrapped] = tree.parse(query.text)
    kind, node = tree.only(wrapped)
    analysis = analyst.statement(query, kind, node)
    columns = _aligned(query, _targets(kind, node), analysis.columns, analyst)
    return Statement(
        query.text, kind, node, columns, analysis.parameters, analysis.types
    )


def _aligned(
    query: Query, targets: list[Node], facts: list[Fact], analyst: Analyst
) -> list[Fact | Embedded]:
    """Return what is proven of each column.

    An embed takes as many targets as its table has columns: sqlc writes them out.
    """
    if len(facts) != len(targets):
        facts = [UNKNOWN] * len(targets)
    found: list[Fact | Embedded] = []
    position = 0
    for column in query.columns:
        if column.embed:
            end = position + len(analyst.tables[column.embed].columns)
            absent = any(fact.absent for fact in facts[position:end])
            found.append(Embedded(_qualifier(targets[position]), absent))
            position = end
        else:
            found.append(facts[position])
            position += 1
    return found


def _qualifier(target: Node) -> str:
    """Return the alias that a column reference is qualified by, or ``""``."""
    value: Node = target["ResTarget"].get("val", {})
    path = tree.path(value.get("ColumnRef", {}), "fields")
    return path[-2] if len(path) > 1 else ""


def _targets(kind: str, node: Node) -> list[Node]:
    if kind == "SelectStmt":
        while "larg" in node:
            node = node["larg"]
        return tree.children(node, "targetList")
    return tree.children(node, "returningList")
