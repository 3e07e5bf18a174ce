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
    schema.computed.discard(name)
    above = [
        relation(schema, p["RangeVar"]) for p in tree.children(node, "inhRelations")
    ]
    # A row may be of a child table, or of a partition, with what that has.
    schema.computed.update(above)
    if above and not node.get("partbound"):
        schema.derived[name] = node
        schema.parents.update(above)
    for element in tree.children(node, "tableElts"):
        _note_column(schema, name, element.get("ColumnDef", {}))
        _note_constraint(schema, name, element.get("Constraint", {}))


def _note_column(schema: Schema, table: Name, column: Node) -> None:
    if not column:
        return
    kind = tree.last_name(column.get("typeName", {}), "names")
    said = [c["Constraint"]["contype"] for c in tree.children(column, "constraints")]
    schema.required.discard((table, column["colname"]))
    if "CONSTR_GENERATED" in said:
        schema.computed.add(table)
    if _SERIALS.fullmatch(kind) or any(one in _REQUIRING for one in said):
        schema.required.add((table, column["colname"]))


def _note_constraint(schema: Schema, table: Name, constraint: Node) -> None:
    if constraint.get("contype") == "CONSTR_PRIMARY":
        keys = tree.path(constraint, "keys")
        schema.required.update((table, key) for key in keys)


def note_trigger(schema: Schema, node: Node) -> None:
    """Note a trigger, or a rule, which may change what is written."""
    schema.computed.add(relation(schema, node["relation"]))


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
            case "AT_AttachPartition" | "AT_AddInherit":
                schema.computed |= {name, _parent(schema, command)}
            case "AT_SetNotNull":
                schema.required.add((name, command["name"]))
            case "AT_DropColumn" | "AT_DropNotNull":
                schema.required.discard((name, command["name"]))
            case _:
                pass


def _parent(schema: Schema, command: Node) -> Name:
    """Return the other table of what makes one a part of another."""
    found: Node = command["def"]
    _, node = tree.only(found)
    return relation(schema, node.get("name", node))


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
    for kept in (schema.parents, schema.computed):
        if old in kept:
            kept.add(new)
    moved = {(table, column) for table, column in schema.required if table == old}
    schema.required -= moved
    schema.required.update((new, column) for _, column in moved)
