"""The types of what methods are given: an API may pass on what it was given itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from inspect import signature
from types import UnionType
from typing import (
    Any,
    ParamSpec,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from . import errors

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Of the column that an argument, or a field of one, goes into: how many characters it
# holds. The server would say only that some value is too long.
LONGEST = {
    "color": 50,
    "crossmint_order_id": 255,
    "crossmint_user_id": 255,
    "crossmint_wallet_id": 255,
    "currency": 50,
    "email": 320,
    "id": 255,
    "image": 2048,
    "payment_hash": 255,
    "product_id": 255,
    "product_name": 500,
    "product_url": 2048,
    "retailer": 255,
    "size": 50,
    "type": 100,
}


class Parameters:
    """The parameters of a method, with their types."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._parameters = signature(method).parameters
        self._types = get_type_hints(method)

    def check(self, *args: object, **kwargs: object) -> None:
        """Refuse what is of another type than its parameter, or too long a text.

        Raises:
            InvalidValue: its ``place`` is the parameter, or the field of what it is
                given; ``expected`` the type, or the length.
        """
        # Too many, too few and unknown ones are for the method itself to refuse, which
        # costs nothing; `Signature.bind` takes longer than all of this.
        given = dict(zip(self._parameters, args, strict=False)) | kwargs
        for name, value in given.items():
            if name in self._types and not _fits(value, self._types[name]):
                wanted = self._parameters[name].annotation
                raise errors.InvalidValue(wanted, place=name)
            _refuse_texts(name, value)


def _refuse_texts(name: str, value: object) -> None:
    """Refuse a text that is longer than the column of its name, also in a field.

    And what is not text in a field for one: the server would write `true` or `5`.
    """
    if isinstance(value, str):
        longest = LONGEST.get(name)
        # The server cuts spaces off.
        if longest is not None and len(value.rstrip(" ")) > longest:
            raise errors.InvalidValue(f"at most {longest} characters", place=name)
    elif isinstance(value, list | tuple):
        for each in cast("Sequence[object]", value):
            if _field_types(type(each)):  # type: ignore[arg-type] # a class has a hash
                _refuse_texts(name, each)
    else:
        for field, text in _field_types(type(value)):  # type: ignore[arg-type] # as above
            held = getattr(value, field)
            if text and not isinstance(held, text):
                raise errors.InvalidValue(_TEXTS[text], place=field)
            if held is not None:
                _refuse_texts(field, held)


_TEXTS = {str: "str", str | None: "str | None"}


@cache
def _field_types(
    kind: type[object],
) -> tuple[tuple[str, type[str] | UnionType | None], ...]:
    """Name the fields of a dataclass, with what one for a text holds.

    Anything else has none.
    """
    if not is_dataclass(kind):
        return ()
    types = get_type_hints(kind)
    return tuple(
        (each.name, types[each.name] if types[each.name] in _TEXTS else None)
        for each in fields(kind)
    )


def checked(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Have a method refuse what is of another type than its parameter."""
    parameters = Parameters(method)

    @wraps(method)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        parameters.check(*args, **kwargs)
        return method(*args, **kwargs)

    return call


def _is(value: object, kind: type[object]) -> bool:
    if isinstance(value, bool):
        return kind in {bool, object}  # Python's is an int, too
    return isinstance(value, float | int if kind is float else kind)


def _fits(value: object, kind: Any) -> bool:  # noqa: ANN401 - any type's
    """Tell whether it is of the type; what is in a collection, by its class alone."""
    if kind is Any:
        return True
    origin, inner, classes = _parts(kind)
    if origin in {Union, UnionType}:
        return any(_fits(value, each) for each in inner)
    if not _is(value, origin):
        return False
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return not inner or all(
            isinstance(key, classes[0]) and isinstance(each, classes[1])
            for key, each in pairs
        )
    if origin is Sequence:
        # A text is a sequence of texts, but nobody's list of anything.
        return not isinstance(value, str | bytes) and all(
            isinstance(each, classes) for each in cast("Sequence[object]", value)
        )
    return True


@cache
def _parts(kind: Any) -> tuple[Any, tuple[Any, ...], tuple[type[object], ...]]:  # noqa: ANN401 - any type's
    """Take a type apart: its class, what is in brackets, and the classes of that."""
    inner = get_args(kind)
    classes = [object if each is Any else get_origin(each) or each for each in inner]
    return get_origin(kind) or kind, inner, tuple(classes)
