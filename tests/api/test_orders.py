"""Orders as their user sees them, and what webhooks make of them."""

from uuid import uuid4

import httpx
import pytest

from store_testing import crossmint
from tests.api.serving import PRODUCT, Api, served
from tests.api.test_checkout import bought


def send(api: Api, kind: str, order_id: str) -> httpx.Response:
    """Send a webhook as Crossmint does, signed."""
    event = crossmint.event(kind, crossmint.order(order_id))
    body, headers = crossmint.delivery(f"msg_{uuid4()}", event)
    client = api.anonymous()
    return client.post("/api/webhooks/crossmint", content=body, headers=headers)


def test_orders_are_listed_with_their_total(api: Api, user: httpx.Client) -> None:
    """By number and limit, filtered by type, status and phase; of their user alone."""
    ids = [bought(user, size=str(n)).json() for n in range(3)]
    assert send(api, "orders.payment.succeeded", ids[0]["crossmintOrderId"]).is_success
    page = user.get("/api/orders?page=2&limit=2").json()
    assert [each["orderId"] for each in page["orders"]] == [ids[0]["orderId"]]
    assert (page["total"], page["page"], page["limit"]) == (3, 2, 2)
    for query, count in (
        ("type=checkout", 3),
        ("type=deposit", 0),
        ("status=payment_confirmed", 1),
        ("phase=payment-confirmed", 1),
        ("phase=awaiting-approval&status=payment_confirmed", 0),
        ("phase=unknown", 0),
    ):
        assert user.get(f"/api/orders?{query}").json()["total"] == count, query
    assert api.user("google|2").get("/api/orders").json()["total"] == 0
    for query in ("page=0", "limit=101", "type=x", "status=x", "page=x"):
        assert user.get(f"/api/orders?{query}").status_code == 400


def test_an_order_is_read(api: Api, user: httpx.Client) -> None:
    """While it is open, with what Crossmint says; the snapshot is as it was bought."""
    order = bought(user).json()
    found = user.get(f"/api/orders/{order['orderId']}").json()
    assert found["item"].items() >= PRODUCT.items()
    assert not {"id", "orderId", "cartItemId", "createdAt"} & set(found["item"])
    assert found["quote"] == {"totalPrice": {"amount": "149.99", "currency": "usdc"}}
    assert found["payment"] == {"status": "awaiting-payment", "currency": "usdc"}
    assert (found["status"], found["phase"]) == ("awaiting_approval", "payment")
    [listed] = user.get("/api/orders").json()["orders"]
    assert set(listed) == set(found)
    assert listed["phase"] == "awaiting-approval"
    other = api.user("google|2")
    for each in (order["orderId"], str(uuid4())):
        answer = other.get(f"/api/orders/{each}")
        assert answer.status_code == 404
        assert answer.json()["code"] == "OrderNotFoundError"
    assert user.get("/api/orders/x").status_code == 400


def test_crossmint_is_down(api: Api, user: httpx.Client) -> None:
    """An open order is 502; one that has ended, and the list, need nobody."""
    orders = [bought(user, size=str(n)).json() for n in range(2)]
    assert send(api, "orders.payment.failed", orders[0]["crossmintOrderId"]).is_success
    api.services.crossmint.is_down = True
    ended, is_open = (user.get(f"/api/orders/{each['orderId']}") for each in orders)
    assert (ended.status_code, ended.json()["status"]) == (200, "cancelled")
    assert (is_open.status_code, is_open.json()["code"]) == (502, "UPSTREAM_ERROR")
    assert user.get("/api/orders").json()["total"] == 2


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["orders.payment.succeeded"], "payment_confirmed"),
        (["orders.payment.failed"], "cancelled"),
        (["orders.delivery.initiated", "orders.payment.succeeded"], "in_progress"),
        (["orders.delivery.completed", "orders.payment.failed"], "delivered"),
        (["orders.payment.succeeded", "orders.delivery.failed"], "cancelled"),
        (["orders.quote.updated", "nobody.knows"], "awaiting_approval"),
    ],
)
def test_a_webhook_changes_its_order(
    api: Api, user: httpx.Client, kinds: list[str], status: str
) -> None:
    """Each is 200, known or not, and in any order; a failure brings the item back."""
    order = bought(user).json()
    for kind in kinds:
        answer = send(api, kind, order["crossmintOrderId"])
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
    [found] = user.get("/api/orders").json()["orders"]
    assert found["status"] == status
    items = user.get("/api/cart").json()["items"]
    assert len(items) == (status == "cancelled")


def test_a_webhook_that_is_not_signed(api: Api) -> None:
    """It is 401; what is signed is 200, whatever it says."""
    client, path = api.anonymous(), "/api/webhooks/crossmint"
    body, headers = crossmint.delivery("msg_1", {"type": "x"})
    assert client.post(path, content=body + b" ", headers=headers).status_code == 401
    assert client.post(path, content=body).status_code == 401
    assert client.post(path, content=body, headers=headers).status_code == 200
    assert client.post(path, content=body, headers=headers).status_code == 200
    odd = b"\xff not JSON"
    assert client.post(
        path, content=odd, headers=crossmint.signed("m2", odd)
    ).is_success
    others = {
        name.replace("svix", "webhook"): value
        for name, value in crossmint.signed("m3", body).items()
    }
    assert client.post(path, content=body, headers=others).is_success


def test_a_webhook_before_its_secret_is_set(database_url: str) -> None:
    """It is 503, so that it comes again."""
    with served(database_url, crossmint_webhook_secrets=()) as api:
        answer = send(api, "orders.payment.succeeded", "x")
        assert answer.status_code == 503
        assert answer.json()["code"] == "WEBHOOK_NOT_CONFIGURED"


def test_without_a_session(api: Api) -> None:
    """It is 401; without the onboarding, 403."""
    for path in ("/api/orders", f"/api/orders/{uuid4()}"):
        assert api.anonymous().get(path).status_code == 401
        assert api.new_user().get(path).status_code == 403
