"""What each kind of statement says."""

from typing import TypeVar

from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema import do_blocks, domains, functions, tables
from sqlc_gen_psycopg.schema.model import Schema, name_of, relation
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_Kept = TypeVar("_Kept")


def note(schema: Schema, statement: Node) -> None:
    """Note what a statement says, if it says anything of interest."""
    kind, node = tree.only(statement)
    if kind in _NOTED:
        _NOTED[kind](schema, node)


_ROUTINES = (
    "OBJECT_FUNCTION",
    "OBJECT_PROCEDURE",
    "OBJECT_ROUTINE",
    "OBJECT_AGGREGATE",
)


def _drop(schema: Schema, node: Node) -> None:
    if node["removeType"] in _ROUTINES:
        functions.drop_function(schema, node)
        return
    for target in tree.children(node, "objects"):
        if node["removeType"] in ("OBJECT_DOMAIN", "OBJECT_TYPE"):
            dropped = name_of(schema, target["TypeName"]["names"])
            schema.domains.pop(dropped, None)
            schema.composites.pop(dropped, None)
            schema.enums.pop(dropped, None)
            schema.relabelled.pop(dropped, None)
            schema.ranges.pop(dropped, None)
        elif node["removeType"] in ("OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_TABLE"):
            schema.derived.pop(name_of(schema, target["List"]["items"]), None)


def _rename(schema: Schema, node: Node) -> None:
    kind = node["renameType"]
    if kind in _ROUTINES:
        functions.rename_function(schema, node)
    elif kind in ("OBJECT_DOMAIN", "OBJECT_TYPE"):
        old = name_of(schema, node["object"]["List"]["items"])
        new = Name(old.schema, node["newname"])
        _move(schema.domains, old, new)
        _move(schema.composites, old, new)
        _move(schema.enums, old, new)
        _move(schema.relabelled, old, new)
        _move(schema.ranges, old, new)
        for name, (subtype, multirange) in schema.ranges.items():
            if multirange == old:
                schema.ranges[name] = subtype, new
    elif kind == "OBJECT_DOMCONSTRAINT":
        domain = schema.domains.get(name_of(schema, node["object"]["List"]["items"]))
        if domain and node["subname"] in domain.checks:
            domain.checks[node["newname"]] = domain.checks.pop(node["subname"])
    elif kind in ("OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_TABLE"):
        tables.rename_table(schema, node)
    elif kind == "OBJECT_ATTRIBUTE":
        # What it then is, is not followed: it has no Python type any more.
        schema.composites.pop(relation(schema, node["relation"]), None)
    elif kind == "OBJECT_COLUMN":
        tables.rename_column(schema, node)


def _move(kept: dict[Name, _Kept], old: Name, new: Name) -> None:
    if old in kept:
        kept[new] = kept.pop(old)


def _comment(schema: Schema, node: Node) -> None:
    if node["objtype"] in ("OBJECT_DOMAIN", "OBJECT_TYPE"):
        domain = schema.domains.get(
            name_of(schema, node["object"]["TypeName"]["names"])
        )
        if domain:
            domain.comment = node.get("comment") or ""


def _create_view(schema: Schema, node: Node) -> None:
    schema.derived[relation(schema, node["view"])] = node


def _create_composite(schema: Schema, node: Node) -> None:
    attributes = [item["ColumnDef"] for item in tree.children(node, "coldeflist")]
    schema.composites[relation(schema, node["typevar"])] = tuple(
        (
            attribute["colname"],
            name_of(schema, attribute["typeName"]["names"]),
            len(tree.children(attribute["typeName"], "arrayBounds")),
        )
        for attribute in attributes
    )


def _create_table_as(schema: Schema, node: Node) -> None:
    schema.derived[relation(schema, node["into"]["rel"])] = node


_NOTED = {
    "CreateCastStmt": functions.create_cast,
    "CreateExtensionStmt": functions.create_extension,
    "CreateFunctionStmt": functions.create_function,
    "CreateRangeStmt": functions.create_range,
    "DefineStmt": functions.define,
    "AlterDomainStmt": domains.alter_domain,
    "AlterTableStmt": tables.alter_table,
    "CommentStmt": _comment,
    "CompositeTypeStmt": _create_composite,
    "CreateDomainStmt": domains.create_domain,
    "CreateStmt": tables.create_table,
    "CreateTableAsStmt": _create_table_as,
    "CreateTrigStmt": tables.note_trigger,
    "DoStmt": do_blocks.note,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "RuleStmt": tables.note_trigger,
    "ViewStmt": _create_view,
}
