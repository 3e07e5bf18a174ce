"""The expressions that convert values on their way from and to psycopg."""

from collections.abc import Sequence

from sqlc_gen_psycopg.ir.python_types import PyType, Wrap
from sqlc_gen_psycopg.ir.results import Embed, Value
from sqlc_gen_psycopg.render import layout
from sqlc_gen_psycopg.render.layout import Comprehension, Conditional, Doc
from sqlc_gen_psycopg.render.source import Needs

# How far a value's line may be indented.
_DEEPEST = 24


def load(needs: Needs, value: Value, expression: str) -> Doc:
    """Convert what psycopg gives to what the annotation says."""
    if not value.is_converted:
        return expression
    kind = value.type
    for wrap in kind.load:
        needs.need(*wrap.imports)
    found = expression
    if kind.dims and not kind.has_array_loader:
        found = f"{reader(kind.array_of)}({expression})"
    converted = _wrapped(kind, kind.load, found, kind.dims, nullable=False)
    if value.nullable:
        return Conditional(converted, f"{expression} is not None")
    return converted


def _wrapped(
    kind: PyType, wraps: Sequence[Wrap], name: str, dims: int, *, nullable: bool
) -> Doc:
    """Pass a value, or each element of an array, through its wrappers."""
    if not wraps:
        return name
    if dims:
        variable = "v" * dims
        element = _wrapped(
            kind, wraps, variable, dims - 1, nullable=dims == 1 and kind.has_nulls
        )
        return Comprehension(element, f"for {variable} in {name}")
    result: Doc = name
    for wrap in wraps:
        result = layout.settled(layout.call(wrap.call, result), _DEEPEST)
    return Conditional(result, f"{name} is not None") if nullable else result


def bound(needs: Needs, value: Value, name: str, *, is_typed: bool = False) -> Doc:
    """Return the expression that sends a value as its declared type.

    ``is_typed`` tells whether psycopg has been told the type, or that of the array, by
    which it knows that of the elements.
    """
    kind = value.type
    if not (kind.dims or kind.bind):
        return name
    wraps = [(is_typed and wrap.untyped) or wrap for wrap in kind.bind]
    for wrap in wraps:
        needs.need(*wrap.imports)
    if wraps:
        sent = _wrapped(kind, wraps, name, kind.dims, nullable=False)
    else:
        sent = _copied(name, kind.dims)
    return Conditional(sent, f"{name} is not None") if value.nullable else sent


def _copied(name: str, dims: int) -> Doc:
    """Make lists of sequences: psycopg sends a tuple as a composite."""
    if dims == 1:
        return f"[*{name}]"
    variable = "v" * dims
    return Comprehension(_copied(variable, dims - 1), f"for {variable} in {name}")


def text_arrays(value: Value | Embed) -> set[str]:
    """Return the elements of the arrays that arrive as text."""
    if isinstance(value, Embed):
        return {e for f in value.model.fields for e in text_arrays(f.value)}
    kind = value.type
    return {kind.array_of} if kind.dims and not kind.has_array_loader else set()


def reader(element: str) -> str:
    """Return the name of the local that reads arrays of an element."""
    return f"{element}_array"
