"""What stands inside of statements: the nodes of one, and what a DO block runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from ..errors import MigrationError
from . import statements
from .statements import Statement

__all__ = ["nodes", "run_by"]

_SQL, _ASSIGNMENT = 0, 3
_PLACE = re.compile(r"%(?:\d+\$)?([sIL])")


def nodes(tree: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through a parse tree's nodes, each with its kind or its field's name."""
    if isinstance(tree, dict):
        for kind, node in cast("dict[str, object]", tree).items():
            yield from nodes(node)
            if isinstance(node, dict):
                yield kind, cast("dict[str, Any]", node)
    elif isinstance(tree, list):
        for node in cast("list[object]", tree):
            yield from nodes(node)


def run_by(statement: Statement) -> Iterator[Statement]:
    """Go through what a DO block of PL/pgSQL runs, as far as it can be read.

    Of what it puts together for EXECUTE, constants and the format's text are read.
    """
    if statement.kind != "DoStmt":
        return
    for kind, node in nodes(statements.parse_block(statement.text)):
        query = node.get("query", "")
        if kind == "PLpgSQL_expr" and isinstance(query, str):
            with suppress(MigrationError):
                yield from statements.split(_as_sql(query, node.get("parseMode", 0)))
        if kind == "PLpgSQL_stmt_dynexecute":
            with suppress(MigrationError):
                yield from _executed(node["query"]["PLpgSQL_expr"]["query"])


def _as_sql(query: str, mode: int) -> str:
    if mode == _SQL:
        return query
    if mode >= _ASSIGNMENT:
        _, _, query = query.partition("=")
    return f"SELECT {query}"


def _executed(expression: str) -> Iterator[Statement]:
    for one in statements.split(f"SELECT {expression}"):
        for kind, node in nodes(one.node):
            text = _PLACE.sub(
                lambda place: "'x'" if place[1] == "L" else "x",
                node.get("sval", "") if kind == "sval" else "",
            )
            for whole in (text, f"{text} x"):
                with suppress(MigrationError):
                    yield from statements.split(whole)
                    break
