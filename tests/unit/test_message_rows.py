"""UIMessages as rows: what is read of them, older forms included."""

import copy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given

from generated.enums import MessageRole
from store import messages
from store_testing import chat_strategies
from tests.unit.ui_messages import exact, text


@dataclass
class Row:
    """What reading needs of a row."""

    parts: Any
    metadata: Any = None
    has_metadata: bool = False
    msg_id: str = "1"
    role: MessageRole = MessageRole.ASSISTANT


def read(*parts: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """Read parts; what was read stays as it is."""
    row = Row(list(parts))
    before = copy.deepcopy(row)
    [read] = messages.from_rows([row])
    assert row == before
    assert messages.load([read])
    return list(read["parts"])


def call(state: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Make a part of a tool's call in the form of before version 5."""
    invocation = {"toolName": "search", "toolCallId": "c1", "state": state, **more}
    return {"type": "tool-invocation", "toolInvocation": invocation}


@pytest.mark.parametrize(
    ("older", "current"),
    [
        (call("partial-call"), {"state": "input-streaming"}),
        (
            call("partial-call", args={"q": "p"}),
            {"state": "input-streaming", "input": {"q": "p"}},
        ),
        (
            call("call", args={"q": "pen"}, step=0),
            {"state": "input-available", "input": {"q": "pen"}},
        ),
        (call("call"), {"state": "input-available", "input": {}}),
        (
            call("result", args={"q": "pen"}, result=[1, None]),
            {"state": "output-available", "input": {"q": "pen"}, "output": [1, None]},
        ),
        (
            call("result", args=None),
            {"state": "output-available", "input": {}, "output": None},
        ),
        # A result that somebody stored with a call is none yet.
        (
            call("call", args=[], result=1),
            {"state": "input-available", "input": []},
        ),
    ],
)
def test_an_older_tool_call_is_converted(
    older: dict[str, Any], current: dict[str, Any]
) -> None:
    """Each state, with its input and output, gets its name of today."""
    expected = {"type": "tool-search", "toolCallId": "c1"} | current
    assert read(text("a"), older) == [text("a"), expected]


@pytest.mark.parametrize(
    ("older", "said"),
    [
        ("hello", "hello"),
        ({"content": "hello"}, '{"content":"hello"}'),
        (7, "7"),
        ({"type": 7}, '{"type":7}'),
    ],
)
def test_a_part_without_a_type_becomes_a_text(older: object, said: str) -> None:
    """What the SDK could not show is shown as text."""
    assert read(older) == [text(said)]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "tool-invocation"},
        {"type": "tool-invocation", "toolInvocation": {"toolName": "search"}},
        {"type": "tool-invocation", "toolInvocation": "search"},
    ],
)
def test_what_is_no_older_tool_call_stays(part: dict[str, Any]) -> None:
    """A part that only has the name is left alone."""
    [message_] = messages.from_rows([Row([part])])
    assert message_["parts"] == [part]


@given(chat_strategies.turns())
def test_current_messages_are_read_as_they_are(turn: list[dict[str, Any]]) -> None:
    """Messages of today come back from their rows unchanged."""
    rows = [
        Row(
            each["parts"],
            each.get("metadata"),
            "metadata" in each,
            each["id"],
            MessageRole(each["role"]),
        )
        for each in turn
    ]
    assert exact(messages.from_rows(rows)) == exact(turn)
