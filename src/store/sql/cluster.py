"""What is not of one database but of the whole cluster, or of the server's machine.

Tried in a database of its own it would happen to all: a role that is dropped is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import MigrationError
from . import nested, statements
from .statements import Statement

__all__ = ["refuse", "touched_by"]

_STATEMENTS = {
    "AlterDatabaseRefreshCollStmt",
    "AlterDatabaseSetStmt",
    "AlterDatabaseStmt",
    "AlterRoleSetStmt",
    "AlterRoleStmt",
    "AlterSubscriptionStmt",
    "AlterSystemStmt",
    "AlterTableMoveAllStmt",
    "AlterTableSpaceOptionsStmt",
    "CheckPointStmt",
    "CreateRoleStmt",
    "CreateSubscriptionStmt",
    "CreateTableSpaceStmt",
    "CreatedbStmt",
    "DropOwnedStmt",
    "DropRoleStmt",
    "DropSubscriptionStmt",
    "DropTableSpaceStmt",
    "DropdbStmt",
    "GrantRoleStmt",
    "ReassignOwnedStmt",
}

# COMMENT, SECURITY LABEL, RENAME, OWNER TO and GRANT take objects of any kind.
_KINDS = ("objtype", "objectType", "renameType")
_OBJECTS = {
    "OBJECT_DATABASE",
    "OBJECT_PARAMETER_ACL",
    "OBJECT_ROLE",
    "OBJECT_SUBSCRIPTION",
    "OBJECT_TABLESPACE",
}

# A prepared transaction outlives its session: no database that has one can be dropped.
_PREPARED = {
    "TRANS_STMT_COMMIT_PREPARED",
    "TRANS_STMT_PREPARE",
    "TRANS_STMT_ROLLBACK_PREPARED",
}

_WRITES = {"DeleteStmt", "InsertStmt", "MergeStmt", "UpdateStmt"}
_CATALOGS = {
    "pg_auth_members",
    "pg_authid",
    "pg_database",
    "pg_db_role_setting",
    "pg_parameter_acl",
    "pg_replication_origin",
    "pg_shdepend",
    "pg_shdescription",
    "pg_shseclabel",
    "pg_subscription",
    "pg_tablespace",
}


def touched_by(statement: Statement) -> Iterator[Statement]:
    """Go through what is of the cluster in a statement, or in what a DO block runs."""
    for one in (statement, *nested.run_by(statement)):
        named = {one.node.get(field) for field in _KINDS}
        # COPY with a file or a program is the machine's.
        copies = one.kind == "CopyStmt" and "filename" in one.node
        prepared = one.kind == "TransactionStmt" and one.node["kind"] in _PREPARED
        written = {
            node["relation"]["relname"]
            for kind, node in ((one.kind, one.node), *nested.nodes(one.node))
            if kind in _WRITES
        }
        if (
            one.kind in _STATEMENTS
            or named & _OBJECTS
            or copies
            or prepared
            or written & _CATALOGS
        ):
            yield one


def refuse(found: Iterable[Statement], file: object, line: int = 0) -> None:
    """Refuse what is of the cluster; `line` is the file's, above the first one.

    Raises:
        MigrationError: names each, with its place.
    """
    lines = [
        f"{file}:{line + statement.line}: {statements.shortened(one.text)} is of the "
        "whole cluster, not of one database, and is not run here"
        for statement in found
        for one in touched_by(statement)
    ]
    if lines:
        raise MigrationError("\n".join(lines))
