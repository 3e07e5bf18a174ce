"""The models: one row class per table."""

from sqlc_gen_psycopg.inference.analyzer import Analyzer, Embedded
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.ir.results import Field, Model, Value
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve.shapes import Shapes
from sqlc_gen_psycopg.resolve.type_map import Types, UnknownTypeError
from sqlc_gen_psycopg.sqlc.options import Options
from sqlc_gen_psycopg.sqlc.request import CATALOGS, Column, Request, Table


class Models:
    """Makes models as they are asked for."""

    def __init__(  # noqa: PLR0917 - what it is made of
        self,
        request: Request,
        analyzer: Analyzer,
        types: Types,
        shapes: Shapes,
        options: Options,
        problems: Problems,
    ) -> None:
        self._request = request
        self._analyzer = analyzer
        self._types = types
        self._shapes = shapes
        self._options = options
        self._problems = problems
        self._names = self._class_names()
        shapes.reserve(self._names.values())
        self._made: dict[Name, Model] = {}
        self.used_names: set[Name] = set()

    def _class_names(self) -> dict[Name, str]:
        own = [n for n in self._request.tables if n.schema not in CATALOGS]
        own.sort(key=str)
        spelled = [self._class_name(name) for name in own]
        return dict(zip(own, identifiers.distinct(spelled), strict=True))

    def _class_name(self, table: Name) -> str:
        word = self._options.singular(table.name)
        return identifiers.pascal(str(Name(table.schema, word)))

    def used(self) -> list[Model]:
        """Return the models that were asked for, by name."""
        used = [self._made[name] for name in self.used_names]
        return sorted(used, key=lambda model: model.name)

    def all(self) -> list[Model]:
        """Return the models of all tables, by name."""
        for name in self._names:
            self.get(name)
        return self.used()

    def get(self, name: Name) -> Model:
        """Return a table's model, and count it as used."""
        self.used_names.add(name)
        return self._make(name)

    def named(self, class_name: str) -> Model | None:
        """Return the model of that name, and count it as used."""
        for name, spelled in self._names.items():
            if spelled == class_name:
                return self.get(name)
        return None

    def _make(self, name: Name) -> Model:
        if name not in self._made:
            self._made[name] = self._model(self._request.tables[name])
        return self._made[name]

    def _model(self, table: Table) -> Model:
        facts = [fact for _, fact in self._analyzer.relation(table.name).columns]
        columns = [
            _proven(c, fact) for c, fact in zip(table.columns, facts, strict=True)
        ]
        spelled = [self._options.field_name(c.name) for c in columns]
        class_name = self._names.get(table.name) or self._class_name(table.name)
        return Model(
            class_name,
            tuple(
                Field(
                    name,
                    self._shapes.narrowed(
                        self._value(table, column), fact, f"{class_name}_{column.name}"
                    ),
                    column.comment,
                )
                for name, column, fact in zip(
                    identifiers.distinct(spelled), columns, facts, strict=True
                )
            ),
            table.comment,
            table_name=table.name,
        )

    def _value(self, table: Table, column: Column) -> Value:
        try:
            found = self._types.of_table_column(column, table.name)
        except UnknownTypeError as unknown:
            self._problems.add(
                f"table {table.name}",
                f"column {column.name!r} has the type {str(unknown)!r}, "
                "which has no Python type",
                "add an override for it",
            )
            found = self._types.unknown
        return Value(found, not column.not_null)

    def of_result(
        self, columns: tuple[Column, ...], proven: list[Fact | Embedded]
    ) -> Model | None:
        """Return a table's model, if a result is its columns, as proven there."""
        first = proven[0]
        table = first.origin.table if isinstance(first, Fact) and first.origin else None
        if table is None or table not in self._names:
            return None
        own = self._analyzer.relation(table).columns
        if [fact for _, fact in own] != proven:
            return None
        if [name for name, _ in own] != [column.name for column in columns]:
            return None
        is_typed = all(
            field.value.type is not self._types.unknown
            for field in self._make(table).fields
            if isinstance(field.value, Value)
        )
        return self.get(table) if is_typed else None


def _proven(column: Column, fact: Fact) -> Column:
    """Return a column; a view's, as its query proves it."""
    name, dims = fact.sql_type or (column.type, column.array_dims)
    sources = fact.origin.sources if fact.origin else ()
    return column._replace(
        type=name, array_dims=dims, not_null=fact.not_null, sources=sources
    )
