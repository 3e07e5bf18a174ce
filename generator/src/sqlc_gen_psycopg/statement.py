"""The part of a query's parse tree that each result column stands for."""

from typing import NamedTuple

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference.analyst import Analyst
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Origin, SqlType
from sqlc_gen_psycopg.request import Query
from sqlc_gen_psycopg.tree import Node

_WRITING = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


class Target(NamedTuple):
    """A result column's expression, and what is proven of it."""

    value: Node
    fact: Fact

    @property
    def qualifier(self) -> str:
        """The alias that a column reference is qualified by, or ``""``."""
        path = tree.path(self.value.get("ColumnRef", {}), "fields")
        return path[-2] if len(path) > 1 else ""


class Statement(NamedTuple):
    """A query's tree, its targets column by column, and its parameters' columns."""

    text: str
    kind: str
    node: Node
    targets: list[tuple[Target, ...]]
    parameters: dict[int, Origin]
    types: dict[int, SqlType]

    @property
    def writes(self) -> bool:
        """Whether it changes rows, be it in a CTE."""
        return self.kind in _WRITING or any(
            kind in node for node in tree.walk(self.node) for kind in _WRITING
        )

    def left_over(self) -> list[str]:
        """Return sqlc's own syntax that is still in a text, which then cannot run."""
        found: list[str] = []
        if "@" not in self.text and "sqlc." not in self.text:
            return found
        for inner in tree.walk(self.node):
            operation: Node = inner.get("A_Expr", {})
            if operation.get("kind") == "AEXPR_OP" and "lexpr" not in operation:
                [operator] = tree.path(operation, "name")
                path = tree.children(operation["rexpr"].get("ColumnRef", {}), "fields")
                if operator == "@" and path:
                    found.append(f"@{'.'.join(tree.strings(path))}")
            call = tree.path(inner.get("FuncCall", {}), "funcname")
            if call[:1] == ["sqlc"]:
                found.append(".".join(call))
        return found


def unknown(query: Query) -> Statement:
    """Return a statement of which nothing is known."""
    return Statement(query.text, "", {}, [()] * len(query.columns), {}, {})


def parse(query: Query, analyst: Analyst) -> Statement:
    """Parse a query and align its targets with its columns.

    An embed takes as many targets as its table has columns: sqlc writes them out.
    """
    [wrapped] = tree.parse(query.text)
    kind, node = tree.only(wrapped)
    values: list[Node] = [t["ResTarget"].get("val", {}) for t in _targets(kind, node)]
    analysis = analyst.statement(query, kind, node)
    facts = analysis.columns
    if len(facts) != len(values):
        facts = [UNKNOWN] * len(values)
    found = [Target(value, fact) for value, fact in zip(values, facts, strict=True)]
    aligned: list[tuple[Target, ...]] = []
    position = 0
    for column in query.columns:
        width = len(analyst.tables[column.embed].columns) if column.embed else 1
        aligned.append(tuple(found[position : position + width]))
        position += width
    return Statement(
        query.text, kind, node, aligned, analysis.parameters, analysis.types
    )


def _targets(kind: str, node: Node) -> list[Node]:
    if kind == "SelectStmt":
        while "larg" in node:
            node = node["larg"]
        return tree.children(node, "targetList")
    return tree.children(node, "returningList")
