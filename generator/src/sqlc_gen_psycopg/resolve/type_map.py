"""The Python type of each PostgreSQL type, overrides included."""

import re

from sqlc_gen_psycopg.ir.python_types import (
    EnumType,
    Import,
    PyType,
    RegisteredType,
    Wrap,
    array,
)
from sqlc_gen_psycopg.ir.results import Value
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve.builtin_types import (
    BUILT_IN,
    EXTENSION_TEXT,
    INFORMATION_SCHEMA,
    OTHER_DELIMITERS,
    STR,
)
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sqlc import option_values
from sqlc_gen_psycopg.sqlc.options import Options
from sqlc_gen_psycopg.sqlc.overrides import Override, Symbol
from sqlc_gen_psycopg.sqlc.request import Column, Query, Request, type_name


class UnknownTypeError(Exception):
    """A type for which there is no Python type."""


class Types:
    """Resolves the types of columns and parameters."""

    def __init__(
        self, request: Request, schema: Schema, options: Options, problems: Problems
    ) -> None:
        self._request = request
        self._schema = schema
        self._overrides = options.overrides
        self._problems = problems
        self._required = self._required_attributes(options.not_null)
        self.enums = _enum_types(request, schema)
        # The types that are registered on connections, those they are made of first.
        self.registered: dict[Name, RegisteredType] = {}
        self._made: dict[Name, PyType] = {}
        self._comments: dict[tuple[Name | None, str], str] = {
            (table.name, column.name): column.comment
            for table in request.tables.values()
            for column in table.columns
            if column.comment
        }
        # Of each range and multirange type of the schema's: what it is a range of.
        self._subtypes = {name: subtype for name, (subtype, _) in schema.ranges.items()}
        self._subtypes |= {name: subtype for subtype, name in schema.ranges.values()}
        self._class_names = _class_names([*schema.composites, *self._subtypes])
        self._check_overrides()

    def comment(self, column: Column) -> str:
        """Return the comment on the table's column that a column is of."""
        return self._comments.get((column.table, column.original_name), "")

    def value(self, column: Column, query: Query, kind: str, name: str) -> Value:
        """Return the value of a query's column or parameter of that name.

        That its type is unknown is a problem.
        """
        where = f"{query.name}.{name}" if kind == "column" else ""
        try:
            found = self.of_column(column, column.table, where)
        except UnknownTypeError as unknown:
            what = f"{kind} {name!r}"
            self._problems.add(query.where, *_unknown(what, str(unknown)))
            found = self.unknown
        return Value(found, not column.not_null)

    def overrides_result(self, query: Query) -> bool:
        """Tell whether an override is for a column of a query's result."""
        return any(o.query.startswith(f"{query.name}.") for o in self._overrides)

    def of_column(self, column: Column, origin: Name | None, where: str = "") -> PyType:
        """Return the type of a column, given the table it comes from, if any.

        ``where`` is what an override for a query calls the column of its result.

        Raises:
            UnknownTypeError: no Python type stands for it.
        """
        override = self._override(column, origin, where) if self._overrides else None
        element = (
            self._overridden(column.type, override)
            if override
            else self.of_name(column.type)
        )
        if not column.array_dims:
            return element
        if column.type.name in OTHER_DELIMITERS:
            raise UnknownTypeError(f"{column.type}[]")
        return array(element, column.array_dims)

    unknown = PyType("object")

    def of_table_column(self, column: Column, table: Name) -> PyType:
        """Return the type of a table's own column.

        Raises:
            UnknownTypeError: no Python type stands for it.
        """
        return self.of_column(column._replace(original_name=column.name), table)

    def of_name(self, name: Name) -> PyType:
        """Return the Python type of one PostgreSQL type, overrides aside.

        Raises:
            UnknownTypeError: no Python type stands for it.
        """
        if name not in self._made:
            self._made[name] = self._of_name(name)
        return self._made[name]

    def _of_name(self, name: Name) -> PyType:
        domain = self._schema.domains.get(name)
        if name in self.enums:
            # A domain's value arrives as its base type's.
            is_binary = domain is not None and self.of_name(domain.base).is_binary
            return self.enums[name].py_type._replace(is_binary=is_binary)
        if domain:
            # The domain's array type has an OID of its own.
            base = self.of_name(domain.base)
            if domain.base_dims:
                return array(base, domain.base_dims)
            return base._replace(has_array_loader=False)
        if name.name in INFORMATION_SCHEMA:
            # Which columns of its views have, for sqlc in no schema.
            return self.of_name(Name("", INFORMATION_SCHEMA[name.name]))
        if name.schema == "" and name.name in BUILT_IN:
            return BUILT_IN[name.name]._replace(array_of=name.name)
        return self._of_others(name)

    def _of_others(self, name: Name) -> PyType:
        """Return the type of composites, ranges and extensions' types."""
        if name in self._subtypes:
            return self._registered_range(name).py_type
        if name in self._schema.composites or name.name == "hstore":
            return self._registered(name).py_type
        if name.name in EXTENSION_TEXT:
            return STR._replace(array_of="text", has_array_loader=False)
        raise UnknownTypeError(str(name))

    def _registered(self, name: Name) -> RegisteredType:
        if name not in self.registered:
            attributes = self._schema.composites.get(name, ())
            found = tuple((n, self._attribute(k, dims)) for n, k, dims in attributes)
            read_as = tuple(
                (place, kind.array_of, kind.dims > 0)
                for place, (_, kind) in enumerate(found)
                if kind.array_of and self._has_own_oid(attributes[place])
            )
            class_name = self._class_names.get(name, "")
            required = self.required(name)
            self.registered[name] = RegisteredType(
                name, class_name, found, read_as, required
            )
        return self.registered[name]

    def required(self, composite: Name) -> frozenset[str]:
        """Return the attributes of a composite type that are never NULL."""
        return self._required.get(composite, frozenset())

    def _required_attributes(
        self, listed: tuple[str, ...]
    ) -> dict[Name, frozenset[str]]:
        known = {
            f"{composite}.{name}": (composite, name)
            for composite, attributes in self._schema.composites.items()
            for name, _, _ in attributes
        }
        found: dict[Name, frozenset[str]] = {}
        for name in listed:
            attribute = known.get(name.removeprefix(f"{self._schema.default}."))
            if attribute is None:
                self._problems.add(
                    "sqlc.yaml: options.not_null",
                    f"no composite type has an attribute {name!r}",
                    _nearest(name, [*known])
                    or "write type.attribute as the schema spells it",
                )
                continue
            composite, spelled = attribute
            found[composite] = found.get(composite, frozenset()) | {spelled}
        return found

    def _registered_range(self, name: Name) -> RegisteredType:
        if name not in self.registered:
            subtype = self._subtypes[name]
            bound = self.of_name(subtype.name)
            if subtype.dims or bound.dims or bound.load or not bound.array_of:
                raise UnknownTypeError(str(name))
            self.registered[name] = RegisteredType(
                name,
                self._class_names[name],
                bound=bound,
                is_multirange=name not in self._schema.ranges,
            )
        return self.registered[name]

    def _attribute(self, name: Name, dims: int) -> PyType:
        found = array(self.of_name(name), dims)
        if found.dims and not found.has_array_loader and not found.array_of:
            raise UnknownTypeError(f"{name}[]")
        # Whatever it is, it is registered together with its composite type.
        return found._replace(has_array_loader=True)

    def _has_own_oid(self, attribute: tuple[str, Name, int]) -> bool:
        """Tell whether a type, or the type of its arrays, has an OID of its own."""
        _, name, dims = attribute
        if name in self._schema.domains:
            return True
        return dims > 0 and not self.of_name(name).has_array_loader

    def _override(
        self, column: Column, origin: Name | None, where: str
    ) -> Override | None:
        names = {f"{table}.{name}" for table, name in column.sources}
        if origin and column.original_name:
            names.add(f"{origin}.{column.original_name}")
        names |= {f"public.{name}" for name in names}
        for override in self._overrides:
            if override.nullable not in (None, not column.not_null):
                continue
            if override.column in names or (where and override.query == where):
                return override
            if override.db_type and self._is_type(column.type, override.db_type):
                return override
        return None

    def _is_type(self, name: Name, wanted: str) -> bool:
        return name == type_name(self._schema.default, "", wanted)

    def _overridden(self, name: Name, override: Override) -> PyType:
        symbol = override.py_type
        try:
            base = self.of_name(name)
        except UnknownTypeError:
            # Whatever psycopg makes of it; its arrays are read as text.
            base = PyType("object", array_of="text", has_array_loader=False)
        load = override.from_db or symbol
        same = symbol.name == base.annotation and not override.from_db
        sends = (_wrap(override.to_db),) if override.to_db else ()
        return base._replace(
            annotation=symbol.name,
            parameter="",
            imports=_imports(symbol),
            # What arrives is psycopg's own value, be the type an enum or not.
            load=() if same else (_wrap(load),),
            bind=(*sends, *base.bind),
        )

    def _check_overrides(self) -> None:
        columns = [
            f"{table.name}.{column.name}"
            for table in self._request.tables.values()
            for column in table.columns
        ]
        results = [
            f"{query.name}.{_UNMARKED.sub('', column.name)}"
            for query in self._request.queries
            for column in query.columns
        ]
        for override in self._overrides:
            if override.column.removeprefix("public.") not in ("", *columns):
                self._problems.add(
                    "sqlc.yaml: options.overrides",
                    f"no table has a column {override.column!r}",
                    _nearest(override.column, columns)
                    or "write table.column as the schema spells it",
                )
            if override.query not in ("", *results):
                self._problems.add(
                    "sqlc.yaml: options.overrides",
                    f"no query has a result column {override.query!r}",
                    _nearest(override.query, results)
                    or "write query.column as the query spells it",
                )


_UNMARKED = re.compile("[!?]$")


def _nearest(name: str, known: list[str]) -> str:
    matches = option_values.similar(name, tuple(known))
    return f"did you mean {matches[0]!r}?" if matches else ""


def _unknown(what: str, kind: str) -> tuple[str, str]:
    """Return what to say of a value whose type, if there is one, is no Python type."""
    if kind in ("", "any"):
        return f"the type of {what} cannot be told", "cast it in the query"
    remedy = "cast it in the query, or add an override for the type"
    if kind == "record":
        # What sqlc makes of * for a function that returns a table.
        remedy = "write SELECT f.a, f.b FROM function(…) AS f(a, b) instead of *"
    return f"{what} has the type {kind!r}, which has no Python type", remedy


def _imports(symbol: Symbol) -> tuple[Import, ...]:
    """Import the first part of a symbol's name from its module."""
    if symbol.module in ("", "builtins"):
        return ()
    return (Import(symbol.module, symbol.name.split(".")[0]),)


def _wrap(symbol: Symbol) -> Wrap:
    return Wrap(symbol.name, _imports(symbol))


def _enum_types(request: Request, schema: Schema) -> dict[Name, EnumType]:
    labels = schema.enums | {enum.name: enum.labels for enum in request.enums.values()}
    comments = {enum.name: enum.comment for enum in request.enums.values()}
    sources = [
        *(
            (name, schema.labels(name, first), comments.get(name, ""))
            for name, first in labels.items()
        ),
        *(
            (name, closed, domain.comment)
            for name, domain in schema.domains.items()
            if (closed := schema.closed_set(name))
        ),
    ]
    sources.sort(key=lambda source: str(source[0]))
    classes = _class_names([source[0] for source in sources])
    snakes = identifiers.distinct(identifiers.snake(each) for each in classes.values())
    readers = dict(zip(classes, snakes, strict=True))
    return {
        source[0]: EnumType(classes[source[0]], f"read_{readers[source[0]]}", *source)
        for source in sources
    }


def _class_names(found: list[Name]) -> dict[Name, str]:
    ordered = sorted(found, key=str)
    classes = identifiers.distinct([identifiers.pascal(str(name)) for name in ordered])
    return dict(zip(ordered, classes, strict=True))
