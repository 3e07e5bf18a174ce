"""What an evaluation holds: the schema, the catalog, and the parameters so far."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from sqlc_gen_psycopg.catalog.catalog import Catalog
from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference import shapes
from sqlc_gen_psycopg.inference.conversion import (
    ASSIGNMENT,
    IMPLICIT,
    can_become,
    common_type,
)
from sqlc_gen_psycopg.inference.facts import Fact, Origin, Relation, SqlType, named
from sqlc_gen_psycopg.inference.narrowing import Narrowing, Operands
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema.model import Schema, TypeName, written_type
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import Table


class TypeResolutionError(Exception):
    """PostgreSQL would not take the statement, for its types."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what)


class InconsistentParameterError(Exception):
    """A use that has no type yet takes a parameter for another type than its first."""

    def __init__(self, number: int, first: PgType) -> None:
        self.number = number
        self.first = first
        super().__init__(number)


class Context(NamedTuple):
    """What is outside of the query, and the same for all of a run."""

    catalog: Catalog
    schema: Schema
    tables: dict[Name, Table]
    # The relations that were asked for before, by any query.
    relations: dict[Name, Relation]
    narrowing: Narrowing
    # Whether conditions of queries narrow their columns.
    by_where: bool = False


class Evaluation(ABC):
    """One statement's evaluation, clause by clause in PostgreSQL's order.

    A parameter is of the type that its first use gives it: `types` fills as the
    statement is walked, which is why the order matters. `declared` are types that are
    sent with the statement, so that they hold from the start.
    """

    def __init__(
        self,
        context: Context,
        declared: dict[int, PgType],
        required: frozenset[int] = frozenset(),
    ) -> None:
        self.context = context
        # The parameters that are never NULL.
        self.required = required
        self.catalog = context.catalog
        self.types = dict(declared)
        # Each use of a parameter: its number, and the type that it has there.
        self.uses: list[tuple[int, PgType]] = []
        # The column that each parameter is compared with or written to.
        self.links: dict[int, Origin] = {}
        # Uses that say nothing, for nothing is known of what is around them.
        self.foreign: set[int] = set()

    @abstractmethod
    def expression(self, node: Node, scope: Scope) -> Fact:
        """Return what is known of an expression."""

    @abstractmethod
    def query(self, scope: Scope, node: Node, kind: str = "SelectStmt") -> Relation:
        """Return what a statement gives, as a relation without an alias."""

    def expressions(self, nodes: Sequence[Node], scope: Scope) -> list[Fact]:
        """Return what is known of each expression."""
        return [self.expression(node, scope) for node in nodes]

    def use(self, number: int) -> Fact:
        """Return what is known of a use of a parameter."""
        found = self.types.get(number, self.catalog.unknown)
        self.uses.append((number, found))
        return Fact(
            found, number in self.required, parameter=number, use=len(self.uses) - 1
        )

    def again(self, fact: Fact) -> Fact:
        """Return a copy of an operand, as PostgreSQL makes it before it has a type."""
        if fact.use < 0 or fact.type is not self.catalog.unknown:
            return fact
        self.uses.append((fact.parameter, self.catalog.unknown))
        return fact._replace(use=len(self.uses) - 1)

    def forget(self, fact: Fact) -> None:
        """Forget an operand of which only copies are left in the statement."""
        if fact.use >= 0 and fact.type is self.catalog.unknown:
            self.uses[fact.use] = fact.parameter, self.catalog.any

    def coerce(
        self, fact: Fact, target: PgType | None, context: str = IMPLICIT
    ) -> Fact:
        """Return a value as it is once it is of a type.

        Raises:
            TypeResolutionError: it cannot become one.
        """
        given = fact.type
        if given is None or target is None:
            self.leave_open([fact])
            return fact._replace(type=target, shape=None)
        if given is target or target is self.catalog.any:
            return fact
        if given is self.catalog.unknown:
            if fact.use >= 0:
                self._fix(fact.use, target)
            shape = shapes.kept(fact.shape, given, target)
            return fact._replace(type=target, shape=shape)
        if given.is_foreign or target.is_foreign:
            return fact._replace(type=target, shape=None)
        if not can_become(given, target, context, self.catalog):
            what = f"{spelled(given)} does not become {spelled(target)} here"
            raise TypeResolutionError(what, f"cast it, as in …::{spelled(target)}")
        record = self.catalog.record
        if target in (record, record.array):
            # A row of a known type stays one.
            return fact
        dims = fact.dims if target.flat.element else 0
        shape = shapes.kept(fact.shape, given, target)
        return Fact(target, fact.not_null, dims=dims, shape=shape)

    def _fix(self, use: int, target: PgType) -> None:
        number, _ = self.uses[use]
        first = self.types.setdefault(number, target)
        if first is not target:
            raise InconsistentParameterError(number, first)
        self.uses[use] = number, target

    def leave_open(self, facts: Sequence[Fact]) -> None:
        """Note that nothing is known of what takes these values."""
        for fact in facts:
            if fact.use >= 0 and fact.type is self.catalog.unknown:
                self.foreign.add(fact.parameter)

    def boolean(self, node: Node, scope: Scope) -> Fact:
        """Evaluate what must be a boolean."""
        if not node:
            return Fact(self.catalog.bool)
        found = self.expression(node, scope)
        return self.coerce(found, self.catalog.bool, ASSIGNMENT)

    def proven(self, condition: Node) -> Operands:
        """Return what is not NULL where a query's condition holds, if that counts."""
        if not condition or not self.context.by_where:
            return frozenset()
        return self.context.narrowing.if_true(condition)

    def common(self, facts: Sequence[Fact], what: str) -> PgType | None:
        """Return the type that alternatives share; None if one of them is foreign.

        Raises:
            TypeResolutionError: they cannot be of one type.
        """
        types = [fact.type for fact in facts]
        typed = [one for one in types if one is not None and not one.is_foreign]
        if len(typed) < len(types):
            others = {one for one in types if one is not self.catalog.unknown}
            return others.pop() if len(others) == 1 else None
        found = common_type(typed, self.catalog)
        if found is None:
            listed = " and ".join(dict.fromkeys(spelled(one) for one in typed))
            raise TypeResolutionError(
                f"{what} cannot be of the types {listed}", "cast them to one type"
            )
        return found

    def settled(self, facts: Sequence[Fact], what: str) -> list[Fact]:
        """Return alternatives as values of the type that they share."""
        found = self.common(facts, what)
        return [self.coerce(fact, found) for fact in facts]

    def written(self, node: Node) -> tuple[PgType, int]:
        """Return a type as the statement writes it, and an array's dimensions."""
        name: TypeName = written_type(self.context.schema, node)
        return self.catalog.type(name.name, name.dims), name.dims

    def link(self, one: Fact, other: Fact) -> None:
        """Note that two values are compared: a parameter takes on a column's part."""
        for parameter, column in ((one, other), (other, one)):
            if parameter.parameter and column.origin and column.type:
                mine = self.types.get(parameter.parameter)
                if mine is not None and _is_alike(mine, column.type):
                    self.links.setdefault(parameter.parameter, column.origin)

    def open_uses(self) -> set[int]:
        """Return the parameters with a use that nothing gave a type."""
        unknown = self.catalog.unknown
        return {number for number, found in self.uses if found is unknown}


_TEXTS = ("name", "bpchar", "varchar", "text")


def _is_alike(one: PgType, other: PgType) -> bool:
    """Tell whether two types are carried alike: the same base, or both texts."""
    first = one.element or one.flat.element or one.flat
    second = other.element or other.flat.element or other.flat
    first, second = first.flat, second.flat
    return first is second or {first.name.name, second.name.name} <= {*_TEXTS}


def spelled(found: PgType) -> str:
    """Return a type as one writes it."""
    sql_type: SqlType = named(found)
    return f"{sql_type.name}{'[]' * sql_type.dims}"
