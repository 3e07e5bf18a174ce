"""The types that DO blocks make or alter: sqlc does not look into blocks."""

import re
from collections.abc import Iterator

from sqlc_gen_psycopg.schema import domains
from sqlc_gen_psycopg.schema.model import Schema, name_of
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_COMMENT = re.compile(r"--.*")
_STATEMENT = re.compile(
    r"\b(?:CREATE\s+(?:TYPE|DOMAIN)|ALTER\s+TYPE)\b[^;]*", re.IGNORECASE
)


def note(schema: Schema, node: Node) -> None:
    """Note the enums and domains of a DO block that are new, and labels of others."""
    for kind, statement in _statements(_body(node)):
        if kind in _NOTED:
            _NOTED[kind](schema, statement)


def _body(node: Node) -> str:
    """Return the code of a block, whatever its language."""
    arguments = [argument["DefElem"] for argument in tree.children(node, "args")]
    bodies = [a["arg"]["String"]["sval"] for a in arguments if a["defname"] == "as"]
    return _COMMENT.sub("", "".join(bodies))


def _statements(body: str) -> Iterator[tuple[str, Node]]:
    for text in _STATEMENT.findall(body):
        try:
            [statement] = tree.parse(text)
        except tree.InvalidSqlError:
            continue
        yield tree.only(statement)


def _create_enum(schema: Schema, statement: Node) -> None:
    labels = tree.path(statement, "vals")
    schema.enums.setdefault(name_of(schema, statement["typeName"]), tuple(labels))


def _create_domain(schema: Schema, statement: Node) -> None:
    if name_of(schema, statement["domainname"]) not in schema.domains:
        domains.create_domain(schema, statement)


def _alter_enum(schema: Schema, statement: Node) -> None:
    changes = schema.relabelled.setdefault(name_of(schema, statement["typeName"]), [])
    changes.append((statement.get("oldVal", ""), statement["newVal"]))


_NOTED = {
    "AlterEnumStmt": _alter_enum,
    "CreateDomainStmt": _create_domain,
    "CreateEnumStmt": _create_enum,
}
