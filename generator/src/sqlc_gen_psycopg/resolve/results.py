"""What the rows of a query become: a model, a class of their own, or one value."""

import re
from typing import NamedTuple

from sqlc_gen_psycopg.inference.analyzer import Analysis, Embedded
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.ir.commands import COMMANDS
from sqlc_gen_psycopg.ir.results import Embed, Field, Model, Row, Scalar, Value
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve.shapes import Shapes
from sqlc_gen_psycopg.resolve.table_models import Models
from sqlc_gen_psycopg.resolve.type_map import Types
from sqlc_gen_psycopg.sql.comments import Comment
from sqlc_gen_psycopg.sqlc.options import Options
from sqlc_gen_psycopg.sqlc.request import Column, Query

_MARKED = re.compile(r"^(?P<name>.*)(?P<mark>[!?])$")


class Results(NamedTuple):
    """Resolves results; what cannot be is a problem."""

    types: Types
    models: Models
    shapes: Shapes
    options: Options
    problems: Problems

    def result(
        self, query: Query, comment: Comment, analysis: Analysis
    ) -> Model | Row | Scalar | None:
        """Return what a row of the query becomes, None if it gives none."""
        command = COMMANDS.get(query.command)
        if command is None or not command.has_rows or not query.columns:
            return None
        model = None
        is_marked = comment.notnull or comment.nullable
        if comment.filled:
            names = {self.options.field_name(column.name) for column in query.columns}
            is_marked = is_marked or comment.filled & names
        if not (is_marked or self.types.overrides_result(query)):
            model = self.models.of_result(query.columns, analysis.columns)
        found = [*model.fields] if model else self._own(query, comment, analysis)
        if comment.binary:
            self._check_binary(query, found)
        single = found[0].value if len(found) == 1 else None
        class_name = identifiers.pascal(comment.row)
        wanted = self.models.named(class_name) if comment.row else None
        if comment.row and (model or (isinstance(single, Value) and not wanted)):
            self.problems.add(
                query.where,
                "@row, but its rows are a table's model, or single values",
                "remove the directive",
            )
        if model:
            return model
        if wanted:
            self._check_columns(query, wanted, found)
            return wanted
        if isinstance(single, Value):
            return Scalar(single)
        distinct = identifiers.distinct([field.name for field in found])
        fields = tuple(
            Field(name, field.value, field.doc)
            for name, field in zip(distinct, found, strict=True)
        )
        if comment.row:
            return Row(class_name, fields, is_named=True)
        return Row(f"{identifiers.pascal(query.name)}Row", fields)

    def _own(self, query: Query, comment: Comment, analysis: Analysis) -> list[Field]:
        columns = [
            _proven(column, found)
            for column, found in zip(query.columns, analysis.columns, strict=True)
        ]
        found = [
            self._field(query, column, fact)
            for column, fact in zip(columns, analysis.columns, strict=True)
        ]
        found = _embeds_apart(found, analysis.columns, self.options)
        return self._marked(query, comment, found)

    def _field(self, query: Query, column: Column, fact: Fact | Embedded) -> Field:
        aliased = column.name != column.original_name
        mark = _MARKED.match(column.name) if aliased else None
        plain = mark["name"] if mark else column.name
        if column.embed is not None:
            model = self.models.get(column.embed)
            singular = self.options.singular(model.table_name.name)
            name = self.options.field_name(singular)
            return Field(name, Embed(model, not column.not_null))
        value = self.types.value(column, query, "column", plain)
        if isinstance(fact, Fact):
            value = self.shapes.narrowed(
                value, fact, f"{query.name}_{plain or 'value'}"
            )
        if mark:
            value = Value(value.type, mark["mark"] == "?")
        return Field(self.options.field_name(plain), value, self.types.comment(column))

    def _check_columns(self, query: Query, model: Model, found: list[Field]) -> None:
        own = [(field.name, field.value.unnamed()) for field in found]
        there = [(field.name, field.value.unnamed()) for field in model.fields]
        if own == there:
            return
        names = dict.fromkeys(name for name, _ in (*there, *own))
        differing = [n for n in names if dict(own).get(n) != dict(there).get(n)]
        self.problems.add(
            query.where,
            f"@row {model.name}, the model of {model.table_name}, which differs in "
            + (", ".join(map(repr, differing)) or "the order of its columns"),
            "give it equal names, types, nullability and order, or name another class",
        )

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
        found = [
            field.filled() if field.name in comment.filled and field.is_array else field
            for field in found
        ]
        marked = comment.notnull | comment.nullable
        if not marked:
            return found
        names = [field.name for field in found]
        for name in sorted(marked):
            if name not in names:
                self.problems.add(
                    query.where,
                    f"a directive names {name!r}, which is no result column",
                    f"name one of {', '.join(names)}",
                )
        return [
            field.marked(field.name in comment.nullable)
            if field.name in marked
            else field
            for field in found
        ]


def _proven(column: Column, fact: Fact | Embedded) -> Column:
    """Return a column as the parse tree proves it, where sqlc can only guess."""
    if isinstance(fact, Embedded):
        return column._replace(not_null=not fact.absent)
    name, dims = fact.sql_type or (column.type, column.array_dims)
    table, original, _ = fact.origin or (None, "", None)
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
        fact.origin.sources if fact.origin else (),
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
