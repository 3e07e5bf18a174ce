"""Webhooks: what is signed is read, and whatever else comes is a WebhookError."""

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store import errors, webhooks
from store.webhooks import OrderEvent
from tests.support import stores
from tests.support.stores import SECRET

ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
secrets = st.binary(min_size=1, max_size=64).map(
    lambda key: "whsec_" + base64.b64encode(key).decode()
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def body_of(**payload: object) -> str:
    """Make the body of a payment event."""
    event = {"type": "orders.payment.succeeded", "payload": {"orderId": "x", **payload}}
    return json.dumps(event)


def read(body: str) -> OrderEvent:
    """Sign a body and verify it."""
    return webhooks.verify(body.encode(), stores.signed("evt", body), [SECRET])


def amount_of(amount: object, currency: object = "usdc") -> Decimal | None:
    """Send an amount."""
    price = {"amount": amount, "currency": currency}
    return read(body_of(quote={"totalPrice": price})).amount_usdc


# Signatures


@given(event_id=ids, ring=st.lists(secrets, min_size=1, unique=True), data=st.data())
def test_each_secret_of_the_ring_may_sign(
    event_id: str, ring: list[str], data: st.DataObject
) -> None:
    """An event signed by any of the secrets is accepted, and has its id."""
    secret = data.draw(st.sampled_from(ring))
    headers = stores.signed(event_id, body_of(), secret=secret)
    assert webhooks.verify(body_of().encode(), headers, ring).id == event_id


@given(ring=st.lists(secrets.filter(lambda secret: secret != SECRET)))
def test_no_other_secret_signs(ring: list[str]) -> None:
    """An event signed by none of the secrets is refused; so it is with no secret."""
    # HMAC fills a short key with zeros: such keys are the same.
    ring = [s for s in ring if base64.b64decode(s[6:]).rstrip(b"\0") != _key()]
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(body_of().encode(), stores.signed("evt", body_of()), ring)


def _key() -> bytes:
    return base64.b64decode(SECRET.removeprefix("whsec_"))


@given(place=st.integers(0), flip=st.integers(1, 255))
def test_no_byte_of_the_body_may_change(place: int, flip: int) -> None:
    """A body with one byte changed is refused."""
    body = bytearray(body_of().encode())
    body[place % len(body)] ^= flip
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(bytes(body), stores.signed("evt", body_of()), [SECRET])


@pytest.mark.parametrize("name", ["svix-id", "svix-timestamp", "svix-signature"])
@given(place=st.integers(0), other=st.characters(min_codepoint=33, max_codepoint=126))
def test_no_character_of_a_header_may_change(name: str, place: int, other: str) -> None:
    """A signed header with one character changed is refused."""
    headers = stores.signed("evt", body_of())
    value = headers[name].rstrip("=")
    # The last character of the signature holds bits that base64 drops.
    place %= len(value) - (name == "svix-signature")
    changed = value[:place] + other + value[place + 1 :]
    headers[name] = changed + headers[name][len(value) :]
    if changed == value:
        return
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(body_of().encode(), headers, [SECRET])


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_stale_event_is_refused(minutes: int) -> None:
    """What was signed more than 5 minutes ago, or ahead, is refused."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(
            body_of().encode(), stores.signed("evt", body_of(), at=at), [SECRET]
        )


def test_one_of_several_signatures_is_enough() -> None:
    """While Crossmint rotates its secret, it sends a signature of each."""
    headers = stores.signed("evt", body_of())
    other = "v1," + base64.b64encode(bytes(32)).decode()
    headers["svix-signature"] = f"{other} v2,? {headers['svix-signature']}"
    assert webhooks.verify(body_of().encode(), headers, [SECRET]).id == "evt"


@given(upper=st.lists(st.booleans(), min_size=14, max_size=14))
def test_the_case_of_header_names_is_ignored(upper: list[bool]) -> None:
    """HTTP's header names have no case."""
    headers = {
        "".join(
            letter.upper() if up else letter
            for letter, up in zip(name.ljust(14), upper, strict=True)
        ).strip(): value
        for name, value in stores.signed("evt", body_of()).items()
    }
    assert webhooks.verify(body_of().encode(), headers, [SECRET]).id == "evt"


# Malformed input


@given(
    body=st.binary() | st.just(body_of().encode()),
    headers=st.dictionaries(
        st.sampled_from(["svix-id", "svix-timestamp", "svix-signature", "other"]),
        st.text()
        | st.sampled_from(["inf", "nan", "-1", "1e400", "v1,", "v1", ",", "v1,é"]),
    ),
)
@example(
    body=b"{}",
    headers={"svix-id": "\ud800", "svix-timestamp": "0", "svix-signature": "v1,"},
)
def test_malformed_headers_are_refused(body: bytes, headers: dict[str, str]) -> None:
    """Whatever the headers are, nothing but SignatureInvalid comes of it."""
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(body, headers, [SECRET])


@given(
    event_id=st.text(min_size=1),
    signature=st.text() | st.text().map(lambda text: f"v1,{text}"),
)
def test_malformed_signatures_are_refused(event_id: str, signature: str) -> None:
    """However odd id and signature, nothing but SignatureInvalid comes of it."""
    now = str(int(datetime.now(UTC).timestamp()))
    headers = {
        "svix-id": event_id,
        "svix-timestamp": now,
        "svix-signature": signature,
    }
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(body_of().encode(), headers, [SECRET])


@given(
    body=st.text(st.characters(exclude_categories=["Cs"])) | json_values.map(json.dumps)
)
@example(body="[" * 100_000)
@example(body='{"type": "t", "payload": {"orderId": "x", "n": ' + "[" * 100_000)
@example(body='{"type": "t", "payload": {"orderId": "\\ud800"}}')
@example(body="1" * 5000)
def test_signed_nonsense_is_malformed(body: str) -> None:
    """A signed body that is no event of an order is EventMalformed, and no more."""
    with pytest.raises(errors.EventMalformed):
        read(body)


@given(
    payload=st.dictionaries(
        st.sampled_from(["quote", "payment"]),
        json_values
        | st.dictionaries(
            st.sampled_from(["totalPrice", "received"]),
            json_values
            | st.dictionaries(
                st.sampled_from(["amount", "currency", "txId"]), json_values
            ),
        ),
    )
)
def test_a_signed_event_of_another_shape_is_read(payload: dict[str, Any]) -> None:
    """Whatever shape the payment and the quote have, an event of an order is kept."""
    body = json.dumps({"type": "orders.new", "payload": {**payload, "orderId": "x"}})
    assert read(body).crossmint_order_id == "x"


# What is read


@given(
    event_type=st.text(
        st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100
    ),
    more=json_values,
)
def test_unknown_events_are_kept(event_type: str, more: Any) -> None:  # noqa: ANN401 - JSON
    """An event of a type that nobody knows yet is read, with its whole body."""
    event = {
        "type": event_type,
        "payload": {"orderId": "x", "more": more},
        "more": more,
    }
    read_event = read(json.dumps(event))
    assert (read_event.type, read_event.payload) == (event_type, event)
    assert (read_event.payment_hash, read_event.amount_usdc) == (None, None)


@given(transaction=st.text(st.characters(exclude_categories=["Cs"]), max_size=255))
def test_the_payment_s_transaction_is_read(transaction: str) -> None:
    """`payment.received.txId` becomes the payment's hash, as it is."""
    body = body_of(payment={"received": {"txId": transaction}})
    assert read(body).payment_hash == transaction


@given(amount=st.decimals("0.000001", "999999999999", places=6))
def test_an_amount_of_usdc_is_read_exactly(amount: Decimal) -> None:
    """An amount with at most 6 decimals is kept to the last."""
    assert amount_of(str(amount)) == amount
    assert amount_of(str(amount), "USDC") == amount


@given(amount=st.decimals("0.000001", "999999999", places=12))
def test_more_decimals_are_rounded(amount: Decimal) -> None:
    """An amount with more than 6 decimals is rounded to the nearest with 6."""
    read_amount = amount_of(str(amount))
    assert read_amount is not None
    assert abs(read_amount - amount) <= Decimal("0.0000005")
    assert read_amount == round(read_amount, 6)


@given(amount=st.decimals("0.000001", "999999", places=6), currency=st.none() | ids)
def test_other_currencies_are_ignored(amount: Decimal, currency: str | None) -> None:
    """An amount of anything but USDC is not an amount of USDC."""
    expected = amount if (currency or "").lower() == "usdc" else None
    assert amount_of(str(amount), currency) == expected


@given(
    amount=st.sampled_from(
        ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1", "1e400", "", "0.0000001"]
    )
    | st.decimals(max_value=0).map(str)
)
def test_no_amount_is_no_amount(amount: str) -> None:
    """What is not a finite number above zero is ignored; the event is kept."""
    assert amount_of(amount) is None
