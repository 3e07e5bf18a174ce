"""Webhooks: amounts and currencies of what was quoted and received."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_testing import crossmint
from store_testing.factories import PAYMENT_SUCCEEDED
from tests.unit.webhook_bodies import body_of, ids, in_words, quote, read


def amount_of(amount: object, currency: object = "usdc") -> Decimal | None:
    """Send an amount that is quoted."""
    return read(body_of(quote=quote(amount, currency))).amount_usdc


def number_in_words(number: str) -> str:
    """Write an event with a quote whose amount is a number, as it is spelled."""
    price = f'{{"amount": {number}, "currency": "usdc"}}'
    return in_words(f'{{"quote": {{"totalPrice": {price}}}}}')


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
