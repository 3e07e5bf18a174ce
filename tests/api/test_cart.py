"""The cart, in the database and on chain."""

import json
from uuid import uuid4

import httpx
import pytest

from examples.api import workers
from tests.api.serving import PRODUCT, Api

JSON = {"Content-Type": "application/json"}


def test_a_product_is_added_and_listed(api: Api, user: httpx.Client) -> None:
    """The newest is first; what is not given is null."""
    answer = user.post("/api/cart", json=PRODUCT)
    assert answer.status_code == 201
    item = answer.json()
    assert item.items() >= PRODUCT.items()
    assert {"id", "userId", "createdAt"} < set(item)
    assert not {"deletedAt", "endedAt", "onChainObjectId", "txDigest"} & set(item)
    assert item["userId"] == str(api.user_id(user))
    bare = {key: PRODUCT[key] for key in PRODUCT.keys() - {"size", "color"}}
    newer = user.post("/api/cart", json=bare).json()
    assert (newer["size"], newer["color"]) == (None, None)
    assert user.get("/api/cart").json() == {"items": [newer, item]}


def test_a_variant_is_added_once(user: httpx.Client) -> None:
    """A second one is 409; another size is another variant."""
    assert user.post("/api/cart", json=PRODUCT).status_code == 201
    answer = user.post("/api/cart", json=PRODUCT | {"price": 1})
    assert (answer.status_code, answer.json()["code"]) == (
        409,
        "CartDuplicateItemError",
    )
    assert user.post("/api/cart", json=PRODUCT | {"size": "11"}).status_code == 201
    assert {each["price"] for each in user.get("/api/cart").json()["items"]} == {14999}


def test_a_cart_is_full(user: httpx.Client) -> None:
    """The eleventh item is 400."""
    for number in range(10):
        body = PRODUCT | {"size": str(number)}
        assert user.post("/api/cart", json=body).status_code == 201
    answer = user.post("/api/cart", json=PRODUCT | {"size": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "CartFullError")


@pytest.mark.parametrize(
    "change",
    [
        {"price": 0},
        {"price": 1.5},
        {"price": True},
        {"price": 2**31},
        {"productId": ""},
        {"productName": "x" * 501},
        {"image": "no URL"},
        {"size": "x" * 51},
        {"color": "\ud800"},
        {"retailer": None},
    ],
)
def test_a_bad_product(user: httpx.Client, change: dict[str, object]) -> None:
    """It is 400."""
    body = json.dumps(PRODUCT | change)
    answer = user.post("/api/cart", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


def test_an_item_is_removed(api: Api, user: httpx.Client) -> None:
    """Once more is 204, too; another's, or none, is 404; what is no id is 400."""
    item = user.post("/api/cart", json=PRODUCT).json()["id"]
    for each in (item, str(uuid4())):
        answer = api.user("google|2").delete(f"/api/cart/{each}")
        assert answer.status_code == 404
        assert answer.json()["code"] == "CartItemNotFoundError"
    for _ in range(2):
        answer = user.delete(f"/api/cart/{item}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert user.get("/api/cart").json() == {"items": []}
    assert user.delete("/api/cart/x").status_code == 400


def test_an_ordered_item_is_not_removed(user: httpx.Client) -> None:
    """It is 409: an order has it."""
    item = user.post("/api/cart", json=PRODUCT).json()["id"]
    assert user.post("/api/checkout", json={"cartItemId": item}).status_code == 201
    answer = user.delete(f"/api/cart/{item}")
    assert (answer.status_code, answer.json()["code"]) == (409, "CartItemOrderedError")


def test_a_cart_that_is_not_on_chain(user: httpx.Client) -> None:
    """It cannot be made there, and has no address."""
    answer = user.post("/api/cart/init")
    assert (answer.status_code, answer.json()["code"]) == (
        400,
        "CONTRACT_NOT_CONFIGURED",
    )
    nowhere = {"cartAddress": None, "exists": False}
    assert user.get("/api/cart/address").json() == nowhere
    assert user.get("/api/cart/info").json() == {**nowhere, "itemCount": 0}


def test_a_cart_on_chain(onchain: Api) -> None:
    """It is made once; then it has an address, and the contract counts its items."""
    user = onchain.user()
    created = [user.post("/api/cart/init").json() for _ in range(2)]
    assert created == [
        {"created": True, "message": "Cart created"},
        {"created": False, "message": "Cart already exists"},
    ]
    assert user.post("/api/cart", json=PRODUCT).status_code == 201
    address = user.get("/api/cart/address").json()
    assert address["exists"]
    assert len(address["cartAddress"]) == 66
    assert user.get("/api/cart/info").json() == {**address, "itemCount": 1}


def test_items_on_chain_come_through_the_mirror(onchain: Api) -> None:
    """They are listed and gone once the worker has read the events."""
    user = onchain.user()
    item = user.post("/api/cart", json=PRODUCT).json()
    assert user.get("/api/cart").json() == {"items": []}
    onchain.run(workers.read_chain)
    [listed] = user.get("/api/cart").json()["items"]
    assert listed.items() >= PRODUCT.items()
    # By its row's id, or by its id on chain.
    other = user.post("/api/cart", json=PRODUCT | {"size": "11"}).json()
    for name in (listed["id"], other["id"]):
        assert user.delete(f"/api/cart/{name}").status_code == 204
    onchain.run(workers.read_chain)
    assert user.get("/api/cart").json() == {"items": []}
    assert user.delete(f"/api/cart/{item['id']}").status_code == 404


def test_the_contract_takes_ten_items(onchain: Api) -> None:
    """The eleventh is 400, as in the database."""
    user = onchain.user()
    for number in range(10):
        body = PRODUCT | {"size": str(number)}
        assert user.post("/api/cart", json=body).status_code == 201
    answer = user.post("/api/cart", json=PRODUCT)
    assert (answer.status_code, answer.json()["code"]) == (400, "CartFullError")


def test_without_a_session(api: Api) -> None:
    """Each is 401."""
    client = api.anonymous()
    for method, path in (
        ("GET", ""),
        ("DELETE", f"/{uuid4()}"),
        ("POST", "/init"),
        ("GET", "/address"),
        ("GET", "/info"),
    ):
        assert client.request(method, f"/api/cart{path}").status_code == 401
    assert client.post("/api/cart", json=PRODUCT).status_code == 401
