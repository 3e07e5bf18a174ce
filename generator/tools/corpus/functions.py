"""A generated function: how it is called, and what it promises."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import FunctionType
from typing import Any

from generator.tools import annotations
from generator.tools.annotations import Annotation
from generator.tools.corpus.generate import MASS, Query

CONNECTION = "conn"
_LIST: Annotation = list
_NOT_SENT = (CONNECTION, "fetch_size", "return")


class Way(StrEnum):
    """How a function gives its result; each is the start of such functions' names."""

    NOW = ""
    SENT = "send_"
    STREAMED = "stream_"


@dataclass(frozen=True, slots=True)
class Function:
    """A generated function.

    `promised` is the annotation of what the caller gets in the end. `parameters` are
    those of the query, `$1` first; `packed` names the one that takes them together,
    once (`arg`) or many times (`rows`), each time as `pack` makes of them.
    """

    query: Query
    call: Callable[..., Any]
    promised: Annotation
    parameters: dict[str, Annotation]
    is_async: bool
    way: Way
    packed: str = ""
    pack: Callable[..., object] = dict

    @property
    def name(self) -> str:
        """What the function is called in findings."""
        return f"{'aio: ' if self.is_async else ''}{self.way}{self.query.name}"

    @property
    def takes_rows(self) -> bool:
        """Whether it takes many rows of arguments at once."""
        return self.query.command in MASS

    @property
    def gives_one(self) -> bool:
        """Whether None may stand for a row that is missing."""
        return self.query.command in (":one", ":batchone")

    @property
    def row(self) -> Annotation:
        """The annotation of one row; None if it returns none.

        Where it gives one, that cannot tell a missing row from a value that is NULL.
        """
        match self.query.command:
            case ":many":
                return _inside(self.promised)
            case ":batchmany":
                return _inside(_inside(self.promised))
            case ":one":
                return annotations.without_none(self.promised)
            case ":batchone":
                return annotations.without_none(_inside(self.promised))
            case _:
                return None


def of(query: Query, function: FunctionType, names: dict[str, object]) -> Function:
    """Read a function of a query; `names` serve forward references."""
    hints = annotations.hints(function, names)
    is_async = ".aio." in function.__module__
    way = way_of(query, function)
    promised = _promised(hints["return"], way, is_async=is_async)
    parameters = {name: hint for name, hint in hints.items() if name not in _NOT_SENT}
    plain = Function(query, function, promised, parameters, is_async, way)
    if query.command in MASS:
        [(packed, hint)] = parameters.items()
        return _packing(plain, packed, _inside(hint), names)
    if [*parameters] == ["arg"] and _is_params(parameters["arg"]):
        return _packing(plain, "arg", parameters["arg"], names)
    return plain


def _is_params(hint: Annotation) -> bool:
    """Tell the class of a row of arguments from a composite type's."""
    return dataclasses.is_dataclass(hint) and not annotations.is_composite(hint)


def way_of(query: Query, function: FunctionType) -> Way:
    """Tell which of a query's functions one is, by its name."""
    if letters(function.__name__) != letters(query.name):
        for way in (Way.SENT, Way.STREAMED):
            if function.__name__.startswith(way):
                return way
    return Way.NOW


def letters(name: str) -> str:
    """Return what the spellings of a name have in common."""
    return name.replace("_", "").lower()


def _promised(returned: Annotation, way: Way, *, is_async: bool) -> Annotation:
    match way:
        case Way.NOW:
            return returned
        case Way.SENT:
            fetched = annotations.arguments(returned)[-1]
            return _inside(fetched) if is_async else fetched
        case Way.STREAMED:
            return _LIST[_inside(_inside(returned))]


def _packing(
    plain: Function, packed: str, hint: Annotation, names: dict[str, object]
) -> Function:
    """Return a function as one that takes its arguments together."""
    if _is_params(hint):
        fields = annotations.hints(hint, names)
        return dataclasses.replace(plain, parameters=fields, packed=packed, pack=hint)
    return dataclasses.replace(
        plain, parameters={"row": hint}, packed=packed, pack=_only
    )


def _only(row: object) -> object:
    return row


def _inside(annotation: Annotation) -> Annotation:
    return annotations.arguments(annotation)[0]
