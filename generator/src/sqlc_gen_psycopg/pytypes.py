"""PostgreSQL types as psycopg carries them, and as Python spells them."""

from dataclasses import dataclass, replace

from sqlc_gen_psycopg import names
from sqlc_gen_psycopg.options import Options, Override, Symbol
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.request import Column, Name, Request, type_name
from sqlc_gen_psycopg.schema import Schema


@dataclass(frozen=True, slots=True)
class Import:
    """``from module import name``, or ``import module``; ``@`` is the output's root."""

    module: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Wrap:
    """A callable that a value passes through on its way, and where it comes from."""

    call: str
    imports: tuple[Import, ...] = ()


@dataclass(frozen=True, slots=True)
class PyType:
    """A Python type: how to annotate it, how to send and how to read its values."""

    annotation: str
    imports: tuple[Import, ...] = ()
    parameter: str = ""
    bind: tuple[Wrap, ...] = ()
    load: tuple[Wrap, ...] = ()
    # The type's own array type, unless psycopg does not know it: then the base
    # type's, under which the array's text can be read.
    array_of: str = ""
    known_array: bool = True
    dims: int = 0
    is_learned: bool = False

    @property
    def accepted(self) -> str:
        """The annotation of a parameter."""
        return self.parameter or self.annotation


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enum of the output: from an ENUM type or from a domain's closed set."""

    class_name: str
    source: Name
    labels: tuple[str, ...]
    comment: str


@dataclass(frozen=True, slots=True)
class LearnedType:
    """A type that each connection must learn from the server.

    A composite has a class of its own and attributes; ``hstore`` has none.
    """

    source: Name
    class_name: str = ""
    attributes: tuple[tuple[str, PyType], ...] = ()

    @property
    def function(self) -> str:
        """The end of the names of its functions."""
        return names.snake(self.class_name or self.source.name)

    @property
    def py_type(self) -> PyType:
        """The Python type of its values: what psycopg gives once it has learned."""
        annotation = "dict[str, str | None]"
        if self.class_name:
            annotation = f"server_types.{self.class_name}"
        check = Wrap(f"server_types.known_{self.function}", SERVER_TYPES)
        needed = SERVER_TYPES if self.class_name else ()
        return PyType(annotation, needed, load=(check,), is_learned=True)


_NUMERIC = "psycopg.types.numeric"
_JSON_TYPES = (Import("@", "json_types"),)
SERVER_TYPES = (Import("@", "server_types"),)


def _plain(annotation: str, *imports: Import) -> PyType:
    return PyType(annotation, imports)


def _number(annotation: str, wrapper: str) -> PyType:
    wrap = Wrap(wrapper, (Import(_NUMERIC, wrapper),))
    return PyType(annotation, bind=(wrap,))


def _json(wrapper: str) -> PyType:
    wrap = Wrap(wrapper, (Import("psycopg.types.json", wrapper),))
    return PyType(
        "json_types.JsonValue", _JSON_TYPES, "json_types.JsonInput", bind=(wrap,)
    )


def _address(kind: str) -> PyType:
    version_4, version_6 = f"IPv4{kind}", f"IPv6{kind}"
    imports = (Import("ipaddress", version_4), Import("ipaddress", version_6))
    return PyType(f"{version_4} | {version_6}", imports)


_STR = _plain("str")
_DATETIME = Import("datetime")
_TEXTUAL = """
    text varchar bpchar char name xml money bit varbit macaddr macaddr8 tsvector
    tsquery jsonpath pg_lsn point line lseg box path polygon circle regclass regproc
    regprocedure regoper regoperator regtype regrole regnamespace regconfig
    regdictionary regcollation xid xid8 cid tid int2vector oidvector pg_snapshot
    txid_snapshot pg_node_tree aclitem void cstring
"""
_BUILT_IN: dict[str, PyType] = {
    **dict.fromkeys(_TEXTUAL.split(), _STR),
    "bool": _plain("bool"),
    "bytea": _plain("bytes"),
    "cidr": _address("Network"),
    "date": _plain("datetime.date", _DATETIME),
    "float4": _number("float", "Float4"),
    "float8": _number("float", "Float8"),
    "inet": _address("Address"),
    "int2": _number("int", "Int2"),
    "int4": _number("int", "Int4"),
    "int8": _number("int", "Int8"),
    "interval": _plain("datetime.timedelta", _DATETIME),
    "json": _json("Json"),
    "jsonb": _json("Jsonb"),
    "numeric": _plain("Decimal", Import("decimal", "Decimal")),
    "oid": _number("int", "Oid"),
    "time": _plain("datetime.time", _DATETIME),
    "timestamp": _plain("datetime.datetime", _DATETIME),
    "timestamptz": _plain("datetime.datetime", _DATETIME),
    "timetz": _plain("datetime.time", _DATETIME),
    "uuid": _plain("UUID", Import("uuid", "UUID")),
}
_BOUNDS = {
    "date": "date",
    "int4": "int4",
    "int8": "int8",
    "num": "numeric",
    "ts": "timestamp",
    "tstz": "timestamptz",
}


def _spans(wrapper: str, suffix: str) -> dict[str, PyType]:
    """Return the range or multirange types, which psycopg sends as they are."""
    module = f"psycopg.types.{wrapper.lower()}"
    return {
        f"{name}{suffix}": _plain(
            f"{wrapper}[{_BUILT_IN[bound].annotation}]",
            Import(module, wrapper),
            *_BUILT_IN[bound].imports,
        )
        for name, bound in _BOUNDS.items()
    }


_BUILT_IN.update(_spans("Range", "range") | _spans("Multirange", "multirange"))
# Types of extensions that arrive as text, and their arrays as unknown to psycopg.
_EXTENSION_TEXT = ("citext", "ltree", "lquery", "ltxtquery", "isbn", "semver")
_INFORMATION_SCHEMA = {
    "cardinal_number": "int4",
    "character_data": "varchar",
    "sql_identifier": "name",
    "time_stamp": "timestamptz",
    "yes_or_no": "varchar",
}


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
        self.enums = _enum_types(request, schema)
        self.learned: dict[Name, LearnedType] = {}
        self._composite_names = _class_names(list(schema.composites))
        self._check_overrides()

    def of_column(self, column: Column, origin: Name | None) -> PyType:
        """Return the type of a column, given the table it comes from, if any.

        Raises:
            UnknownTypeError: no Python type stands for it.
        """
        override = self._override(column, origin)
        element = (
            self._overridden(column.type, override)
            if override
            else self.of_name(column.type)
        )
        if column.array_dims and column.type == Name("", "box"):
            # Its elements are told apart by a semicolon, which psycopg does not do.
            raise UnknownTypeError("box[]")
        return array(element, column.array_dims)

    unknown = PyType("object")

    def of_table_column(self, column: Column, table: Name) -> PyType:
        """Return the type of a table's own column.

        Raises:
            UnknownTypeError: no Python type stands for it.
        """
        return self.of_column(replace(column, original_name=column.name), table)

    def of_name(self, name: Name) -> PyType:
        """Return the Python type of one PostgreSQL type, overrides aside.

        Raises:
            UnknownTypeError: no Python type stands for it.
        """
        if name in self.enums:
            return _enum(self.enums[name])
        if domain := self._schema.domains.get(name):
            # The domain's array type has an OID that psycopg does not know.
            base = self.of_name(domain.base)
            if domain.base_dims:
                return array(base, domain.base_dims)
            return replace(base, known_array=False)
        if name.schema == "information_schema":
            return self.of_name(Name("", _INFORMATION_SCHEMA.get(name.name, "")))
        if name.schema == "" and name.name in _BUILT_IN:
            return replace(_BUILT_IN[name.name], array_of=name.name)
        return self._of_others(name)

    def _of_others(self, name: Name) -> PyType:
        """Return the type of composites and of extensions' types."""
        if name in self._schema.composites or name.name == "hstore":
            return self._learned(name).py_type
        if name.name in _EXTENSION_TEXT:
            return replace(_STR, array_of="text", known_array=False)
        raise UnknownTypeError(str(name))

    @property
    def learned_types(self) -> tuple[LearnedType, ...]:
        """The types that connections must learn, those they are made of first."""
        return tuple(self.learned.values())

    def _learned(self, name: Name) -> LearnedType:
        if name not in self.learned:
            attributes = self._schema.composites.get(name, ())
            found = tuple((n, self._attribute(k, dims)) for n, k, dims in attributes)
            class_name = self._composite_names.get(name, "")
            self.learned[name] = LearnedType(name, class_name, found)
        return self.learned[name]

    def _attribute(self, name: Name, dims: int) -> PyType:
        found = array(self.of_name(name), dims)
        if dims and not found.known_array:
            # Its text could be read by a cursor only.
            raise UnknownTypeError(f"{name}[]")
        return found

    def _override(self, column: Column, origin: Name | None) -> Override | None:
        for override in self._overrides:
            if override.nullable not in (None, not column.not_null):
                continue
            if override.column and origin and column.original_name:
                where = (override.column, f"{origin}.{column.original_name}")
                if where[0] == where[1] or where[0] == f"public.{where[1]}":
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
            base = PyType("object", array_of="text", known_array=False)
        load = override.from_db or symbol
        same = symbol.name == base.annotation and not override.from_db
        sends = (_wrap(override.to_db),) if override.to_db else ()
        return replace(
            base,
            annotation=symbol.name,
            parameter="",
            imports=imports_of(symbol),
            # What arrives is psycopg's own value, be the type an enum or not.
            load=() if same else (_wrap(load),),
            bind=(*sends, *base.bind),
        )

    def _check_overrides(self) -> None:
        for override in self._overrides:
            if override.column and not self._has_column(override.column):
                self._problems.add(
                    "sqlc.yaml: options.overrides",
                    f"no table has a column {override.column!r}",
                    "write table.column as the schema spells it",
                )

    def _has_column(self, wanted: str) -> bool:
        return any(
            wanted
            in (f"{table.name}.{column.name}", f"public.{table.name}.{column.name}")
            for table in self._request.tables.values()
            for column in table.columns
        )


def imports_of(symbol: Symbol) -> tuple[Import, ...]:
    """Import the first part of a symbol's name from its module."""
    if symbol.module in ("", "builtins"):
        return ()
    return (Import(symbol.module, symbol.name.split(".")[0]),)


def _wrap(symbol: Symbol) -> Wrap:
    return Wrap(symbol.name, imports_of(symbol))


def array(element: PyType, dims: int) -> PyType:
    """Return the type of an array; any element may be NULL."""
    result = element
    for _ in range(dims):
        none = " | None"
        optional = "" if result.dims else none
        accepted = result.accepted
        result = replace(
            result,
            annotation=f"list[{result.annotation}{optional}]",
            parameter=f"Sequence[{accepted}{optional}]",
            imports=result.imports,
            dims=result.dims + 1,
        )
    return result


def _enum(enum: EnumType) -> PyType:
    annotation = f"enums.{enum.class_name}"
    imports = (Import("@", "enums"),)
    return PyType(
        annotation,
        imports,
        load=(Wrap(annotation, imports),),
        array_of="text",
        known_array=False,
    )


def _enum_types(request: Request, schema: Schema) -> dict[Name, EnumType]:
    sources = [
        (enum.name, enum.labels, enum.comment) for enum in request.enums.values()
    ] + [
        (name, domain.labels, domain.comment)
        for name, domain in schema.domains.items()
        if domain.labels
    ]
    sources.sort(key=lambda source: str(source[0]))
    classes = _class_names([source[0] for source in sources])
    return {source[0]: EnumType(classes[source[0]], *source) for source in sources}


def _class_names(found: list[Name]) -> dict[Name, str]:
    ordered = sorted(found, key=str)
    classes = names.distinct(names.pascal(str(name)) for name in ordered)
    return dict(zip(ordered, classes, strict=True))
