"""Conversations."""

from uuid import UUID, uuid4

import httpx
import pytest

from tests.api.serving import Api


def opened(client: httpx.Client, title: str | None = None) -> str:
    """Open a session, and give its id."""
    answer = client.post("/api/sessions", json={"title": title} if title else {})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def test_a_session_is_opened(api: Api, user: httpx.Client) -> None:
    """With a title or without."""
    answer = user.post("/api/sessions", json={"title": "Winter coats"})
    assert answer.status_code == 201
    session = answer.json()
    assert set(session) == {"id", "userId", "title", "createdAt", "updatedAt"}
    assert session["userId"] == str(api.user_id(user))
    assert session["title"] == "Winter coats"
    assert session["createdAt"].endswith("Z")
    assert user.post("/api/sessions", json={}).json()["title"] is None


def test_sessions_are_listed_by_offset(user: httpx.Client) -> None:
    """The newest first, with the number of all."""
    for title in ("a", "b", "c"):
        opened(user, title)
    page = user.get("/api/sessions?limit=2&offset=1").json()
    assert [each["title"] for each in page["sessions"]] == ["b", "a"]
    assert page["total"] == 3
    for query in ("limit=0", "limit=101", "offset=-1", "limit=x"):
        assert user.get(f"/api/sessions?{query}").status_code == 400


def test_a_session_is_read_renamed_and_deleted(user: httpx.Client) -> None:
    """Reading gives all messages; deleting leaves nothing."""
    path = f"/api/sessions/{opened(user)}"
    assert user.get(path).json()["messages"] == []
    answer = user.patch(path, json={"title": "Coats"})
    assert (answer.status_code, answer.json()["title"]) == (200, "Coats")
    assert user.get(path).json()["title"] == "Coats"
    answer = user.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for again in (user.get(path), user.delete(path)):
        assert (again.status_code, again.json()["code"]) == (404, "SessionNotFound")


def test_another_s_session_is_no_session(api: Api, user: httpx.Client) -> None:
    """It cannot be told from one that does not exist, whatever is asked."""
    path, nobody = f"/api/sessions/{opened(user)}", f"/api/sessions/{uuid4()}"
    other = api.user("google|2")
    for method, body in (("GET", None), ("PATCH", {"title": "mine"}), ("DELETE", None)):
        answers = [other.request(method, each, json=body) for each in (path, nobody)]
        assert [answer.status_code for answer in answers] == [404, 404]
        codes = {answer.json()["code"] for answer in answers}
        assert codes == {"SessionNotFound"}
    assert user.get(path).json()["title"] is None


@pytest.mark.parametrize("title", ["", "x" * 101, "a\0b", 5])
def test_a_bad_title(user: httpx.Client, title: object) -> None:
    """It is 400: a column holds 100 characters."""
    path = f"/api/sessions/{opened(user)}"
    for answer in (
        user.post("/api/sessions", json={"title": title}),
        user.patch(path, json={"title": title}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


def test_an_id_that_is_none(user: httpx.Client) -> None:
    """It is 400."""
    for method in ("GET", "DELETE"):
        answer = user.request(method, "/api/sessions/x")
        assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


def test_without_a_session(api: Api) -> None:
    """Each is 401."""
    client, path = api.anonymous(), f"/api/sessions/{uuid4()}"
    for method, url in (
        ("POST", "/api/sessions"),
        ("GET", "/api/sessions"),
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
    ):
        body = {"title": "x"} if method in {"POST", "PATCH"} else None
        assert client.request(method, url, json=body).status_code == 401


def test_a_long_conversation_is_read_whole(api: Api, user: httpx.Client) -> None:
    """However many pages of messages it has."""
    session, user_id = opened(user), api.user_id(user)
    said = [
        {"id": f"m{n}", "role": "user", "parts": [{"type": "text", "text": str(n)}]}
        for n in range(1000)
    ]
    api.run(lambda on: on.store.save_turn(user_id, UUID(session), said))
    messages = user.get(f"/api/sessions/{session}").json()["messages"]
    assert [each["id"] for each in messages] == [each["id"] for each in said]
    assert set(messages[0]) >= {"id", "role", "parts", "createdAt"}
