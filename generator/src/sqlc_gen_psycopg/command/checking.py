"""What is generated, held against a server: each query's types, names and NULLs."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import psycopg

from sqlc_gen_psycopg import plugin
from sqlc_gen_psycopg.command import server, shape_differences
from sqlc_gen_psycopg.command.requests import Part
from sqlc_gen_psycopg.command.server import Described, Refused, Types
from sqlc_gen_psycopg.inference.analyzer import Analysis, Analyzer
from sqlc_gen_psycopg.inference.facts import Fact, SqlType
from sqlc_gen_psycopg.ir.function import Function
from sqlc_gen_psycopg.ir.results import Embed, Field, Scalar, Value
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve import modules, type_map
from sqlc_gen_psycopg.resolve.queries import Resolver
from sqlc_gen_psycopg.resolve.shapes import Shapes
from sqlc_gen_psycopg.schema.model import Attributes, Schema, relation
from sqlc_gen_psycopg.sql import skips, tree
from sqlc_gen_psycopg.sqlc.request import CATALOGS, Enum, Query, Request

_BOTH_WAYS = "migrate the database, or correct the schema files and generate again"
_WORD = re.compile(r'(?:"[^"]*"|[\w.])+|\S*')
_INSUFFICIENT_PRIVILEGE = "42501"


class Finding(NamedTuple):
    """What was generated otherwise than the server has it: where, and what to do."""

    where: str
    place: str
    ours: str
    theirs: str
    remedy: str = _BOTH_WAYS

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.place}: {self.ours}, "
            f"but the server {self.theirs}; {self.remedy}"
        )


class Report(NamedTuple):
    """What was compared, and what was found; ``warnings`` tell what was left out."""

    findings: list[Finding]
    queries: int
    parameters: int
    columns: int
    warnings: list[str]


class _Annotated(NamedTuple):
    """A query as it is generated: what is sent, and what is said of it."""

    where: str
    query: Query
    analysis: Analysis
    function: Function
    resolver: Resolver


class _Column(NamedTuple):
    """A column of a result: its name here, and what the schema files prove of it."""

    name: str
    value: Value
    fact: Fact
    # Of which table's model, for a column of an embed, and which column of it.
    embedded: tuple[Name, int] | None = None


def check(conn: psycopg.Connection, part: Part) -> Report:
    """Compare the queries of a project's part, in whose folder this must be called.

    Nothing is run but PREPARE and reads of the catalog, in a transaction, which is
    rolled back.

    Raises:
        RefusedError: something cannot be generated at all.
    """
    found = Problems()
    resolver = plugin.resolver_of(part.request, found)
    asked = skips.without_skipped(part.request, found)
    annotated = [
        _Annotated(
            f"{written.file if written else query.filename}: {query.name}",
            *resolver.analyzed(query, written),
            resolver.function(query, written),
            resolver,
        )
        for file in modules.files(asked, resolver.options)
        for query, written in file.queries
    ]
    found.raise_if_any()
    with conn.transaction(force_rollback=True):
        database = _Database.read(conn, part.request, resolver)
        described = server.described(conn, [one.query.text for one in annotated])
    return Report(
        [
            finding
            for one, said in zip(annotated, described, strict=True)
            for finding in database.findings(one, said)
        ],
        len(annotated),
        sum(len(one.function.parameters) for one in annotated),
        sum(len(_columns(one)) for one in annotated),
        found.warnings,
    )


def _columns(one: _Annotated) -> list[_Column]:
    """Return the columns of a query's result, those of embeds one by one."""
    result, facts = one.function.result, one.analysis.facts
    if result is None:
        return []
    found: list[_Column] = []
    fields = (
        (Field(one.analysis.names[0], result.value),)
        if isinstance(result, Scalar)
        else result.fields
    )
    for field in fields:
        match field.value:
            case Value() as value:
                found.append(_Column(field.name, value, facts[len(found)]))
            case Embed(model):
                table = one.resolver.analyzer.relation(model.table_name)
                found += [
                    _Column(f"{field.name}.{own.name}", own.value, fact, place)
                    for number, (own, (_, fact)) in enumerate(
                        zip(model.fields, table.columns, strict=True)
                    )
                    if isinstance(own.value, Value)
                    for place in [(model.table_name, number)]
                ]
    return found


class _Database(NamedTuple):
    """What a server has, and what would be inferred from its own schema."""

    types: Types
    schema: Schema
    enums: dict[Name, Enum]
    analyzer: Analyzer
    shapes: Shapes

    @classmethod
    def read(
        cls, conn: psycopg.Connection, asked: Request, resolver: Resolver
    ) -> "_Database":
        written, options = resolver.analyzer, resolver.options
        types = Types(conn)
        known = server.relations(conn, types)
        schema = server.schema(conn, types, known, written.schema)
        enums = server.enums(conn, types)
        catalogs = {n: t for n, t in written.tables.items() if n.schema in CATALOGS}
        tables = catalogs | known.tables
        analyzer = Analyzer(tables, enums, schema, by_where=written.by_where)
        there = asked._replace(tables=tables, enums=enums)
        # What is wrong with the options has been told.
        made = type_map.Types(there, schema, options, Problems())
        open_enums = options.emit_open_enums
        shapes = Shapes(there, schema, made, has_open_enums=open_enums)
        return cls(types, schema, enums, analyzer, shapes)

    def findings(
        self, one: _Annotated, found: Described | Refused
    ) -> Iterator[Finding]:
        """Yield how a query differs."""
        if isinstance(found, Refused):
            yield self._refusal(one, found)
            return
        yield from self._parameters(one, found)
        yield from self._results(one, found)

    def _refusal(self, one: _Annotated, refused: Refused) -> Finding:
        remedy = _BOTH_WAYS
        if refused.sqlstate == _INSUFFICIENT_PRIVILEGE:
            remedy = "grant the role the right to use it"
        place = "the statement"
        if refused.position:
            word = _WORD.match(one.query.text, refused.position - 1)
            place = f"at {(word[0] if word else '')!r}"
        ours = "generated for the schema files"
        return Finding(one.where, place, ours, f"says: {refused.message}", remedy)

    def _parameters(self, one: _Annotated, found: Described) -> Iterator[Finding]:
        sent = sorted(one.query.parameters, key=lambda p: p.number)
        fields = one.function.parameters
        for field, parameter, theirs in zip(
            fields, sent, found.parameters, strict=True
        ):
            place = f"parameter {field.name!r}"
            ours = one.analysis.parameters.get(parameter.number)
            value = field.value
            if not isinstance(value, Value):
                continue
            if self.types.oid(ours) != theirs:
                yield self._other_type(one.where, place, ours, value.accepted, theirs)
                continue
            kind = SqlType(parameter.column.type, parameter.column.array_dims)
            yield from self._made_of(one, place, kind, value)
            if value.nullable and (column := self._required(one, parameter.number)):
                yield Finding(
                    one.where, place, "takes None", f"has {column} as NOT NULL"
                )

    def _required(self, one: _Annotated, number: int) -> str:
        """Return the column that a parameter is written to, if only here it is NULL."""
        origin = one.analysis.links.get(number)
        if origin is None or one.analysis.kind not in ("InsertStmt", "UpdateStmt"):
            return ""
        target = relation(self.schema, one.analysis.node["relation"])
        ours = one.resolver.analyzer.relation(origin.table).find(origin.column)
        theirs = self.analyzer.tables.get(origin.table)
        columns = theirs.columns if theirs else ()
        required = {column.name for column in columns if column.not_null}
        if origin.table != target or origin.column not in required:
            return ""
        return "" if ours and ours.not_null else f"{origin.table}.{origin.column}"

    def _results(self, one: _Annotated, found: Described) -> Iterator[Finding]:
        columns = _columns(one)
        if not columns:
            return
        if len(columns) != len(found.columns):
            yield Finding(
                one.where,
                "its columns",
                f"generated for {len(columns)}",
                f"gives {len(found.columns)}",
            )
            return
        # All other names stand in the text.
        has_star = any("A_Star" in node for node in tree.walk(one.analysis.node))
        [statement] = tree.parse(one.query.text)
        inferred = self.analyzer.analyze(one.query, statement)
        for number, (column, (name, oid)) in enumerate(
            zip(columns, found.columns, strict=True)
        ):
            place = f"column {(column.name or name)!r}"
            if has_star and name != one.analysis.names[number]:
                ours = f"generated for the name {one.analysis.names[number]!r}"
                yield Finding(one.where, place, ours, f"calls it {name!r}")
            kind, annotation = column.fact.sql_type, column.value.annotation
            if self.types.base(self.types.oid(kind)) != oid:
                yield self._other_type(one.where, place, kind, annotation, oid)
                continue
            theirs = self._fact(column, number, inferred)
            actual = self.types.oid(theirs.sql_type)
            if actual not in (0, self.types.oid(kind)):
                yield self._other_type(one.where, place, kind, annotation, actual)
                continue
            if kind:
                yield from self._made_of(one, place, kind, column.value)
                yield from self._shape(one, place, column, theirs)
            is_claimed = column.fact.not_null and not column.value.nullable
            if is_claimed and not theirs.not_null:
                yield Finding(
                    one.where,
                    place,
                    f"generated as {annotation}, never None",
                    f"lets {self._nullable(one, column.fact)} be NULL",
                )

    def _shape(
        self, one: _Annotated, place: str, column: _Column, theirs: Fact
    ) -> Iterator[Finding]:
        """Yield how what is in JSON differs, or the constants of a column."""
        kind = column.fact.sql_type
        if column.fact.shape is None or kind is None:
            return
        plain = column.value._replace(type=one.resolver.types.of_name(kind.name))
        own = one.resolver.results.shapes.narrowed(plain, column.fact, "own").type
        if own.unnamed() != column.value.type.unnamed():
            # An override has it.
            return
        actual = self.shapes.narrowed(plain, theirs, "own").type
        for key, ours, other in shape_differences.differences(own, actual):
            at = f"{place}, key {key!r}" if key else place
            shown = ours if key else column.value.annotation
            made = f"generated as {shown}" if shown else "generated without it"
            yield Finding(one.where, at, made, f"has {other or 'nothing'} there")

    def _fact(self, column: _Column, number: int, inferred: Analysis) -> Fact:
        """Return what the server's own schema proves of a column."""
        if column.embedded:
            table, place = column.embedded
            known = self.analyzer.relation(table).columns
            return known[place][1] if place < len(known) else Fact()
        return inferred.facts[number] if number < len(inferred.facts) else Fact()

    def _nullable(self, one: _Annotated, fact: Fact) -> str:
        """Name the columns that are NOT NULL in the schema files only."""
        if fact.origin:
            return f"{fact.origin.table}.{fact.origin.column}"
        read = {
            relation(self.schema, node["RangeVar"])
            for node in tree.walk(one.analysis.node)
            if "RangeVar" in node
        }
        found = [
            f"{table}.{name}"
            for table in sorted(read)
            for name, own in one.resolver.analyzer.relation(table).columns
            if own.not_null
            and (theirs := self.analyzer.relation(table).find(name))
            and not theirs.not_null
        ]
        return ", ".join(found) or "it"

    def _other_type(
        self, where: str, place: str, kind: SqlType | None, annotation: str, oid: int
    ) -> Finding:
        ours = kind.as_cast if kind else "unknown"
        theirs = f"has {self.types.shown(oid)}"
        if kind and not self.types.oid(kind):
            theirs = f"has no type {ours}: it has {self.types.shown(oid)}"
        return Finding(where, place, f"generated as {annotation}, for {ours}", theirs)

    def _made_of(
        self, one: _Annotated, place: str, kind: SqlType, value: Value
    ) -> Iterator[Finding]:
        """Yield how the labels of a type differ, or its attributes and theirs."""
        schema, made = one.resolver.analyzer.schema, one.resolver.types.enums
        attributes = schema.composites.get(kind.name)
        enum = made.get(kind.name)
        if enum and f"enums.{enum.class_name}" in value.type.annotation:
            labels = self._labels(kind.name)
            is_open = one.resolver.options.emit_open_enums
            # Labels that only the server has are what open enums are for.
            if {*enum.labels} - {*labels} or (
                {*labels} - {*enum.labels} and not is_open
            ):
                yield Finding(
                    one.where,
                    place,
                    f"generated as {value.annotation} of {_listed(enum.labels)}",
                    f"has {kind.name} of {_listed(labels)}",
                )
        elif attributes and value.is_registered:
            theirs = self.schema.composites.get(kind.name, ())
            if self._flat(attributes) != self._flat(theirs):
                yield Finding(
                    one.where,
                    place,
                    f"generated as {value.annotation} of {_spelled(attributes)}",
                    f"has {kind.name} of {_spelled(theirs)}",
                )
            for name, of, dims in attributes:
                # An attribute that is an enum is one in the composite's class.
                if of in made or of in schema.composites:
                    inner = one.resolver.types.of_name(of)
                    yield from self._made_of(
                        one,
                        f"{place}, attribute {name!r}",
                        SqlType(of, dims),
                        Value(inner, nullable=True),
                    )

    def _flat(self, attributes: Attributes) -> list[tuple[str, int]]:
        # The server keeps no dimensions.
        return [(name, self.types.oid(SqlType(of, n))) for name, of, n in attributes]

    def _labels(self, name: Name) -> tuple[str, ...]:
        if name in self.schema.domains:
            return self.schema.closed_set(name)
        found = self.enums.get(name)
        return found.labels if found else ()


def _listed(labels: tuple[str, ...]) -> str:
    return ", ".join(map(repr, labels)) or "any value"


def _spelled(attributes: Attributes) -> str:
    found = [f"{n} {SqlType(kind, dims).as_cast}" for n, kind, dims in attributes]
    return f"({', '.join(found)})"
