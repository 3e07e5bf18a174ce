"""Which names an expression can see."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Origin, Relation, SqlType
from sqlc_gen_psycopg.request import Column, Name, Table
from sqlc_gen_psycopg.schema import Schema
from sqlc_gen_psycopg.schema import relation as relation_name
from sqlc_gen_psycopg.tree import Node


class World(NamedTuple):
    """What is outside the query: the schema, and what its parameters are."""

    tables: dict[Name, Table]
    schema: Schema
    parameters: dict[int, Fact]
    # What a query gives, and what is proven of an expression. Handed in, since a query
    # is made of expressions and an expression may hold a query.
    rows: Callable[["Scope", Node], Relation]
    fact: Callable[[Node, "Scope"], Fact]
    # The column that each parameter is compared with or written to.
    links: dict[int, Origin]
    # The types that PostgreSQL may take each parameter for, by where it stands.
    uses: dict[int, list[SqlType]]
    # The relations that were asked for before, by any query.
    known: dict[Name, Relation]

    def link(self, one: Fact, other: Fact) -> None:
        """Note that two values are compared: a parameter takes on a column's part."""
        for parameter, column in ((one, other), (other, one)):
            if parameter.parameter and column.origin and column.type:
                mine, theirs = self.base(parameter.type), self.base(column.type)
                if mine and theirs and mine.name == theirs.name:
                    self.links.setdefault(parameter.parameter, column.origin)

    def use(self, node: Node, found: SqlType | None) -> None:
        """Note that an expression, if a parameter, is taken for a type."""
        if found and "ParamRef" in node:
            number: int = node["ParamRef"].get("number", 0)
            self.uses.setdefault(number, []).append(found)

    def base(self, found: SqlType | None) -> SqlType | None:
        """Return the type that a domain stands for, any other type as it is."""
        while found and (domain := self.schema.domains.get(found.name)):
            if domain.base_dims and found.dims:
                return None
            found = SqlType(domain.base, found.dims + domain.base_dims)
        return found

    def relation(self, name: Name) -> Relation:
        """Return a table, or a view by its query."""
        if name not in self.known:
            self.known[name] = self._relation(name)
        return self.known[name]

    def _relation(self, name: Name) -> Relation:
        node = self.schema.derived.get(name)
        table = self.tables.get(name)
        columns = _columns(table, self.schema) if table else ()
        if node is None:
            return Relation(name.name, columns)
        if "inhRelations" in node:
            return Relation(name.name, self._inherited(columns, node))
        query: Node = node.get("query", {}).get("SelectStmt", {})
        derived = self.rows(Scope(self._replace(parameters={})), query)
        if "into" in node:
            # A table made from a query has its columns, but not its constraints.
            derived = derived.nullable()
        return Relation(name.name, _checked(columns, derived))

    def _inherited(
        self, columns: tuple[tuple[str, Fact], ...], node: Node
    ) -> tuple[tuple[str, Fact], ...]:
        """Return a child's columns, NOT NULL where a parent's are, too."""
        parents = [
            self.relation(relation_name(self.schema, parent["RangeVar"]))
            for parent in tree.children(node, "inhRelations")
        ]
        return tuple(
            (name, fact._replace(not_null=self._is_not_null(name, fact, parents)))
            for name, fact in columns
        )

    def _is_not_null(self, name: str, fact: Fact, parents: list[Relation]) -> bool:
        above = [found for parent in parents if (found := parent.find(name))]
        if not above:
            return fact.not_null
        # sqlc mixes up what a table and its heirs say of a column they share.
        said = fact.origin in self.schema.required
        return said or any(found.not_null for found in above)


def _is_required(table: Table, column: Column, schema: Schema) -> bool:
    said = (table.name, column.name) in schema.required
    return said or (column.not_null and table.name not in schema.parents)


def _columns(table: Table, schema: Schema) -> tuple[tuple[str, Fact], ...]:
    return tuple(
        (
            column.name,
            Fact(
                SqlType(column.type, column.array_dims),
                _is_required(table, column, schema),
                Origin(table.name, column.name),
            ),
        )
        for column in table.columns
    )


def _checked(
    columns: tuple[tuple[str, Fact], ...], derived: Relation
) -> tuple[tuple[str, Fact], ...]:
    """Keep sqlc's columns of a view, with what its query proves of them."""
    proven = [fact for _, fact in derived.columns]
    if len(proven) != len(columns):
        return tuple((name, fact.nullable()) for name, fact in columns)
    return tuple(
        (name, fact._replace(type=shown.type or fact.type, not_null=shown.not_null))
        for (name, fact), shown in zip(columns, proven, strict=True)
    )


class Scope(NamedTuple):
    """The relations of one query level, those around it, and its CTEs."""

    world: World
    relations: tuple[Relation, ...] = ()
    ctes: Mapping[str, Relation] = MappingProxyType({})
    parent: "Scope | None" = None
    has_groups: bool = False
    has_grouping_sets: bool = False

    def inner(self) -> "Scope":
        """Return the scope of a subquery."""
        return Scope(self.world, ctes=self.ctes, parent=self)

    def outside(self) -> "Scope":
        """Return what a part of the statement sees that cannot see its relations."""
        return Scope(self.world, ctes=self.ctes, parent=self.parent)

    def fact(self, expression: Node) -> Fact:
        """Return what is proven of an expression."""
        return self.world.fact(expression, self)

    def facts(self, expressions: list[Node]) -> list[Fact]:
        """Return what is proven of each expression."""
        return [self.world.fact(expression, self) for expression in expressions]

    def look_up(self, path: list[str]) -> Fact:
        """Return what is known of a column reference."""
        column, qualifier = path[-1], path[-2] if len(path) > 1 else None
        for relation in self.relations:
            if qualifier is None or qualifier == relation.alias:
                found = relation.find(column)
                if found:
                    return found.nullable() if self.has_grouping_sets else found
        return self.parent.look_up(path) if self.parent else UNKNOWN
