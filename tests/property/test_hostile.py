"""Whatever a caller passes on, the store answers with a result or a typed error."""

import inspect
import json
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from types import UnionType
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from store import ChainCursor, Store, errors
from store_testing import crossmint, factories
from tests.property.test_leaks import TOKEN, evidence, functions
from tests.support import stores

# Not about the database, or tested by what they lend.
UNTOUCHED = {
    *("atomically", "close", "connection", "limited", "open", "tracked", "transaction"),
    "within",
}

METHODS = {
    name: method
    for name, method in inspect.getmembers(Store, inspect.isfunction)
    if not name.startswith("_") and name not in UNTOUCHED
}

texts = st.builds(
    "{}{}{}".format,
    st.text(max_size=3),
    st.just(TOKEN) | st.just("") | st.just(TOKEN * 200),
    st.text(max_size=3) | st.sampled_from(["\0", "\ud800", "@", "'", "}", "\uff11_0"]),
)
digits = 86753098675309  # would be known again, as TOKEN
integers = st.sampled_from([0, 1, -1, 2**31, 2**32 + 1, 2**63, -(2**63) - 1, digits])
decimals = st.sampled_from(
    ["0", "-0", "1", "1.0000001", "-1", "NaN", "sNaN", "Infinity", "1E+400", "1E-400"]
).map(Decimal) | st.just(Decimal(digits))
times = st.sampled_from(
    [datetime.min, datetime.max, datetime.max.replace(tzinfo=UTC), datetime(2026, 1, 1)]
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | integers
    | texts
    | st.sampled_from([float("nan"), 1e308]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=6,
)
STRANGE: list[Any] = [None, True, 1.5, float("nan"), TOKEN, b"", [], {}, object()]
anything = st.sampled_from(STRANGE)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Give a store that can do all that its methods may."""
    with stores.opened(database_url) as opened:
        yield opened


@dataclass(frozen=True)
class Made:
    """What is made of hostile values within the test, by a class of the store's."""

    kind: Callable[..., Any]
    arguments: dict[str, Any]


def made(value: object) -> Any:  # noqa: ANN401 - of any type
    """Make what is to be given."""
    if isinstance(value, Made):
        return value.kind(
            **{name: made(each) for name, each in value.arguments.items()}
        )
    if isinstance(value, list):
        return [made(each) for each in cast("list[object]", value)]
    return value


def parts_of(kind: Callable[..., Any]) -> st.SearchStrategy[Made]:
    """Give a class of the store's, made of hostile values."""
    hints = typing.get_type_hints(kind)
    fields = {
        name: values(hints.get(name, str)) | anything
        for name in inspect.signature(kind).parameters
    }
    return st.fixed_dictionaries(fields).map(partial(Made, kind))


def values(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any type's
    """Give hostile values of a type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in {UnionType, typing.Union}:
        return st.one_of(*map(values, inner))
    if origin is Sequence:
        return st.lists(values(inner[0]), max_size=3)
    if origin in {Mapping, dict} or kind is Any:
        return json_values
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    if is_dataclass(cast("object", kind)) or kind is ChainCursor:
        return parts_of(cast("Callable[..., Any]", kind))
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: texts,
        int: integers,
        bool: st.booleans(),
        bytes: texts.map(lambda text: text.encode(errors="replace")),
        float: st.floats(),
        Decimal: decimals,
        UUID: st.sampled_from([UUID(int=0), uuid4()]),
        datetime: times,
        timedelta: st.sampled_from([timedelta.min, timedelta(0), timedelta.max]),
        SecretStr: texts.map(SecretStr),
        type(None): st.none(),
    }
    return known.get(kind, json_values)


@pytest.mark.parametrize("name", sorted(METHODS))
@settings(max_examples=10)
@given(data=st.data())
def test_a_method_answers_whatever_it_is_given(
    name: str, data: st.DataObject, store: Store, conn: psycopg.Connection
) -> None:
    """A result or a StoreError comes, and no error or log line repeats a value."""
    user_id = factories.add_user(conn)
    hints = typing.get_type_hints(METHODS[name])
    arguments: dict[str, Any] = {}
    for key in list(inspect.signature(METHODS[name]).parameters)[1:]:
        own = st.just(user_id) if hints[key] is UUID else values(hints[key])
        arguments[key] = data.draw(own | values(hints[key]) | anything, label=key)
    # A model that API code makes may refuse them, in pydantic's own words.
    with evidence() as kept, kept.of_errors(), suppress(ValidationError):
        getattr(store, name)(**{key: made(each) for key, each in arguments.items()})
    assert not [text for text in kept.said if str(digits) in text]
    strange = [
        error for error in kept.raised if not isinstance(error, errors.StoreError)
    ]
    assert strange == []


PUBLIC = [name for name in sorted(functions()) if ".internal." not in name]


@pytest.mark.parametrize("name", PUBLIC)
@settings(max_examples=10)
@given(data=st.data())
def test_a_generated_function_answers_whatever_it_is_given(
    name: str, data: st.DataObject, store: Store, conn: psycopg.Connection
) -> None:
    """In a store's block comes a result or a StoreError, and no value is repeated."""
    user_id = factories.add_user(conn)
    function = functions()[name]
    hints = typing.get_type_hints(function)
    arguments: dict[str, Any] = {}
    for key in list(inspect.signature(function).parameters)[1:]:
        own = st.just(user_id) if hints[key] is UUID else values(hints[key])
        arguments[key] = data.draw(own | values(hints[key]) | anything, label=key)
    with evidence() as kept, kept.of_errors(), store.connection() as lent:
        result = function(lent, **arguments)
        if callable(result):
            result()
    assert not [text for text in kept.said if str(digits) in text]
    strange = [
        error for error in kept.raised if not isinstance(error, errors.StoreError)
    ]
    assert strange == []


@given(body=json_values.map(json.dumps).map(str.encode) | st.binary(), data=st.data())
def test_the_webhook_s_door_takes_whatever_is_signed(
    body: bytes, data: st.DataObject, store: Store
) -> None:
    """What one of the secrets signed is kept and answered, whatever it says."""
    headers = crossmint.signed(f"msg-{data.draw(st.integers(0, 10**9))}", body)
    with evidence():
        assert store.receive_order_event(body, headers).event is not None
