"""What sqlc's catalog leaves out, read from the schema files themselves.

The catalog holds neither a domain's base type nor its CHECKs, and believes wrong
things about the nullability of views.
"""

from typing import NamedTuple, TypeAlias

from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import type_name

Check: TypeAlias = tuple[str, ...] | None
# A composite type's attributes: name, type, dimensions.
Attributes: TypeAlias = tuple[tuple[str, Name, int], ...]


# The types whose values are equal only if they are the same strings.
_TEXTS = (Name("", "text"), Name("", "varchar"))


class TypeName(NamedTuple):
    """A type as a statement writes it; ``dims`` counts an array's brackets."""

    name: Name
    dims: int = 0


class FunctionDefinition(NamedTuple):
    """A function, a procedure or an aggregate of the schema's.

    ``arguments`` are what a caller gives, ``columns`` the OUT and TABLE ones, and
    ``direct`` an aggregate's kind and number of arguments outside of WITHIN GROUP.
    """

    kind: str
    arguments: tuple[tuple[str, TypeName], ...]
    result: TypeName | None
    columns: tuple[tuple[str, TypeName], ...] = ()
    defaults: int = 0
    is_variadic: bool = False
    is_set: bool = False
    is_table: bool = False
    direct: str = ""


class OperatorDefinition(NamedTuple):
    """An operator of the schema's, and the path of its function."""

    left: TypeName | None
    right: TypeName
    function: list[str]


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
    ``computed`` are the relations of which an UPDATE may change more than it writes.
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
        self.computed: set[Name] = set()
        self.composites: dict[Name, Attributes] = {}
        self.functions: dict[Name, list[FunctionDefinition]] = {}
        self.operators: dict[str, list[OperatorDefinition]] = {}
        # Source, target, and the context that pg_cast spells by a letter.
        self.casts: list[tuple[TypeName, TypeName, str]] = []
        # Of each range type: what it is a range of, and its multirange type.
        self.ranges: dict[Name, tuple[TypeName, Name]] = {}
        self.extensions: list[str] = []

    def closed_set(self, name: Name) -> tuple[str, ...]:
        """Return the strings that a domain allows, empty if they are no closed set.

        They are none where the base type takes other strings for equal, as citext does
        and char(n), nor where a domain that it stands on allows fewer.
        """
        domain = self.domains[name]
        labels, base = domain.labels, domain
        while base.base in self.domains and not base.base_dims:
            base = self.domains[base.base]
            if base.labels:
                below = base.labels
                labels = tuple(v for v in labels if v in below) if labels else below
        is_text = base.base in _TEXTS and not base.base_dims
        return labels if is_text else ()

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


def written_type(schema: Schema, node: Node) -> TypeName:
    """Read a TypeName as the parser spells it; a serial is the integer that it is."""
    name = name_of(schema, tree.children(node, "names"))
    return TypeName(name, len(tree.children(node, "arrayBounds")))


def relation(schema: Schema, node: Node) -> Name:
    """Read the name of a RangeVar."""
    name = Name(node.get("schemaname") or "", node["relname"])
    return Name("", name.name) if name.schema == schema.default else name
