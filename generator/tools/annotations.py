"""Whether a value is what its annotation promises, all the way down.

Stricter than `isinstance` in three places where a subclass, or a promotion, would
surprise who relies on the annotation: a bool is no int, a datetime is no date (they do
not compare), and an int is no float.
"""

import dataclasses
import datetime
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ForwardRef, TypeAlias, cast

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range
from pydantic import BaseModel

# Whatever `typing.get_type_hints` gives; no type says so.
Annotation: TypeAlias = Any
Names: TypeAlias = Mapping[str, object]
_GENERIC_RANGE: Annotation = Range
_UNION: Annotation = typing.Union
_NO_NAMES: Names = {}
_IMPOSTORS: dict[object, type] = {int: bool, datetime.date: datetime.datetime}


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that contradicts its annotation; the value itself is not told.

    `path` leads to it from the outermost value, as in `[3].order.tags[0]`.
    """

    path: str
    annotation: str
    found: str

    def __str__(self) -> str:
        return f"{self.path or 'the value'}: {self.annotation}, but {self.found} came"


def hints(thing: object, names: Names = _NO_NAMES) -> dict[str, Annotation]:
    """Resolve the annotations of a function or class.

    `names` are those that forward references may use beside its module's own.

    Raises:
        NameError: a forward reference leads nowhere.
    """
    return typing.get_type_hints(thing, localns=dict(names))


def violations(
    value: object, annotation: Annotation, names: Names = _NO_NAMES, path: str = ""
) -> list[Violation]:
    """List every part of a value that does not fit its annotation.

    Raises:
        TypeError: the annotation is of a kind that is not known here.
    """
    annotation = resolved(annotation, names)
    if annotation in (Any, object):
        return []
    for is_such, judge in _JUDGES:
        if is_such(annotation):
            return judge(value, annotation, names, path)
    expected = origin(annotation) or annotation
    if expected is None:
        expected = types.NoneType
    if not isinstance(expected, type):
        raise TypeError(f"cannot judge a value by the annotation {annotation!r}")
    if not _is_instance(value, expected):
        return [Violation(path, spelled(annotation), type(value).__qualname__)]
    return [
        violation
        for step, part, promised in _parts(value, annotation, names)
        for violation in violations(part, promised, names, path + step)
    ]


def _against_union(
    value: object, annotation: Annotation, names: Names, path: str
) -> list[Violation]:
    """Judge by the arm that fits best: one whose own type fits, if none does whole."""
    by_arm = [violations(value, arm, names, path) for arm in arms(annotation)]
    if not all(by_arm):
        return []
    deeper = [found for found in by_arm if found[0].path != path]
    if deeper:
        return deeper[0]
    return [Violation(path, spelled(annotation), type(value).__qualname__)]


def _against_constants(
    value: object, annotation: Annotation, _: Names, path: str
) -> list[Violation]:
    # True is no 1, though they are equal.
    constants: tuple[object, ...] = typing.get_args(annotation)
    if any(type(one) is type(value) and one == value for one in constants):
        return []
    return [Violation(path, spelled(annotation), type(value).__qualname__)]


def _against_keys(
    value: object, annotation: Annotation, names: Names, path: str
) -> list[Violation]:
    """Judge a dict by its keys, all of which must be there, and by what they have."""
    promised = hints(annotation, names)
    if not isinstance(value, dict):
        return [Violation(path, spelled(annotation), type(value).__qualname__)]
    found = cast("dict[str, object]", value)
    if found.keys() != promised.keys():
        return [Violation(path, spelled(annotation), "a dict with other keys")]
    return [
        violation
        for key, part in found.items()
        for violation in violations(part, promised[key], names, f"{path}[{key!r}]")
    ]


def _is_instance(value: object, expected: type) -> bool:
    impostor = _IMPOSTORS.get(expected)
    return isinstance(value, expected) and not (
        impostor is not None and isinstance(value, impostor)
    )


def _parts(
    value: object, annotation: Annotation, names: Names
) -> Iterator[tuple[str, object, Annotation]]:
    """Yield the parts of a value: the step that leads there, the part, its promise."""
    inner = typing.get_args(annotation)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        promised = hints(type(value), names)
        for field in dataclasses.fields(value):
            yield f".{field.name}", getattr(value, field.name), promised[field.name]
    elif isinstance(value, BaseModel):
        promised = hints(type(value), names)
        for name in type(value).model_fields:
            yield f".{name}", getattr(value, name), promised[name]
    elif not inner:
        return
    elif isinstance(value, Range):
        bounds = cast("Any", value)
        yield ".lower", bounds.lower, inner[0] | None
        yield ".upper", bounds.upper, inner[0] | None
    elif isinstance(value, tuple):
        yield from _parts_of_tuple(cast("tuple[object, ...]", value), inner)
    elif isinstance(value, Mapping):
        for key, part in cast("Mapping[object, object]", value).items():
            yield "[key]", key, inner[0]
            yield "[value]", part, inner[1]
    elif isinstance(value, Sequence):
        # The parts of a multirange are ranges.
        is_multirange = isinstance(value, Multirange)
        promise = _GENERIC_RANGE[inner[0]] if is_multirange else inner[0]
        for number, part in enumerate(cast("Sequence[object]", value)):
            yield f"[{number}]", part, promise


def _parts_of_tuple(
    value: tuple[object, ...], inner: tuple[Annotation, ...]
) -> Iterator[tuple[str, object, Annotation]]:
    if inner[-1] is Ellipsis:
        inner = inner[:1] * len(value)
    if len(inner) != len(value):
        # A wrong length is told as a part that never fits.
        yield f"[{len(value)}]", value, types.NoneType
        return
    for number, (part, promised) in enumerate(zip(value, inner, strict=True)):
        yield f"[{number}]", part, promised


def resolved(annotation: Annotation, names: Names = _NO_NAMES) -> Annotation:
    """Follow forward references and `Annotated` to the type they stand for."""
    if isinstance(annotation, str):
        annotation = ForwardRef(annotation)
    if isinstance(annotation, ForwardRef):
        return resolved(names[annotation.__forward_arg__], names)
    if origin(annotation) is typing.Annotated:
        return resolved(typing.get_args(annotation)[0], names)
    return annotation


def is_union(annotation: Annotation) -> bool:
    """Tell whether an annotation is `A | B`, in either spelling."""
    return origin(annotation) in (typing.Union, types.UnionType)


def is_literal(annotation: Annotation) -> bool:
    """Tell whether an annotation lists constants."""
    return origin(annotation) is typing.Literal


def is_typed_dict(annotation: Annotation) -> bool:
    """Tell whether an annotation is a TypedDict, be it of `typing_extensions`."""
    return isinstance(annotation, type) and hasattr(annotation, "__required_keys__")


def is_optional(annotation: Annotation) -> bool:
    """Tell whether an annotation allows None."""
    return annotation in (None, types.NoneType, Any, object) or (
        is_union(annotation) and any(map(is_optional, typing.get_args(annotation)))
    )


def is_untyped(annotation: Annotation) -> bool:
    """Tell whether an annotation promises nothing, at any depth."""
    return annotation in (Any, object) or any(
        map(is_untyped, typing.get_args(annotation))
    )


def is_composite(annotation: Annotation) -> bool:
    """Tell whether an annotation is the class of a composite type, one value."""
    return str(getattr(annotation, "__module__", "")).endswith("server_types")


def without_none(annotation: Annotation) -> Annotation:
    """Take None out of a union; of a longer one a union is left."""
    if not is_union(annotation):
        return annotation
    left = [arm for arm in typing.get_args(annotation) if arm is not types.NoneType]
    return _UNION[tuple(left)]


def arms(annotation: Annotation) -> tuple[Annotation, ...]:
    """Return the members of a union, or the one annotation."""
    return typing.get_args(annotation) if is_union(annotation) else (annotation,)


def spelled(annotation: Annotation) -> str:
    """Spell an annotation for a message, without the modules of classes."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return "None" if annotation is types.NoneType else annotation.__qualname__
    if is_union(annotation):
        return " | ".join(map(spelled, typing.get_args(annotation)))
    if origin(annotation) is typing.Literal:
        return f"Literal{[*typing.get_args(annotation)]}"
    inside = ", ".join(map(spelled, typing.get_args(annotation)))
    generic = origin(annotation)
    return f"{spelled(generic)}[{inside}]" if generic else str(annotation)


def origin(annotation: Annotation) -> Annotation:
    """Return what stands before an annotation's brackets, None without brackets."""
    return typing.get_origin(annotation)


def arguments(annotation: Annotation) -> tuple[Annotation, ...]:
    """Return what stands in an annotation's brackets."""
    return typing.get_args(annotation)


_JUDGES: tuple[
    tuple[
        Callable[[Annotation], bool],
        Callable[[object, Annotation, Names, str], list[Violation]],
    ],
    ...,
] = (
    (is_union, _against_union),
    (is_literal, _against_constants),
    (is_typed_dict, _against_keys),
)
