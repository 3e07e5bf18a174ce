"""Signing in, and who is signed in."""

import httpx
import psycopg

from tests.api.serving import Api


def test_a_token_becomes_cookies(api: Api) -> None:
    """The cookies are HttpOnly; the profile is of a user who was made meanwhile."""
    client = api.anonymous()
    jwt = api.services.crossmint.sign_in("google|1", None)
    body = {"jwt": jwt, "refreshToken": "rt_1", "email": "ann@example.org"}
    answer = client.post("/api/auth/session", json=body)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == [
        "crossmint-jwt",
        "crossmint-refresh-token",
        "crossmint-email",
    ]
    assert all("HttpOnly" in each and "SameSite=lax" in each for each in cookies)
    profile = client.get("/api/auth/profile")
    assert profile.status_code == 200
    said = profile.json()
    assert len(said.pop("userId")) == 36
    assert len(said.pop("walletAddress")) == 66
    assert len(said.pop("evmAddress")) == 42
    assert said == {
        "email": "ann@example.org",
        "walletStatus": "active",
        "onboardingStep": 0,
    }


def test_a_token_that_is_not_crossmint_s(api: Api) -> None:
    """A bad, expired or missing token is 401, and makes no user."""
    client = api.anonymous()
    good = api.services.crossmint.sign_in("google|1", None)
    old = api.services.crossmint.sign_in("google|1", None, seconds=-1)
    for jwt in ("x", "a.b.c", good[:-2], f"{good}x", old):
        answer = client.post("/api/auth/session", json={"jwt": jwt})
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
        headers = {"Cookie": f"crossmint-jwt={jwt}"}
        assert (
            httpx.get(f"{api.url}/api/auth/profile", headers=headers).status_code == 401
        )
    assert client.get("/api/auth/profile").status_code == 401
    assert client.post("/api/auth/session", json={}).status_code == 400


def test_logging_out_forgets_the_cookies(api: Api) -> None:
    """It succeeds without a session, too."""
    client = api.new_user()
    for _ in range(2):
        answer = client.post("/api/auth/logout")
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert client.get("/api/auth/profile").status_code == 401


def test_a_wallet_that_cannot_be_made(api: Api, conn: psycopg.Connection) -> None:
    """It is an honest 503; the next request begins anew, with the same user."""
    api.services.crossmint.is_down = True
    client = api.new_user()
    answer = client.get("/api/auth/profile")
    assert answer.status_code == 503
    assert answer.json()["code"] == "WALLET_PROVISION_FAILED"
    assert answer.headers["retry-after"] == "1"
    api.services.crossmint.is_down = False
    assert client.get("/api/auth/profile").json()["walletStatus"] == "active"
    assert conn.execute("SELECT count(*) FROM users").fetchone() == (1,)


def test_a_user_who_is_deleted_comes_anew(api: Api) -> None:
    """The same identity is another user then."""
    client = api.new_user()
    first = api.user_id(client)
    api.run(lambda services: services.store.delete_user(first))
    assert api.user_id(client) != first
