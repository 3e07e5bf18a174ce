"""The workers: each does its part, beside requests and beside itself."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from examples.api import workers
from examples.api.services import Services
from store import errors
from store_testing import chains
from tests.api.serving import PRODUCT, Api, eventually, served
from tests.api.test_checkout import bought
from tests.api.test_orders import send


def events(owner: str, count: int) -> list[dict[str, Any]]:
    """Make events of a wallet, as they were recorded from a node."""
    return [
        chains.happened(
            "CartItemAdded",
            owner,
            chains.item_id(number),
            tx=chains.digest(number),
            product_id=f"B{number}",
        )
        for number in range(count)
    ]


def test_recorded_pages_are_read_to_the_end(onchain: Api) -> None:
    """Several pages, once each, by several readers at once."""
    user = onchain.user()
    owner = user.get("/api/auth/profile").json()["walletAddress"]
    stranger = events(chains.wallet(99), 60)
    onchain.services.chain.events += stranger + [
        each | {"id": {"txDigest": chains.digest(200 + n), "eventSeq": "0"}}
        for n, each in enumerate(events(owner, 7))
    ]

    async def read_at_once(services: Services) -> None:
        await asyncio.gather(*(workers.read_chain(services) for _ in range(3)))

    onchain.run(read_at_once)
    items = user.get("/api/cart").json()["items"]
    assert {item["productId"] for item in items} == {f"B{n}" for n in range(7)}
    cursor = onchain.run(lambda services: services.store.get_chain_cursor())
    assert cursor is not None
    assert cursor.as_json() == onchain.services.chain.events[-1]["id"]


def test_what_was_paid_is_checked_out_on_chain(onchain: Api) -> None:
    """Once, however many workers there are; the order has the digest."""
    user = onchain.user()
    user.post("/api/cart", json=PRODUCT)
    onchain.run(workers.read_chain)
    [item] = user.get("/api/cart").json()["items"]
    order = user.post("/api/checkout", json={"cartItemId": item["id"]}).json()
    onchain.run(workers.submit_checkouts)
    assert user.get("/api/cart/info").json()["itemCount"] == 1  # nothing is paid yet
    assert send(
        onchain, "orders.payment.succeeded", order["crossmintOrderId"]
    ).is_success

    async def submit_at_once(services: Services) -> None:
        await asyncio.gather(*(workers.submit_checkouts(services) for _ in range(3)))

    onchain.run(submit_at_once)
    left = onchain.run(lambda services: services.store.list_orders_without_digest())
    assert left.rows == []  # before the chain's own event was read
    [created] = [
        each
        for each in onchain.services.chain.events
        if each["type"].endswith("OrderCreated")
    ]
    onchain.run(workers.read_chain)
    found = onchain.run(
        lambda services: services.store.attach_transaction(
            order["crossmintOrderId"], created["id"]["txDigest"]
        )
    )
    assert found.id == UUID(order["orderId"])
    assert user.get("/api/cart/info").json()["itemCount"] == 0


def test_an_abandoned_checkout_is_given_up(database_url: str) -> None:
    """Its item is back in the cart; a younger one stays."""
    with served(database_url) as api:
        user = api.user()
        order = bought(user).json()
        api.run(workers.give_up)
        assert user.get("/api/cart").json() == {"items": []}
        api.services.settings.give_up_hours = 0
        api.run(workers.give_up)
        assert len(user.get("/api/cart").json()["items"]) == 1
        found = user.get(f"/api/orders/{order['orderId']}").json()
        assert found["status"] == "cancelled"


def test_a_wallet_that_hangs_is_provisioned(api: Api, conn: psycopg.Connection) -> None:
    """Where its process died; one that was begun just now is left alone."""
    user = api.new_user()
    user_id = api.user_id(user)
    conn.execute(
        "UPDATE users SET wallet_status = 'none', wallet_address = NULL,"
        " evm_address = NULL, crossmint_wallet_id = NULL,"
        " sui_private_key_encrypted = NULL WHERE id = %s",
        [user_id],
    )
    conn.execute("UPDATE users SET wallet_status = 'pending'")
    api.run(workers.provision_hanging)
    assert user.get("/api/auth/profile").json()["walletStatus"] == "pending"
    conn.execute("UPDATE users SET wallet_status_since = now() - interval '1 hour'")
    api.run(workers.provision_hanging)
    assert user.get("/api/auth/profile").json()["walletStatus"] == "active"


def test_they_run_beside_the_requests(database_url: str) -> None:
    """What is put on chain is listed without anybody's doing."""
    with served(database_url, workers=True, cart_service="onchain") as api:
        user = api.user()
        assert user.post("/api/cart", json=PRODUCT).status_code == 201
        eventually(lambda: user.get("/api/cart").json()["items"])


def test_one_that_fails_is_tried_again(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither an error of the store nor a mistake ends it, or any other."""
    failures: list[Exception] = [errors.ServerUnreachable("away"), KeyError("oops")]
    with served(database_url, workers=True, cart_service="onchain") as api:
        user = api.user()
        chain = api.services.chain
        asked = chain.query_events

        async def failing(cursor: Any) -> dict[str, Any]:  # noqa: ANN401 - the original's
            if failures:
                raise failures.pop()
            return await asked(cursor)

        chain.query_events = failing  # type: ignore[method-assign]  # a node's outage
        assert user.post("/api/cart", json=PRODUCT).status_code == 201
        eventually(lambda: user.get("/api/cart").json()["items"])
    assert "read_chain: away" in caplog.text
    assert "read_chain failed" in caplog.text
