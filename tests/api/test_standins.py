"""The stand-ins' own routes, by which the API is tried by hand."""

from tests.api.serving import PRODUCT, Api, finish_onboarding


def test_what_a_user_does_elsewhere(api: Api) -> None:
    """Log in, buy, and have the payment's webhook sent."""
    user = api.anonymous()
    token = user.post("/stand-ins/login", json={}).json()
    assert user.post("/api/auth/session", json=token).status_code == 200
    finish_onboarding(user)
    item = user.post("/api/cart", json=PRODUCT).json()["id"]
    order = user.post("/api/checkout", json={"cartItemId": item}).json()
    path = f"/stand-ins/orders/{order['crossmintOrderId']}"
    answer = user.post(f"{path}/orders.payment.succeeded")
    assert answer.json() == {"ok": True}
    found = user.get("/api/orders").json()["orders"][0]
    assert (found["status"], found["quote"]["totalPrice"]["amount"]) == (
        "payment_confirmed",
        "149.99",
    )
    assert user.post("/stand-ins/orders/x/orders.payment.failed").status_code == 404
    assert user.post("/stand-ins/login", json={"userId": ""}).status_code == 400
    assert user.post("/stand-ins/deposits", json={"amount": 0}).status_code == 400
