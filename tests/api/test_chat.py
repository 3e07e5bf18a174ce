"""The chat: its stream, and what is kept of it."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from examples.api.standins import Model
from tests.api.serving import PRODUCT, Api, served


def asked(text: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Make a request as the AI SDK's client sends it."""
    said = {"id": "u1", "role": "user", "parts": [{"type": "text", "text": text}]}
    sent = {"id": "a-client-s-own", "messages": [said], "trigger": "submit-message"}
    return {**sent, **more}


def parts_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Read the parts of a stream; it ends with a mark of its own."""
    assert answer.status_code == 200
    *events, done, end = answer.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_what_is_said_is_kept(user: httpx.Client) -> None:
    """A session is made; question and answer are in it, and the model names it."""
    answer = user.post("/api/chat", json=asked("pens"))
    parts = parts_of(answer)
    assert parts[-1] == {"type": "finish", "finishReason": "stop"}
    session = user.get(f"/api/sessions/{answer.headers['x-session-id']}").json()
    assert session["title"] == "About: pens"
    question, said = session["messages"]
    assert question["parts"] == [{"type": "text", "text": "pens"}]
    assert question["id"] != "u1"  # the server gives its own
    assert said["id"] == parts[0]["messageId"]
    assert [part["type"] for part in said["parts"]] == [
        "step-start",
        "tool-searchProducts",
        "step-start",
        "text",
    ]
    assert said["parts"][1]["state"] == "output-available"
    assert said["parts"][3] == {
        "type": "text",
        "text": "I looked at 3 products for you.",
        "state": "done",
    }


def test_a_session_goes_on(user: httpx.Client) -> None:
    """It has all turns in order; a chosen title stays."""
    session = user.post("/api/sessions", json={"title": "Mine"}).json()["id"]
    for text in ("pens", "shoes"):
        body = asked(text, sessionId=session)
        answer = user.post("/api/chat", json=body)
        assert answer.headers["x-session-id"] == session
    found = user.get(f"/api/sessions/{session}").json()
    assert [each["role"] for each in found["messages"]] == ["user", "assistant"] * 2
    assert found["title"] == "Mine"


def test_content_as_in_the_documents(user: httpx.Client) -> None:
    """A message may have `content`, a text or any JSON, in place of parts."""
    for content, text in (("pens", "pens"), ([1], "[1]")):
        body = {"messages": [{"role": "user", "content": content}]}
        answer = user.post("/api/chat", json=body)
        session = user.get(f"/api/sessions/{answer.headers['x-session-id']}").json()
        assert session["messages"][0]["parts"] == [{"type": "text", "text": text}]


def test_tools_work_on_the_cart(user: httpx.Client) -> None:
    """The model can add, look and buy, with the routes' own rules."""
    parts = parts_of(user.post("/api/chat", json=asked("add it to my cart and buy it")))
    outputs = [part["output"] for part in parts if "output" in part]
    assert [set(output) for output in outputs[1:3]] == [
        {"success", "cartItemId"},
        {"items", "total"},
    ]
    assert outputs[2]["total"] == "14.90"
    [order] = user.get("/api/orders").json()["orders"]
    assert order["orderId"] == outputs[3]["orderId"]
    assert user.get("/api/cart").json() == {"items": []}


def test_a_tool_that_is_refused(user: httpx.Client) -> None:
    """The stream and what is kept say so, and the answer goes on."""
    assert user.post("/api/chat", json=asked("add")).status_code == 200
    answer = user.post("/api/chat", json=asked("add"))
    parts = parts_of(answer)
    [refused] = [part for part in parts if part["type"] == "tool-output-error"]
    assert refused["errorText"] == "it is in the cart already"
    assert parts[-1]["type"] == "finish"
    session = user.get(f"/api/sessions/{answer.headers['x-session-id']}").json()
    states = [part.get("state") for part in session["messages"][1]["parts"]]
    assert "output-error" in states


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "nobody", "content": "x"}]},
        {"messages": [{"role": "user", "parts": [{"no": "type"}]}]},
        {"messages": [{"role": "user", "content": "a\0b"}]},
        {"messages": [{"role": "user", "content": "x"}], "sessionId": "x"},
    ],
)
def test_a_bad_request(user: httpx.Client, body: dict[str, Any]) -> None:
    """It is 400."""
    answer = user.post("/api/chat", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


def test_a_session_of_nobody_or_another(api: Api, user: httpx.Client) -> None:
    """It is 404 before a stream begins, and nothing is said in it."""
    session = user.post("/api/sessions", json={}).json()["id"]
    other = api.user("google|2")
    for each in (session, str(uuid4())):
        answer = other.post("/api/chat", json=asked("pens", sessionId=each))
        assert (answer.status_code, answer.json()["code"]) == (404, "SessionNotFound")
    assert user.get(f"/api/sessions/{session}").json()["messages"] == []
    assert api.anonymous().post("/api/chat", json=asked("pens")).status_code == 401


class Failing(Model):
    """Fails after some words."""

    def __init__(self, words: int) -> None:
        self.words = words

    async def pause(self) -> None:
        """Fail, in the end."""
        self.words -= 1
        if self.words < 0:
            raise RuntimeError("the model's secret reason")


def test_a_model_that_fails(database_url: str) -> None:
    """The stream says that there was an error, without its text; the rest is kept."""
    with served(database_url, model=Failing(2)) as api:
        user = api.user()
        answer = user.post("/api/chat", json=asked("pens"))
        assert parts_of(answer)[-1] == {
            "type": "error",
            "errorText": "internal server error",
        }
        assert "secret" not in answer.text
        session = user.get(f"/api/sessions/{answer.headers['x-session-id']}").json()
        assert session["messages"][1]["parts"][-1] == {
            "type": "text",
            "text": "I looked at 3 products",
            "state": "streaming",
        }


def test_an_item_of_the_route_s_cart(user: httpx.Client) -> None:
    """The model sees what the cart's route has put there."""
    assert user.post("/api/cart", json=PRODUCT).status_code == 201
    parts = parts_of(user.post("/api/chat", json=asked("what is in my cart?")))
    totals = [part["output"].get("total") for part in parts if "output" in part]
    assert totals == [None, "149.99"]
