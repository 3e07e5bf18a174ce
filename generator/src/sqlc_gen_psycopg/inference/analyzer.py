"""The door of the inference: what is known of a query, and of a relation."""

from typing import NamedTuple

from sqlc_gen_psycopg.catalog.catalog import Catalog
from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference.evaluation import (
    Context,
    InconsistentParameterError,
    TypeResolutionError,
)
from sqlc_gen_psycopg.inference.facts import (
    UNKNOWN,
    Fact,
    Origin,
    Relation,
    SqlType,
    named,
)
from sqlc_gen_psycopg.inference.narrowing import Narrowing, Operand, Operands
from sqlc_gen_psycopg.inference.scope import Level, Scope
from sqlc_gen_psycopg.inference.statements import Statements
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import Enum, Query, Table

# Spellings of operators that the catalog has under another name.
_NO_ROWS = frozenset({"!="})
_CONDITIONAL = ("SelectStmt", "UpdateStmt", "DeleteStmt")
_WRITING = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


class Embedded(NamedTuple):
    """What is known of an embed: its alias, and whether its row may be missing."""

    qualifier: str
    absent: bool


class Analysis(NamedTuple):
    """What is known of a statement.

    ``columns`` are those of its result, ``links`` the columns that parameters are
    compared with or written to, and ``parameters`` their types: all but those that
    cannot be told. Those of ``declared`` have one only if it is sent along.
    """

    kind: str
    node: Node
    columns: list[Fact | Embedded]
    parameters: dict[int, SqlType]
    links: dict[int, Origin]
    declared: frozenset[int] = frozenset()
    is_one_row: bool = False
    # The parameters of which NULL would find nothing.
    never_null: frozenset[int] = frozenset()
    problem: TypeResolutionError | None = None
    # All columns, also those that embeds take up, and their names.
    facts: tuple[Fact, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def casts(self) -> dict[int, str]:
        """The casts that the parameters need whose type is to be sent along."""
        return {number: self.parameters[number].as_cast for number in self.declared}

    @property
    def writes(self) -> bool:
        """Whether it changes rows, be it in a CTE."""
        return self.kind in _WRITING or any(
            kind in node for node in tree.walk(self.node) for kind in _WRITING
        )


def nothing_known(query: Query) -> Analysis:
    """Return the analysis of what is no SQL."""
    return Analysis("", {}, [UNKNOWN] * len(query.columns), {}, {})


class Analyzer:
    """Knows the schema, and whether conditions tell what is not NULL."""

    def __init__(
        self,
        tables: dict[Name, Table],
        enums: dict[Name, Enum],
        schema: Schema,
        *,
        by_where: bool = False,
    ) -> None:
        self.tables = tables
        self.schema = schema
        self.by_where = by_where
        self.catalog = Catalog(schema, tables, enums)
        narrowing = Narrowing(self.catalog)
        self._context = Context(self.catalog, schema, tables, {}, narrowing, by_where)

    def relation(self, name: Name) -> Relation:
        """Return what is known of a table's or a view's columns."""
        found = self._context.relations.get(name)
        return found or Statements(self._context, {}).named_relation(name)

    def is_operator(self, name: str) -> bool:
        """Tell whether there is an operator of that name."""
        return name in _NO_ROWS or bool(self.catalog.operators(name))

    def narrowed(self, taken: SqlType, origin: Origin) -> SqlType:
        """Return a parameter's type as the domain of the column that it is of."""
        column = self.relation(origin.table).find(origin.column)
        domain = column.type if column else None
        if domain is None:
            return taken
        element = domain.element or domain
        if element.kind == "d" and not element.flat.element:
            return SqlType(element.name, taken.dims)
        return taken

    def analyze(self, query: Query, statement: Node) -> Analysis:
        """Return what is known of a query, given its tree."""
        kind, node = tree.only(statement)
        declared: dict[int, PgType] = {}
        required = frozenset(p.number for p in query.parameters if p.column.not_null)
        try:
            while True:
                evaluation = Statements(self._context, declared, required)
                try:
                    rows = evaluation.query(Scope(Level()), node, kind)
                except InconsistentParameterError as error:
                    # What is sent along is of its type at each use.
                    if error.number in declared:
                        raise
                    # Its first use decides, if that is sent along.
                    declared[error.number] = error.first
                    continue
                waiting = {
                    number: evaluation.types[number]
                    for number in evaluation.open_uses()
                    if number in evaluation.types and number not in declared
                }
                if not waiting:
                    break
                # It has a type at another use only, which must be sent along.
                declared |= waiting
        except TypeResolutionError as error:
            columns: list[Fact | Embedded] = [UNKNOWN] * len(query.columns)
            return Analysis(kind, node, columns, {}, {}, problem=error)
        dims = _dimensions(query)
        return Analysis(
            kind,
            node,
            _aligned(query, _targets(kind, node), [f for _, f in rows.columns], self),
            {
                number: named(found, dims.get(number, 0))
                for number, found in evaluation.types.items()
            },
            evaluation.links,
            frozenset(declared),
            rows.is_one_row,
            self._never_null(kind, node),
            facts=tuple(fact for _, fact in rows.columns),
            names=tuple(name for name, _ in rows.columns),
        )

    def _never_null(self, kind: str, node: Node) -> frozenset[int]:
        """Return the parameters that are used only where the condition rejects NULL."""
        if not self._context.by_where or kind not in _CONDITIONAL:
            return frozenset()
        waiting = [*tree.children(node, "fromClause")]
        conditions: list[Node] = [node.get("whereClause", {})]
        while waiting:
            join: Node = waiting.pop().get("JoinExpr", {})
            if join.get("jointype") == "JOIN_INNER":
                conditions.append(join.get("quals", {}))
                waiting += [join["larg"], join["rarg"]]
        prove = self._context.narrowing.if_true
        rejecting: Operands = frozenset[Operand]().union(
            *(prove(one) for one in conditions if one)
        )
        places: dict[int, set[int]] = {}
        for inner in tree.walk(node):
            if "ParamRef" in inner:
                found = inner["ParamRef"]
                places.setdefault(found.get("number", 0), set()).add(found["location"])
        return frozenset(n for n, uses in places.items() if uses <= rejecting)


def _dimensions(query: Query) -> dict[int, int]:
    """Return of how many dimensions sqlc takes the parameters to be."""
    return {p.number: p.column.array_dims for p in query.parameters}


def _aligned(
    query: Query, targets: list[Node], facts: list[Fact], analyzer: Analyzer
) -> list[Fact | Embedded]:
    """Return what is known of each column.

    An embed takes as many targets as its table has columns: sqlc writes them out.
    """
    if len(facts) != len(targets):
        facts = [UNKNOWN] * len(targets)
    found: list[Fact | Embedded] = []
    position = 0
    for column in query.columns:
        if column.embed:
            end = position + len(analyzer.tables[column.embed].columns)
            absent = any(fact.absent for fact in facts[position:end])
            found.append(Embedded(_qualifier(targets[position]), absent))
            position = end
        else:
            found.append(facts[position] if position < len(facts) else UNKNOWN)
            position += 1
    return found


def _qualifier(target: Node) -> str:
    """Return the alias that a column reference is qualified by, or ``""``."""
    value: Node = target["ResTarget"].get("val", {})
    path = tree.path(value.get("ColumnRef", {}), "fields")
    return path[-2] if len(path) > 1 else ""


def _targets(kind: str, node: Node) -> list[Node]:
    if kind == "SelectStmt":
        while "larg" in node:
            node = node["larg"]
        return tree.children(node, "targetList")
    return tree.children(node, "returningList")
