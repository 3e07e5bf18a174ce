"""What sqlc's catalog leaves out, read from the schema files themselves.

The catalog holds neither a domain's base type nor its CHECKs, and believes wrong
things about the nullability of views.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from sqlc_gen_psycopg import sqlfiles, tree
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.request import Name, type_name
from sqlc_gen_psycopg.tree import Node

Check: TypeAlias = tuple[str, ...] | None
# A composite type's attributes: name, type, dimensions.
Attributes: TypeAlias = tuple[tuple[str, Name, int], ...]

# What pg_dump writes for psql, and sqlc strips.
_PSQL_COMMAND = re.compile(r"^\\.*$", re.MULTILINE)
_SERIALS = re.compile(r"(small|big)?serial|serial[248]")
_REQUIRING = ("CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY")


@dataclass(slots=True)
class Domain:
    """A domain: its base type and, of each CHECK by name, the values it allows."""

    base: Name
    base_dims: int
    checks: dict[str, Check] = field(default_factory=dict[str, Check])
    comment: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The closed set of values, empty if the domain has none."""
        closed = [check for check in self.checks.values() if check]
        if not closed:
            return ()
        return tuple(v for v in closed[0] if all(v in other for other in closed))


@dataclass(slots=True)
class Schema:
    """The domains, the derived relations (views and their like), and more.

    ``required`` are the columns that are NOT NULL, as far as the files say so: sqlc
    does not know it of serials, and believes it of ``parents`` if a child says so.
    """

    default: str
    domains: dict[Name, Domain] = field(default_factory=dict[Name, Domain])
    derived: dict[Name, Node] = field(default_factory=dict[Name, Node])
    required: set[tuple[Name, str]] = field(default_factory=set[tuple[Name, str]])
    parents: set[Name] = field(default_factory=set[Name])
    composites: dict[Name, Attributes] = field(default_factory=dict[Name, Attributes])


def read(paths: tuple[str, ...], default_schema: str, problems: Problems) -> Schema:
    """Read the schema files in sqlc's order; what cannot be read is a problem."""
    schema = Schema(default_schema)
    try:
        files = sqlfiles.find(paths)
    except FileNotFoundError as error:
        problems.add(
            "schema", f"cannot find {error}", "run sqlc in the folder of sqlc.yaml"
        )
        return schema
    for file in files:
        _read_file(schema, file, problems)
    return schema


def _read_file(schema: Schema, file: Path, problems: Problems) -> None:
    try:
        text = sqlfiles.up_part(file.read_text(encoding="utf-8"))
        statements = _parsed(text)
    except (OSError, UnicodeDecodeError, tree.InvalidSqlError) as error:
        problems.add(str(file), f"cannot be read: {error}", "make it valid SQL")
        return
    for statement in statements:
        kind, node = tree.only(statement)
        if handler := _HANDLERS.get(kind):
            handler(schema, node)


def _parsed(text: str) -> list[Node]:
    try:
        return tree.parse(text)
    except tree.InvalidSqlError:
        return tree.parse(_PSQL_COMMAND.sub("", text))


def name_of(schema: Schema, parts: list[Node]) -> Name:
    """Read a possibly qualified name, as the parser spells it."""
    found = tree.strings(parts)
    return type_name(schema.default, found[-2] if len(found) > 1 else "", found[-1])


def relation(schema: Schema, node: Node) -> Name:
    """Read the name of a RangeVar."""
    name = Name(node.get("schemaname") or "", node["relname"])
    return Name("", name.name) if name.schema == schema.default else name


def _create_domain(schema: Schema, node: Node) -> None:
    base = node["typeName"]
    name = name_of(schema, node["domainname"])
    domain = Domain(
        name_of(schema, base["names"]), len(tree.children(base, "arrayBounds"))
    )
    schema.domains[name] = domain
    for constraint in tree.children(node, "constraints"):
        _add_check(domain, name.name, constraint["Constraint"])


def _add_check(domain: Domain, name: str, constraint: Node) -> None:
    if constraint["contype"] != "CONSTR_CHECK":
        return
    check, count = constraint.get("conname") or f"{name}_check", 0
    while check in domain.checks:
        count += 1
        check = f"{name}_check{count}"
    closed = allowed_values(constraint["raw_expr"])
    # Rows from before a NOT VALID constraint may break it.
    domain.checks[check] = None if constraint.get("skip_validation") else closed


def allowed_values(expression: Node) -> Check:
    """Return the strings that a CHECK allows, None if it is no closed set."""
    kind, node = tree.only(expression)
    if kind == "TypeCast":
        return allowed_values(node["arg"])
    if kind == "NullTest" and node["nulltesttype"] == "IS_NULL":
        return ()
    if kind == "BoolExpr":
        return _combined(node)
    if kind == "A_Expr" and tree.last_name(node, "name") == "=":
        return _compared(node)
    return None


def _combined(node: Node) -> Check:
    arms = [allowed_values(arm) for arm in node["args"]]
    known = [arm for arm in arms if arm is not None]
    if node["boolop"] == "OR_EXPR" and len(known) == len(arms):
        return tuple(dict.fromkeys(v for arm in known for v in arm))
    if node["boolop"] == "AND_EXPR" and known:
        return tuple(v for v in known[0] if all(v in arm for arm in known))
    return None


def _compared(node: Node) -> Check:
    left = _uncast(node["lexpr"])
    if left.get("ColumnRef", {}).get("fields") != [{"String": {"sval": "value"}}]:
        return None
    right = _uncast(node["rexpr"])
    if node["kind"] == "AEXPR_OP":
        items = [right]
    elif node["kind"] == "AEXPR_IN":
        items = tree.children(right["List"], "items")
    elif node["kind"] == "AEXPR_OP_ANY" and "A_ArrayExpr" in right:
        items = tree.children(right["A_ArrayExpr"], "elements")
    else:
        return None
    values = [_string(item) for item in items]
    found = tuple(value for value in values if value is not None)
    return tuple(dict.fromkeys(found)) if len(found) == len(values) else None


def _string(node: Node) -> str | None:
    constant: Node = _uncast(node).get("A_Const", {})
    return str(constant["sval"].get("sval", "")) if "sval" in constant else None


def _uncast(node: Node) -> Node:
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    return node


def _alter_domain(schema: Schema, node: Node) -> None:
    name = name_of(schema, node["typeName"])
    domain = schema.domains.get(name)
    if domain is None:
        return
    if node["subtype"] == "C":
        _add_check(domain, name.name, node["def"]["Constraint"])
    elif node["subtype"] == "X":
        domain.checks.pop(node["name"], None)


def _drop(schema: Schema, node: Node) -> None:
    for target in tree.children(node, "objects"):
        if node["removeType"] in ("OBJECT_DOMAIN", "OBJECT_TYPE"):
            dropped = name_of(schema, target["TypeName"]["names"])
            schema.domains.pop(dropped, None)
            schema.composites.pop(dropped, None)
        elif node["removeType"] in ("OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_TABLE"):
            schema.derived.pop(name_of(schema, target["List"]["items"]), None)


def _rename(schema: Schema, node: Node) -> None:
    kind = node["renameType"]
    if kind in ("OBJECT_DOMAIN", "OBJECT_TYPE"):
        old = name_of(schema, node["object"]["List"]["items"])
        if old in schema.domains:
            new = Name(old.schema, node["newname"])
            schema.domains[new] = schema.domains.pop(old)
        elif old in schema.composites:
            schema.composites[Name(old.schema, node["newname"])] = (
                schema.composites.pop(old)
            )
    elif kind == "OBJECT_DOMCONSTRAINT":
        domain = schema.domains.get(name_of(schema, node["object"]["List"]["items"]))
        if domain and node["subname"] in domain.checks:
            domain.checks[node["newname"]] = domain.checks.pop(node["subname"])
    elif kind in ("OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_TABLE"):
        _rename_table(schema, node)
    elif kind == "OBJECT_ATTRIBUTE":
        # What it then is, is not followed: it has no Python type any more.
        schema.composites.pop(relation(schema, node["relation"]), None)
    elif kind == "OBJECT_COLUMN":
        _rename_column(schema, node)


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


def _create_table(schema: Schema, node: Node) -> None:
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
        keys = tree.strings(tree.children(constraint, "keys"))
        schema.required.update((table, key) for key in keys)


def _alter_table(schema: Schema, node: Node) -> None:
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


def _rename_column(schema: Schema, node: Node) -> None:
    table = relation(schema, node["relation"])
    was = (table, node["subname"]) in schema.required
    schema.required.discard((table, node["subname"]))
    (schema.required.add if was else schema.required.discard)((table, node["newname"]))


def _rename_table(schema: Schema, node: Node) -> None:
    old = relation(schema, node["relation"])
    new = Name(old.schema, node["newname"])
    if old in schema.derived:
        schema.derived[new] = schema.derived.pop(old)
    if old in schema.parents:
        schema.parents.add(new)
    moved = {(table, column) for table, column in schema.required if table == old}
    schema.required -= moved
    schema.required.update((new, column) for _, column in moved)


_HANDLERS = {
    "AlterDomainStmt": _alter_domain,
    "AlterTableStmt": _alter_table,
    "CommentStmt": _comment,
    "CompositeTypeStmt": _create_composite,
    "CreateDomainStmt": _create_domain,
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_table_as,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "ViewStmt": _create_view,
}
