"""What sqlc's catalog leaves out, read from the schema files themselves.

The catalog holds neither a domain's base type nor its CHECKs, and believes wrong
things about the nullability of views.
"""

from typing import TypeAlias

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.request import Name, type_name
from sqlc_gen_psycopg.tree import Node

Check: TypeAlias = tuple[str, ...] | None
# A composite type's attributes: name, type, dimensions.
Attributes: TypeAlias = tuple[tuple[str, Name, int], ...]


class Domain:
    """A domain: its base type and, of each CHECK by name, the values it allows."""

    def __init__(self, base: Name, base_dims: int) -> None:
        self.base = base
        self.base_dims = base_dims
        self.checks: dict[str, Check] = {}
        self.comment = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The closed set of values, empty if the domain has none."""
        closed = [check for check in self.checks.values() if check]
        if not closed:
            return ()
        return tuple(v for v in closed[0] if all(v in other for other in closed))


class Schema:
    """The domains, the derived relations (views and their like), and more.

    ``required`` are the columns that are NOT NULL, as far as the files say so: sqlc
    does not know it of serials, and believes it of ``parents`` if a child says so.
    ``enums`` are those that sqlc does not see, ``relabelled`` what it does not see of
    any: each label that is new, behind the one that it replaces or "".
    """

    def __init__(self, default: str) -> None:
        self.default = default
        self.domains: dict[Name, Domain] = {}
        self.enums: dict[Name, tuple[str, ...]] = {}
        self.relabelled: dict[Name, list[tuple[str, str]]] = {}
        self.derived: dict[Name, Node] = {}
        self.required: set[tuple[Name, str]] = set()
        self.parents: set[Name] = set()
        self.composites: dict[Name, Attributes] = {}

    def labels(self, enum: Name, first: tuple[str, ...]) -> tuple[str, ...]:
        """Return an enum's labels, given those that it had first."""
        found = list(first)
        for old, new in self.relabelled.get(enum, ()):
            if old in found:
                found[found.index(old)] = new
            elif not old and new not in found:
                found.append(new)
        return tuple(found)


def name_of(schema: Schema, parts: list[Node]) -> Name:
    """Read a possibly qualified name, as the parser spells it."""
    found = tree.strings(parts)
    return type_name(schema.default, found[-2] if len(found) > 1 else "", found[-1])


def relation(schema: Schema, node: Node) -> Name:
    """Read the name of a RangeVar."""
    name = Name(node.get("schemaname") or "", node["relname"])
    return Name("", name.name) if name.schema == schema.default else name
