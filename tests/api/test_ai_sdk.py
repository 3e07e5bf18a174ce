"""The stream is what the AI SDK sends, and its client reads it.

`recorded.txt` is what its version 6.0.326 sends: `record.mjs`, with a model that
follows our script. Where `AI_SDK` names a folder that `python -m tests.api.ai_sdk`
has made with npm, it is recorded again, and the SDK's own client asks the API.
"""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api import ai_sdk
from tests.api.serving import Api

RECORDED = Path(__file__).parent / "ai_sdk" / "recorded.txt"

needs_sdk = pytest.mark.skipif(
    not ai_sdk.INSTALLED, reason="AI_SDK names no folder with the AI SDK"
)


def question(text: str) -> dict[str, Any]:
    """Ask as the SDK's client does."""
    return {
        "id": "a-client-s-own",
        "messages": [
            {"id": "u1", "role": "user", "parts": [{"type": "text", "text": text}]}
        ],
        "trigger": "submit-message",
    }


def test_the_stream_is_the_sdk_s(user: httpx.Client) -> None:
    """Headers and body are the recorded ones, byte for byte but for ids."""
    head, _, body = RECORDED.read_text().partition("\n\n")
    answer = user.post("/api/chat", json=question("pens"))
    for line in head.splitlines():
        name, value = line.split(": ")
        assert answer.headers[name] == value
    said = re.sub(r'"(msg|call)-[0-9a-f]{16}"', r'"\1-1"', answer.text)
    assert said == body


@needs_sdk
def test_the_recording_is_the_sdk_s() -> None:
    """A server on the SDK sends what was recorded."""
    assert ai_sdk.node("record.mjs") == RECORDED.read_text()


@needs_sdk
def test_the_sdk_s_client_reads_the_stream(api: Api, user: httpx.Client) -> None:
    """The message that it shows is the one that is kept."""
    cookie = f"crossmint-jwt={user.cookies['crossmint-jwt']}"
    shown = json.loads(ai_sdk.node("read.mjs", api.url, cookie, "add it to my cart"))
    [session] = user.get("/api/sessions").json()["sessions"]
    kept = user.get(f"/api/sessions/{session['id']}").json()["messages"][1]
    del kept["createdAt"]
    assert shown == kept
