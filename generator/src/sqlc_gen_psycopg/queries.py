"""A query of the request, resolved: what its functions take, do and return."""

from typing import NamedTuple

from sqlc_gen_psycopg import (
    cardinality,
    commands,
    comments,
    copying,
    names,
    slices,
    statement,
    tree,
)
from sqlc_gen_psycopg.comments import Comment
from sqlc_gen_psycopg.copying import Copy
from sqlc_gen_psycopg.function import Function
from sqlc_gen_psycopg.inference.analyst import Analyst
from sqlc_gen_psycopg.options import Options
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.queryfiles import Written
from sqlc_gen_psycopg.request import Column, Parameter, Query
from sqlc_gen_psycopg.results import Results
from sqlc_gen_psycopg.rows import Field, Row
from sqlc_gen_psycopg.statement import Statement
from sqlc_gen_psycopg.typemap import Types

_REPORT = "write it without what sqlc mistakes, such as lines that begin with --"
_OPERATOR = frozenset("+-*/<>=~!@#%^&|`?")


class Resolver(NamedTuple):
    """Turns queries into functions; what cannot be is a problem."""

    analyst: Analyst
    types: Types
    results: Results
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
            result=self.results.result(query, comment, parsed),
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
        for left, remedy in parsed.left_over():
            self.problems.add(query.where, f"sqlc left {left!r} in the text", remedy)
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
            Field(name, self.types.value(_linked(p, parsed), query, "parameter", name))
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
