"""Which names an expression can see."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from sqlc_gen_psycopg.inference.facts import Fact, Relation
from sqlc_gen_psycopg.inference.narrowing import Operands
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import CATALOGS


class Level:
    """What the expressions of one query level turned out to have."""

    __slots__ = ("has_aggregate", "sets", "windows")

    def __init__(self) -> None:
        self.has_aggregate = False
        # How many calls that return sets there were so far.
        self.sets = 0
        # The window definitions, which PostgreSQL looks at last.
        self.windows: list[Node] = []


class Scope(NamedTuple):
    """The relations of one query level, those around it, and its CTEs."""

    level: Level
    relations: tuple[Relation, ...] = ()
    ctes: Mapping[str, Relation] = MappingProxyType({})
    parent: "Scope | None" = None
    has_groups: bool = False
    has_grouping_sets: bool = False

    def inner(self) -> "Scope":
        """Return the scope of a subquery."""
        return Scope(Level(), ctes=self.ctes, parent=self)

    def outside(self) -> "Scope":
        """Return what a part of the statement sees that cannot see its relations."""
        return Scope(Level(), ctes=self.ctes, parent=self.parent)

    def find(self, path: list[str]) -> tuple[Fact, "Scope"] | None:
        """Return a column, and the query level that it is of."""
        column, qualifier = path[-1], path[-2] if len(path) > 1 else None
        scope: Scope | None = self
        while scope is not None:
            for relation in scope.relations:
                if qualifier is None or qualifier == relation.alias:
                    found = relation.find(column)
                    if found is not None:
                        if scope.has_grouping_sets:
                            found = found.nullable()
                        return found, scope
            scope = scope.parent
        return None

    def is_known(self) -> bool:
        """Tell whether there are no other columns than those that it finds."""
        around = self.parent is None or self.parent.is_known()
        return around and all(map(_is_known, self.relations))

    def columns(self) -> list[str]:
        """Return the names of all columns, its own first."""
        own = [name for relation in self.relations for name, _ in relation.columns]
        return own + (self.parent.columns() if self.parent else [])

    def narrowed(self, operands: Operands) -> "Scope":
        """Return it where columns of its own relations are not NULL."""
        if not operands:
            return self
        return self._replace(relations=narrowed(self.relations, operands))

    def relation(self, alias: str) -> Relation | None:
        """Return a relation by its alias."""
        scope: Scope | None = self
        while scope is not None:
            for relation in scope.relations:
                if relation.alias == alias and alias:
                    return relation
            scope = scope.parent
        return None


def _is_known(relation: Relation) -> bool:
    """Tell whether a relation has no more columns; a newer server's catalogs have."""
    if not relation.columns:
        return False
    origin = relation.columns[0][1].origin
    return origin is None or origin.table.schema not in CATALOGS


def narrowed(
    relations: tuple[Relation, ...], operands: Operands
) -> tuple[Relation, ...]:
    """Return relations where columns of them are not NULL."""
    proven: dict[int, set[str]] = {}
    for path in operands:
        if isinstance(path, int) or not path:
            continue
        for place, relation in enumerate(relations):
            is_meant = len(path) == 1 or path[-2] == relation.alias
            if is_meant and relation.find(path[-1]):
                proven.setdefault(place, set()).add(path[-1])
                break
    return tuple(
        relation.narrowed(proven[place]) if place in proven else relation
        for place, relation in enumerate(relations)
    )
