"""Webhooks: what is signed is an event, and whatever else comes is refused."""

import base64
import hmac
import json
import traceback
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from svix.webhooks import Webhook

from store import Store, errors, webhooks
from store.webhooks import OrderEvent
from store_testing import crossmint
from store_testing.crossmint import SECRET, Shape
from store_testing.factories import PAYMENT_SUCCEEDED
from tests.support import stores

ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
secrets = st.binary(min_size=1, max_size=64).map(
    lambda key: "whsec_" + base64.b64encode(key).decode()
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)

BODY = json.dumps(crossmint.event(PAYMENT_SUCCEEDED, crossmint.order("x")))
HASH = crossmint.order("x")["payment"]["received"]["txId"]
SETS = ("svix", "webhook")


def body_of(**order: object) -> str:
    """Make the body of a payment's event with other parts than documented."""
    documented = crossmint.order("x")
    return json.dumps(crossmint.event(PAYMENT_SUCCEEDED, {**documented, **order}))


def read(body: str | bytes) -> OrderEvent:
    """Sign a body and verify it."""
    body = body.encode() if isinstance(body, str) else body
    return webhooks.verify(body, crossmint.signed("evt", body), [SECRET])


def quote(amount: object, currency: object = "usdc") -> dict[str, Any]:
    """Make an order's quote."""
    return {"status": "valid", "totalPrice": {"amount": amount, "currency": currency}}


def amount_of(amount: object, currency: object = "usdc") -> Decimal | None:
    """Send an amount that is quoted."""
    return read(body_of(quote=quote(amount, currency))).amount_usdc


def in_words(order: str) -> str:
    """Write an event around an order that is given as JSON's text."""
    return f'{{"type": "{PAYMENT_SUCCEEDED}", "actionId": "x", "data": {order}}}'


def number_in_words(number: str) -> str:
    """Write an event with a quote whose amount is a number, as it is spelled."""
    price = f'{{"amount": {number}, "currency": "usdc"}}'
    return in_words(f'{{"quote": {{"totalPrice": {price}}}}}')


def renamed(headers: dict[str, str], kind: str) -> dict[str, str]:
    """Give the headers under the names of the other set."""
    return {
        name.replace("svix", kind).replace("webhook", kind): value
        for name, value in headers.items()
    }


# What Svix's own library signs


@pytest.mark.parametrize("shape", ["data", "payload"])
@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("prefix", ["whsec_", ""])
def test_both_shapes_come_through_svix(shape: Shape, kind: str, prefix: str) -> None:
    """Crossmint's order is read wherever it lies, signed by the library Svix gives out.

    The secret is written with its prefix or without, and either set of headers does.
    """
    secret = prefix + base64.b64encode(b"a secret of twenty-four b").decode()
    body = json.dumps(crossmint.event(PAYMENT_SUCCEEDED, crossmint.order("x"), shape))
    now = datetime.now(UTC)
    headers = {
        f"{kind}-id": "msg_1",
        f"{kind}-timestamp": str(int(now.timestamp())),
        f"{kind}-signature": Webhook(secret).sign("msg_1", now, body),
    }
    event = webhooks.verify(body.encode(), headers, [secret])
    assert event == OrderEvent(
        id="msg_1",
        type=PAYMENT_SUCCEEDED,
        crossmint_order_id="x",
        payment_hash=HASH,
        amount_usdc=Decimal("69.99"),
        quoted_usdc=Decimal("69.99"),
        received_usdc=Decimal("69.99"),
        amount=Decimal("69.99"),
        currency="usdc",
        payload=json.loads(body),
        body=body.encode(),
    )


def test_the_documented_sample_is_read() -> None:
    """The replaced system's own sample, paid in the test token, is a payment."""
    event = read(json.dumps(crossmint.as_documented("x")))
    assert (event.type, event.crossmint_order_id) == (PAYMENT_SUCCEEDED, "x")
    assert event.payment_hash == "0xevm-payment-tx"
    amounts = (event.amount_usdc, event.quoted_usdc, event.received_usdc)
    assert amounts == (Decimal("69.99"),) * 3
    assert event.currency == "usdxm"


# Signatures


@given(event_id=ids, ring=st.lists(secrets, min_size=1, unique=True), data=st.data())
def test_each_secret_of_the_ring_may_sign(
    event_id: str, ring: list[str], data: st.DataObject
) -> None:
    """An event signed by any of the secrets is accepted, and has its id."""
    secret = data.draw(st.sampled_from(ring))
    headers = crossmint.signed(event_id, BODY, secret=secret)
    assert webhooks.verify(BODY.encode(), headers, ring).id == event_id


@given(ring=st.lists(secrets.filter(lambda secret: secret != SECRET)))
def test_no_other_secret_signs(ring: list[str]) -> None:
    """An event signed by none of the secrets is refused; so it is with no secret."""
    # HMAC fills a short key with zeros: such keys are the same.
    ring = [s for s in ring if base64.b64decode(s[6:]).rstrip(b"\0") != _key()]
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(BODY.encode(), crossmint.signed("evt", BODY), ring)


def test_a_refusal_s_traceback_shows_no_secret() -> None:
    """Trackers of errors send the locals of frames along: no secret is there."""
    body, headers = BODY.encode(), {**crossmint.signed("evt", BODY), "svix-id": "other"}
    store = Store(stores.settings("postgresql://ann@db.example/shop"))
    with pytest.raises(errors.SignatureInvalid) as refused:
        store.receive_order_event(body, headers)
    with pytest.raises(errors.SignatureInvalid) as as_well:
        webhooks.verify(body, headers, (secret for secret in [SECRET]))
    for error in (refused.value, as_well.value):
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        ours = [each for each in frames if each.f_code.co_filename != __file__]
        assert ours[-1].f_code.co_name == "verify"
        shown = repr([each.f_locals for each in ours])
        assert "evt" in shown or "other" in shown
        for hidden in (SECRET, SECRET.removeprefix("whsec_"), repr(_key())):
            assert hidden not in shown


def _key() -> bytes:
    return base64.b64decode(SECRET.removeprefix("whsec_"))


@given(place=st.integers(0), flip=st.integers(1, 255))
def test_no_byte_of_the_body_may_change(place: int, flip: int) -> None:
    """A body with one byte changed is refused."""
    body = bytearray(BODY.encode())
    body[place % len(body)] ^= flip
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(bytes(body), crossmint.signed("evt", BODY), [SECRET])


@pytest.mark.parametrize("name", ["svix-id", "svix-timestamp", "svix-signature"])
@given(place=st.integers(0), other=st.characters(min_codepoint=33, max_codepoint=126))
def test_no_character_of_a_header_may_change(name: str, place: int, other: str) -> None:
    """A signed header with one character changed is refused."""
    headers = crossmint.signed("evt", BODY)
    value = headers[name].rstrip("=")
    # The last character of the signature holds bits that base64 drops.
    place %= len(value) - (name == "svix-signature")
    changed = value[:place] + other + value[place + 1 :]
    headers[name] = changed + headers[name][len(value) :]
    if changed == value:
        return
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(BODY.encode(), headers, [SECRET])


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_stale_event_is_refused(minutes: int) -> None:
    """What was signed more than 5 minutes ago, or ahead, is refused."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(BODY.encode(), crossmint.signed("evt", BODY, at=at), [SECRET])


def test_one_of_several_signatures_is_enough() -> None:
    """While Crossmint rotates its secret, it sends a signature of each."""
    headers = crossmint.signed("evt", BODY)
    other = "v1," + base64.b64encode(bytes(32)).decode()
    headers["svix-signature"] = f"{other} v2,? {headers['svix-signature']}"
    assert webhooks.verify(BODY.encode(), headers, [SECRET]).id == "evt"


@pytest.mark.parametrize("kind", SETS)
@given(upper=st.lists(st.booleans(), min_size=17, max_size=17))
def test_the_case_of_header_names_is_ignored(kind: str, upper: list[bool]) -> None:
    """HTTP's header names have no case, in either set."""
    headers = {
        "".join(
            letter.upper() if up else letter
            for letter, up in zip(name.ljust(17), upper, strict=True)
        ).strip(): value
        for name, value in renamed(crossmint.signed("evt", BODY), kind).items()
    }
    assert webhooks.verify(BODY.encode(), headers, [SECRET]).id == "evt"


@given(chosen=st.lists(st.sampled_from(SETS), min_size=3, max_size=3))
def test_a_set_of_headers_is_complete(chosen: list[str]) -> None:
    """Three headers of one set are signed; headers of both together are not."""
    signed = crossmint.signed("evt", BODY).items()
    headers = {
        name.replace("svix", kind): value
        for (name, value), kind in zip(signed, chosen, strict=True)
    }
    if len(set(chosen)) == 1:
        assert webhooks.verify(BODY.encode(), headers, [SECRET]).id == "evt"
    else:
        with pytest.raises(errors.SignatureInvalid):
            webhooks.verify(BODY.encode(), headers, [SECRET])


@pytest.mark.parametrize(
    ("first", "second"), [("svix", "webhook"), ("webhook", "svix")]
)
def test_either_set_of_headers_may_be_the_signed_one(first: str, second: str) -> None:
    """Where both sets come and one is not signed, the other one counts."""
    headers = renamed(crossmint.signed("evt", BODY), first)
    headers |= renamed(crossmint.signed("other", BODY + " "), second)
    assert webhooks.verify(BODY.encode(), headers, [SECRET]).id == "evt"


@given(key=st.binary(min_size=1, max_size=64), cut=st.booleans())
def test_a_secret_has_its_prefix_and_padding_or_not(key: bytes, cut: bool) -> None:
    """Whether `whsec_` and the padding are written or not, the key is the same."""
    secret = base64.b64encode(key).decode()
    headers = crossmint.signed("evt", BODY, secret="whsec_" + secret)
    plain = secret.rstrip("=") if cut else secret
    for written in (plain, "whsec_" + plain):
        assert webhooks.verify(BODY.encode(), headers, [written]).id == "evt"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_=", "no base64!", "\u0665"])
def test_a_secret_without_a_key_signs_nothing(secret: str) -> None:
    """What is no secret accepts no webhook, not even one that an empty key signed."""
    now = str(int(datetime.now(UTC).timestamp()))
    signed = f"evt.{now}.{BODY}".encode()
    made = base64.b64encode(hmac.digest(b"", signed, "sha256")).decode()
    headers = {
        "svix-id": "evt",
        "svix-timestamp": now,
        "svix-signature": f"v1,{made}",
    }
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(BODY.encode(), headers, [secret])


@given(body=st.binary())
def test_any_bytes_can_be_signed(body: bytes) -> None:
    """A signature is of bytes: what is signed is taken, be it UTF-8 or not."""
    assert read(body).body == body


@pytest.mark.parametrize("event_id", ["i" * 256, "\u00e9" * 300, "a\0b"])
def test_an_id_that_no_column_takes_is_another_one(event_id: str) -> None:
    """However long an id is, its event is kept, under one id at each delivery."""
    event = webhooks.verify(BODY.encode(), crossmint.signed(event_id, BODY), [SECRET])
    again = webhooks.verify(BODY.encode(), crossmint.signed(event_id, BODY), [SECRET])
    assert event.id == again.id != event_id
    assert event.id.startswith("sha256:")


# Malformed input


@given(
    body=st.binary() | st.just(BODY.encode()),
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
        webhooks.verify(BODY.encode(), headers, [SECRET])


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


# Amounts


@given(amount=st.decimals("0", "999999999999", places=6))
def test_an_amount_of_usdc_is_read_exactly(amount: Decimal) -> None:
    """An amount with at most 6 decimals is kept to the last, in whatever case it is."""
    assert amount_of(str(amount)) == amount
    assert amount_of(str(amount), "USDC") == amount
    assert amount_of(str(amount), "UsdxM") == amount


@given(amount=st.decimals("0", "999999999999", places=6))
def test_a_number_is_read_exactly(amount: Decimal) -> None:
    """An amount that is a JSON number is kept to the last: no float comes near it."""
    assert read(number_in_words(str(amount))).amount_usdc == amount


@given(amount=st.decimals("0.000001", "999999999", places=12))
def test_more_decimals_are_rounded(amount: Decimal) -> None:
    """An amount with more than 6 decimals is rounded to the nearest with 6."""
    read_amount = amount_of(str(amount))
    assert read_amount is not None
    assert abs(read_amount - amount) <= Decimal("0.0000005")
    assert read_amount == round(read_amount, 6)


@given(
    amount=st.decimals("0.000001", "999999", places=6),
    currency=st.none()
    | ids
    | st.sampled_from(["eth", "usd", "", "USDC ", "usd\u0441"]),
)
def test_other_currencies_are_kept_beside(
    amount: Decimal, currency: str | None
) -> None:
    """An amount of anything but USDC is no amount of USDC, and told as it is."""
    event = read(body_of(quote=quote(str(amount), currency), payment=None))
    usdc = (currency or "").lower() in {"usdc", "usdxm"}
    assert event.amount_usdc == event.quoted_usdc == (amount if usdc else None)
    assert event.amount == amount
    kept = currency if currency and len(currency) <= 50 else None
    assert event.currency == kept


def test_a_price_in_another_token_is_kept_whole() -> None:
    """Of a currency with 18 decimals nothing is lost; more are rounded."""
    assert read(body_of(quote=quote("0.0001375741", "eth"))).amount == Decimal(
        "0.0001375741"
    )
    longer = read(body_of(quote=quote("0.1234567890123456789", "eth"))).amount
    assert longer == Decimal("0.123456789012345679")


NO_AMOUNTS = [
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "-1",
    "-0",
    "1e400",
    "1E+400",
    "1e13",
    "1000000000000",
    "9" * 5000,
    "",
    " 1",
    "1 ",
    "1_000",
    "1,000",
    "0x10",
    "+1",
    ".5",
    "5.",
    "\uff11\uff12",
    "\u0661",
    "1\n",
    True,
    None,
    ["1"],
    {"amount": "1"},
]


@pytest.mark.parametrize("amount", NO_AMOUNTS, ids=str)
def test_no_amount_is_no_amount(amount: object) -> None:
    """What is no sound amount is ignored; the event is kept, and counts."""
    event = read(body_of(quote=quote(amount), payment=None))
    assert (event.amount_usdc, event.amount, event.currency) == (None, None, None)
    assert (event.type, event.crossmint_order_id) == (PAYMENT_SUCCEEDED, "x")


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-Infinity", "-1", "-0.0", "1e400", "1e99999999999999"],
)
def test_no_number_is_no_amount(number: str) -> None:
    """So it is with what stands there without quotes."""
    assert read(number_in_words(number)).amount_usdc is None


@pytest.mark.parametrize("amount", [*NO_AMOUNTS, "absent"], ids=str)
def test_what_was_received_stands_in_for_the_quote(amount: object) -> None:
    """Where no price is quoted, the order costs what was paid."""
    order = crossmint.order("x", quoted=amount, received="65")
    if amount == "absent":
        del order["quote"]
    event = read(json.dumps(crossmint.event(PAYMENT_SUCCEEDED, order)))
    assert event.amount_usdc == event.received_usdc == Decimal(65)
    assert event.quoted_usdc is None


def test_the_quote_comes_before_what_was_received() -> None:
    """The order costs what was quoted, be it paid in full or not, in USDC or not."""
    order = crossmint.order("x", quoted="70", received="65.5")
    event = read(json.dumps(crossmint.event(PAYMENT_SUCCEEDED, order)))
    assert (event.amount_usdc, event.quoted_usdc) == (Decimal(70), Decimal(70))
    assert event.received_usdc == Decimal("65.5")
    order["quote"]["totalPrice"]["currency"] = "eur"
    event = read(json.dumps(crossmint.event(PAYMENT_SUCCEEDED, order)))
    assert (event.amount_usdc, event.quoted_usdc) == (None, None)
    assert (event.amount, event.currency) == (Decimal(70), "eur")
    assert event.received_usdc == Decimal("65.5")


@pytest.mark.parametrize(
    ("received", "payment", "quoted", "expected"),
    [
        ("usdc", "eur", "eur", True),
        ("eur", "usdc", "usdc", False),
        (None, "usdc", "eur", True),
        (None, "eur", "usdc", False),
        (None, None, "usdc", True),
        (None, None, None, False),
    ],
)
def test_the_currency_of_what_was_received(
    received: str | None, payment: str | None, quoted: str | None, expected: bool
) -> None:
    """It is said beside the amount, else of the payment, else it is the quote's."""
    order = crossmint.order("x", received="65")
    order["payment"]["received"]["currency"] = received
    order["payment"]["currency"] = payment
    order["quote"]["totalPrice"]["currency"] = quoted
    event = read(json.dumps(crossmint.event(PAYMENT_SUCCEEDED, order)))
    assert event.received_usdc == (Decimal(65) if expected else None)


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
