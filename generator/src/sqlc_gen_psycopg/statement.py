"""A query's parse tree, and the part of it that each result column stands for."""

from dataclasses import dataclass

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.request import Name, Query, Table
from sqlc_gen_psycopg.tree import Node


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; ``targets`` holds each result column's expressions."""

    kind: str
    node: Node
    targets: tuple[tuple[Node, ...], ...]


def parse(query: Query, tables: dict[Name, Table]) -> Statement:
    """Parse a query and align its targets with its columns.

    An embed takes as many targets as its table has columns: sqlc writes them out.
    """
    [statement] = tree.parse(query.text)
    kind, node = tree.only(statement)
    values: list[Node] = [t["ResTarget"].get("val", {}) for t in _targets(kind, node)]
    aligned: list[tuple[Node, ...]] = []
    position = 0
    for column in query.columns:
        width = len(tables[column.embed].columns) if column.embed else 1
        aligned.append(tuple(values[position : position + width]))
        position += width
    return Statement(kind, node, tuple(aligned))


def _targets(kind: str, node: Node) -> list[Node]:
    if kind == "SelectStmt":
        while "larg" in node:
            node = node["larg"]
        return tree.children(node, "targetList")
    return tree.children(node, "returningList")


def qualifier(value: Node) -> str:
    """Return the alias that a column reference is qualified by, or ``""``."""
    names = tree.strings(tree.children(value.get("ColumnRef", {}), "fields"))
    return names[-2] if len(names) > 1 else ""
