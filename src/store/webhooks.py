"""Crossmint's webhooks: verified, then read into an `OrderEvent`.

Crossmint sends them through Svix: at least once, for up to 27 hours, in any order. What
is signed is money, perhaps, so it is never refused: what the store needs is read
leniently, and whatever else comes is kept beside. Format:
https://docs.crossmint.com/payments/advanced/webhooks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

from pydantic import SecretBytes

from generated.json_types import JsonValue

from . import errors

LONGEST_BODY = 1 << 20
"""The bytes of the longest body that is kept."""

_TOLERANCE_SECONDS = 300
_LONGEST_ID = 255
_LONGEST_TYPE = 100
_LONGEST_CURRENCY = 50

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

# A price in any currency; what is larger is a mistake.
_AMOUNT = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_FAR_TOO_MUCH = Decimal(10) ** 12
_EXACTLY = Context(prec=60)
_USDC_PLACES = Decimal("0.000001")
_TOKEN_PLACES = Decimal(10) ** -18
# The second is the first's test token, 1:1.
_USDC = frozenset({"usdc", "usdxm"})

# What neither Python nor jsonb is sure to read back is kept as bytes.
_DEEPEST = 100
_LONGEST_NUMBER = 400
_LARGEST_EXPONENT = 308  # of a float

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)

_Object: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One event of a Crossmint order, as far as it says what it should.

    ``id`` is the `svix-id`, the same at each redelivery. ``amount_usdc`` is what the
    order costs, ``quoted_usdc`` and ``received_usdc`` what was asked and paid: in USDC
    (or its test token), rounded to 6 decimals, None if it is told in anything else.
    ``amount`` is the first of them as it was told, in ``currency``. ``payload`` is the
    whole body, None where it is no JSON that can be kept as such; ``body`` is what
    came.

    Raises:
        InvalidValue: the body is no bytes.
    """

    id: str
    type: str | None
    crossmint_order_id: str | None
    payment_hash: str | None = None
    amount_usdc: Decimal | None = None
    quoted_usdc: Decimal | None = None
    received_usdc: Decimal | None = None
    amount: Decimal | None = None
    currency: str | None = None
    payload: JsonValue = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # What untyped callers give may be anything.
        if not isinstance(self.body, bytes | None):  # pyright: ignore[reportUnnecessaryIsInstance]  # as above
            raise errors.InvalidValue("bytes | None", place="body")

    def bytes_to_keep(self) -> bytes | None:
        """Give the body, or the payload as JSON; None if it is larger than 1 MiB.

        Raises:
            InvalidValue: without a body, the payload is not JSON.
        """
        body = self.body
        if body is None and self.payload is not None:
            try:
                body = json.dumps(self.payload).encode()
            except (TypeError, ValueError, RecursionError):
                raise errors.InvalidValue("JSON", place="payload") from None
        return None if body is None or len(body) > LONGEST_BODY else body


def signing_key(secret: str) -> bytes:
    """Give the key of a webhook secret: base64, with or without `whsec_` and padding.

    Raises:
        ValueError: it is none.
    """
    encoded = secret.removeprefix("whsec_")
    key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    if not key:
        raise ValueError("an empty key signs nothing")
    return key


def verify(
    body: bytes, headers: Mapping[str, str], secrets: Iterable[str]
) -> OrderEvent:
    """Check a webhook's signature with each secret, then read its event.

    The headers are `svix-id`, `svix-timestamp` (within 5 minutes of now) and
    `svix-signature`, or the same three of `webhook-…`, in any case. Whatever is signed
    is an event, if only by its id.

    Raises:
        SignatureInvalid: none of the secrets signed this body, or not now.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    keys = [SecretBytes(key) for key in _keys(secrets)]
    del secrets  # or a traceback with the frames' locals would show them
    for kind in ("svix", "webhook"):
        event_id, timestamp, signatures = (
            lower.get(f"{kind}-{part}", "") for part in ("id", "timestamp", "signature")
        )
        if event_id and _is_signed(body, event_id, timestamp, signatures, keys):
            return _read(body, _storable_id(event_id))
    raise errors.SignatureInvalid(
        "no webhook secret signed this body within the last 5 minutes: check"
        " CROSSMINT_WEBHOOK_SECRETS and the clock"
    )


def _keys(secrets: Iterable[str]) -> Iterable[bytes]:
    for secret in secrets:
        try:
            yield signing_key(secret)
        except ValueError:
            continue


def _is_signed(
    body: bytes,
    event_id: str,
    timestamp: str,
    signatures: str,
    keys: Iterable[SecretBytes],
) -> bool:
    """Tell whether a key made one of the signatures.

    Not by Svix's library, which takes the body for UTF-8.
    """
    try:
        if abs(time.time() - int(timestamp)) > _TOLERANCE_SECONDS:
            return False
        signed = f"{event_id}.{timestamp}.".encode() + body
    except ValueError:  # no number, or a character that UTF-8 does not have
        return False
    expected = [hmac.digest(key.get_secret_value(), signed, "sha256") for key in keys]
    for each in signatures.split(" "):
        version, _, encoded = each.partition(",")
        try:
            given = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if version == "v1" and any(hmac.compare_digest(given, one) for one in expected):
            return True
    return False


def _storable_id(event_id: str) -> str:
    if _text(event_id, _LONGEST_ID):
        return event_id
    return "sha256:" + hashlib.sha256(event_id.encode()).hexdigest()


def _read(body: bytes, event_id: str) -> OrderEvent:
    told, payload = _parse(body)
    event = _object(told)
    objects = [_object(event.get("data")), _object(event.get("payload"))]
    named = [each for each in objects if _text(each.get("orderId"), _LONGEST_ID)]
    order = next(iter([*named, *filter(None, objects)]), _object(None))

    total = _object(_object(order.get("quote")).get("totalPrice"))
    payment = _object(order.get("payment"))
    received = _object(payment.get("received"))
    quoted = _amount(total.get("amount"))
    quoted_in = _text(total.get("currency"), _LONGEST_CURRENCY)
    paid = _amount(received.get("amount"))
    # What was received need not say in what: it is what was asked for, then.
    paid_in = (
        _text(received.get("currency"), _LONGEST_CURRENCY)
        or _text(payment.get("currency"), _LONGEST_CURRENCY)
        or quoted_in
    )
    amount, currency = (paid, paid_in) if quoted is None else (quoted, quoted_in)
    return OrderEvent(
        id=event_id,
        type=_text(event.get("type"), _LONGEST_TYPE),
        crossmint_order_id=_text(order.get("orderId"), _LONGEST_ID)
        or _text(event.get("actionId"), _LONGEST_ID),
        payment_hash=_text(received.get("txId"), _LONGEST_ID),
        amount_usdc=_usdc(amount, currency),
        quoted_usdc=_usdc(quoted, quoted_in),
        received_usdc=_usdc(paid, paid_in),
        amount=amount,
        currency=currency if amount is not None else None,
        payload=payload,
        body=body,
    )


def _parse(body: bytes) -> tuple[object, JsonValue]:
    """Read JSON twice: all that can be read, with exact numbers; and as it is kept.

    The second is None where not every part of it can be kept, and read again.
    """
    odd = False

    def number(text: str) -> Decimal:
        nonlocal odd
        try:
            value = Decimal(text)
        except InvalidOperation:  # an exponent beyond all bounds
            value = Decimal("NaN")
        size = value.adjusted()
        near = value.is_finite() and -_LONGEST_NUMBER < size <= _LARGEST_EXPONENT
        odd = odd or not near or len(text) > _LONGEST_NUMBER
        return value

    text = body.decode(json.detect_encoding(body), "replace")
    shallow = _cut(text)
    try:
        told = json.loads(
            shallow,
            parse_float=number,
            parse_int=number,
            parse_constant=number,
            strict=False,
        )
    except ValueError:
        return None, None
    if odd or shallow is not text:
        return told, None
    try:
        return told, json.loads(body.decode())
    except ValueError:  # no UTF-8, or read leniently only
        return told, None


def _cut(text: str) -> str:
    """Put null in place of what is nested deeper than any event is."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return text
    kept: list[str] = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        if token[0] in {"[", "{"}:
            depth += 1
            if depth == _DEEPEST + 1:
                kept += text[start : token.start()], "null"
                start = len(text)
        elif token[0] in {"]", "}"}:
            if depth == _DEEPEST + 1:
                start = token.end()
            depth -= 1
    return "".join([*kept, text[start:]]) if kept else text


def _object(value: object) -> _Object:
    return cast("_Object", value) if isinstance(value, dict) else {}


def _text(value: object, longest: int) -> str | None:
    """Give a text that a column can hold, which is neither empty nor too long."""
    if isinstance(value, str) and 0 < len(value) <= longest:
        return None if _UNSTORABLE.search(value) else value
    return None


def _amount(value: object) -> Decimal | None:
    """Give what is an amount of money; a sign, or too much, is no amount."""
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value.is_signed():
        return None
    if value >= _FAR_TOO_MUCH:
        return None
    rounded = value.quantize(_TOKEN_PLACES, context=_EXACTLY)
    return value if value == rounded else rounded


def _usdc(amount: Decimal | None, currency: str | None) -> Decimal | None:
    if amount is None or currency is None or currency.lower() not in _USDC:
        return None
    return amount.quantize(_USDC_PLACES, context=_EXACTLY)
