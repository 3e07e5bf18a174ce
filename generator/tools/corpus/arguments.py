"""Arguments that fit a generated function's annotations, and its parameters' types."""

import collections.abc
import contextlib
import datetime
import enum
import ipaddress
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from generator.tools import annotations
from generator.tools.annotations import Annotation
from generator.tools.corpus.literals import Drawer, NoLiteralError

_SHARE_OF_NONE = 0.2
# What no row holds yet, so that an INSERT finds a free key.
_SHARE_OF_NEW = 0.25
_NEW = range(5000, 30000)
_TEXTS = ("text", "varchar", "citext")
_TAKING_NEW = (*_TEXTS, "int4", "int8", "numeric")
_BYTES = (b"\x00\xff\x10", b"", b"a")
_JSON: tuple[object, ...] = (
    {"a": [1, None, "x"]},
    [1, 2],
    "s",
    3,
    2.5,
    True,
    {"k": {"v": None}},
)
# What hstore takes.
_PAIRS: tuple[dict[str, str | None], ...] = ({"a": "1", "b": None}, {})
_DURATIONS = (datetime.timedelta(days=1), datetime.timedelta(hours=2, minutes=30))
# What a parameter is taken for where the server's type is none of its annotation's.
_OWN_TYPES: dict[object, str] = {
    bool: "bool",
    int: "int4",
    str: "text",
    float: "float8",
    Decimal: "numeric",
    UUID: "uuid",
    datetime.date: "date",
    datetime.datetime: "timestamptz",
    datetime.time: "time",
    ipaddress.IPv4Address: "inet",
    ipaddress.IPv6Address: "inet",
    ipaddress.IPv4Interface: "inet",
    ipaddress.IPv6Interface: "inet",
    ipaddress.IPv4Network: "cidr",
    ipaddress.IPv6Network: "cidr",
}
_READ: dict[object, Callable[[str], object]] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    str: str,
    float: float,
    Decimal: Decimal,
    UUID: UUID,
    datetime.date: datetime.date.fromisoformat,
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
    ipaddress.IPv4Address: ipaddress.IPv4Address,
    ipaddress.IPv6Address: ipaddress.IPv6Address,
    ipaddress.IPv4Interface: ipaddress.IPv4Interface,
    ipaddress.IPv6Interface: ipaddress.IPv6Interface,
    ipaddress.IPv4Network: ipaddress.IPv4Network,
    ipaddress.IPv6Network: ipaddress.IPv6Network,
}
_DRAWS = 20


class NoArgumentError(Exception):
    """No value of this annotation is known here."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Draws arguments for one function; `names` serve forward references."""

    drawer: Drawer
    names: Mapping[str, object]
    share_of_new: float = _SHARE_OF_NEW

    def draw(  # noqa: PLR0911 - one return a kind of annotation
        self, annotation: Annotation, oid: int, *, none: bool | None = None
    ) -> object:
        """Draw an argument for a parameter of the server's type `oid`.

        `none` says whether an Optional one is None; by default that is drawn, too.

        Raises:
            NoArgumentError: nothing known here fits the annotation.
        """
        annotation = annotations.resolved(annotation, self.names)
        seeded = self.drawer.seeded
        if annotation in (None, types.NoneType):
            return None
        if annotations.is_optional(annotation):
            if none is None:
                none = seeded.random() < _SHARE_OF_NONE
            if none:
                return None
        arms = annotations.arms(annotations.without_none(annotation))
        if any(map(_is_of_json, arms)):
            return self._json()
        arm = seeded.choice(arms)
        if annotations.origin(arm) is dict:
            return seeded.choice(_PAIRS)
        if annotations.is_composite(arm):
            return self._composite(arm, oid)
        inner = annotations.arguments(arm)
        kind = annotations.origin(arm) or arm
        if kind in (collections.abc.Sequence, list):
            return self._elements(inner[0], oid)
        if kind in (Range, Multirange):
            return self._range(kind, inner)
        return self._scalar(arm, oid)

    def read(self, annotation: Annotation, text: str) -> object:
        """Read an argument from the text that PostgreSQL gives a value.

        Raises:
            NoArgumentError: it is none of the annotation's values.
        """
        for arm in annotations.arms(annotations.resolved(annotation, self.names)):
            is_enum = isinstance(arm, type) and issubclass(arm, enum.Enum)
            with contextlib.suppress(ValueError, ArithmeticError, KeyError):
                return arm(text) if is_enum else _READ[arm](text)
        raise NoArgumentError(text)

    def literal(self, oid: int) -> str:
        """Draw the text of a value of the server's type `oid`.

        Raises:
            NoLiteralError: none is known.
        """
        seeded = self.drawer.seeded
        name = self.drawer.types[oid].name
        if name in _TAKING_NEW and seeded.random() < _SHARE_OF_NEW:
            return str(seeded.choice(_NEW))
        return self.drawer.draw(oid)

    def _elements(self, annotation: Annotation, oid: int) -> list[object]:
        element = self.drawer.types[oid].element if oid in self.drawer.types else 0
        if annotations.origin(annotation) is collections.abc.Sequence:
            # The rows of a grid are equally long.
            [inner] = annotations.arguments(annotation)
            return [[self.draw(inner, element) for _ in range(2)] for _ in range(2)]
        length = self.drawer.seeded.randint(0, 3)
        return [self.draw(annotation, element) for _ in range(length)]

    def _composite(self, kind: Annotation, oid: int) -> object:
        """Draw one of a composite type's values; its fields are its attributes.

        Where it is compared, the server takes it for any `record`.
        """
        attributes = self.drawer.types[oid].attributes or self._attributes(kind)
        hints = annotations.hints(kind, self.names).values()
        drawn = (self.draw(h, o) for h, o in zip(hints, attributes, strict=True))
        return kind(*drawn)

    def _attributes(self, kind: Annotation) -> list[int]:
        called = kind.__name__.lower()
        return next(
            known.attributes
            for known in self.drawer.types.values()
            if known.attributes and known.name.replace("_", "") == called
        )

    def _json(self) -> object:
        return self.drawer.seeded.choice(_JSON)

    def _range(self, kind: Annotation, inner: tuple[Annotation, ...]) -> object:
        bound = inner[0] if inner else int
        lower, upper = sorted(
            [self._scalar(bound, 0), self._scalar(bound, 0)], key=lambda b: (b,)
        )
        drawn = Range[Any](lower, upper)
        return drawn if kind is Range else Multirange([drawn])

    def _scalar(self, annotation: Annotation, oid: int) -> object:
        seeded = self.drawer.seeded
        if annotation is bytes:
            return seeded.choice(_BYTES)
        if annotation is datetime.timedelta:
            return seeded.choice(_DURATIONS)
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            return seeded.choice(list(annotation))
        if annotation in (Any, object):
            annotation = str
        if seeded.random() < self.share_of_new and self._takes_new(annotation, oid):
            number = seeded.choice(_NEW)
            return UUID(int=number) if annotation is UUID else annotation(number)
        if annotation not in _READ:
            raise NoArgumentError(annotations.spelled(annotation))
        for source in (oid, self._own_type(annotation)):
            for _ in range(_DRAWS):
                try:
                    return _READ[annotation](self.drawer.draw(source))
                except (ValueError, ArithmeticError, KeyError, NoLiteralError):
                    continue
        raise NoArgumentError(annotations.spelled(annotation))

    def _takes_new(self, annotation: Annotation, oid: int) -> bool:
        """Tell whether any number will do, be it as a text."""
        kind = self.drawer.types.get(oid)
        is_text = kind is None or kind.name in _TEXTS
        return annotation in (int, UUID) or (annotation is str and is_text)

    def _own_type(self, annotation: Annotation) -> int:
        name = _OWN_TYPES[annotation]
        return next(o for o, kind in self.drawer.types.items() if kind.name == name)


def _is_of_json(arm: Annotation) -> bool:
    """Tell whether an arm is one of the protocols that JSON's values have."""
    module = getattr(annotations.origin(arm), "__module__", "")
    return str(module).endswith(".json_types")
