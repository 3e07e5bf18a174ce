"""A query of the request, resolved: what its functions take, do and return."""

from typing import NamedTuple

from sqlc_gen_psycopg.inference import analyzer as inference
from sqlc_gen_psycopg.inference.analyzer import Analysis, Analyzer
from sqlc_gen_psycopg.inference.facts import SqlType
from sqlc_gen_psycopg.ir.commands import Gives
from sqlc_gen_psycopg.ir.copy import Copy
from sqlc_gen_psycopg.ir.function import Function
from sqlc_gen_psycopg.ir.results import Field, Model, Result, Row, Scalar
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve import copy, directives, slices, unnest
from sqlc_gen_psycopg.resolve.results import Results
from sqlc_gen_psycopg.resolve.type_map import Types
from sqlc_gen_psycopg.sql import comments, leftovers, parameters, tree
from sqlc_gen_psycopg.sql.comments import Comment
from sqlc_gen_psycopg.sql.query_files import Written
from sqlc_gen_psycopg.sqlc.options import Options
from sqlc_gen_psycopg.sqlc.request import Column, Parameter, Query

_REPORT = "write it without what sqlc mistakes, such as lines that begin with --"
_OPERATOR = frozenset("+-*/<>=~!@#%^&|`?")


class Resolver(NamedTuple):
    """Turns queries into functions; what cannot be is a problem."""

    analyzer: Analyzer
    types: Types
    results: Results
    options: Options
    problems: Problems

    def function(self, query: Query, written: Written | None) -> Function:
        """Resolve one query."""
        comment = comments.read(query, written, self.problems)
        command = directives.command(query, comment, self.problems)
        query, analysis = self.analyzed(query, written)
        if comment.stream and analysis.writes:
            self.problems.add(
                query.where,
                "@stream, but PostgreSQL keeps no cursor of what changes rows",
                "remove the directive",
            )
        fields = self._parameters(query, comment)
        result = self.results.result(query, comment, analysis)
        self._check_filled(query, comment, fields, result)
        takes_rows = command.takes_rows or comment.unnest
        copied = self._copy(query, analysis, fields)
        text = copied.text if copied else query.text
        if comment.unnest:
            parsed = (analysis, self.analyzer.schema)
            text = unnest.rewritten(query, parsed, fields, self.problems)
        return Function(
            where=query.where,
            query_name=query.name,
            command=command,
            name=identifiers.snake(query.name, identifiers.FUNCTIONS),
            constant=identifiers.constant(query.name),
            comment=comment.text,
            is_binary=comment.binary,
            is_deferred=comment.deferred,
            is_streamed=comment.stream,
            is_unnested=comment.unnest,
            text=text,
            parameters=fields,
            result=result,
            arguments=self._arguments(query, takes_rows, fields),
            copy=copied,
            exactly_one=comment.exactly_one
            or (command.gives is Gives.ONE and analysis.is_one_row),
        )

    def _copy(
        self, query: Query, analysis: Analysis, fields: tuple[Field, ...]
    ) -> Copy | None:
        if query.command != ":copyfrom":
            return None
        knowledge = (self.analyzer, self.types)
        return copy.resolve(query, analysis.node, fields, knowledge, self.problems)

    def _arguments(
        self, query: Query, takes_rows: bool, parameters: tuple[Field, ...]
    ) -> Row | None:
        limit = self.options.query_parameter_limit
        too_many = limit is not None and len(parameters) > limit
        if not (takes_rows and len(parameters) > 1) and not too_many:
            return None
        fields = tuple(parameter.as_argument() for parameter in parameters)
        return Row(f"{identifiers.pascal(query.name)}Params", fields)

    def analyzed(self, query: Query, written: Written | None) -> tuple[Query, Analysis]:
        """Return what is known of a query, and the query with what is known of it.

        Its text is then what is sent, but for what a COPY makes of it.
        """
        query = slices.rewritten(query, self.problems)
        for line in written.cut_lines() if written else ():
            self.problems.add(
                query.where,
                f"sqlc takes the line {line!r} for a comment and cuts it out",
                "begin no line with -- or # inside of a literal, nor with an operator",
            )
        if written and (lost := written.lost()):
            self.problems.add(
                query.where,
                f"sqlc drops what stands behind its semicolon: {lost.split()[0]} …",
                "give each statement a name line of its own",
            )
        try:
            [statement] = tree.parse(query.text)
        except tree.InvalidSqlError as error:
            self.problems.add(query.where, f"sqlc's text is no SQL: {error}", _REPORT)
            return query, inference.nothing_known(query)
        reported = {p.number for p in query.parameters}
        used = parameters.numbers(query.text, statement, reported)
        query = _with_all_parameters(query, used)
        left = leftovers.find(query.text, statement, self.analyzer.is_operator)
        for what, remedy in left:
            self.problems.add(query.where, f"sqlc left {what!r} in the text", remedy)
        if left:
            return query, inference.nothing_known(query)
        analysis = self.analyzer.analyze(query, statement)
        if analysis.problem:
            problem = analysis.problem
            self.problems.add(query.where, problem.what, problem.remedy)
            # What else cannot be told of it follows from that.
            return query._replace(parameters=(), columns=()), analysis
        linked = tuple(self._linked(p, analysis) for p in query.parameters)
        if analysis.never_null:
            nullable = written.nullable_parameters() if written else frozenset[str]()
            linked = tuple(_never_null(p, analysis, nullable) for p in linked)
        text = parameters.cast(query.text, statement, analysis.casts)
        return query._replace(text=text, parameters=linked), analysis

    def _linked(self, parameter: Parameter, analysis: Analysis) -> Parameter:
        """Return a parameter as PostgreSQL takes it, and the column that it is of."""
        taken = analysis.parameters.get(parameter.number, SqlType(Name("", "")))
        origin = analysis.links.get(parameter.number)
        table, original, _ = origin or (None, "", None)
        if origin is not None:
            taken = self.analyzer.narrowed(taken, origin)
        column = parameter.column._replace(
            type=taken.name,
            array_dims=taken.dims,
            table=table,
            original_name=original or parameter.column.original_name,
            sources=origin.sources if origin else (),
        )
        return parameter._replace(column=column)

    def _parameters(self, query: Query, comment: Comment) -> tuple[Field, ...]:
        ordered = sorted(query.parameters, key=lambda p: p.number)
        if [p.number for p in ordered] != list(range(1, len(ordered) + 1)):
            self.problems.add(
                query.where,
                "its parameters are not numbered $1, $2, … without a gap",
                "use each of them, or name them with sqlc.arg",
            )
        spelled = [self._parameter_name(query, p) for p in ordered]
        taken = {"fetch_size"} if comment.stream else ()
        distinct = identifiers.distinct(spelled, taken)
        fields = [
            self._parameter(query, comment, p, name)
            for name, p in zip(distinct, ordered, strict=True)
        ]
        return tuple(
            field.filled() if field.name in comment.filled and field.is_array else field
            for field in fields
        )

    def _parameter(
        self, query: Query, comment: Comment, parameter: Parameter, name: str
    ) -> Field:
        column = parameter.column
        value = self.types.value(column, query, "parameter", name)
        is_optional = value.nullable and self.options.emit_none_defaults
        doc = comment.parameters.get(column.name, "")
        if not doc and column.name in ("", column.original_name):
            # One called otherwise may be only compared with what the column holds.
            doc = self.types.comment(column)
        return Field(name, value, doc, is_optional)

    def _check_filled(
        self,
        query: Query,
        comment: Comment,
        parameters: tuple[Field, ...],
        result: Result | None,
    ) -> None:
        """Refuse to say of what is no array that it has no NULL elements."""
        if not comment.filled:
            return
        fields = [*parameters]
        match result:
            case Row() | Model():
                fields += result.fields
            case Scalar():
                name = self.options.field_name(query.columns[0].name)
                fields.append(Field(name, result.value))
            case None:
                pass
        arrays = {field.name for field in fields if field.is_array}
        for name in sorted(comment.filled - arrays):
            listed = ", ".join(f"{array}[]" for array in sorted(arrays))
            self.problems.add(
                query.where,
                f"a directive names '{name}[]', which is no array",
                f"name one of {listed}" if arrays else "remove the directive",
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


def _never_null(
    parameter: Parameter, analysis: Analysis, nullable: frozenset[str]
) -> Parameter:
    """Let a parameter take no NULL where that finds nothing, unless it is to."""
    column = parameter.column
    if parameter.number not in analysis.never_null or column.name in nullable:
        return parameter
    return parameter._replace(column=column._replace(not_null=True))


def _with_all_parameters(query: Query, numbers: set[int]) -> Query:
    """Add the parameters that sqlc does not see, as those of MERGE."""
    missing = numbers - {p.number for p in query.parameters}
    if not missing:
        return query
    added = tuple(Parameter(number, _UNNAMED) for number in sorted(missing))
    return query._replace(parameters=(*query.parameters, *added))


_UNNAMED = Column("", "", Name("", ""), True, 0, None, None, False, "")
