"""A query of the request, resolved: what its functions take, do and return."""

import re
from dataclasses import dataclass, replace

from sqlc_gen_psycopg import comments, inflection, names, nullability, statement, tables
from sqlc_gen_psycopg.comments import Comment
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.pytypes import Types, UnknownTypeError
from sqlc_gen_psycopg.request import Column, Name, Parameter, Query, Table
from sqlc_gen_psycopg.rows import Embed, Field, Model, Row, Scalar, Value
from sqlc_gen_psycopg.schema import Schema
from sqlc_gen_psycopg.statement import Statement

COMMANDS = (":one", ":many", ":exec", ":execrows")
_REMEDIES = {
    ":execresult": "use :execrows for the number of rows, or :one with RETURNING",
    ":execlastid": "use :one with RETURNING id",
}
_MARKED = re.compile(r"^(?P<name>.*)(?P<mark>[!?])$")
_OPERATOR = frozenset("+-*/<>=~!@#%^&|`?")


@dataclass(frozen=True, slots=True)
class Function:
    """One generated function."""

    query: Query
    name: str
    constant: str
    comment: Comment
    parameters: tuple[Field, ...]
    result: Model | Row | Scalar | None


@dataclass(frozen=True, slots=True)
class Resolver:
    """Turns queries into functions; what cannot be is a problem."""

    catalog: dict[Name, Table]
    schema: Schema
    types: Types
    models: tables.Models
    problems: Problems

    def function(self, query: Query, lines: list[str] | None) -> Function:
        """Resolve one query."""
        comment = comments.read(query, lines, self.problems)
        self._check_command(query, comment)
        name = names.snake(query.name, names.FUNCTIONS)
        return Function(
            query=query,
            name=name,
            constant=names.constant(query.name),
            comment=comment,
            parameters=self._parameters(query),
            result=self._result(query, comment),
        )

    def _check_command(self, query: Query, comment: Comment) -> None:
        if query.command not in COMMANDS:
            self.problems.add(
                query.where,
                f"{query.command} is not supported",
                _REMEDIES.get(query.command, f"use one of {' '.join(COMMANDS)}"),
            )
        elif query.command in (":one", ":many") and not query.columns:
            self.problems.add(
                query.where,
                f"{query.command} returns no columns",
                "add RETURNING, or use :exec or :execrows",
            )
        if comment.deferred and query.command == ":exec":
            self.problems.add(
                query.where,
                "@deferred on :exec, which fetches nothing",
                "remove the directive: in a pipeline :exec is only queued",
            )

    def _parameters(self, query: Query) -> tuple[Field, ...]:
        ordered = sorted(query.parameters, key=lambda p: p.number)
        if [p.number for p in ordered] != list(range(1, len(ordered) + 1)):
            self.problems.add(
                query.where,
                "its parameters are not numbered $1, $2, … without a gap",
                "use each of them, or name them with sqlc.arg",
            )
        spelled = [self._parameter_name(query, p) for p in ordered]
        distinct = names.distinct(spelled)
        return tuple(
            Field(name, self._value(query, p.column, f"parameter {name!r}"))
            for name, p in zip(distinct, ordered, strict=True)
        )

    def _parameter_name(self, query: Query, parameter: Parameter) -> str:
        name = parameter.column.name
        if not name:
            return f"arg_{parameter.number}"
        if parameter.column.is_slice:
            self.problems.add(
                query.where,
                f"sqlc.slice({name!r}) is not supported",
                f"write = ANY(sqlc.arg({name})::type[])",
            )
        # `@x * 2` arrives as a parameter called `*x`.
        if name[0] in _OPERATOR and name != parameter.column.original_name:
            self.problems.add(
                query.where,
                f"sqlc reads a parameter's name as {name!r}",
                "write sqlc.arg(name) instead of @name",
            )
        return names.snake(name, names.PARAMETERS)

    def _result(self, query: Query, comment: Comment) -> Model | Row | Scalar | None:
        if query.command not in (":one", ":many") or not query.columns:
            return None
        parsed = statement.parse(query, self.catalog)
        proven = nullability.proven(query, parsed, self.schema)
        found = [
            self._field(query, column, not_null)
            for column, not_null in zip(query.columns, proven, strict=True)
        ]
        found = _embeds_apart(found, parsed)
        found = self._marked(query, comment, found)
        model = self.models.of_result(query.columns, found)
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

    def _field(self, query: Query, column: Column, not_null: bool) -> Field:
        aliased = column.name != column.original_name
        mark = _MARKED.match(column.name) if aliased else None
        plain = mark["name"] if mark else column.name
        name = names.snake(plain, names.FIELDS)
        if column.embed is not None:
            model = self.models.get(column.embed)
            singular = inflection.singular(model.table_name.name)
            name = names.snake(singular, names.FIELDS)
            return Field(name, Embed(model, not not_null))
        value = self._value(query, column, f"column {plain!r}")
        nullable = mark["mark"] == "?" if mark else not not_null
        return Field(name, Value(value.type, nullable))

    def _value(self, query: Query, column: Column, what: str) -> Value:
        try:
            found = self.types.of_column(column, column.table)
        except UnknownTypeError as unknown:
            self.problems.add(
                query.where,
                f"{what} has the type {str(unknown) or 'unknown'!r}, "
                "which has no Python type",
                "cast it in the query, or add an override for the type",
            )
            found = self.types.unknown
        return Value(found, not column.not_null)

    def _marked(
        self, query: Query, comment: Comment, found: list[Field]
    ) -> list[Field]:
        known = [field.name for field in found]
        for name in sorted(comment.notnull | comment.nullable):
            if name not in known:
                self.problems.add(
                    query.where,
                    f"a directive names {name!r}, which is no result column",
                    f"name one of {', '.join(known)}",
                )
        return [
            field.marked(field.name in comment.nullable)
            if field.name in comment.notnull | comment.nullable
            else field
            for field in found
        ]


def _embeds_apart(fields: list[Field], parsed: Statement) -> list[Field]:
    """Name embeds of one table after their aliases."""
    spelled = [field.name for field in fields]
    return [
        replace(field, name=names.snake(statement.qualifier(values[0]), names.FIELDS))
        if isinstance(field.value, Embed) and spelled.count(field.name) > 1 and values
        else field
        for field, values in zip(fields, parsed.targets, strict=True)
    ]
