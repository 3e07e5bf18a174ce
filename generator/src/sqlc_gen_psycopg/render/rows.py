"""Row classes, and the row factories that build them by position."""

import re
from collections.abc import Sequence
from keyword import iskeyword

from sqlc_gen_psycopg.ir.python_types import SUPPORT, JsonObject
from sqlc_gen_psycopg.ir.results import Embed, Field, Model, Row, Scalar, Value
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.naming.literals import quoted
from sqlc_gen_psycopg.render import layout, values
from sqlc_gen_psycopg.render.layout import Comprehension, Conditional, Doc
from sqlc_gen_psycopg.render.source import Source, docstring

# What each row factory needs.
_OF_FACTORIES = {
    "typing": ("Any",),
    "collections.abc": ("Sequence",),
    "psycopg.rows": ("RowMaker",),
}


def add_class(source: Source, row: Row | Model, *, within: str = "") -> None:
    """Add a row's class; ``within`` is the module whose names need no prefix."""
    for field in row.fields:
        add_objects(source, field.value)
    doc = docstring(row.doc)
    lines = [*_class_head(source, row), *doc]
    if doc:
        lines.append("")
    if source.is_pydantic:
        lines += [*_config(source, row), ""]
    for field in row.fields:
        source.need(*field.value.imports)
        annotation = field.value.annotation.removeprefix(within)
        default = " = None" if field.is_none_by_default else ""
        typed = layout.Annotated(field.name, annotation, is_field=True, default=default)
        lines += layout.lines(typed, 4)
        lines += docstring(field.doc)
    if not row.fields and not source.is_pydantic:
        lines.append("    pass")
    source.add(row.name, lines)


def _config(source: Source, row: Row | Model) -> list[str]:
    arguments = ["arbitrary_types_allowed=True"]
    if source.is_frozen:
        arguments.append("frozen=True")
    if any(field.doc for field in row.fields):
        # Looks at the class's source: only where there is something to be found.
        arguments.append("use_attribute_docstrings=True")
    return layout.call_lines(4, "model_config = ConfigDict", *arguments)


def add_objects(source: Source, value: Value | Embed) -> None:
    """Add the classes of the JSON objects that a value is made of."""
    if isinstance(value, Value):
        for made in value.type.objects:
            _add_object(source, made)


def _add_object(source: Source, made: JsonObject) -> None:
    # Pydantic takes no other on Python 3.11.
    source.need_from(
        "typing_extensions" if source.is_pydantic else "typing", "TypedDict"
    )
    for _, found in made.fields:
        source.need(*found.imports)
    used = {
        word
        for _, found in made.fields
        for word in re.findall(r"\w+", found.annotation)
    }
    if all(_is_attribute(key) and key not in used for key, _ in made.fields):
        lines = [f"class {made.name}(TypedDict):"]
        for key, found in made.fields:
            typed = layout.Annotated(key, found.annotation, is_field=True)
            lines += layout.lines(typed, 4)
    else:
        items = tuple(
            layout.Annotated(quoted(key), found.annotation)
            for key, found in made.fields
        )
        keys = layout.Brackets("{", items, "}")
        made_of = layout.call("TypedDict", quoted(made.name), keys)
        lines = layout.lines(made_of._replace(head=f"{made.name} = TypedDict("), 0)
    source.add(made.name, lines)


def _is_attribute(key: str) -> bool:
    """Tell whether a class may spell a key as a name, which it would mangle."""
    return key.isidentifier() and not iskeyword(key) and not key.startswith("__")


def _class_head(source: Source, row: Row | Model) -> list[str]:
    if source.is_pydantic:
        source.need_from("pydantic", "BaseModel", "ConfigDict")
        return [f"class {row.name}(BaseModel):"]
    source.need_from("dataclasses", "dataclass")
    arguments = ["frozen=True", "slots=True"] if source.is_frozen else ["slots=True"]
    defaults = [field.is_none_by_default for field in row.fields]
    if defaults != sorted(defaults):
        # By position, none without a default may follow one that has one.
        arguments.append("kw_only=True")
    return [f"@dataclass({', '.join(arguments)})", f"class {row.name}:"]


def factory_name(row: Row | Model) -> str:
    """Return the name of a row class's factory.

    A query's own class is called a row already; a table's may be, too, but then the
    shorter name is that of another table.
    """
    name = identifiers.snake(row.name)
    return name if isinstance(row, Row) and name.endswith("_row") else f"{name}_row"


def add_factory(source: Source, name: str, class_name: str, row: Row | Model) -> None:
    """Add the row factory of a row class."""
    value = construct(source, class_name, row.fields, 0)
    _add(source, name, class_name, value, [f.value for f in row.fields])


def add_scalar_factory(source: Source, name: str, scalar: Scalar) -> None:
    """Add the row factory of a converted scalar."""
    source.need(*scalar.value.imports)
    value = values.load(source, scalar.value, "row[0]")
    _add(source, name, scalar.value.annotation, value, [scalar.value])


def _add(
    source: Source,
    name: str,
    annotation: str,
    value: Doc,
    given: Sequence[Value | Embed],
) -> None:
    source.need_all(_OF_FACTORIES)
    readers = sorted({e for v in given for e in values.text_arrays(v)})
    parameter = "cursor: AdaptContext" if readers else "_: object"
    returns = f" -> RowMaker[{annotation}]:"
    lines = [
        *layout.head(layout.call_lines(0, f"def {name}", parameter, tail=returns)),
        '    """Make rows by position: a row factory for psycopg."""',
        *(
            f'    {values.reader(e)} = support.array_reader(cursor, "{e}")'
            for e in readers
        ),
        "",
        *layout.call_lines(
            4, "def make", "row: Sequence[Any]", tail=f" -> {annotation}:"
        ),
        *returned(value),
        "",
        "    return make",
    ]
    source.add(name, lines)
    if readers:
        source.need_from("psycopg.abc", "AdaptContext")
        source.need(SUPPORT)


def returned(value: Doc) -> list[str]:
    """Return the lines of an inner function that returns a value."""
    if isinstance(value, layout.Brackets):
        head = len(value.head)
        if head + 12 <= layout.WIDTH < head + len("        return "):
            # Parentheses are of use only if the name then fits.
            return ["        return (", *layout.lines(value, 12), "        )"]
        return layout.lines(value._replace(head=f"return {value.head}"), 8)
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
            return value._replace(head=f"{name}={value.head}")
        case Comprehension():
            return value._replace(head=f"{name}={value.head}")
        case Conditional():
            return value._replace(value=_keyword(name, value.value))
        case _:
            return f"{name}={layout.flat(value)}"


def _is_converted(value: Value | Embed) -> bool:
    return isinstance(value, Embed) or value.is_converted


def _item(source: Source, value: Value | Embed, position: int) -> Doc:
    if isinstance(value, Value):
        return values.load(source, value, f"row[{position}]")
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
