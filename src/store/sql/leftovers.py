"""What a migration would leave in its session: settings, a role, temporary tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import nested, statements
from .statements import Statement

__all__ = ["left_by"]

_CURSOR_HOLDS = 0x20
_SESSION_LOCKS = {
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
}


def left_by(statement: Statement) -> Iterator[str]:
    """Say what outlives the transaction of a statement, or of what a DO block runs."""
    for one in (statement, *nested.run_by(statement)):
        named = statements.shortened(one.text)
        if one.kind == "VariableSetStmt" and _lasts(one.node):
            yield f"{named} is not LOCAL: write SET LOCAL"
        if one.kind in {"ListenStmt", "LoadStmt", "PrepareStmt"} or (
            one.kind == "DeclareCursorStmt" and one.node["options"] & _CURSOR_HOLDS
        ):
            yield f"{named} outlives its transaction: leave it out"
        if one.kind in {"CreateFunctionStmt", "CreateEnumStmt", "CompositeTypeStmt"}:
            names = one.node.get("funcname") or one.node.get("typeName") or ()
            if [*names[:1]] == [{"String": {"sval": "pg_temp"}}]:
                yield f"{named} is temporary: give it a schema, or leave it out"
        for kind, node in nested.nodes({one.kind: one.node}):
            yield from _temporary(one, kind, node)
            yield from _called(kind, node)


def _lasts(node: dict[str, Any]) -> bool:
    """Tell a SET that outlives its transaction; SET TRANSACTION never does."""
    return not node.get("is_local") and node.get("name") != "TRANSACTION"


def _temporary(statement: Statement, kind: str, node: dict[str, Any]) -> Iterator[str]:
    if kind in {"CreateStmt", "CreateSeqStmt", "ViewStmt", "into", "intoClause"}:
        [made] = (
            node[field]
            for field in ("relation", "sequence", "view", "rel")
            if field in node
        )
        gone = "ONCOMMIT_DROP" in {node.get("oncommit"), node.get("onCommit")}
        temporary = made["relpersistence"] == "t" or made.get("schemaname") == "pg_temp"
        if temporary and not gone:
            named = statements.shortened(statement.text)
            yield (
                f"{named} makes a temporary {made['relname']} that outlives its "
                "transaction: write ON COMMIT DROP"
            )


def _called(kind: str, node: dict[str, Any]) -> Iterator[str]:
    if kind != "FuncCall":
        return
    name = node["funcname"][-1]["String"]["sval"]
    if name in _SESSION_LOCKS:
        yield f"{name}() outlives its transaction: call pg_advisory_xact_lock()"
    if name == "set_config" and not _is_true(node.get("args", ())[-1:]):
        yield "set_config() is not local: its third argument is to be true"


def _is_true(last: list[dict[str, Any]]) -> bool:
    return [one.get("A_Const", {}).get("boolval") for one in last] == [
        {"boolval": True}
    ]
