"""Which columns are NOT NULL, and which tables inherit."""

import re

from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema.model import Schema, relation
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_SERIALS = re.compile(r"(small|big)?serial|serial[248]")
_REQUIRING = ("CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY")


def create_table(schema: Schema, node: Node) -> None:
    """Note its NOT NULL columns, and whom it inherits from."""
    name = relation(schema, node["relation"])
    if node.get("inhRelations") and not node.get("partbound"):
        schema.derived[name] = node
        parents = [parent["RangeVar"] for parent in node["inhRelations"]]
        schema.parents.update(relation(schema, parent) for parent in parents)
    for element in tree.children(node, "tableElts"):
        _note_column(schema, name, element.get("ColumnDef", {}))
        _note_constraint(schema, name, element.get("Constraint", {}))


def _note_column(schema: Schema, table: Name, column: Node) -> None:
    if not column:
        return
    kind = tree.last_name(column.get("typeName", {}), "names")
    said = [c["Constraint"]["contype"] for c in tree.children(column, "constraints")]
    schema.required.discard((table, column["colname"]))
    if _SERIALS.fullmatch(kind) or any(one in _REQUIRING for one in said):
        schema.required.add((table, column["colname"]))


def _note_constraint(schema: Schema, table: Name, constraint: Node) -> None:
    if constraint.get("contype") == "CONSTR_PRIMARY":
        keys = tree.path(constraint, "keys")
        schema.required.update((table, key) for key in keys)


def alter_table(schema: Schema, node: Node) -> None:
    """Follow the columns that come, go, and change."""
    name = relation(schema, node["relation"])
    if node["objtype"] == "OBJECT_TYPE":
        schema.composites.pop(name, None)
    if node["objtype"] != "OBJECT_TABLE":
        return
    for wrapped in tree.children(node, "cmds"):
        command = wrapped["AlterTableCmd"]
        match command["subtype"]:
            case "AT_AddColumn":
                _note_column(schema, name, command["def"]["ColumnDef"])
            case "AT_AddConstraint":
                _note_constraint(schema, name, command["def"]["Constraint"])
            case "AT_SetNotNull":
                schema.required.add((name, command["name"]))
            case "AT_DropColumn" | "AT_DropNotNull":
                schema.required.discard((name, command["name"]))
            case _:
                pass


def rename_column(schema: Schema, node: Node) -> None:
    """Follow the column."""
    table = relation(schema, node["relation"])
    was = (table, node["subname"]) in schema.required
    schema.required.discard((table, node["subname"]))
    (schema.required.add if was else schema.required.discard)((table, node["newname"]))


def rename_table(schema: Schema, node: Node) -> None:
    """Follow a table or a view."""
    old = relation(schema, node["relation"])
    new = Name(old.schema, node["newname"])
    if old in schema.derived:
        schema.derived[new] = schema.derived.pop(old)
    if old in schema.parents:
        schema.parents.add(new)
    moved = {(table, column) for table, column in schema.required if table == old}
    schema.required -= moved
    schema.required.update((new, column) for _, column in moved)
