"""UIMessages of the AI SDK, checked and typed.

Part types and keys that are not known here pass: newer SDKs bring some.
Format: https://ai-sdk.dev/docs/reference/ai-sdk-core/ui-message
"""

# ruff: noqa: D101, N815 - the union names each part's type; its keys are the SDK's.
from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeAlias, cast

import pydantic
from pydantic import BaseModel, Field, Tag
from pydantic_core import to_json

from generated.enums import MessageRole

from . import errors

MAX_MESSAGE_BYTES = 1 << 20  # of its parts, as compact JSON
MAX_TURN_BYTES = 16 << 20  # of the parts of all messages that are saved at once
MAX_LEVELS = 100  # of arrays and objects, `parts` being the first
MAX_INTEGER_BITS = 14_000  # Python neither writes nor reads more than 4300 digits.
MAX_TITLE = 100  # characters

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class _Part(BaseModel, extra="allow"):
    type: str


class TextPart(_Part):
    text: str


class ReasoningPart(_Part):
    text: str


class FilePart(_Part):
    mediaType: str
    url: str
    filename: str | None = None


class SourceUrlPart(_Part):
    sourceId: str
    url: str
    title: str | None = None


class SourceDocumentPart(_Part):
    sourceId: str
    mediaType: str
    title: str


class DataPart(_Part):
    data: Any
    id: str | None = None


class ToolPart(_Part):
    toolCallId: str
    state: str
    input: Any = None
    output: Any = None
    errorText: str | None = None


class DynamicToolPart(ToolPart):
    toolName: str


class OtherPart(_Part): ...


_KNOWN = re.compile(
    r"data-|tool-|(text|reasoning|file|source-url|source-document|dynamic-tool)\Z"
)


def _tag(part: object) -> str:
    match part:
        case {"type": str(kind)} | _Part(type=kind):
            known = _KNOWN.match(kind)
            return known[0] if known else "other"
        case _:
            return "other"


Part: TypeAlias = Annotated[
    Annotated[TextPart, Tag("text")]
    | Annotated[ReasoningPart, Tag("reasoning")]
    | Annotated[FilePart, Tag("file")]
    | Annotated[SourceUrlPart, Tag("source-url")]
    | Annotated[SourceDocumentPart, Tag("source-document")]
    | Annotated[DataPart, Tag("data-")]
    | Annotated[ToolPart, Tag("tool-")]
    | Annotated[DynamicToolPart, Tag("dynamic-tool")]
    | Annotated[OtherPart, Tag("other")],
    pydantic.Discriminator(_tag),
]


class UIMessage(BaseModel, extra="forbid"):
    """A message; `model_dump(exclude_unset=True)` gives the JSON that it came as."""

    id: str = Field(min_length=1, max_length=100)
    role: MessageRole
    parts: list[Part]


_MESSAGES = pydantic.TypeAdapter(list[UIMessage])
# What a place may show: the SDK's names, never a key that somebody chose.
_NAMES = re.compile(
    "id|role|parts|metadata|type|text|mediaType|url|filename|sourceId|title|data"
    "|toolCallId|toolName|state|input|output|errorText"
)


def load(messages: Sequence[dict[str, Any]]) -> list[UIMessage]:
    """Read messages as the SDK sends them: JSON objects with id, role and parts.

    Raises:
        MessageRefused: one is no UIMessage, too large or too deep, of an id that
            another one has, or holds what the database cannot.
    """
    for place, each in enumerate(messages):
        _refuse_unstorable(each, (place,))
    try:
        loaded = _MESSAGES.validate_python(messages)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = first["loc"][:3] + first["loc"][4:]  # without the tag of the union
        raise _refusal(path, first["msg"]) from None
    free, ids = MAX_TURN_BYTES, set[str]()
    for place, message in enumerate(loaded):
        size = len(to_json(messages[place]["parts"]))
        free -= size
        if size > MAX_MESSAGE_BYTES or free < 0:
            raise _refusal((place, "parts"), "too large, alone or with those before")
        if message.id in ids:
            raise _refusal((place, "id"), "is the id of an earlier message, too")
        ids.add(message.id)
    return loaded


def title_of(messages: Iterable[UIMessage]) -> str | None:
    """Make a title of the first text that the user says, cut at a space."""
    folded = (
        " ".join(part.text.split())
        for message in messages
        for part in message.parts
        if message.role == MessageRole.USER and isinstance(part, TextPart)
    )
    title = next(filter(None, folded), None)
    if title is None or len(title) <= MAX_TITLE:
        return title
    return title[: MAX_TITLE + 1].rpartition(" ")[0] or title[:MAX_TITLE]


def _refuse_unstorable(value: object, path: tuple[str | int, ...]) -> None:
    match value:
        case str() if _UNSTORABLE.search(value):
            raise _refusal(path, "holds a NUL or a lone surrogate")
        case int() if value.bit_length() > MAX_INTEGER_BITS:
            raise _refusal(path, "is too long an integer")
        case float() if not math.isfinite(value):
            raise _refusal(path, "is a number that JSON does not have")
        case dict() | list() if len(path) > MAX_LEVELS + 1:
            raise _refusal(path, f"lies deeper than {MAX_LEVELS} levels")
        case dict():
            for key, each in cast("dict[object, object]", value).items():
                if not isinstance(key, str):
                    raise _refusal(path, "has a key that is no text")
                _refuse_unstorable(key, path)
                _refuse_unstorable(each, (*path, key))
        case list():
            for place, each in enumerate(cast("list[object]", value)):
                _refuse_unstorable(each, (*path, place))
        case None | str() | int() | float():
            pass
        case _:
            raise _refusal(path, "is no JSON")


def _refusal(path: Iterable[str | int], reason: str) -> errors.MessageRefused:
    place = "messages"
    for step in path:
        if isinstance(step, str) and not _NAMES.fullmatch(step):
            break
        place += f".{step}" if isinstance(step, str) else f"[{step}]"
    return errors.MessageRefused(place, reason)
