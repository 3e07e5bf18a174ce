"""Checkout, and the orders that it makes."""

from uuid import uuid4

import httpx
import psycopg
import pytest

from examples.api.standins import Crossmint, CrossmintOrder
from tests.api.serving import PRODUCT, Api, served


def bought(user: httpx.Client, **change: object) -> httpx.Response:
    """Add a product, and check it out."""
    item = user.post("/api/cart", json={**PRODUCT, **change}).json()["id"]
    return user.post("/api/checkout", json={"cartItemId": item})


def test_an_item_becomes_an_order(user: httpx.Client) -> None:
    """The answer has what the wallet needs; the item has left the cart."""
    answer = bought(user)
    assert answer.status_code == 201
    order = answer.json()
    profile = user.get("/api/auth/profile").json()
    assert order["phase"] == "awaiting-approval"
    assert order["walletAddress"] == profile["evmAddress"]
    assert order["serializedTransaction"].startswith("0x")
    assert user.get("/api/cart").json() == {"items": []}
    found = user.get(f"/api/orders/{order['orderId']}").json()
    assert found["crossmintOrderId"] == order["crossmintOrderId"]


def test_an_item_that_is_not_in_the_cart(api: Api, user: httpx.Client) -> None:
    """It is 404: another's, one that was bought, and one that never was."""
    item = user.post("/api/cart", json=PRODUCT).json()["id"]
    other = api.user("google|2")
    assert other.post("/api/checkout", json={"cartItemId": item}).status_code == 404
    assert user.post("/api/checkout", json={"cartItemId": item}).status_code == 201
    for each in (item, str(uuid4())):
        answer = user.post("/api/checkout", json={"cartItemId": each})
        assert answer.status_code == 404
        assert answer.json()["code"] == "CartItemNotFoundError"


@pytest.mark.parametrize("body", [{}, {"cartItemId": "x"}, {"cartItemId": 5}])
def test_a_bad_request(user: httpx.Client, body: dict[str, object]) -> None:
    """It is 400."""
    answer = user.post("/api/checkout", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


def test_too_little_usdc(user: httpx.Client) -> None:
    """It is 422, and the item stays in the cart."""
    answer = bought(user, price=100_001)
    assert (answer.status_code, answer.json()["code"]) == (
        422,
        "InsufficientFundsError",
    )
    assert len(user.get("/api/cart").json()["items"]) == 1
    assert user.get("/api/orders").json()["total"] == 0


def test_the_price_changes_meanwhile(
    database_url: str, conn: psycopg.Connection
) -> None:
    """It is 409: the user approves what was shown."""

    class Slow(Crossmint):
        """Takes so long that the price changes."""

        async def create_order(self, payer: str, price: int) -> CrossmintOrder:
            """Make an order of the old price."""
            conn.execute("UPDATE cart_items SET price = price + 1")
            return await super().create_order(payer, price)

    with served(database_url, crossmint=Slow()) as api:
        user = api.user()
        answer = bought(user)
        assert (answer.status_code, answer.json()["code"]) == (
            409,
            "PriceChangedError",
        )
        assert user.get("/api/orders").json()["total"] == 0


def test_crossmint_is_down(api: Api, user: httpx.Client) -> None:
    """It is 502, and the item stays in the cart."""
    item = user.post("/api/cart", json=PRODUCT).json()["id"]
    api.services.crossmint.is_down = True
    answer = user.post("/api/checkout", json={"cartItemId": item})
    assert (answer.status_code, answer.json()["code"]) == (502, "UPSTREAM_ERROR")
    assert len(user.get("/api/cart").json()["items"]) == 1


def test_a_user_without_a_wallet_or_an_address(
    user: httpx.Client, conn: psycopg.Connection
) -> None:
    """It is 400; both may be so in a database that was adopted."""
    conn.execute("UPDATE users SET street = NULL")
    answer = bought(user)
    assert answer.status_code == 400
    assert answer.json()["code"] == "CheckoutMissingAddressError"
    conn.execute("UPDATE users SET evm_address = NULL")
    answer = bought(user, size="11")
    assert answer.status_code == 400
    assert answer.json()["code"] == "CheckoutNoWalletError"


def test_without_a_session(api: Api) -> None:
    """It is 401; without the onboarding, 403."""
    body = {"cartItemId": str(uuid4())}
    assert api.anonymous().post("/api/checkout", json=body).status_code == 401
    assert api.new_user().post("/api/checkout", json=body).status_code == 403
