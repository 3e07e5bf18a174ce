"""Webhooks: what is read of a signed body, whatever it holds."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store import errors, webhooks
from store.webhooks import OrderEvent
from store_testing import crossmint
from store_testing.crossmint import Shape
from store_testing.factories import PAYMENT_SUCCEEDED
from tests.unit.webhook_bodies import (
    BODY,
    HASH,
    body_of,
    in_words,
    json_values,
    read,
    texts,
)

# What is read


@given(
    body=st.text(st.characters(exclude_categories=["Cs"])) | json_values.map(json.dumps)
)
@example(body="[" * 100_000)
@example(body="1" * 5000)
@example(body='"')
@example(body='{"type": ["t"], "data": [], "payload": null, "actionId": {}}')
@example(body='{"type": "", "data": {"orderId": ""}, "actionId": ""}')
def test_signed_nonsense_is_an_event(body: str) -> None:
    """A signed body that is no event of an order is one without type and order."""
    event = read(body)
    assert (event.id, event.type, event.crossmint_order_id) == ("evt", None, None)
    assert event.body == body.encode()


@given(
    order=st.dictionaries(
        st.sampled_from(["quote", "payment"]),
        json_values
        | st.dictionaries(
            st.sampled_from(["totalPrice", "received", "currency"]),
            json_values
            | st.dictionaries(
                st.sampled_from(["amount", "currency", "txId"]), json_values
            ),
        ),
    ),
    shape=st.sampled_from(["data", "payload"]),
)
def test_a_signed_event_of_another_shape_is_read(
    order: dict[str, Any], shape: Shape
) -> None:
    """Whatever shape the payment and the quote have, an event of an order is kept."""
    body = crossmint.event("orders.new", {**order, "orderId": "x"}, shape)
    assert read(json.dumps(body)).crossmint_order_id == "x"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"data": {"orderId": "a"}, "actionId": "b"}, "a"),
        ({"payload": {"orderId": "a"}, "actionId": "b"}, "a"),
        ({"data": {"orderId": "a"}, "payload": {"orderId": "b"}}, "a"),
        ({"data": {}, "payload": {"orderId": "b"}, "actionId": "c"}, "b"),
        ({"data": {"orderId": "a\0"}, "actionId": "b"}, "b"),
        ({"data": {"orderId": 7}, "actionId": "b"}, "b"),
        ({"data": {"orderId": "i" * 256}, "actionId": "b"}, "b"),
        ({"data": {"orderId": None}, "actionId": "b"}, "b"),
        ({"data": [{"orderId": "a"}], "actionId": "b"}, "b"),
        ({"actionId": "b"}, "b"),
        ({"actionId": "\ud800"}, None),
        ({}, None),
    ],
)
def test_an_order_is_named_by_its_object_or_by_the_action(
    parts: dict[str, Any], expected: str | None
) -> None:
    """The order's id is that of the object, under either name, else the `actionId`."""
    event = read(json.dumps({"type": PAYMENT_SUCCEEDED, **parts}))
    assert event.crossmint_order_id == expected


@given(event_type=texts.filter(lambda text: 0 < len(text) <= 100), more=json_values)
def test_unknown_events_are_kept(event_type: str, more: Any) -> None:  # noqa: ANN401 - JSON
    """An event of a type that nobody knows yet is read, with its whole body."""
    event = crossmint.event(event_type, {"orderId": "x", "more": more}) | {"m": more}
    read_event = read(json.dumps(event))
    assert (read_event.type, read_event.crossmint_order_id) == (event_type, "x")
    assert read_event.payload == event
    assert (read_event.payment_hash, read_event.amount_usdc) == (None, None)


@pytest.mark.parametrize("event_type", ["t" * 101, "a\0b", "\ud800", 7, None, ["t"]])
def test_a_type_that_no_column_takes_is_none(event_type: object) -> None:
    """An event whose type cannot be kept has none, and all else of it is read."""
    body = crossmint.event("t", crossmint.order("x")) | {"type": event_type}
    event = read(json.dumps(body))
    assert (event.type, event.crossmint_order_id) == (None, "x")
    assert event.amount_usdc == Decimal("69.99")


@given(transaction=texts.filter(lambda text: 0 < len(text) <= 255))
def test_the_payment_s_transaction_is_read(transaction: str) -> None:
    """`payment.received.txId` becomes the payment's hash, as it is."""
    order = crossmint.order("x", tx_id=transaction)
    body = json.dumps(crossmint.event(PAYMENT_SUCCEEDED, order))
    assert read(body).payment_hash == transaction


@pytest.mark.parametrize("transaction", ["", "t" * 256, "a\0b", "\ud800", 7, None, {}])
def test_a_transaction_that_no_column_takes_is_none(transaction: object) -> None:
    """A hash that cannot be kept is none, and the payment is a payment."""
    body = body_of(payment={"received": {"txId": transaction}})
    event = read(body)
    assert (event.payment_hash, event.amount_usdc) == (None, Decimal("69.99"))


# What no jsonb holds


def deep(levels: int) -> str:
    """Nest lists."""
    return "[" * levels + "]" * levels


ODD = {
    "NUL": '"\\u0000"',
    "lone surrogate": '"\\ud800"',
    "NaN": "NaN",
    "infinity": "-Infinity",
    "5,000 digits": "9" * 5000,
    "float beyond": "1e400",
    "600 levels": deep(600),
    "100,000 levels": deep(100_000),
    "100,000 objects": '{"a": ' * 100_000 + "1" + "}" * 100_000,
    "brackets in texts": json.dumps("[{" * 10_000 + '\\"'),
    "control character": '"\n"',
}


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("name", ODD)
def test_what_is_needed_is_read_beside_anything(name: str, where: str) -> None:
    """Whatever else is in a body, order, hash and amounts of a payment are read."""
    order = json.dumps(crossmint.order("x"))
    odd = f'"more": {ODD[name]}'
    order = f"{{{odd}, {order[1:]}" if where == "before" else f"{order[:-1]}, {odd}}}"
    event = read(in_words(order))
    assert (event.type, event.crossmint_order_id) == (PAYMENT_SUCCEEDED, "x")
    assert event.payment_hash == HASH
    assert event.amount_usdc == event.received_usdc == Decimal("69.99")
    assert event.body == in_words(order).encode()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_a_body_in_another_encoding_is_read(encoding: str) -> None:
    """What is no UTF-8, or begins with a mark, is read as well, and kept as it came."""
    body = in_words('{"orderId": "x", "more": "\u00e9"}').encode(encoding)
    event = read(body)
    assert (event.crossmint_order_id, event.payload) == ("x", None)
    assert event.body == body


@given(levels=st.integers(80, 120), beside=st.integers(0, 3))
def test_nesting_is_cut_where_it_is_deep(levels: int, beside: int) -> None:
    """From 100 levels on a body is kept as it came; what is beside them is read."""
    more = ", ".join([deep(levels)] * (beside + 1))
    event = read(f'{{"type": "t", "more": [{more}], "actionId": "x"}}')
    assert (event.type, event.crossmint_order_id) == ("t", "x")
    assert (event.payload is None) == (levels + 2 > 100)


def test_a_body_of_a_mebibyte_is_kept() -> None:
    """The largest body is kept; one byte more, and only the event is."""
    filler = webhooks.LONGEST_BODY - len(in_words('{"more": ""}'))
    largest = in_words(json.dumps({"more": "a" * filler}))
    assert read(largest).bytes_to_keep() == largest.encode()
    larger = read(in_words(json.dumps({"more": "a" * (filler + 1)})))
    assert (larger.bytes_to_keep(), larger.crossmint_order_id) == (None, "x")


def test_an_event_does_not_show_its_body() -> None:
    """Neither body nor payload are in what an event shows of itself."""
    assert "notebook" not in repr(read(BODY))


def _circle() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["itself"] = found
    return found


@pytest.mark.parametrize("payload", [object(), {"a": b"b"}, _circle()])
def test_a_payload_that_is_no_json_is_refused(payload: Any) -> None:  # noqa: ANN401 - what untyped callers give
    """An event that API code makes itself has a body, or a payload that is JSON."""
    event = OrderEvent(id="evt_1", type=None, crossmint_order_id=None, payload=payload)
    with pytest.raises(errors.InvalidValue) as refused:
        event.bytes_to_keep()
    assert refused.value.place == "payload"
