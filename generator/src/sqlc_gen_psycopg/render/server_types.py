"""The types that a connection must learn, and the function that teaches it."""

import re

from sqlc_gen_psycopg import names
from sqlc_gen_psycopg.pytypes import SERVER_TYPES, LearnedType
from sqlc_gen_psycopg.render import layout, rows, values
from sqlc_gen_psycopg.render.calls import ASYNC, Face
from sqlc_gen_psycopg.render.source import Source, docstring
from sqlc_gen_psycopg.rows import Field, Row, Value

_PREFIX = re.compile(r"\bserver_types\.")
_ASKED = "Teach a connection the types of this package, as a pool's `configure` does."


def add_types(source: Source, learned: list[LearnedType]) -> None:
    """Add the classes, what checks that they came, and what registers them."""
    for kind in learned:
        if kind.class_name:
            rows.add_class(source, _row(kind))
    for kind in learned:
        _add_check(source, kind)
        _add_learn(source, kind)
    # Here they need no prefix.
    source.imports.difference_update(SERVER_TYPES)
    source.blocks[:] = [_PREFIX.sub("", block) for block in source.blocks]


def add_register(source: Source, face: Face, learned: list[LearnedType]) -> None:
    """Add `register_types` for one kind of connection."""
    source.need_from("typing", "Any")
    source.need_from("psycopg", face.connection)
    head = f"{face.define} register_types(conn: {face.connection}[Any]) -> None:"
    lines = [head, *docstring(_ASKED)]
    for kind in learned:
        info = "CompositeInfo" if kind.class_name else "TypeInfo"
        module = "psycopg.types.composite" if kind.class_name else "psycopg.types"
        source.need_from(module, info)
        if face is ASYNC:
            source.need_from("@server_types", f"learn_{kind.function}")
        fetched = f"{face.wait}{info}.fetch(conn, {_literal(kind)})"
        lines += layout.call_lines(4, f"learn_{kind.function}", fetched, "conn")
    source.add("register_types", lines)


def _literal(kind: LearnedType) -> str:
    parts = [part for part in (kind.source.schema, kind.source.name) if part]
    spelled = ".".join(
        part if re.fullmatch(r"[a-z_][a-z0-9_]*", part) else f'"{part}"'
        for part in parts
    )
    return f"'{spelled}'" if '"' in spelled else f'"{spelled}"'


def _row(kind: LearnedType) -> Row:
    spelled = names.distinct(names.snake(n, names.FIELDS) for n, _ in kind.attributes)
    return Row(
        kind.class_name,
        tuple(
            Field(name, Value(found, nullable=True))
            for name, (_, found) in zip(spelled, kind.attributes, strict=True)
        ),
        f"The composite type `{kind.source}`.",
    )


def _add_check(source: Source, kind: LearnedType) -> None:
    annotation, returned = kind.py_type.annotation, "value"
    if not kind.class_name:
        source.need_from("typing", "cast")
        returned = f'cast("{annotation}", value)'
    text = f"Return what came as `{kind.source}`, which the connection must know."
    missing = f'"the connection does not know {kind.source}: call register_types(conn)"'
    source.add(
        f"known_{kind.function}",
        [
            f"def known_{kind.function}(value: object) -> {annotation}:",
            *docstring(text),
            f"    if isinstance(value, {kind.class_name or 'dict'}):",
            f"        return {returned}",
            *layout.call_lines(4, "raise TypeError", missing),
        ],
    )


def _add_learn(source: Source, kind: LearnedType) -> None:
    source.need_from("psycopg.abc", "AdaptContext")
    if not kind.class_name:
        _add_learn_hstore(source, kind)
        return
    source.need_from("typing", "Any")
    source.need_from("collections.abc", "Sequence")
    source.need_from("psycopg.types.composite", "CompositeInfo", "register_composite")
    row = _row(kind)
    made = rows.construct(source, kind.class_name, row.fields, 0)
    sent = layout.tuple_of(
        tuple(
            values.bound(source, Value(found, nullable=True), f"value.{field.name}")
            for field, (_, found) in zip(row.fields, kind.attributes, strict=True)
        )
    )
    name = kind.function
    source.add(
        f"learn_{name}",
        [
            *_learn_head(name, "CompositeInfo"),
            *docstring(f"Register `{kind.source}` on a connection."),
            "    if info is None:",
            f'        raise LookupError("the database has no type {kind.source}")',
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


def _add_learn_hstore(source: Source, kind: LearnedType) -> None:
    source.need_from("psycopg.types", "TypeInfo")
    source.need_from("psycopg.types.hstore", "register_hstore")
    source.add(
        f"learn_{kind.function}",
        [
            *_learn_head(kind.function, "TypeInfo"),
            *docstring(f"Register `{kind.source}` on a connection."),
            "    if info is None:",
            f'        raise LookupError("the database has no type {kind.source}")',
            "    register_hstore(info, context)",
        ],
    )


def _learn_head(name: str, info: str) -> list[str]:
    items = (f"info: {info} | None", "context: AdaptContext")
    return layout.call_lines(0, f"def learn_{name}", *items, tail=" -> None:")
