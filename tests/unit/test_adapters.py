"""JSON is read as the standard library reads it, lists arrive as psycopg sends them."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from store import adapters
from store.adapters import JsonLoader

_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).map("{:f}".format)
_VALUES = st.recursive(
    _NUMBERS | st.text() | st.none() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def _is_read_alike(text: str) -> bool:
    # By their spelling, which tells 1 from 1.0 and from True.
    loaded = JsonLoader(0).load(memoryview(text.encode()))
    return repr(loaded) == repr(json.loads(text))


@given(_VALUES.map(lambda value: json.dumps(value, ensure_ascii=False)))
def test_any_value_is_read_alike(text: str) -> None:
    """Whatever JSON holds comes out as by `json.loads`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate, which no server stores
    assert _is_read_alike(text)


@given(_DECIMALS)
def test_any_number_is_read_alike(text: str) -> None:
    """A number of any length is the same integer, or the same float to the last bit."""
    assert _is_read_alike(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1e400", id="beyond a float"),
        pytest.param("-1e400", id="below a float"),
        pytest.param("1" + "0" * 400, id="a long integer"),
        pytest.param("1" + "0" * 400 + ".5", id="a long fraction"),
        pytest.param("[" * 500 + "]" * 500, id="deep"),
        pytest.param('"\\u0041\\ud83d\\ude00"', id="escaped"),
    ],
)
def test_the_edges_are_read_alike(text: str) -> None:
    """What other parsers refuse, round or limit is read, too."""
    assert _is_read_alike(text)


# What has a spelling of its own within an array, and what makes quotes necessary.
_TEXTS = st.text('aN{},;"\\ \t\nULé\u2003', max_size=6)
_ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "text": _TEXTS | st.just("null"),
    "varchar": _TEXTS.map(json.dumps),
    "jsonb": _TEXTS.map(Jsonb),
    "bytea": st.binary(max_size=4),
    "uuid": st.uuids(),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, places=3),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "float8": st.floats(),
    "bool": st.booleans(),
    "date": st.dates(),
    "timestamptz": st.datetimes(timezones=st.just(UTC)),
}


@st.composite
def _arrays(draw: st.DrawFn) -> tuple[str, list[Any]]:
    kind = draw(st.sampled_from(sorted(_ELEMENTS)))
    element = st.none() | _ELEMENTS[kind]
    width = draw(st.integers(1, 3))
    row = st.lists(element, min_size=width, max_size=width)
    return kind, draw(row | st.lists(row, min_size=1, max_size=2) | st.just([]))


@given(_arrays())
@example(("text", ["NULL", "", " ", None, '"', "\\"]))
def test_any_list_arrives_alike(
    conn: psycopg.Connection[Any], array: tuple[str, list[Any]]
) -> None:
    """The server understands what psycopg's own dumper would have sent."""
    kind, sent = array
    ours = conn.cursor()
    adapters.register(ours.adapters)
    query = f"SELECT %s::{kind}[]::text"
    arrived = [
        cursor.execute(query.encode(), [sent]).fetchall()
        for cursor in (ours, conn.cursor())
    ]
    assert arrived[0] == arrived[1]
