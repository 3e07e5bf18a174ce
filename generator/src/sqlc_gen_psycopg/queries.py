"""A query of the request, resolved: what its functions take, do and return."""

import re
from typing import NamedTuple

from sqlc_gen_psycopg import (
    cardinality,
    commands,
    comments,
    copying,
    names,
    slices,
    statement,
    tables,
    tree,
)
from sqlc_gen_psycopg.comments import Comment
from sqlc_gen_psycopg.copying import Copy
from sqlc_gen_psycopg.function import Function
from sqlc_gen_psycopg.inference.analyst import Analyst
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.options import Options
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.queryfiles import Written
from sqlc_gen_psycopg.request import Column, Name, Parameter, Query
from sqlc_gen_psycopg.rows import Embed, Field, Model, Row, Scalar, Value
from sqlc_gen_psycopg.statement import Embedded, Statement
from sqlc_gen_psycopg.typemap import Types, UnknownTypeError

_REPORT = "write it without what sqlc mistakes, such as lines that begin with --"
_MARKED = re.compile(r"^(?P<name>.*)(?P<mark>[!?])$")
_OPERATOR = frozenset("+-*/<>=~!@#%^&|`?")


class Resolver(NamedTuple):
    """Turns queries into functions; what cannot be is a problem."""

    analyst: Analyst
    types: Types
    models: tables.Models
    options: Options
    problems: Problems

    def function(self, query: Query, written: Written | None) -> Function:
        """Resolve one query."""
        comment = comments.read(query, written, self.problems)
        commands.check(query, comment, self.problems)
        query = slices.rewritten(query, self.problems)
        parsed = self._parse(query, written)
        if comment.stream and parsed.writes:
            self.problems.add(
                query.where,
                "@stream, but PostgreSQL keeps no cursor of what changes rows",
                "remove the directive",
            )
        parameters = self._parameters(query, comment, parsed)
        copied = self._copy(query, parsed, parameters)
        return Function(
            query=query,
            name=names.snake(query.name, names.FUNCTIONS),
            constant=names.constant(query.name),
            comment=comment,
            text=copied.text if copied else query.text,
            parameters=parameters,
            result=self._result(query, comment, parsed),
            arguments=self._arguments(query, parameters),
            copy=copied,
            exactly_one=comment.exactly_one
            or (
                query.command in commands.OF_ONE
                and cardinality.is_one_row(parsed.kind, parsed.node)
            ),
        )

    def _copy(
        self, query: Query, parsed: Statement, parameters: tuple[Field, ...]
    ) -> Copy | None:
        if query.command != ":copyfrom":
            return None
        knowledge = (self.analyst, self.types)
        return copying.resolve(query, parsed.node, parameters, knowledge, self.problems)

    def _arguments(self, query: Query, parameters: tuple[Field, ...]) -> Row | None:
        limit = self.options.query_parameter_limit
        too_many = limit is not None and len(parameters) > limit
        if not (commands.takes_rows(query) and len(parameters) > 1) and not too_many:
            return None
        fields = tuple(parameter.as_argument() for parameter in parameters)
        return Row(f"{names.pascal(query.name)}Params", fields)

    def _parse(self, query: Query, written: Written | None) -> Statement:
        for line in written.cut_lines() if written else ():
            self.problems.add(
                query.where,
                f"sqlc takes the line {line!r} for a comment and cuts it out",
                "begin no line with -- or # inside of a literal, nor with an operator",
            )
        try:
            parsed = statement.parse(query, self.analyst)
        except tree.InvalidSqlError as error:
            self.problems.add(query.where, f"sqlc's text is no SQL: {error}", _REPORT)
            return statement.unknown(query)
        for left in parsed.left_over():
            self.problems.add(
                query.where,
                f"sqlc left {left!r} in the text",
                "write $1, $2, … here, or another statement",
            )
        return parsed

    def _parameters(
        self, query: Query, comment: Comment, parsed: Statement
    ) -> tuple[Field, ...]:
        ordered = sorted(query.parameters, key=lambda p: p.number)
        if [p.number for p in ordered] != list(range(1, len(ordered) + 1)):
            self.problems.add(
                query.where,
                "its parameters are not numbered $1, $2, … without a gap",
                "use each of them, or name them with sqlc.arg",
            )
        spelled = [self._parameter_name(query, p) for p in ordered]
        distinct = names.distinct(spelled, {"fetch_size"} if comment.stream else ())
        return tuple(
            Field(name, self._value(query, _linked(p, parsed), "parameter", name))
            for name, p in zip(distinct, ordered, strict=True)
        )

    def _parameter_name(self, query: Query, parameter: Parameter) -> str:
        name = parameter.column.name
        if not name:
            return f"arg_{parameter.number}"
        # `@x * 2` arrives as a parameter called `*x`.
        if name[0] in _OPERATOR and name != parameter.column.original_name:
            self.problems.add(
                query.where,
                f"sqlc reads a parameter's name as {name!r}",
                "write sqlc.arg(name) instead of @name",
            )
        return self.options.parameter_name(name)

    def _result(
        self, query: Query, comment: Comment, parsed: Statement
    ) -> Model | Row | Scalar | None:
        if query.command not in commands.WITH_ROWS or not query.columns:
            return None
        if not (comment.binary or comment.notnull or comment.nullable):
            whole = self.models.of_table(query.columns, parsed.columns)
            if whole:
                return whole
        columns = [
            _proven(column, found)
            for column, found in zip(query.columns, parsed.columns, strict=True)
        ]
        found = [self._field(query, column) for column in columns]
        found = _embeds_apart(found, parsed.columns, self.options)
        found = self._marked(query, comment, found)
        if comment.binary:
            self._check_binary(query, found)
        model = self.models.of_result(tuple(columns), found)
        if model:
            return model
        if len(found) == 1 and isinstance(found[0].value, Value):
            return Scalar(found[0].value)
        distinct = names.distinct(field.name for field in found)
        fields = tuple(
            Field(name, field.value)
            for name, field in zip(distinct, found, strict=True)
        )
        return Row(f"{names.pascal(query.name)}Row", fields)

    def _field(self, query: Query, column: Column) -> Field:
        aliased = column.name != column.original_name
        mark = _MARKED.match(column.name) if aliased else None
        plain = mark["name"] if mark else column.name
        if column.embed is not None:
            model = self.models.get(column.embed)
            singular = self.options.singular(model.table_name.name)
            name = self.options.field_name(singular)
            return Field(name, Embed(model, not column.not_null))
        value = self._value(query, column, "column", plain)
        if mark:
            value = Value(value.type, mark["mark"] == "?")
        return Field(self.options.field_name(plain), value)

    def _value(self, query: Query, column: Column, kind: str, name: str) -> Value:
        try:
            found = self.types.of_column(column, column.table)
        except UnknownTypeError as unknown:
            what = f"{kind} {name!r}"
            self.problems.add(query.where, *_unknown(what, str(unknown)))
            found = self.types.unknown
        return Value(found, not column.not_null)

    def _check_binary(self, query: Query, found: list[Field]) -> None:
        for field in found:
            if not field.value.is_binary:
                self.problems.add(
                    query.where,
                    f"@binary, but psycopg reads column {field.name!r} from text only",
                    "remove the directive, or cast the column, as to text",
                )

    def _marked(
        self, query: Query, comment: Comment, found: list[Field]
    ) -> list[Field]:
        marked = comment.notnull | comment.nullable
        if not marked:
            return found
        known = [field.name for field in found]
        for name in sorted(marked):
            if name not in known:
                self.problems.add(
                    query.where,
                    f"a directive names {name!r}, which is no result column",
                    f"name one of {', '.join(known)}",
                )
        return [
            field.marked(field.name in comment.nullable)
            if field.name in marked
            else field
            for field in found
        ]


def _unknown(what: str, kind: str) -> tuple[str, str]:
    """Return what to say of a value whose type, if there is one, is no Python type."""
    if kind in ("", "any"):
        return f"the type of {what} cannot be told", "cast it in the query"
    remedy = "cast it in the query, or add an override for the type"
    if kind == "record":
        # What sqlc makes of * for a function that returns a table.
        remedy = "name its columns instead of *, or cast it in the query"
    return f"{what} has the type {kind!r}, which has no Python type", remedy


def _linked(parameter: Parameter, parsed: Statement) -> Column:
    """Return what a parameter stands for, which sqlc loses in casts and arrays."""
    origin = parsed.parameters.get(parameter.number)
    column = parameter.column
    if taken := parsed.types.get(parameter.number):
        name, dims = taken.name, taken.dims
        column = column._replace(type=name, array_dims=dims, table=None)
    if column.table or origin is None:
        return column
    return column._replace(table=origin.table, original_name=origin.column)


def _proven(column: Column, fact: Fact | Embedded) -> Column:
    """Return a column as the parse tree proves it, where sqlc can only guess."""
    if isinstance(fact, Embedded):
        return column._replace(not_null=not fact.absent)
    name, dims = fact.type or (column.type, column.array_dims)
    if fact.is_doubtful and not fact.type:
        # Then whatever sqlc says is a guess.
        name = Name("", "")
    table, original = fact.origin or (None, "")
    # Written out: `_replace` takes thrice the time, for each column of each query.
    return Column(
        column.name,
        original,
        name,
        fact.not_null,
        dims,
        table,
        None,
        column.is_slice,
        column.comment,
    )


def _embeds_apart(
    fields: list[Field], proven: list[Fact | Embedded], options: Options
) -> list[Field]:
    """Name embeds of one table after their aliases."""
    spelled = [field.name for field in fields]
    if len(set(spelled)) == len(spelled):
        return fields
    return [
        field._replace(name=options.field_name(found.qualifier))
        if isinstance(found, Embedded) and spelled.count(field.name) > 1
        else field
        for field, found in zip(fields, proven, strict=True)
    ]
