"""What operators and clients rely on, whatever the route."""

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from examples.api.app import create
from examples.api.services import Services
from postgres_testing import clusters, databases
from store import AsyncStore, errors
from store_testing.schema import SCHEMA
from tests.api.serving import Api, eventually, served
from tests.support import stores

ROOT = Path(__file__).parents[2]


def test_alive_and_ready(api: Api) -> None:
    """The process lives, and the database answers."""
    client = api.anonymous()
    assert client.get("/health").json() == {"ok": True}
    assert client.get("/ready").json() == {
        "ready": True,
        "connections": 1,
        "waiting": 0,
    }


def test_it_starts_without_its_database() -> None:
    """It lives, is not ready, and serves as soon as the database is there."""
    with clusters.start() as cluster:
        url = databases.create(cluster.url, "api")
        SCHEMA.build(url)
        cluster.kill()
        with served(url, database_acquire_timeout=0.5) as api:
            client = api.anonymous()
            jwt = api.services.crossmint.sign_in("google|1", None)
            client.cookies.set("crossmint-jwt", jwt)
            for path, code in (
                ("/ready", "NOT_READY"),
                ("/api/auth/profile", "UNAVAILABLE"),
            ):
                answer = client.get(path)
                assert (answer.status_code, answer.json()["code"]) == (503, code)
                assert answer.headers["retry-after"] == "1"
            cluster.start()
            eventually(lambda: client.get("/ready").status_code == 200)
            assert client.get("/api/auth/profile").status_code == 200


def test_a_database_that_restarts() -> None:
    """Meanwhile requests are 503 at worst; afterwards they are served again."""
    with clusters.start() as cluster:
        url = databases.create(cluster.url, "api")
        SCHEMA.build(url)
        with served(url, database_acquire_timeout=0.5) as api:
            user = api.user()
            cluster.kill()
            assert user.get("/api/orders").status_code == 503
            assert user.get("/ready").status_code == 503
            assert user.get("/health").status_code == 200
            cluster.start()
            eventually(lambda: user.get("/ready").status_code == 200)
            assert user.get("/api/orders").status_code == 200


def test_a_wrong_password_ends_the_start(database_url: str) -> None:
    """It is no outage: whoever deploys has to hear of it."""
    wrong = re.sub(":[0-9a-f]{32}@", ":wrong@", database_url)
    ran = subprocess.run(
        [sys.executable, "-m", "uvicorn", "--factory", "examples.api.app:create"],
        cwd=ROOT,
        env={"DATABASE_URL": wrong, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 3
    assert errors.AccessRefused.__name__ in ran.stderr
    assert "wrong" not in ran.stderr


def test_each_request_has_an_id(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """It is the client's, if that is one, and stands in the log; the query does not."""
    client = api.anonymous()
    with caplog.at_level(logging.INFO, "examples.api.requests"):
        kept = client.get("/health?a=secret", headers={"X-Request-Id": "abc-1"})
        made = client.get("/nowhere", headers={"X-Request-Id": "a b" * 9})
        # A line is written after its answer was sent.
        eventually(lambda: "GET /nowhere: 404" in caplog.text)
    assert kept.headers["x-request-id"] == "abc-1"
    assert re.fullmatch("[0-9a-f]{32}", made.headers["x-request-id"])
    assert re.search(r"GET /health: 200 in [0-9.]+ ms", caplog.text)
    assert "secret" not in caplog.text


def test_a_mistake_in_the_code(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """It is 500 with an id, by which the log has the reason; the answer has none."""
    user = api.user()

    def mistake(owner: str) -> str:
        raise KeyError(f"a secret of {owner}")

    api.services.chain.cart_address = mistake  # type: ignore[method-assign]  # a bug
    answer = user.get("/api/cart/address")
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "internal server error", "code": "INTERNAL_ERROR"},
    )
    assert answer.headers["x-request-id"]
    assert "a secret" in caplog.text


def test_what_is_not_there(api: Api) -> None:
    """Unknown paths and methods have the same shape of error."""
    client = api.anonymous()
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    answer = client.put("/api/sessions")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"]


def test_other_pages_may_call_with_cookies(api: Api) -> None:
    """Those of the origins that are set, and no other."""
    client = api.anonymous()
    for origin, allowed in (("http://localhost:3000", True), ("http://x.test", False)):
        answer = client.get("/health", headers={"Origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) == allowed


def test_a_database_that_goes_away(api: Api, conn: psycopg.Connection) -> None:
    """A request is served when its connection was ended meanwhile."""
    user = api.user()
    conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert user.get("/api/orders").status_code == 200


def test_all_connections_are_lent(database_url: str) -> None:
    """Whoever gets none hears 503, and when to come again."""
    with served(
        database_url, database_pool_size=1, database_acquire_timeout=0.2
    ) as api:
        user = api.user()

        async def while_lent(services: Services) -> httpx.Response:
            cookies = dict(user.cookies)
            async with (
                services.store.connection(),
                httpx.AsyncClient(base_url=api.url, cookies=cookies) as client,
            ):
                return await client.get("/api/orders")

        answer = api.run(while_lent)
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"
        assert user.get("/api/orders").status_code == 200


def test_cookies_are_secure_by_default(database_url: str) -> None:
    """Unless it is said that they may go over plain HTTP."""
    services = Services(AsyncStore(stores.settings(database_url)))
    jwt = services.crossmint.sign_in("google|1", None)

    async def log_in() -> httpx.Response:
        # Without a lifespan: no database is needed.
        transport = httpx.ASGITransport(create(services))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.post("http://api/api/auth/session", json={"jwt": jwt})

    assert "Secure" in asyncio.run(log_in()).headers["set-cookie"]


@pytest.mark.long
def test_the_command_serves() -> None:
    """`make api` says where, and ends with its server on Ctrl-C."""
    command = [sys.executable, "-m", "examples.api", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={"PATH": os.defpath}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        url = process.stdout.readline().split()[4].rstrip(",")
        with httpx.Client(base_url=url, timeout=60) as client:
            token = client.post("/stand-ins/login", json={}).json()
            assert client.post("/api/auth/session", json=token).is_success
            profile = client.get("/api/auth/profile").json()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert (process.returncode, profile["walletStatus"]) == (0, "active")
