"""JSON is read as the standard library reads it, though by another parser."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
