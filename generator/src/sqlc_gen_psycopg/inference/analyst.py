"""The inference's door: what is proven of a query's columns, and of a relation's."""

from typing import NamedTuple

from sqlc_gen_psycopg.inference import expressions, polymorphic, statements, unification
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Origin, Relation, SqlType
from sqlc_gen_psycopg.inference.scope import Scope, World
from sqlc_gen_psycopg.request import Column, Name, Query, Table
from sqlc_gen_psycopg.schema import Schema
from sqlc_gen_psycopg.tree import Node


class Analyst:
    """Knows the schema."""

    def __init__(self, tables: dict[Name, Table], schema: Schema) -> None:
        self.tables = tables
        self.schema = schema
        self._known: dict[Name, Relation] = {}

    def statement(self, query: Query, kind: str, node: Node) -> "Analysis":
        """Return what is proven of a query's columns and parameters."""
        parameters = {p.number: _known(p.column, p.number) for p in query.parameters}
        world = self._world(parameters)
        columns = statements.rows(Scope(world), node, kind).columns
        return Analysis([fact for _, fact in columns], world.links, _corrected(world))

    def relation(self, name: Name) -> Relation:
        """Return what is proven of a table's or a view's columns."""
        return self._world({}).relation(name)

    def _world(self, parameters: dict[int, Fact]) -> World:
        return World(
            self.tables,
            self.schema,
            parameters,
            statements.rows,
            expressions.fact,
            {},
            {},
            self._known,
        )


class Analysis(NamedTuple):
    """What is proven of each column, and of the parameters.

    ``parameters`` are the columns that they stand for, ``types`` the types of those
    that sqlc takes for something else.
    """

    columns: list[Fact]
    parameters: dict[int, Origin]
    types: dict[int, SqlType]


def _corrected(world: World) -> dict[int, SqlType]:
    """Return the types of parameters that sqlc takes for something else."""
    found = {number: _taken(world, number) for number in world.uses}
    return {
        number: taken
        for number, taken in found.items()
        if taken and not _is_alike(world, taken, _told(world, number))
    }


def _told(world: World, number: int) -> SqlType | None:
    return world.parameters.get(number, UNKNOWN).type


def _taken(world: World, number: int) -> SqlType | None:
    """Return the one type that a parameter is taken for wherever it stands.

    Of several the widest is sent, but only if sqlc does not know any.
    """
    found = list(dict.fromkeys(world.uses[number]))
    if len(found) == 1:
        return found[0]
    return None if _told(world, number) else unification.unify(found)


def _is_alike(world: World, one: SqlType, other: SqlType | None) -> bool:
    if other is None:
        return False
    return unification.is_alike(world.base(one), world.base(other))


def _known(column: Column, number: int) -> Fact:
    """Return what is known of a parameter, which has the type that it is sent as."""
    known = column.type.name not in {"", *polymorphic.TYPES}
    found = SqlType(column.type, column.array_dims) if known else None
    return Fact(found, column.not_null, parameter=number)
