"""What is of another type than its parameter is refused, and told by its name alone."""

import asyncio
import copy
import inspect
import math
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from generated.enums import OrderStatus, OrderType
from store import (
    AsyncStore,
    ChainCursor,
    CheckoutLine,
    OrderEvent,
    Product,
    Settings,
    Store,
    arguments,
    errors,
)

VALUE = "tr0ub4dor"

# One value of each type that a method takes; `int` comes with what only looks like it.
SAMPLES: dict[str, Any] = {
    "UUID": UUID(int=1),
    "UUID | str": UUID(int=1),
    "str": "x",
    "int": 1,
    "bool": True,
    "bytes": b"",
    "Decimal": Decimal(1),
    "timedelta": timedelta(1),
    "SecretStr": SecretStr("x"),
    "Product": Product(product_id="x", product_name="x", price=1),
    "ChainCursor": ChainCursor(tx_digest="7" * 44, event_seq="0"),
    "OrderEvent": OrderEvent(id="x", type=None, crossmint_order_id=None),
    "OrderStatus": OrderStatus.CANCELLED,
    "OrderType": OrderType.CHECKOUT,
    "Sequence[CheckoutLine]": [CheckoutLine(cart_item_id=UUID(int=1))],
    "Sequence[dict[str, Any]]": [{}],
    "Mapping[str, str]": {"x": "x"},
    "bytes | str | Mapping[str, Any]": {"x": 1},
}
WRONG: dict[str, list[Any]] = {
    "int": [True, 1.0, VALUE],
    "bool": [1, VALUE],
    "str": [VALUE.encode()],
    "bytes": [VALUE],
    "UUID": [VALUE],
    "Decimal": [1, 0.1, VALUE],
    "SecretStr": [VALUE],
    "Sequence[CheckoutLine]": [VALUE, [VALUE], {}, ({},)],
    "Sequence[dict[str, Any]]": [VALUE, [VALUE], {}],
    "Mapping[str, str]": [[VALUE], {"x": VALUE.encode()}, {1: VALUE}],
    "bytes | str | Mapping[str, Any]": [[VALUE], {1: VALUE}],
}


class Strange:
    """Nothing that any method takes."""

    def __repr__(self) -> str:
        return VALUE


def kind_of(parameter: inspect.Parameter) -> str:
    """Give a parameter's type, apart from None."""
    return str(parameter.annotation).removesuffix(" | None")


def call(method: Callable[..., Any], **given: object) -> None:
    """Call a method, and wait for it if it is awaited."""
    done = method(**given)
    if inspect.iscoroutine(done):
        asyncio.run(done)


PLACES = [
    (name, parameter)
    for name, method in inspect.getmembers(Store, inspect.isfunction)
    if not name.startswith("_") and hasattr(method, "__wrapped__")
    for parameter in inspect.signature(method).parameters
    if parameter != "self"
    and inspect.unwrap(method).__module__ != "store._sync.database"
]


_TEXT_FIELDS = [
    (sample, each.name)
    for sample in (SAMPLES["Product"], SAMPLES["OrderEvent"])
    for each in fields(sample)
    if each.type in {"str", "str | None"}
] + [(CheckoutLine(cart_item_id=UUID(int=1)), "crossmint_order_id")]


@pytest.mark.parametrize("wrong", [5, True, 1.5, b"x", UUID(int=1), ["x"]], ids=str)
@pytest.mark.parametrize(
    ("sample", "field"), _TEXT_FIELDS, ids=[name for _, name in _TEXT_FIELDS]
)
def test_what_is_not_text_in_a_field_is_refused(
    sample: object, field: str, wrong: object
) -> None:
    """The server would write 5 as `5`, and bytes in hexadecimal."""

    def method(given: object) -> None: ...

    made = copy.copy(sample)
    object.__setattr__(made, field, wrong)
    for given in (made, [made]):
        with pytest.raises(errors.InvalidValue) as refused:
            arguments.Parameters(method).check(given)
        assert refused.value.place == field
        assert "expected str" in str(refused.value)


@pytest.mark.parametrize(("name", "place"), PLACES)
@pytest.mark.parametrize("face", [Store, AsyncStore])
def test_a_wrong_type_is_refused(
    face: type[Store | AsyncStore], name: str, place: str
) -> None:
    """Each parameter of each method names itself, and never the value."""
    store = face(Settings.load(database_url="postgresql://ann@db.example/shop"))
    method = getattr(store, name)
    parameters = inspect.signature(method).parameters
    right = {name: SAMPLES[kind_of(each)] for name, each in parameters.items()}
    wrong: list[Any] = [Strange(), *WRONG.get(kind_of(parameters[place]), [])]
    if not str(parameters[place].annotation).endswith("| None"):
        wrong.append(None)
    for value in wrong:
        with pytest.raises(errors.InvalidValue) as refused:
            call(method, **{**right, place: value})
        wanted = parameters[place].annotation
        assert (refused.value.place, refused.value.expected) == (place, wanted)
        assert str(refused.value) == f"{place}: expected {wanted}"
        assert VALUE not in str(refused.value)


@pytest.mark.parametrize(
    ("limit", "wrong"),
    [
        (limit, wrong)
        for limit in ("acquire", "statement", "lock", "transaction")
        for wrong in (VALUE, True, Decimal(1), math.nan, -1, 0, -math.inf)
    ],
)
@pytest.mark.parametrize("face", [Store, AsyncStore])
def test_a_limit_that_is_none_is_refused(
    face: type[Store | AsyncStore], limit: str, wrong: object
) -> None:
    """What is no number of seconds above 0 is an error of the store's."""
    store: Any = face(Settings.load(database_url="postgresql://ann@db.example/shop"))
    with pytest.raises(errors.InvalidValue) as refused:
        store.limited(**{limit: wrong})
    assert refused.value.place == limit
    assert VALUE not in str(refused.value)
    store.limited(**{limit: 1}).limited(**{limit: 0.5}).limited(**{limit: None})


@pytest.mark.parametrize("face", [Store, AsyncStore])
def test_work_that_is_no_function_is_refused(face: type[Store | AsyncStore]) -> None:
    """It is refused by the class of every other argument, before anything is done."""
    store: Any = face(Settings.load(database_url="postgresql://ann@db.example/shop"))
    for wrong in (None, VALUE, 7):
        with pytest.raises(errors.InvalidValue) as refused:
            call(store.atomically, work=wrong)
        assert refused.value.place == "work"
    with pytest.raises(errors.InvalidValue) as refused:
        store.within(VALUE)
    assert refused.value.place == "conn"


class Shop(Store):
    """A store with a method of somebody else's."""

    def named(self, name: str) -> str:
        """Lose the connection when it may have been committed."""
        raise errors.OutcomeUnknown(name)


def test_a_subclass_s_own_methods_are_left_alone() -> None:
    """They take what they like, and only their author knows whether to repeat them."""
    shop: Any = Shop(Settings.load(database_url="postgresql://ann@db.example/shop"))
    with pytest.raises(errors.OutcomeUnknown) as unknown:
        shop.named(7)
    assert not unknown.value.retryable
    with pytest.raises(errors.InvalidValue, match="user_id"):
        shop.clear_cart(7)


def test_what_is_no_call_is_pythons_error() -> None:
    """Missing, unknown and superfluous arguments are a TypeError, as everywhere."""
    store: Any = Store(Settings.load(database_url="postgresql://ann@db.example/shop"))
    with pytest.raises(TypeError, match="user_id"):
        store.clear_cart()
    with pytest.raises(TypeError, match="other"):
        store.clear_cart(UUID(int=1), other=1)
    with pytest.raises(TypeError, match="2 positional"):
        store.clear_cart(UUID(int=1), UUID(int=1))
    with pytest.raises(TypeError, match="multiple values"):
        store.clear_cart(UUID(int=1), user_id=UUID(int=1))
    assert len(PLACES) > 40
