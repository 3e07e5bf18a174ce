"""Webhooks: whose signature counts, and what breaks it."""

import base64
import hmac
import json
import traceback
from datetime import UTC, datetime, timedelta
from decimal import Decimal

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
from tests.unit.webhook_bodies import BODY, HASH, SETS, ids, read

secrets = st.binary(min_size=1, max_size=64).map(
    lambda key: "whsec_" + base64.b64encode(key).decode()
)


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
