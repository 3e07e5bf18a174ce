"""What a database has: PostgreSQL's own, its extensions' and its schema's."""

from functools import cache

from sqlc_gen_psycopg.catalog import rows
from sqlc_gen_psycopg.catalog.types import (
    Operator,
    PgType,
    Signature,
    add_array,
    add_domains,
    add_rows,
)
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema.model import (
    FunctionDefinition,
    OperatorDefinition,
    Schema,
    TypeName,
)
from sqlc_gen_psycopg.sqlc.request import Enum, Table

_EXPLICIT = "e"
# The domains of information_schema, which sqlc gives without a schema.
_INFORMATION_SCHEMA = {
    "cardinal_number": "int4",
    "character_data": "varchar",
    "sql_identifier": "name",
    "time_stamp": "timestamptz",
    "yes_or_no": "varchar",
}


class Catalog:
    """Looks types, casts, operators and functions up."""

    def __init__(
        self, schema: Schema, tables: dict[Name, Table], enums: dict[Name, Enum]
    ) -> None:
        self._schema = schema
        self._tables = tables
        self._enums = {*schema.enums, *enums}
        self._types: dict[str, PgType] = {}
        self._user_types: dict[Name, PgType] = {}
        self._casts: dict[tuple[PgType, PgType], tuple[str, str]] = {}
        self.range_subtypes: dict[PgType, PgType] = {}
        self.multirange_ranges: dict[PgType, PgType] = {}
        self._operators: dict[str, list[Operator]] = {}
        self._functions: dict[tuple[str, str], list[Signature]] = {}
        # What was resolved before: each query asks for the same few operators.
        self.resolved_operators: dict[tuple[str, tuple[PgType, ...]], Operator] = {}
        self._files = [rows.BUILT_IN]
        self._load(rows.BUILT_IN)
        add_domains(self._types, _INFORMATION_SCHEMA)
        self.unknown = self._types["unknown"]
        self.text = self._types["text"]
        self.bool = self._types["bool"]
        self.record = self._types["record"]
        self.any = self._types["any"]
        self.int4 = self._types["int4"]
        self.int8 = self._types["int8"]
        for extension in schema.extensions:
            self._add_extension(extension)
        for name in schema.ranges:
            self._range(name)

    def built_in(self, name: str) -> PgType:
        """Return a type of PostgreSQL's own."""
        return self._types[name]

    def _load(self, file: str) -> None:
        types = self._types
        add_rows(types, rows.all_of(file, "t"))
        for name, subtype, multirange in rows.all_of(file, "r"):
            self.range_subtypes[types[name]] = types[subtype]
            self.multirange_ranges[types[multirange]] = types[name]
        for source, target, context, method in rows.all_of(file, "c"):
            if source in types and target in types:
                self._casts[types[source], types[target]] = context, method

    def _add_extension(self, name: str) -> None:
        file = rows.file_of(name)
        if name in rows.extensions() and file not in self._files:
            if name == "earthdistance":
                self._add_extension("cube")
            self._files.append(file)
            self._load(file)
            self._operators.clear()
            self.resolved_operators.clear()
            self._functions.clear()

    def type(self, name: Name, dims: int = 0) -> PgType:
        """Return a type by its name, or its array type; a foreign one if unknown."""
        found = self._element(name)
        # sqlc spells arrays of the catalog's tables `_int2`, and says that they are.
        if not dims or found.element is not None:
            return found
        return found.array or add_array(found)

    def written(self, written: TypeName) -> PgType:
        """Return a type as the schema's files write it."""
        return self.type(written.name, written.dims)

    def _element(self, name: Name) -> PgType:
        if name in self._user_types:
            return self._user_types[name]
        if not name.schema and name.name in self._types:
            return self._types[name.name]
        found = self._made(name)
        if found is None and self._finds_extension(name.name):
            return self._types[name.name]
        if found is None and name.name.startswith("_") and name.name[1:]:
            return self.type(Name(name.schema, name.name[1:]), 1)
        if found is None:
            found = PgType(name, "b", "U", is_foreign=True)
        self._user_types[name] = found
        if found.array is None and found.kind != "p":
            add_array(found)
        return found

    def _finds_extension(self, name: str) -> bool:
        """Load the extension that has a type of that name, if one has."""
        for extension in rows.extensions():
            if name in self._types:
                return True
            if rows.named(rows.file_of(extension), "t", name):
                self._add_extension(extension)
        return name in self._types

    def _made(self, name: Name) -> PgType | None:
        schema = self._schema
        if name in schema.domains:
            domain = schema.domains[name]
            base = self.type(domain.base, domain.base_dims)
            return PgType(
                name, "d", base.category, base=base, is_preferred=base.is_preferred
            )
        if name in self._enums:
            return PgType(name, "e", "E")
        if name in schema.composites:
            made = PgType(name, "c", "C")
            self._user_types[name] = made
            made.attributes = tuple(
                (attribute, self.type(kind, dims))
                for attribute, kind, dims in schema.composites[name]
            )
            return made
        if name in self._tables:
            # Its row type, which may have columns of itself.
            made = PgType(name, "c", "C")
            self._user_types[name] = made
            made.attributes = tuple(
                (column.name, self.type(column.type, column.array_dims))
                for column in self._tables[name].columns
            )
            return made
        return None

    def _range(self, name: Name) -> None:
        subtype, multirange = self._schema.ranges[name]
        made, multiple = PgType(name, "r", "R"), PgType(multirange, "m", "R")
        for one in (made, multiple):
            add_array(one)
            self._user_types[one.name] = one
        self.range_subtypes[made] = self.written(subtype)
        self.multirange_ranges[multiple] = made

    def array(self, element: PgType) -> PgType | None:
        """Return the type of arrays of a type, None if there is none."""
        return element.array

    def cast(self, source: PgType, target: PgType) -> tuple[str, str] | None:
        """Return the context and the method of a cast."""
        return self._casts.get((source, target))

    def user_cast(self, source: TypeName, target: TypeName, context: str) -> None:
        """Add a cast of the schema's."""
        pair = self.written(source), self.written(target)
        self._casts[pair] = context or _EXPLICIT, "f"

    def operators(self, name: str) -> list[Operator]:
        """Return the operators of a name."""
        if name not in self._operators:
            if not self._schema_casts_added:
                self._add_casts()
            found = [
                Operator(
                    tuple(self._types[one] for one in (left, right) if one),
                    self._types[result],
                )
                for file in self._files
                for left, right, result in rows.named(file, "o", name)
            ]
            found += [
                made
                for definition in self._schema.operators.get(name, ())
                if (made := self._operator(definition))
            ]
            self._operators[name] = found
        return self._operators[name]

    _schema_casts_added = False

    def _add_casts(self) -> None:
        self._schema_casts_added = True
        for source, target, context in self._schema.casts:
            self.user_cast(source, target, context)

    def _operator(self, definition: OperatorDefinition) -> Operator | None:
        left = self.written(definition.left) if definition.left else None
        right = self.written(definition.right)
        given = (left, right) if left else (right,)
        for signature in self.functions(definition.function):
            if signature.arguments == given:
                return Operator(given, signature.result)
        return None

    def has_own_operator(self, name: str) -> bool:
        """Tell whether the schema makes an operator of that name."""
        return name in self._schema.operators

    def functions(self, path: list[str]) -> list[Signature]:
        """Return the functions of a name, which may name its schema."""
        schema, name = path[-2] if len(path) > 1 else "", path[-1]
        if schema == self._schema.default:
            schema = ""
        if (schema, name) not in self._functions:
            self._functions[schema, name] = self._found_functions(schema, name)
        return self._functions[schema, name]

    def _found_functions(self, schema: str, name: str) -> list[Signature]:
        found: list[Signature] = []
        if schema in ("", "pg_catalog"):
            for file in self._files:
                found += self._of_file(file, name)
        if schema != "pg_catalog":
            for definition in self._schema.functions.get(Name(schema, name), ()):
                found.append(self._signature(definition))
            for one, (subtype, multirange) in self._schema.ranges.items():
                made = self.type(one)
                if one == Name(schema, name):
                    bound = self.written(subtype)
                    found.append(Signature((bound, bound), made, rank=1))
                    found.append(Signature((bound, bound, self.text), made, rank=1))
                elif multirange == Name(schema, name):
                    multiple = self.type(multirange)
                    found.append(Signature((), multiple, rank=1))
                    found.append(Signature((made,), multiple, rank=1))
                    if several := made.array:
                        found.append(
                            Signature((several,), multiple, variadic=made, rank=1)
                        )
        if not found:
            # Of an extension that the schema's files do not create, or elsewhere.
            for extension in rows.extensions():
                file = rows.file_of(extension)
                if rows.named(file, "f", name):
                    self._add_extension(extension)
                    found += self._of_file(file, name)
        return found

    def _of_file(self, file: str, name: str) -> list[Signature]:
        rank = 0 if file == rows.BUILT_IN else 1
        return [
            self._row(fields, rank)
            for fields in rows.named(file, "f", name)
            if self._types.keys() >= {*fields[4].split()}
        ]

    def _row(self, fields: list[str], rank: int) -> Signature:
        kind, is_set, variadic, defaults, arguments, result, names, columns, *rest = (
            fields
        )
        types = self._types
        return Signature(
            tuple(types[argument] for argument in arguments.split()),
            types.get(result) or self.record,
            kind,
            is_set == "1",
            types[variadic] if variadic else None,
            int(defaults),
            tuple(names.split(" ")) if names else (),
            tuple(
                (column.rpartition(":")[0], types[column.rpartition(":")[2]])
                for column in columns.split()
            ),
            rest[1],
            rank,
        )

    def _signature(self, definition: FunctionDefinition) -> Signature:
        arguments = tuple(self.written(kind) for _, kind in definition.arguments)
        columns = tuple((name, self.written(kind)) for name, kind in definition.columns)
        result = self.written(definition.result) if definition.result else None
        if result is None:
            result = columns[0][1] if len(columns) == 1 else self.record
        variadic = None
        if definition.is_variadic and arguments:
            last = arguments[-1]
            element = _VARIADIC.get(last.name.name, "")
            variadic = self._types[element] if element else last.element
        return Signature(
            arguments,
            result,
            definition.kind,
            definition.is_set,
            variadic,
            definition.defaults,
            tuple(name for name, _ in definition.arguments),
            columns,
            definition.direct,
            1,
        )

    def is_foreign_function(self, path: list[str]) -> bool:
        """Tell whether nothing is known of a function of that name."""
        return not self.functions(path)


_VARIADIC = {
    "any": "any",
    "anyarray": "anyelement",
    "anycompatiblearray": "anycompatible",
}


@cache
def set_returning() -> frozenset[str]:
    """Return the names of PostgreSQL's functions that return sets."""
    return frozenset(
        name for name, _, is_set, *_ in rows.all_of(rows.BUILT_IN, "f") if is_set == "1"
    )
