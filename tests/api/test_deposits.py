"""Deposits, from the chain to the wallet."""

from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from examples.api.standins import Crossmint, UpstreamError
from tests.api.serving import Api, served


def paid(user: httpx.Client, amount: int = 25_500_000) -> dict[str, Any]:
    """Pay to the user's wallet on chain; give what is to be verified."""
    answer = user.post("/stand-ins/deposits", json={"amount": amount})
    assert answer.status_code == 200
    sent: dict[str, Any] = answer.json()
    return sent


def test_a_deposit_is_paid_in_once(api: Api) -> None:
    """Before the onboarding, too; once more is 409, and pays nothing."""
    user = api.new_user()
    wallet = user.get("/api/auth/profile").json()["evmAddress"]
    deposit = paid(user)
    answer = user.post("/api/deposit/verify", json=deposit)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "success": True,
            "txDigest": deposit["txDigest"],
            "usdcAmount": 25.5,
            "usdmxAmount": "25.50",
        },
    )
    again = user.post("/api/deposit/verify", json=deposit)
    assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
    assert api.services.crossmint.funded(wallet) == Decimal("25.5")


def test_a_deposit_that_could_not_be_paid_in(api: Api) -> None:
    """It is 502; the same request again pays it in, once."""
    user = api.user()
    wallet = user.get("/api/auth/profile").json()["evmAddress"]
    deposit = paid(user)
    api.services.crossmint.is_down = True
    answer = user.post("/api/deposit/verify", json=deposit)
    assert (answer.status_code, answer.json()["code"]) == (502, "UPSTREAM_ERROR")
    [listed] = user.get("/api/orders?type=deposit").json()["orders"]
    assert listed["status"] == "payment_confirmed"
    api.services.crossmint.is_down = False
    assert user.post("/api/deposit/verify", json=deposit).status_code == 200
    assert api.services.crossmint.funded(wallet) == Decimal("25.5")
    [listed] = user.get("/api/orders?type=deposit").json()["orders"]
    assert (listed["status"], listed["crossmintOrderId"]) == ("delivered", "")
    assert listed["quote"]["totalPrice"]["amount"] == "25.5"


class Forgetful(Crossmint):
    """Pays in, and does not say so the first time."""

    async def fund(self, wallet: str, amount: Decimal, *, key: str) -> None:
        """Pay in, with or without an answer."""
        is_first = not self.funded(wallet)
        await super().fund(wallet, amount, key=key)
        if is_first:
            raise UpstreamError("the answer was lost")


def test_an_answer_that_was_lost(database_url: str) -> None:
    """What was paid in already is not paid in again."""
    crossmint = Forgetful()
    with served(database_url, crossmint=crossmint) as api:
        user = api.user()
        wallet = user.get("/api/auth/profile").json()["evmAddress"]
        deposit = paid(user)
        assert user.post("/api/deposit/verify", json=deposit).status_code == 502
        assert user.post("/api/deposit/verify", json=deposit).status_code == 200
        assert crossmint.funded(wallet) == Decimal("25.5")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"nonce": "x"}, "NONCE_MISMATCH"),
        ({"amount": "1"}, "AMOUNT_MISMATCH"),
        ({"coinType": "0x2::sui::SUI"}, "INVALID_COIN_TYPE"),
        ({"txDigest": "44PMwfFs4tfN4ujLy5xwpiGxQfa9abP5HFYtub8vgHXn"}, "NO_RECEIPT"),
        ({"txDigest": "x"}, "VALIDATION_ERROR"),
        ({"amount": "-1"}, "VALIDATION_ERROR"),
        ({"nonce": None}, "VALIDATION_ERROR"),
    ],
)
def test_what_the_chain_does_not_say(
    api: Api, change: dict[str, object], code: str
) -> None:
    """It is 400, and nothing is recorded."""
    user = api.user()
    answer = user.post("/api/deposit/verify", json=paid(user) | change)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert user.get("/api/orders").json()["total"] == 0


def test_another_s_deposit(api: Api) -> None:
    """It was paid to another wallet: 400, before it was verified and after."""
    user, other = api.user(), api.user("google|2")
    deposit = paid(user)
    for _ in range(2):
        answer = other.post("/api/deposit/verify", json=deposit)
        assert (answer.status_code, answer.json()["code"]) == (
            400,
            "RECEIVER_MISMATCH",
        )
        user.post("/api/deposit/verify", json=deposit)


def test_without_a_wallet(api: Api, conn: psycopg.Connection) -> None:
    """It is 400; without a session, 401."""
    user = api.user()
    deposit = paid(user)
    conn.execute("UPDATE users SET evm_address = NULL")
    answer = user.post("/api/deposit/verify", json=deposit)
    assert (answer.status_code, answer.json()["code"]) == (
        400,
        "WALLET_NOT_PROVISIONED",
    )
    answer = api.anonymous().post("/api/deposit/verify", json=deposit)
    assert answer.status_code == 401
