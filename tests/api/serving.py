"""The API in a thread of this process, and clients of it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TypeVar
from uuid import UUID

import httpx
import uvicorn

from examples.api.app import create
from examples.api.services import Services
from examples.api.settings import ApiSettings
from examples.api.standins import Crossmint, Model
from store import AsyncStore
from tests.support import stores

__all__ = [
    "ADDRESS",
    "KEYS",
    "PRODUCT",
    "SIZES",
    "TLS",
    "Api",
    "eventually",
    "finish_onboarding",
    "served",
]

KEYS = "0f" * 32

ADDRESS = {
    "firstName": "Alex",
    "lastName": "Chen",
    "street": "123 Main St",
    "country": "US",
    "city": "New York",
    "state": "NY",
    "zip": "10001",
}
SIZES = {"topsSize": "M", "bottomsSize": "32", "footwearSize": "10"}
PRODUCT = {
    "productId": "B0CXYZ1234",
    "productName": "Running shoes",
    "price": 14999,
    "image": "https://cdn.example/shoe.jpg",
    "size": "10",
    "color": "Black",
    "productUrl": "https://shop.example/dp/B0CXYZ1234",
    "retailer": "Amazon",
}

_T = TypeVar("_T")

# Not used, but costly to make for each client.
TLS = ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Api:
    """A served API; `run` has its event loop do something, as a worker would."""

    url: str
    services: Services
    loop: asyncio.AbstractEventLoop
    server: uvicorn.Server
    clients: list[httpx.Client]

    def run(self, work: Callable[[Services], Awaitable[_T]]) -> _T:
        """Have something done in the loop of the API, and wait for it."""

        async def done() -> _T:
            return await work(self.services)

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(timeout=60)

    def anonymous(self) -> httpx.Client:
        """Give a client with no session."""
        self.clients.append(httpx.Client(base_url=self.url, timeout=60, verify=TLS))
        return self.clients[-1]

    def new_user(self, identity: str = "google|1") -> httpx.Client:
        """Give a client whose user has logged in, and done nothing yet."""
        client = self.anonymous()
        jwt = self.services.crossmint.sign_in(identity, "ann@example.org")
        assert client.post("/api/auth/session", json={"jwt": jwt}).is_success
        return client

    def user(self, identity: str = "google|1") -> httpx.Client:
        """Give a client whose user has finished the onboarding."""
        client = self.new_user(identity)
        finish_onboarding(client)
        return client

    def user_id(self, client: httpx.Client) -> UUID:
        """Say whose client it is."""
        return UUID(client.get("/api/auth/profile").json()["userId"])


def eventually(holds: Callable[[], object], seconds: float = 30) -> None:
    """Ask again until something holds, which others are about to bring about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"


def finish_onboarding(client: httpx.Client) -> None:
    """Take the three steps."""
    for step, body in enumerate(({"displayName": "Alex"}, ADDRESS, SIZES), start=1):
        assert client.post(f"/api/onboarding/step-{step}", json=body).is_success


@contextmanager
def served(
    database_url: str,
    *,
    workers: bool = False,
    crossmint: Crossmint | None = None,
    model: Model | None = None,
    **settings: object,
) -> Generator[Api]:
    """Serve the API on a free port until the block ends; it must end by itself."""
    given = {"wallet_encryption_keys": KEYS, **settings}
    services = Services(
        AsyncStore(stores.settings(database_url, **given)),
        ApiSettings(workers=workers, worker_seconds=0.05, secure_cookies=False),
        crossmint or Crossmint(),
        model=model or Model(),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            create(services), log_config=None, access_log=False, ws="none",
            timeout_graceful_shutdown=30,
        )
    )  # fmt: skip
    loops: list[asyncio.AbstractEventLoop] = []
    running = Event()

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        running.set()
        await server.serve(sockets=[listener])

    thread = Thread(target=lambda: asyncio.run(serve()), name="the API")
    thread.start()
    running.wait()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    api = Api(url, services, loops[0], server, [])
    try:
        assert api.anonymous().get("/health").json() == {"ok": True}
        yield api
    finally:
        for client in api.clients:
            client.close()
        server.should_exit = True
        thread.join()
