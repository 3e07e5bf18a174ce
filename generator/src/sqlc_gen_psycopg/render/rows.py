"""Row classes, and the row factories that build them by position."""

from collections.abc import Sequence
from dataclasses import replace

from sqlc_gen_psycopg import names
from sqlc_gen_psycopg.pytypes import PyType, Wrap
from sqlc_gen_psycopg.render import layout
from sqlc_gen_psycopg.render.layout import Comprehension, Conditional, Doc
from sqlc_gen_psycopg.render.source import Source, docstring
from sqlc_gen_psycopg.rows import Embed, Field, Row, Scalar, Value

_ARRAY_READER = '''\
def _array_reader(
    cursor: AdaptContext, element: str
) -> Callable[[list[Any] | str], list[Any]]:
    """Read arrays of a type that the connection does not know: they come as text."""
    adapter = Transformer.from_context(cursor)
    oid = cursor.adapters.types[element].array_oid
    load = adapter.get_loader(oid, pq.Format.TEXT).load

    def read(value: list[Any] | str) -> list[Any]:
        if isinstance(value, list):
            return value
        elements: list[Any] = load(value.encode(adapter.encoding))
        return elements

    return read'''


def add_class(source: Source, row: Row, *, within: str = "") -> None:
    """Add a row's class; ``within`` is the module whose names need no prefix."""
    doc = docstring(row.doc)
    lines = [*_class_head(source, row.name), *doc]
    if doc:
        lines.append("")
    if source.is_pydantic:
        lines += ["    model_config = ConfigDict(arbitrary_types_allowed=True)", ""]
    for field in row.fields:
        source.need(*field.value.imports)
        annotation = field.value.annotation.removeprefix(within)
        typed = layout.Annotated(field.name, annotation, is_field=True)
        lines += layout.lines(typed, 4)
        lines += docstring(field.doc)
    if not row.fields and not source.is_pydantic:
        lines.append("    pass")
    source.add(row.name, lines)


def _class_head(source: Source, name: str) -> list[str]:
    if source.is_pydantic:
        source.need_from("pydantic", "BaseModel", "ConfigDict")
        return [f"class {name}(BaseModel):"]
    source.need_from("dataclasses", "dataclass")
    return ["@dataclass(slots=True)", f"class {name}:"]


def factory_name(row_class: str) -> str:
    """Return the name of a row class's factory."""
    name = names.snake(row_class)
    return name if name.endswith("_row") else f"{name}_row"


def add_factory(source: Source, name: str, class_name: str, row: Row) -> None:
    """Add the row factory of a row class."""
    value = construct(source, class_name, row.fields, 0)
    _add(source, name, class_name, value, [f.value for f in row.fields])


def add_scalar_factory(source: Source, name: str, scalar: Scalar) -> None:
    """Add the row factory of a converted scalar."""
    source.need(*scalar.value.imports)
    value = _load(source, scalar.value, "row[0]")
    _add(source, name, scalar.value.annotation, value, [scalar.value])


def _add(
    source: Source,
    name: str,
    annotation: str,
    value: Doc,
    values: Sequence[Value | Embed],
) -> None:
    source.need_from("typing", "Any")
    source.need_from("collections.abc", "Sequence")
    source.need_from("psycopg.rows", "RowMaker")
    readers = sorted({e for v in values for e in _text_arrays(v)})
    parameter = "cursor: AdaptContext" if readers else "_: object"
    head = layout.call(f"def {name}", parameter, tail=f" -> RowMaker[{annotation}]:")
    make = layout.call("def make", "row: Sequence[Any]", tail=f" -> {annotation}:")
    lines = [
        *layout.lines(head, 0),
        '    """Make rows by position: a row factory for psycopg."""',
        *(f'    {_reader(e)} = _array_reader(cursor, "{e}")' for e in readers),
        "",
        *layout.lines(make, 4),
        *returned(value),
        "",
        "    return make",
    ]
    source.add(name, lines)
    if readers:
        _add_array_reader(source)


def returned(value: Doc) -> list[str]:
    """Return the lines of an inner function that returns a value."""
    if isinstance(value, layout.Brackets):
        value = layout.Brackets(f"return {value.head}", value.items, value.tail)
        return layout.lines(value, 8)
    whole = f"        return {layout.flat(value)}"
    if len(whole) <= layout.WIDTH:
        return [whole]
    if isinstance(value, Comprehension):
        first, *rest = layout.lines(value, 8)
        return [f"        return {first.strip()}", *rest]
    return ["        return (", *layout.lines(value, 12), "        )"]


def construct(
    source: Source, class_name: str, fields: Sequence[Field], start: int
) -> Doc:
    """Return the call that builds a row's class from a row's values."""
    width = sum(field.value.width for field in fields)
    if not (source.is_pydantic or any(_is_converted(f.value) for f in fields)):
        cut = f"row[{start}:{start + width}]" if start else "row"
        return f"{class_name}(*{cut})"
    items: list[Doc] = []
    position = start
    for field in fields:
        item = _item(source, field.value, position)
        items.append(_keyword(field.name, item) if source.is_pydantic else item)
        position += field.value.width
    # What psycopg gives needs no validation.
    make = f"{class_name}.model_construct" if source.is_pydantic else class_name
    return layout.call(make, *items)


def _keyword(name: str, value: Doc) -> Doc:
    match value:
        case layout.Brackets():
            return replace(value, head=f"{name}={value.head}")
        case Comprehension():
            return replace(value, head=f"{name}={value.head}")
        case Conditional():
            return replace(value, value=_keyword(name, value.value))
        case _:
            return f"{name}={layout.flat(value)}"


def _is_converted(value: Value | Embed) -> bool:
    return isinstance(value, Embed) or value.is_converted


def _item(source: Source, value: Value | Embed, position: int) -> Doc:
    if isinstance(value, Value):
        return _load(source, value, f"row[{position}]")
    return _embedded(source, value, position)


def _embedded(source: Source, embed: Embed, position: int) -> Doc:
    name = f"models.{embed.model.name}"
    source.need(*embed.imports)
    end = position + embed.width
    fields = embed.model.fields
    if source.is_pydantic or any(_is_converted(field.value) for field in fields):
        built = construct(source, name, fields, position)
    else:
        built = f"{name}(*row[{position}:{end}])"
    if not embed.nullable:
        return built
    for offset, field in enumerate(fields):
        if isinstance(field.value, Value) and not field.value.nullable:
            return Conditional(built, f"row[{position + offset}] is not None")
    present = f"any(value is not None for value in row[{position}:{end}])"
    return Conditional(built, present)


def _load(source: Source, value: Value, expression: str) -> Doc:
    """Convert what psycopg gives to what the annotation says."""
    if not value.is_converted:
        return expression
    kind = value.type
    for wrap in kind.load:
        source.need(*wrap.imports)
    found = expression
    if kind.dims and not kind.known_array:
        found = f"{_reader(kind.array_of)}({expression})"
    converted = _wrapped(kind, kind.load, found, kind.dims, nullable=False)
    if value.nullable:
        return Conditional(converted, f"{expression} is not None")
    return converted


def _wrapped(
    kind: PyType, wraps: tuple[Wrap, ...], name: str, dims: int, *, nullable: bool
) -> Doc:
    """Pass a value, or each element of an array, through its wrappers."""
    if not wraps:
        return name
    if dims:
        variable = "v" * dims
        element = _wrapped(kind, wraps, variable, dims - 1, nullable=dims == 1)
        return Comprehension(element, f"for {variable} in {name}")
    result = name
    for wrap in wraps:
        result = f"{wrap.call}({result})"
    return Conditional(result, f"{name} is not None") if nullable else result


def bound(source: Source, field: Field) -> Doc:
    """Return the expression that sends a field's value as its declared type."""
    value = field.value
    assert isinstance(value, Value)  # noqa: S101 - parameters embed nothing
    kind = value.type
    for wrap in kind.bind:
        source.need(*wrap.imports)
    if kind.dims and not kind.bind:
        sent: Doc = _copied(field.name, kind.dims)
    else:
        sent = _wrapped(kind, kind.bind, field.name, kind.dims, nullable=False)
    changed = sent != field.name
    if value.nullable and changed:
        return Conditional(sent, f"{field.name} is not None")
    return sent


def _copied(name: str, dims: int) -> Doc:
    """Make lists of sequences: psycopg sends a tuple as a composite."""
    if dims == 1:
        return f"[*{name}]"
    variable = "v" * dims
    return Comprehension(_copied(variable, dims - 1), f"for {variable} in {name}")


def _text_arrays(value: Value | Embed) -> set[str]:
    if isinstance(value, Embed):
        return {e for f in value.model.fields for e in _text_arrays(f.value)}
    kind = value.type
    return {kind.array_of} if kind.dims and not kind.known_array else set()


def _reader(element: str) -> str:
    return f"{element}_array"


def _add_array_reader(source: Source) -> None:
    source.need_from("collections.abc", "Callable")
    source.need_from("psycopg", "pq")
    source.need_from("psycopg.abc", "AdaptContext")
    source.need_from("psycopg.adapt", "Transformer")
    source.need_from("typing", "Any")
    source.help(_ARRAY_READER)
