"""Bodies of Crossmint's webhooks, and what is read of them."""

import json
from typing import Any

from hypothesis import strategies as st

from store import webhooks
from store.webhooks import OrderEvent
from store_testing import crossmint
from store_testing.crossmint import SECRET
from store_testing.factories import PAYMENT_SUCCEEDED

ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
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


def in_words(order: str) -> str:
    """Write an event around an order that is given as JSON's text."""
    return f'{{"type": "{PAYMENT_SUCCEEDED}", "actionId": "x", "data": {order}}}'
