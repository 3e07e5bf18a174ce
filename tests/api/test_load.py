"""Clients that come, leave at any moment, and repeat."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from examples.api.standins import Crossmint
from store_testing import crossmint
from tests.api.serving import ADDRESS, KEYS, PRODUCT, SIZES, TLS

ROOT = Path(__file__).parents[2]
SECONDS = float(os.environ.get("API_LOAD_SECONDS", "60"))
CLIENTS = 50
USERS = 20  # so that several clients are one user, in each other's way

EVENTS = (
    "orders.payment.succeeded",
    "orders.payment.failed",
    "orders.delivery.initiated",
    "orders.delivery.completed",
)

# Each finds what must never be.
INVARIANTS = {
    "a variant is in a cart twice": """
        SELECT user_id FROM cart_items WHERE deleted_at IS NULL
        GROUP BY user_id, product_id, size, color HAVING count(*) > 1""",
    "an item is in a cart and in an order": """
        SELECT cart_items.id FROM cart_items
        JOIN order_items ON order_items.cart_item_id = cart_items.id
        JOIN orders ON orders.id = order_items.order_id
        WHERE cart_items.deleted_at IS NULL AND orders.status <> 'cancelled'""",
    "two orders have one item, and no money came late": """
        SELECT cart_item_id FROM order_items
        JOIN orders ON orders.id = order_items.order_id
        WHERE orders.status <> 'cancelled'
        GROUP BY cart_item_id HAVING count(*) > 1 AND NOT bool_or(paid_late)""",
    "a checkout has no snapshot": """
        SELECT orders.id FROM orders
        LEFT JOIN order_items ON order_items.order_id = orders.id
        WHERE type = 'checkout' AND order_items.id IS NULL""",
    "an order is not what its events say": """
        SELECT orders.id FROM orders
        LEFT JOIN order_events AS event
            ON event.order_id = orders.id
            OR event.crossmint_order_id = orders.crossmint_order_id
        WHERE orders.type = 'checkout'
        GROUP BY orders.id, orders.status
        HAVING orders.status <> order_status_of(
            coalesce(array_agg(event.type) FILTER (WHERE event.id IS NOT NULL), '{}')
        )""",
    "a deposit is credited, and not settled": """
        SELECT id FROM orders WHERE type = 'deposit'
        AND (status = 'delivered') <> (settled_at IS NOT NULL)""",
    "an answer is empty": """
        SELECT id FROM chat_messages WHERE jsonb_array_length(parts) = 0""",
    "an answer has no question before it": """
        SELECT answer.id FROM chat_messages AS answer
        WHERE answer.role = 'assistant' AND NOT EXISTS (
            SELECT FROM chat_messages AS question
            WHERE question.session_id = answer.session_id
            AND question.role = 'user' AND question.position < answer.position
        )""",
    "an identity is two users": """
        SELECT crossmint_user_id FROM users GROUP BY 1 HAVING count(*) > 1""",
    "a wallet is not active": "SELECT id FROM users WHERE wallet_status <> 'active'",
}


@dataclass
class Seen:
    """What the clients have seen: answers by status, and what was confirmed to them."""

    answers: Counter[int] = field(default_factory=Counter[int])
    dishonest: list[str] = field(default_factory=list[str])
    left: int = 0
    orders: set[str] = field(default_factory=set[str])
    items: set[str] = field(default_factory=set[str])
    sessions: set[str] = field(default_factory=set[str])
    said: set[str] = field(default_factory=set[str])


class Client:
    """One of many, who does what comes to mind."""

    def __init__(self, number: int, url: str, seen: Seen) -> None:
        self.dice = random.Random(number)  # noqa: S311 - no secret
        self.url, self.seen = url, seen
        jwt = Crossmint().sign_in(f"google|{number % USERS}", "ann@example.org")
        self.cookies = {"crossmint-jwt": jwt}
        self.crossmint_orders: list[str] = []

    async def run(self, until: float) -> None:
        """Come, do some things, leave, and repeat."""
        async with httpx.AsyncClient(
            base_url=self.url, cookies=self.cookies, timeout=60, verify=TLS
        ) as http:
            await self._onboard(http)
        while time.monotonic() < until:
            async with httpx.AsyncClient(
                base_url=self.url, cookies=self.cookies, timeout=60, verify=TLS
            ) as http:
                for _ in range(self.dice.randrange(1, 12)):
                    await self._act(http)

    async def _act(self, http: httpx.AsyncClient) -> None:
        action = self.dice.choice(
            [
                self._look,
                self._add,
                self._add,
                self._remove,
                self._buy,
                self._buy,
                self._webhook,
                self._chat,
                self._chat,
                self._deposit,
            ]
        )
        if self.dice.random() < 0.75:
            await action(http)
            return
        try:  # leaves in the middle, whatever is going on there
            await asyncio.wait_for(action(http), self.dice.random() * 0.2)
        except TimeoutError:
            self.seen.left += 1

    async def _ask(
        self,
        http: httpx.AsyncClient,
        method: str,
        path: str,
        **more: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.Response:
        answer = await http.request(method, path, **more)
        self._note(answer)
        return answer

    def _note(self, answer: httpx.Response) -> None:
        status = answer.status_code
        self.seen.answers[status] += 1
        if status >= 500 and (status, answer.headers.get("retry-after")) != (503, "1"):
            self.seen.dishonest.append(
                f"{answer.request.method} {answer.url}: {status}"
            )

    async def _onboard(self, http: httpx.AsyncClient) -> None:
        for step, body in enumerate(({"displayName": "A"}, ADDRESS, SIZES), start=1):
            await self._ask(http, "POST", f"/api/onboarding/step-{step}", json=body)

    async def _look(self, http: httpx.AsyncClient) -> None:
        for path in ("auth/profile", "cart", "orders?limit=5", "sessions?limit=5"):
            await self._ask(http, "GET", f"/api/{path}")

    async def _add(self, http: httpx.AsyncClient) -> None:
        body = {**PRODUCT, "size": str(self.dice.randrange(8))}
        answer = await self._ask(http, "POST", "/api/cart", json=body)
        if answer.status_code == 201:
            self.seen.items.add(answer.json()["id"])

    async def _some_item(self, http: httpx.AsyncClient) -> str:
        items = (await self._ask(http, "GET", "/api/cart")).json().get("items")
        return str(self.dice.choice(items)["id"]) if items else str(uuid4())

    async def _remove(self, http: httpx.AsyncClient) -> None:
        await self._ask(http, "DELETE", f"/api/cart/{await self._some_item(http)}")

    async def _buy(self, http: httpx.AsyncClient) -> None:
        body = {"cartItemId": await self._some_item(http)}
        answer = await self._ask(http, "POST", "/api/checkout", json=body)
        if answer.status_code == 201:
            order = answer.json()
            self.seen.orders.add(order["orderId"])
            self.crossmint_orders.append(order["crossmintOrderId"])
            await self._ask(http, "GET", f"/api/orders/{order['orderId']}")

    async def _webhook(self, http: httpx.AsyncClient) -> None:
        order_id = self.dice.choice([*self.crossmint_orders[-3:], "c-unknown"])
        event = crossmint.event(self.dice.choice(EVENTS), crossmint.order(order_id))
        event["data"]["payment"]["received"]["txId"] = f"0x{order_id}"
        body, headers = crossmint.delivery(f"msg_{uuid4()}", event)
        path = "/api/webhooks/crossmint"
        await self._ask(http, "POST", path, content=body, headers=headers)

    async def _deposit(self, http: httpx.AsyncClient) -> None:
        path, body = "/stand-ins/deposits", {"amount": 1_000_000}
        made = await self._ask(http, "POST", path, json=body)
        if made.status_code == 200:
            path = "/api/deposit/verify"
            await asyncio.gather(
                *(self._ask(http, "POST", path, json=made.json()) for _ in range(2))
            )

    async def _chat(self, http: httpx.AsyncClient) -> None:
        text = self.dice.choice(["pens", "add it", "my cart", "buy my cart"])
        body = {"messages": [{"role": "user", "content": text}]}
        async with http.stream("POST", "/api/chat", json=body) as answer:
            self._note(answer)
            if answer.status_code != 200:
                return
            message = ""
            async for event in _events(answer):
                if '"messageId"' in event:
                    message = event.partition('"messageId":"')[2].partition('"')[0]
                if '"type":"finish"' in event:
                    self.seen.said.add(message)
                    self.seen.sessions.add(answer.headers["x-session-id"])
                if self.dice.random() < 0.05:
                    self.seen.left += 1
                    return  # in the middle of the answer


async def _events(answer: httpx.Response) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        if line:
            yield line


@contextmanager
def processes(database_url: str, log: Path) -> Generator[str]:
    """Serve the API in two processes; they have ended when the block has."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        with log.open("w") as written:
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "uvicorn", "--factory", "--workers=2"),
                    *("examples.api.app:create", f"--fd={listener.fileno()}"),
                    # Longer than any client is quiet: one that asks just as its
                    # connection is ended would hear nothing.
                    *("--no-access-log", "--timeout-keep-alive=60"),
                ],
                cwd=ROOT,
                env={
                    "PATH": os.defpath,
                    "DATABASE_URL": database_url,
                    "DATABASE_ACQUIRE_TIMEOUT": "2",
                    "CROSSMINT_WEBHOOK_SECRETS": crossmint.SECRET,
                    "WALLET_ENCRYPTION_KEYS": KEYS,
                    "API_GIVE_UP_HOURS": "0.0005",
                    "API_WORKER_SECONDS": "0.5",
                },
                pass_fds=[listener.fileno()],
                stderr=written,
            )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)


@pytest.mark.long
def test_clients_that_come_and_leave(
    database_url: str, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """No answer is a 5xx but 503 with Retry-After, and what always holds holds."""
    seen, log = Seen(), tmp_path / "log"

    async def run(url: str) -> None:
        clients = [Client(number, url, seen) for number in range(CLIENTS)]
        until = time.monotonic() + SECONDS
        await asyncio.gather(*(client.run(until) for client in clients))

    with processes(database_url, log) as url:
        assert httpx.get(f"{url}/ready", timeout=60).status_code == 200
        asyncio.run(run(url))

    assert not seen.dishonest, "\n".join(
        [*seen.dishonest[:20], log.read_text()[-3000:]]
    )
    assert "Traceback" not in log.read_text()
    assert seen.left > CLIENTS / 10
    assert {200, 201, 404, 409} <= seen.answers.keys()
    for problem, query in INVARIANTS.items():
        assert conn.execute(query.encode()).fetchall() == [], problem
    for acknowledged, confirmed in (
        (b"SELECT id::text FROM orders", seen.orders),
        (b"SELECT id::text FROM cart_items", seen.items),
        (b"SELECT id::text FROM chat_sessions", seen.sessions),
        (b"SELECT msg_id FROM chat_messages", seen.said),
    ):
        assert confirmed, acknowledged
        found = {row[0] for row in conn.execute(acknowledged)}
        assert confirmed <= found, acknowledged
    left = conn.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert left.fetchone() == (0,)
    print(dict(seen.answers), f"left {seen.left} times")
