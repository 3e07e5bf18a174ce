"""Values are judged by their annotations."""

import dataclasses
import datetime
import ipaddress
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypedDict
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.range import Range

from generator.tools import annotations


@dataclasses.dataclass(slots=True)
class Inner:
    """A nested row."""

    tags: list[str | None]


@dataclasses.dataclass(slots=True)
class Outer:
    """A row with a nested one."""

    id: int
    inner: Inner | None


Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | None
JSON = {"Json": Json}


class Keys(TypedDict):
    """What a JSON object has."""

    a: int
    b: list[str] | None


FITTING: list[Any] = [
    bool, int, float, str, bytes, Decimal, UUID, datetime.date, datetime.datetime,
    datetime.timedelta, ipaddress.IPv4Address, int | None, list[str | None],
    dict[str, int], tuple[int, str], tuple[int, ...], Inner, Outer, list[Outer] | None,
    Literal[1, "a"], Keys,
]  # fmt: skip


@settings(deadline=None)
@pytest.mark.parametrize("annotation", FITTING, ids=str)
@given(data=st.data())
def test_fitting_value_is_fine(
    annotation: annotations.Annotation, data: st.DataObject
) -> None:
    """Whatever a type checker would take for the annotation is no violation."""
    values: st.SearchStrategy[object] = st.from_type(annotation)
    assert annotations.violations(data.draw(values), annotation) == []


@pytest.mark.parametrize(
    ("value", "annotation", "path"),
    [
        (None, str, ""),
        ("a", int, ""),
        (True, int, ""),
        (1, float, ""),
        (1, bool, ""),
        (datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), datetime.date, ""),
        ("sad", UUID | None, ""),
        (["a", None], list[str], "[1]"),
        ([["a"], [1]], list[list[str | None]], "[1][0]"),
        ("{a,b}", list[str], ""),
        ((1, 2), tuple[int, str], "[1]"),
        ((1, 2), tuple[int], "[2]"),
        ({"a": "b"}, dict[str, int], "[value]"),
        ([Outer(1, Inner(["a", 2]))], list[Outer], "[0].inner.tags[1]"),  # type: ignore[list-item]  # the flaw
        (Outer(1, "x"), Outer | None, ".inner"),  # type: ignore[arg-type]  # the flaw
        (Range(1, 2), Range[Decimal], ".lower"),
        ({"a": [1, {"b": b"x"}]}, Json, ""),
        (True, Literal[1], ""),
        ("b", Literal["a"] | None, ""),
        ({"a": 1}, Keys, ""),
        ({"a": 1, "b": None, "c": 1}, Keys, ""),
        ([{"a": 1, "b": ["x", 1]}], list[Keys], "[0]['b'][1]"),
    ],
)
def test_value_against_its_annotation_is_found(
    value: object, annotation: object, path: str
) -> None:
    """What does not fit is told, with the way that leads to it."""
    [first, *_] = annotations.violations(value, annotation, JSON)
    assert first.path.startswith(path)


def test_unknown_annotation_is_no_pass() -> None:
    """An annotation that cannot be judged by is an error, not a fitting value."""
    with pytest.raises(TypeError, match="cannot judge"):
        annotations.violations(1, "int".join)
