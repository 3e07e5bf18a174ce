"""The types that are registered on a connection, and the function that does it."""

import re

from sqlc_gen_psycopg.ir.python_types import (
    SERVER_TYPES,
    PyType,
    RegisteredType,
    Wrap,
)
from sqlc_gen_psycopg.ir.results import Field, Row, Value
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.render import layout, rows, values
from sqlc_gen_psycopg.render.calls import ASYNC, ConnectionKind
from sqlc_gen_psycopg.render.source import Source, docstring

_PREFIX = re.compile(r"\bserver_types\.")
_ASKED = (
    "Register the types of this package on a connection, as a pool's `configure` does."
)


def add_types(source: Source, registered: list[RegisteredType]) -> None:
    """Add the classes, what checks that they came, and what registers them."""
    for kind in registered:
        if kind.is_composite:
            rows.add_class(source, _row(kind))
        elif kind.bound:
            _add_range_class(source, kind)
    for kind in registered:
        _add_check(source, kind)
        _add_register(source, kind)
    # Here they need no prefix.
    source.imports.difference_update(SERVER_TYPES)
    source.blocks[:] = [_PREFIX.sub("", block) for block in source.blocks]


def add_register(
    source: Source, connection: ConnectionKind, registered: list[RegisteredType]
) -> None:
    """Add `register_types` for one kind of connection."""
    source.need_from("typing", "Any")
    source.need_from("psycopg", connection.connection)
    given = f"conn: {connection.connection}[Any]"
    head = f"{connection.define} register_types({given}) -> None:"
    lines = [head, *docstring(_ASKED)]
    for kind in registered:
        info, module = _info(kind)
        source.need_from(module, info)
        if connection is ASYNC:
            source.need_from("@server_types", f"register_{kind.function}_type")
        fetched = f"{connection.wait}{info}.fetch(conn, {_literal(kind)})"
        lines += layout.call_lines(4, f"register_{kind.function}_type", fetched, "conn")
    source.add("register_types", lines)


def _info(kind: RegisteredType) -> tuple[str, str]:
    """Return what psycopg fetches of a type, and the module that has it."""
    if kind.is_composite:
        return "CompositeInfo", "psycopg.types.composite"
    return "TypeInfo", "psycopg.types"


def _literal(kind: RegisteredType) -> str:
    parts = [part for part in (kind.source.schema, kind.source.name) if part]
    spelled = ".".join(
        part if re.fullmatch(r"[a-z_][a-z0-9_]*", part) else f'"{part}"'
        for part in parts
    )
    return f"'{spelled}'" if '"' in spelled else f'"{spelled}"'


def _unprefixed(found: PyType) -> PyType:
    """Return a type as the module spells it that has its class and its functions."""

    def own(wraps: tuple[Wrap, ...]) -> tuple[Wrap, ...]:
        return tuple(w._replace(call=_PREFIX.sub("", w.call)) for w in wraps)

    return found._replace(
        annotation=_PREFIX.sub("", found.annotation),
        parameter=_PREFIX.sub("", found.parameter),
        bind=own(found.bind),
        load=own(found.load),
    )


def _row(kind: RegisteredType) -> Row:
    spelled = identifiers.distinct(
        identifiers.snake(n, identifiers.FIELDS) for n, _ in kind.attributes
    )
    return Row(
        kind.class_name,
        tuple(
            Field(name, Value(_unprefixed(found), attribute not in kind.required))
            for name, (attribute, found) in zip(spelled, kind.attributes, strict=True)
        ),
        f"The composite type `{kind.source}`.",
    )


def _add_check(source: Source, kind: RegisteredType) -> None:
    annotation, returned = kind.py_type.annotation, "value"
    instance = kind.class_name or "dict"
    if not kind.is_composite:
        source.need_from("typing", "cast")
        returned = f'cast("{annotation}", value)'
    if kind.bound:
        instance = kind.span
    text = f"Return what came as `{kind.source}`, which must be registered."
    missing = f'"type {kind.source} is not registered: call register_types(conn)"'
    source.add(
        f"registered_{kind.function}",
        [
            f"def registered_{kind.function}(value: object) -> {annotation}:",
            *docstring(text),
            f"    if isinstance(value, {instance}):",
            f"        return {returned}",
            *layout.call_lines(4, "raise TypeError", missing),
        ],
    )


def _add_register(source: Source, kind: RegisteredType) -> None:
    source.need_from("psycopg.abc", "AdaptContext")
    if kind.bound:
        _add_register_range(source, kind, kind.bound)
        return
    if not kind.class_name:
        _add_register_hstore(source, kind)
        return
    source.need_from("typing", "Any")
    source.need_from("collections.abc", "Sequence")
    source.need_from("psycopg.types.composite", "CompositeInfo", "register_composite")
    row = _row(kind)
    made = rows.construct(source, kind.class_name, row.fields, 0)
    sent = layout.tuple_of(
        tuple(
            values.bound(source, field.value, f"value.{field.name}")
            for field in row.fields
            if isinstance(field.value, Value)
        )
    )
    name = kind.function
    source.add(
        f"register_{name}_type",
        [
            *_register_head(name, "CompositeInfo"),
            *docstring(f"Register `{kind.source}` on a connection."),
            "    if info is None:",
            f'        raise LookupError("the database has no type {kind.source}")',
            *_read_as(kind),
            "",
            f"    def make(row: Sequence[Any], _: object) -> {kind.class_name}:",
            *rows.returned(made),
            "",
            f"    def parts(value: {kind.class_name}, _: object) -> Sequence[Any]:",
            *rows.returned(sent),
            "",
            *layout.call_lines(
                4,
                "register_composite",
                "info",
                "context",
                kind.class_name,
                "make_object=make",
                "make_sequence=parts",
            ),
        ],
    )


def _read_as(kind: RegisteredType) -> list[str]:
    """Let psycopg read attributes as the types that they stand for."""
    if not kind.read_as:
        return []
    items = tuple(
        f'{place}: types["{name}"].{"array_oid" if is_array else "oid"}'
        for place, name, is_array in kind.read_as
    )
    read_as = layout.Brackets("read_as = {", items, "}")
    return [
        "    types = context.adapters.types",
        *layout.lines(read_as, 4),
        "    info.field_types = tuple(",
        "        read_as.get(place, oid) for place, oid in enumerate(info.field_types)",
        "    )",
    ]


def _add_range_class(source: Source, kind: RegisteredType) -> None:
    """Add the class that says which type a range is sent as."""
    annotation = kind.py_type.annotation
    source.need(*kind.py_type.imports)
    what = kind.span.lower()
    made = [f"    return {kind.class_name}(value)"]
    if not kind.is_multirange:
        made = [
            "    if value.isempty:",
            f"        return {kind.class_name}(empty=True)",
            f"    return {kind.class_name}(value.lower, value.upper, value.bounds)",
        ]
    source.add(
        kind.class_name,
        [
            f"class {kind.class_name}({annotation}):",
            *docstring(f"A {what} that is sent as `{kind.source}`."),
        ],
    )
    source.add(
        f"as_{kind.function}",
        [
            *layout.call_lines(
                0,
                f"def as_{kind.function}",
                f"value: {annotation}",
                tail=f" -> {kind.class_name}:",
            ),
            *docstring(f"Return a {what} as one of `{kind.source}`."),
            *made,
        ],
    )


def _add_register_range(source: Source, kind: RegisteredType, bound: PyType) -> None:
    span, name = kind.span, kind.class_name
    loaders = [f"{span}Loader", f"{span}BinaryLoader"]
    source.need_from("psycopg.types", "TypeInfo")
    source.need_from(kind.span_module, f"{span}Dumper", *loaders)
    lines = [
        *_register_head(kind.function, "TypeInfo"),
        *docstring(f"Register `{kind.source}` on a connection."),
        "    if info is None:",
        f'        raise LookupError("the database has no type {kind.source}")',
        # psycopg's own function would have the ranges of PostgreSQL's own types, too,
        # sent as this type where they are of the same subtype.
        "    info.register(context)",
        "    adapters = context.adapters",
        f'    subtype = adapters.types["{bound.array_of}"]',
        '    oids = {"oid": info.oid, "subtype_oid": subtype.oid}',
    ]
    for loader in loaders:
        lines += _subclass("loader", loader.replace(span, name), loader)
        lines.append("    adapters.register_loader(info.oid, loader)")
    lines += _subclass("dumper", f"{name}Dumper", f"{span}Dumper")
    lines.append(f"    adapters.register_dumper({name}, dumper)")
    source.add(f"register_{kind.function}_type", lines)


def _subclass(variable: str, name: str, base: str) -> list[str]:
    """Make a subclass for the type's numbers, which each database has of its own."""
    given = (f'"{name}"', f"({base},)", "oids")
    return layout.call_lines(4, f"{variable} = type", *given)


def _add_register_hstore(source: Source, kind: RegisteredType) -> None:
    source.need_from("psycopg.types", "TypeInfo")
    source.need_from("psycopg.types.hstore", "register_hstore")
    source.add(
        f"register_{kind.function}_type",
        [
            *_register_head(kind.function, "TypeInfo"),
            *docstring(f"Register `{kind.source}` on a connection."),
            "    if info is None:",
            f'        raise LookupError("the database has no type {kind.source}")',
            "    register_hstore(info, context)",
        ],
    )


def _register_head(name: str, info: str) -> list[str]:
    items = (f"info: {info} | None", "context: AdaptContext")
    return layout.call_lines(0, f"def register_{name}_type", *items, tail=" -> None:")
