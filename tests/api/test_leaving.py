"""Clients that leave, and processes that are told to end."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import psycopg
import pytest
from starlette.types import Message

from examples.api.standins import Crossmint, CrossmintOrder, Model
from examples.api.turns import EventStream
from store_testing.crossmint import SECRET
from tests.api.serving import KEYS, PRODUCT, Api, eventually, served
from tests.api.test_chat import asked, parts_of

ROOT = Path(__file__).parents[2]


class Gate:
    """Holds back whoever passes, from a thread of its own to that of the API."""

    def __init__(self) -> None:
        self.reached = Event()
        self._open = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def passing(self) -> None:
        """Wait until it is open."""
        self._loop = asyncio.get_running_loop()
        self.reached.set()
        await self._open.wait()

    def open(self) -> None:
        """Let everybody pass."""
        assert self._loop
        self._loop.call_soon_threadsafe(self._open.set)


class GatedModel(Model):
    """Stops after its tool and a word."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.words = 0

    async def pause(self) -> None:
        """Wait before the third thing that it says."""
        self.words += 1
        if self.words == 3:
            await self.gate.passing()


class GatedCrossmint(Crossmint):
    """Stops before it has made an order."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    async def create_order(self, payer: str, price: int) -> CrossmintOrder:
        """Make an order, late."""
        await self.gate.passing()
        return await super().create_order(payer, price)


@pytest.fixture
def model() -> GatedModel:
    """Give a model that stops."""
    return GatedModel()


@pytest.fixture
def slow(database_url: str, model: GatedModel) -> Generator[Api]:
    """Serve the API with that model."""
    with served(database_url, model=model) as api:
        yield api


def leave(api: Api, user: httpx.Client, body: dict[str, Any], gate: Gate) -> None:
    """Ask, and hang up as soon as the gate is reached; the API has noticed then."""
    before = len(api.server.server_state.connections)
    with (
        httpx.Client(base_url=api.url, cookies=user.cookies) as client,
        client.stream("POST", "/api/chat", json=body) as answer,
    ):
        assert answer.status_code == 200
        assert gate.reached.wait(30)
    eventually(lambda: len(api.server.server_state.connections) <= before)


def last_message(user: httpx.Client) -> dict[str, Any] | None:
    """Read the answer that is kept in the newest session, if there is one."""
    [session] = user.get("/api/sessions").json()["sessions"]
    messages = user.get(f"/api/sessions/{session['id']}").json()["messages"]
    said: dict[str, Any] | None = messages[1] if len(messages) > 1 else None
    return said


def test_what_was_said_until_the_client_left_is_kept(
    slow: Api, model: GatedModel
) -> None:
    """The model is asked for no more, and the words that came are in the session."""
    user = slow.user()
    leave(slow, user, asked("pens"), model.gate)
    eventually(lambda: last_message(user))
    said = last_message(user)
    assert said is not None
    assert [part["type"] for part in said["parts"]] == [
        "step-start",
        "tool-searchProducts",
        "step-start",
        "text",
    ]
    assert said["parts"][-1] == {
        "type": "text",
        "text": "I looked at 3 products",
        "state": "streaming",
    }
    assert model.words == 3
    assert slow.services.store.statistics.waiting == 0


def test_a_stream_that_cannot_be_sent_ends_its_generator() -> None:
    """Also between two parts, and at once: not when its garbage is collected."""
    ended: list[str] = []

    async def parts() -> AsyncGenerator[dict[str, Any]]:
        try:
            yield {"type": "start"}
            yield {"type": "finish"}
        finally:
            ended.append("as it should")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the client left")

    async def run() -> None:
        stream = EventStream(parts(), {})
        with pytest.raises(OSError, match="the client left"):
            await stream.stream_response(send)
        assert ended == ["as it should"]

    asyncio.run(run())


def test_a_tool_that_was_begun_is_ended(database_url: str) -> None:
    """A purchase goes on when its client leaves, and is kept with its order."""
    crossmint = GatedCrossmint()
    with served(database_url, crossmint=crossmint) as api:
        user = api.user()
        assert user.post("/api/cart", json=PRODUCT).status_code == 201
        leave(api, user, asked("buy my cart"), crossmint.gate)
        crossmint.gate.open()
        eventually(lambda: last_message(user))
        said = last_message(user)
        assert said is not None
        [order] = user.get("/api/orders").json()["orders"]
        [tool] = [p for p in said["parts"] if p["type"] == "tool-initiateCheckout"]
        assert tool["state"] == "output-available"
        assert tool["output"]["orderId"] == order["orderId"]


def test_a_plain_request_is_done_when_its_client_leaves(database_url: str) -> None:
    """The order is there; who asks again is told that the item is not in the cart."""
    crossmint = GatedCrossmint()
    with served(database_url, crossmint=crossmint) as api:
        user = api.user()
        item = user.post("/api/cart", json=PRODUCT).json()["id"]
        body = {"cartItemId": item}
        address = ("127.0.0.1", int(api.url.rpartition(":")[2]))
        request = user.build_request("POST", "/api/checkout", json=body)
        with socket.create_connection(address) as connection:
            head = "".join(
                f"{name}: {value}\r\n" for name, value in request.headers.items()
            )
            connection.sendall(f"POST /api/checkout HTTP/1.1\r\n{head}\r\n".encode())
            connection.sendall(request.read())
            assert crossmint.gate.reached.wait(30)
        crossmint.gate.open()
        eventually(lambda: user.get("/api/orders").json()["total"])
        assert user.post("/api/checkout", json=body).status_code == 404
        assert user.get("/api/orders").json()["total"] == 1


def test_a_request_that_is_cut_off(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is done, and nothing is logged as a mistake of ours."""
    address = ("127.0.0.1", int(api.url.rpartition(":")[2]))
    head = (
        "POST /api/webhooks/crossmint HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
    )
    with (
        caplog.at_level(logging.INFO, "examples.api.requests"),
        socket.create_connection(address) as connection,
    ):
        connection.sendall(head.encode() + b"{")
        connection.close()
        eventually(lambda: "POST /api/webhooks/crossmint: no answer" in caplog.text)
    assert "ClientDisconnect" not in caplog.text


def test_a_stream_is_ended_before_the_process(slow: Api, model: GatedModel) -> None:
    """Who is being answered when the process is told to end hears all of it."""
    user = slow.user()
    answers: list[httpx.Response] = []
    client = Thread(
        target=lambda: answers.append(user.post("/api/chat", json=asked("pens")))
    )
    client.start()
    assert model.gate.reached.wait(30)
    slow.server.should_exit = True
    model.gate.open()
    client.join(60)
    assert parts_of(answers[0])[-1]["type"] == "finish"


def test_a_process_ends_when_it_is_told(
    database_url: str, conn: psycopg.Connection
) -> None:
    """SIGTERM ends workers and connections; nothing is left on the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "--factory"),
                *("examples.api.app:create", "--fd", str(listener.fileno())),
            ],
            cwd=ROOT,
            env={
                "PATH": os.defpath,
                "DATABASE_URL": database_url,
                "CART_SERVICE": "onchain",
                "CROSSMINT_WEBHOOK_SECRETS": SECRET,
                "WALLET_ENCRYPTION_KEYS": KEYS,
            },
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=60) as client:
            assert client.get("/ready").status_code == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    assert process.returncode in {0, -signal.SIGTERM}
    assert "GET /ready: 200" in log
    assert "Traceback" not in log
    left = conn.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert left.fetchone() == (0,)
