"""What a statement does to tables that others use: how it locks, reads and writes.

The knowledge is PostgreSQL's documentation's and code's, of the versions 15 to 18; a
test runs each kind on a server and compares. What is not known is said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final, TypeAlias, cast

from psycopg import Connection

from generated.internal import plans

from .statements import Statement

__all__ = ["KINDS", "Effect", "Effects", "Lock", "Work", "effects"]


class Lock(IntEnum):
    """A table's lock; of two the later one is the stronger."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    @property
    def blocks_reads(self) -> bool:
        """Tell whether a plain SELECT waits for it."""
        return self is Lock.ACCESS_EXCLUSIVE

    @property
    def blocks_writes(self) -> bool:
        """Tell whether INSERT, UPDATE and DELETE wait for it."""
        return self >= Lock.SHARE

    @property
    def blocks(self) -> str:
        """Say in words whom it keeps waiting until the transaction ends."""
        if self.blocks_reads:
            return "reads and writes"
        if self.blocks_writes:
            return "writes"
        if self is Lock.SHARE_UPDATE_EXCLUSIVE:
            return "other changes of the schema"
        return "nobody" if self < Lock.ROW_EXCLUSIVE else "writes of the same rows"


class Work(StrEnum):
    """What is done to a table's rows."""

    NONE = "none"
    QUERY = "query"
    EMPTY = "empty"
    MAY_SCAN = "may_scan"
    SCAN = "scan"
    MAY_REWRITE = "may_rewrite"
    REWRITE = "rewrite"

    @property
    def sentence(self) -> str:
        """Say it for people."""
        return {
            Work.NONE: "neither reads nor rewrites it",
            Work.QUERY: "does what its plan says",
            Work.EMPTY: "empties it",
            Work.MAY_SCAN: "may read all of it",
            Work.SCAN: "reads all of it",
            Work.MAY_REWRITE: "may rewrite it",
            Work.REWRITE: "rewrites it",
        }[self]


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done to one table, under its strongest lock."""

    table: str
    lock: Lock
    work: Work = Work.NONE


@dataclass(frozen=True, slots=True)
class Effects:
    """What is known of a statement, if that is all, and what else is to be said."""

    on: tuple[Effect, ...] = ()
    known: bool = True
    note: str = ""


_Node: TypeAlias = dict[str, Any]
_Found: TypeAlias = Iterator[Effect]
_Kind: TypeAlias = Callable[[_Node, Connection[Any]], _Found]

_ORDER: Final = tuple(Work)


def effects(statement: Statement, conn: Connection[Any]) -> Effects:
    """Tell what a statement would do to the tables of this database; run nothing."""
    kind = KINDS.get(statement.kind)
    if kind is None:
        return Effects(known=False, note="what it locks is not known")
    found: dict[str, Effect] = {}
    for one in kind(statement.node, conn):
        other = found.get(one.table, one)
        lock, work = max(one.lock, other.lock), max(one.work, other.work, key=_rank)
        found[one.table] = Effect(one.table, lock, work)
    unknown, on = _unknown(statement), tuple(found.values())
    return Effects(on, not unknown, unknown or _note(statement))


def _rank(work: Work) -> int:
    return _ORDER.index(work)


def _unknown(statement: Statement) -> str:
    node = statement.node
    if statement.kind == "SelectStmt" and any(_named(node, "FuncCall")):
        return "what its functions do is not known"
    if node.get("behavior") == "DROP_CASCADE":
        return "what CASCADE takes with it is locked, too, and not listed"
    if node.get("removeType", "") in {"OBJECT_STATISTIC_EXT", "OBJECT_EXTENSION"}:
        return "what it locks is not known"
    return ""


def _note(statement: Statement) -> str:
    node = statement.node
    if statement.kind == "ReindexStmt" and not _is_concurrent(node):
        return "no query that looks at one of these indexes gets on meanwhile"
    if statement.kind == "VariableSetStmt" and node.get("name") == "lock_timeout":
        return "from here on locks are waited for as long as this says"
    return ""


def _quoted(*parts: str) -> str:
    return ".".join(
        part
        if re.fullmatch(r"[a-z_][a-z0-9_$]*", part)
        else '"' + part.replace('"', '""') + '"'
        for part in parts
    )


def _table(node: _Node) -> str:
    """Name a RangeVar."""
    return _quoted(*filter(None, [node.get("schemaname"), node["relname"]]))


def _dotted(names: list[_Node]) -> str:
    return _quoted(*(name["String"]["sval"] for name in names))


def _walk(node: object) -> Iterator[_Node]:
    """Go through a tree's nodes."""
    if isinstance(node, dict):
        parts = cast("_Node", node)
        yield parts
        for one in parts.values():
            yield from _walk(one)
    elif isinstance(node, list):
        for one in cast("list[object]", node):
            yield from _walk(one)


def _named(node: object, kind: str) -> Iterator[_Node]:
    return (one[kind] for one in _walk(node) if kind in one)


# --- ALTER TABLE ----------------------------------------------------------------------

_SUE, _SRE, _AE = (
    Lock.SHARE_UPDATE_EXCLUSIVE,
    Lock.SHARE_ROW_EXCLUSIVE,
    Lock.ACCESS_EXCLUSIVE,
)

# All others take the strongest lock, and leave the rows alone.
_COMMANDS: Mapping[str, tuple[Lock, Work]] = {
    "AT_SetStatistics": (_SUE, Work.NONE),
    "AT_SetOptions": (_SUE, Work.NONE),
    "AT_ResetOptions": (_SUE, Work.NONE),
    "AT_ClusterOn": (_SUE, Work.NONE),
    "AT_DropCluster": (_SUE, Work.NONE),
    "AT_ValidateConstraint": (_SUE, Work.SCAN),
    "AT_AttachPartition": (_SUE, Work.NONE),
    "AT_AddInherit": (_AE, Work.NONE),
    "AT_EnableTrig": (_SRE, Work.NONE),
    "AT_EnableAlwaysTrig": (_SRE, Work.NONE),
    "AT_EnableReplicaTrig": (_SRE, Work.NONE),
    "AT_DisableTrig": (_SRE, Work.NONE),
    "AT_EnableTrigAll": (_SRE, Work.NONE),
    "AT_DisableTrigAll": (_SRE, Work.NONE),
    "AT_EnableTrigUser": (_SRE, Work.NONE),
    "AT_DisableTrigUser": (_SRE, Work.NONE),
    "AT_SetNotNull": (_AE, Work.MAY_SCAN),
    "AT_AlterColumnType": (_AE, Work.MAY_REWRITE),
    "AT_SetLogged": (_AE, Work.MAY_REWRITE),
    "AT_SetUnLogged": (_AE, Work.MAY_REWRITE),
    "AT_SetAccessMethod": (_AE, Work.MAY_REWRITE),
    "AT_SetTableSpace": (_AE, Work.MAY_REWRITE),
    "AT_SetExpression": (_AE, Work.MAY_REWRITE),
}

# The settings that need no more; those of autovacuum, too.
_LIGHT_OPTIONS: Final = {"fillfactor", "toast_tuple_target", "parallel_workers"}
_LIGHT_PREFIXES: Final = ("autovacuum_", "log_autovacuum_", "vacuum_")


def _alter_table(node: _Node, conn: Connection[Any]) -> _Found:
    table = _table(node["relation"])
    if node["objtype"] in {"OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_TYPE"}:
        return
    for one in node["cmds"]:
        command = one["AlterTableCmd"]
        match command["subtype"]:
            case "AT_AddColumn":
                yield from _add_column(table, command["def"]["ColumnDef"], conn)
            case "AT_AddConstraint":
                constraint = command["def"]["Constraint"]
                yield from _add_constraint(table, constraint)
            case "AT_SetRelOptions" | "AT_ResetRelOptions":
                yield Effect(table, _SUE if _are_light(command["def"]) else _AE)
            case "AT_DetachPartition":
                lock = _SUE if command["def"]["PartitionCmd"].get("concurrent") else _AE
                yield Effect(table, lock)
                partition = command["def"]["PartitionCmd"]["name"]
                yield Effect(_table(partition), lock)
            case subtype:
                yield Effect(table, *_COMMANDS.get(subtype, (_AE, Work.NONE)))
                yield from _others(table, command, conn)


def _are_light(options: _Node) -> bool:
    names = [option["defname"] for option in _named(options, "DefElem")]
    return all(
        name in _LIGHT_OPTIONS or name.startswith(_LIGHT_PREFIXES) for name in names
    )


def _others(table: str, command: _Node, conn: Connection[Any]) -> _Found:
    """Tell what a command does to tables besides its own."""
    name: Any = command.get("name")
    match command["subtype"]:
        case "AT_AttachPartition":
            part = command["def"]["PartitionCmd"]["name"]
            yield Effect(_table(part), _AE, Work.MAY_SCAN)
        case "AT_AddInherit":
            yield Effect(_table(command["def"]["RangeVar"]), _SUE)
        case "AT_DropColumn":
            for other in plans.list_referred_tables(
                conn, table_name=table, constraint_name=None, column_name=name
            ):
                yield Effect(other, _AE)
        case "AT_AlterColumnType":
            for other in (
                *plans.list_referred_tables(
                    conn, table_name=table, constraint_name=None, column_name=name
                ),
                *plans.list_referring_tables(conn, table_name=table, column_name=name),
            ):
                yield Effect(other, _AE, Work.QUERY)
        case "AT_DropConstraint" | "AT_ValidateConstraint" as subtype:
            drops = subtype == "AT_DropConstraint"
            for other in plans.list_referred_tables(
                conn, table_name=table, constraint_name=name, column_name=None
            ):
                yield (
                    Effect(other, _AE)
                    if drops
                    else Effect(other, Lock.ROW_SHARE, Work.QUERY)
                )
        case _:
            pass


def _add_column(table: str, column: _Node, conn: Connection[Any]) -> _Found:
    yield Effect(table, _AE, _filling(column, conn))
    default = any(one["contype"] == "CONSTR_DEFAULT" for one in _constraints_of(column))
    for constraint in _constraints_of(column):
        if constraint["contype"] == "CONSTR_FOREIGN":
            validated = Work.SCAN if default else Work.NONE
            yield Effect(table, _SRE, validated)
            read = Work.QUERY if default else Work.NONE
            yield Effect(_table(constraint["pktable"]), _SRE, read)
        elif constraint["contype"] in _BUILDING | {"CONSTR_CHECK"}:
            yield from _add_constraint(table, constraint)


def _constraints_of(column: _Node) -> list[_Node]:
    return [one["Constraint"] for one in column.get("constraints", ())]


def _filling(column: _Node, conn: Connection[Any]) -> Work:
    """Tell what a new column costs: one value for all rows is kept once."""
    kinds = {one["contype"]: one for one in _constraints_of(column)}
    if "CONSTR_GENERATED" in kinds:
        # Virtual ones, from 18 on, take nothing.
        return Work.MAY_REWRITE
    if "CONSTR_IDENTITY" in kinds:
        return Work.REWRITE
    kind = column["typeName"]["names"]
    if not plans.is_planned_type_plain(conn, name=_dotted(kind)):
        return Work.MAY_REWRITE  # a serial, or a domain whose rules are asked
    default = kinds.get("CONSTR_DEFAULT")
    if default is None:
        return Work.MAY_SCAN if "CONSTR_NOTNULL" in kinds else Work.NONE
    names = [call["funcname"][-1] for call in _named(default, "FuncCall")]
    called = [name["String"]["sval"] for name in names]
    stable = plans.are_functions_stable(conn, names=called)
    return Work.NONE if stable else Work.MAY_REWRITE


_BUILDING: Final = {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"}


def _add_constraint(table: str, constraint: _Node) -> _Found:
    kind, later = constraint["contype"], constraint.get("skip_validation", False)
    if kind == "CONSTR_FOREIGN":
        yield Effect(table, _SRE, Work.NONE if later else Work.SCAN)
        read = Work.NONE if later else Work.QUERY
        yield Effect(_table(constraint["pktable"]), _SRE, read)
    elif kind in _BUILDING:
        primary = kind == "CONSTR_PRIMARY"
        made = Work.MAY_SCAN if primary else Work.NONE
        yield Effect(table, _AE, made if "indexname" in constraint else Work.SCAN)
    else:
        yield Effect(table, _AE, Work.NONE if later else Work.SCAN)


# --- What else is about tables --------------------------------------------------------


def _rename(node: _Node, _conn: Connection[Any]) -> _Found:
    if node["renameType"] in {
        "OBJECT_TABLE",
        "OBJECT_COLUMN",
        "OBJECT_TABCONSTRAINT",
        "OBJECT_VIEW",
        "OBJECT_MATVIEW",
        "OBJECT_TRIGGER",
        "OBJECT_POLICY",
        "OBJECT_RULE",
    }:
        yield Effect(_table(node["relation"]), _AE)


def _set_schema(node: _Node, _conn: Connection[Any]) -> _Found:
    if "relation" in node and node["objectType"] != "OBJECT_SEQUENCE":
        yield Effect(_table(node["relation"]), _AE)


def _index(node: _Node, _conn: Connection[Any]) -> _Found:
    lock = _SUE if node.get("concurrent") else Lock.SHARE
    yield Effect(_table(node["relation"]), lock, Work.SCAN)


def _reindex(node: _Node, conn: Connection[Any]) -> _Found:
    concurrent = _is_concurrent(node)
    name = _table(node["relation"])
    if node["kind"] == "REINDEX_OBJECT_INDEX":
        yield Effect(name, _SUE if concurrent else _AE)
        name = plans.get_indexed_table(conn, name=name) or name
    yield Effect(name, _SUE if concurrent else Lock.SHARE, Work.SCAN)


def _is_concurrent(node: _Node) -> bool:
    options = [option["defname"] for option in _named(node, "DefElem")]
    return bool(node.get("concurrent")) or "concurrently" in options


_ON_TABLES: Final = {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}
_RELATIONS: Final = {
    "OBJECT_TABLE",
    "OBJECT_VIEW",
    "OBJECT_MATVIEW",
    "OBJECT_FOREIGN_TABLE",
}


def _drop(node: _Node, conn: Connection[Any]) -> _Found:
    kind = node["removeType"]
    for dropped in node["objects"]:
        names = dropped.get("List", {}).get("items", [])
        if kind == "OBJECT_INDEX":
            index = _dotted(names)
            table = plans.get_indexed_table(conn, name=index) or index
            yield Effect(table, _SUE if node.get("concurrent") else _AE)
        elif kind in _ON_TABLES:
            yield Effect(_dotted(names[:-1]), _AE)
        elif kind in _RELATIONS:
            table = _dotted(names)
            yield Effect(table, _AE)
            for other in (
                *plans.list_referred_tables(
                    conn, table_name=table, constraint_name=None, column_name=None
                ),
                *plans.list_partitioned_tables(conn, name=table),
            ):
                yield Effect(other, _AE)


def _comment(node: _Node, _conn: Connection[Any]) -> _Found:
    names = node["object"].get("List", {}).get("items", [])
    if node["objtype"] in _RELATIONS:
        yield Effect(_dotted(names), _SUE)
    elif node["objtype"] == "OBJECT_COLUMN":
        yield Effect(_dotted(names[:-1]), _SUE)


def _on_relation(lock: Lock, work: Work = Work.NONE, at: str = "relation") -> _Kind:
    """Make the kind of a statement that names its one table in `at`."""

    def kind(node: _Node, _conn: Connection[Any]) -> _Found:
        yield Effect(_table(node[at]), lock, work)

    return kind


def _truncate(node: _Node, _conn: Connection[Any]) -> _Found:
    for one in _named(node["relations"], "RangeVar"):
        yield Effect(_table(one), _AE, Work.EMPTY)


def _lock(node: _Node, _conn: Connection[Any]) -> _Found:
    for one in _named(node["relations"], "RangeVar"):
        yield Effect(_table(one), Lock(node["mode"]))


def _create(node: _Node, _conn: Connection[Any]) -> _Found:
    for constraint in _named(node.get("tableElts"), "Constraint"):
        if constraint["contype"] == "CONSTR_FOREIGN":
            own = _table(constraint["pktable"]) == _table(node["relation"])
            if not own:
                yield Effect(_table(constraint["pktable"]), _SRE)
    for parent in _named(node.get("inhRelations"), "RangeVar"):
        # The rows of a default partition are looked through.
        work = Work.MAY_SCAN if "partbound" in node else Work.NONE
        yield Effect(_table(parent), _AE if "partbound" in node else _SUE, work)


def _create_as(node: _Node, _conn: Connection[Any]) -> _Found:
    yield from _queried(node["query"])


def _view(node: _Node, _conn: Connection[Any]) -> _Found:
    for one in _queried(node["query"]):
        yield Effect(one.table, one.lock)
    if node.get("replace"):
        yield Effect(_table(node["view"]), _AE)


def _refresh(node: _Node, _conn: Connection[Any]) -> _Found:
    concurrent = node.get("concurrent")
    lock = Lock.EXCLUSIVE if concurrent else _AE
    work = Work.MAY_REWRITE if concurrent else Work.REWRITE
    yield Effect(_table(node["relation"]), lock, work)


def _query(node: _Node, _conn: Connection[Any]) -> _Found:
    yield from _queried(node)


_WRITING: Final = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


def _queried(node: _Node) -> _Found:
    """Tell of a query: what it writes, also within WITH, and what it reads."""
    named = {one["ctename"] for one in _walk(node) if "ctename" in one}
    locking = any(_named(node, "LockingClause"))
    for kind in _WRITING:
        for one in _named(node, kind):
            yield Effect(_table(one["relation"]), Lock.ROW_EXCLUSIVE, Work.QUERY)
    for one in _named(node, "RangeVar"):
        if "schemaname" in one or one["relname"] not in named:
            lock = Lock.ROW_SHARE if locking else Lock.ACCESS_SHARE
            yield Effect(_table(one), lock, Work.QUERY)


def _written(node: _Node, _conn: Connection[Any]) -> _Found:
    yield Effect(_table(node["relation"]), Lock.ROW_EXCLUSIVE, Work.QUERY)
    yield from _queried(node)


def _copy(node: _Node, _conn: Connection[Any]) -> _Found:
    if "relation" in node:
        lock = Lock.ROW_EXCLUSIVE if node.get("is_from") else Lock.ACCESS_SHARE
        yield Effect(_table(node["relation"]), lock, Work.QUERY)


def _vacuum(node: _Node, _conn: Connection[Any]) -> _Found:
    options = {option["defname"] for option in _named(node.get("options"), "DefElem")}
    full = "full" in options
    vacuums = Work.MAY_SCAN if node.get("is_vacuumcmd") else Work.NONE
    for one in node.get("rels", ()):
        table = _table(one["VacuumRelation"]["relation"])
        yield Effect(table, _AE if full else _SUE, Work.REWRITE if full else vacuums)


def _alter_domain(node: _Node, conn: Connection[Any]) -> _Found:
    later = node.get("def", {}).get("Constraint", {}).get("skip_validation", False)
    # C adds a constraint, V validates one, O sets NOT NULL.
    if node["subtype"] in {"C", "V", "O"} and not later:
        for table in plans.list_tables_of_domain(conn, name=_dotted(node["typeName"])):
            yield Effect(table, Lock.SHARE, Work.SCAN)


def _statistics(node: _Node, _conn: Connection[Any]) -> _Found:
    for one in _named(node["relations"], "RangeVar"):
        yield Effect(_table(one), _SUE)


def _nothing(_node: _Node, _conn: Connection[Any]) -> _Found:
    return iter(())


KINDS: Mapping[str, _Kind] = {
    "AlterTableStmt": _alter_table,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _set_schema,
    "IndexStmt": _index,
    "ReindexStmt": _reindex,
    "DropStmt": _drop,
    "CommentStmt": _comment,
    "TruncateStmt": _truncate,
    "LockStmt": _lock,
    "CreateStmt": _create,
    "CreateTableAsStmt": _create_as,
    "ViewStmt": _view,
    "RefreshMatViewStmt": _refresh,
    "CreateTrigStmt": _on_relation(_SRE),
    "CreatePolicyStmt": _on_relation(_AE, at="table"),
    "AlterPolicyStmt": _on_relation(_AE, at="table"),
    "RuleStmt": _on_relation(_AE),
    "ClusterStmt": _on_relation(_AE, Work.REWRITE),
    "CreateStatsStmt": _statistics,
    "SelectStmt": _query,
    "InsertStmt": _written,
    "UpdateStmt": _written,
    "DeleteStmt": _written,
    "MergeStmt": _written,
    "CopyStmt": _copy,
    "VacuumStmt": _vacuum,
    "AlterDomainStmt": _alter_domain,
    **dict.fromkeys(
        (
            "AlterEnumStmt",
            "AlterFunctionStmt",
            "AlterRoleStmt",
            "AlterSeqStmt",
            "CompositeTypeStmt",
            "CreateDomainStmt",
            "CreateEnumStmt",
            "CreateFunctionStmt",
            "CreateRangeStmt",
            "CreateRoleStmt",
            "CreateSchemaStmt",
            "CreateSeqStmt",
            "GrantRoleStmt",
            "GrantStmt",
            "VariableSetStmt",
            "VariableShowStmt",
        ),
        _nothing,
    ),
}
"""What is known, by the parser's kinds of statements."""
