"""UIMessages of the AI SDK, checked and typed.

Part types and keys that are not known here pass: newer SDKs bring some.
Format: https://ai-sdk.dev/docs/reference/ai-sdk-core/ui-message
"""

# ruff: noqa: D101, D102, N815 - the union names each part's type; keys are the SDK's.
from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from math import isfinite
from typing import Annotated, Any, NamedTuple, Protocol, TypeAlias, cast

import pydantic
from pydantic import BaseModel, Field, Tag
from pydantic_core import ErrorDetails, to_json

from generated.enums import MessageRole

from . import errors

MAX_MESSAGE_BYTES = 1 << 20  # of its parts and metadata, as compact JSON
MAX_TURN_BYTES = 16 << 20  # of those of all messages that are saved at once
MAX_LEVELS = 100  # of arrays and objects, `parts` or `metadata` being the first
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
    """A message; `model_dump(exclude_unset=True)` gives the JSON that it came as.

    `metadata` that are absent are None, too, but not in `model_fields_set`.
    """

    id: str = Field(min_length=1, max_length=100)
    role: MessageRole
    parts: list[Part]
    metadata: Any = None


_MESSAGE = pydantic.TypeAdapter(UIMessage)
# What a place may show: the SDK's names, never a key that somebody chose.
_NAMES = re.compile(
    "id|role|parts|metadata|type|text|mediaType|url|filename|sourceId|title|data"
    "|toolCallId|toolName|state|input|output|errorText"
)


def load(messages: Sequence[dict[str, Any]]) -> list[UIMessage]:
    """Read messages as the SDK sends them: JSON objects with id, role and parts.

    Raises:
        InvalidValue: one is no UIMessage, too large or too deep, of an id that
            another one has, or holds what the database cannot.
    """
    turn = Turn()
    for each in messages:
        turn.add(each)
    return turn.messages


class Turn:
    """Messages to save, and their JSON as `save_chat_messages` takes it.

    They are added one by one, so that other work can be done in between.
    """

    def __init__(self) -> None:
        self.messages: list[UIMessage] = []
        self._ids: set[str] = set()
        self._free = MAX_TURN_BYTES
        self._json = bytearray()
        self._index: list[dict[str, str | int]] = []

    @property
    def json(self) -> bytes:
        """The JSON of all messages, one after another."""
        return bytes(self._json)

    @property
    def index(self) -> str:
        """Where in it each message lies, and a digest of it, as JSON."""
        return to_json(self._index).decode()

    def add(self, given: dict[str, Any]) -> int:
        """Add a message, and tell how many bytes its JSON has.

        Raises:
            InvalidValue: as `load` does.
        """
        place = len(self.messages)
        message, head, parts, metadata = _read(given, place)
        size = len(parts) + len(metadata)
        self._free -= size
        if size > MAX_MESSAGE_BYTES or self._free < 0:
            large = "metadata" if len(metadata) > len(parts) else "parts"
            raise _refusal(
                (place, large), "at most 1 MiB, and 16 MiB with what is before"
            )
        if message.id in self._ids:
            raise _refusal((place, "id"), "an id that no message before has")
        json = b'%b,"parts":%b' % (head[:-1], parts)
        if metadata:
            json += b',"metadata":' + metadata
        json += b"}"
        self.messages.append(message)
        self._ids.add(message.id)
        self._index.append(
            {
                "id": message.id,
                # Half of it, as long as a UUID, tells a user's own messages apart.
                "digest": sha256(json).hexdigest()[:32],
                "first": len(self._json) + 1,
                "length": len(json),
            }
        )
        self._json += json
        return len(json)


def shorten_title(text: str) -> str:
    """Make a title that fits: spaces folded, at most 100 characters, cut at a space."""
    title = " ".join(text.split())
    if len(title) <= MAX_TITLE:
        return title
    return title[: MAX_TITLE + 1].rpartition(" ")[0] or title[:MAX_TITLE]


def title_of(messages: Iterable[UIMessage]) -> str | None:
    """Make a title of the first text that the user says."""
    titles = (
        shorten_title(part.text)
        for message in messages
        for part in message.parts
        if message.role == MessageRole.USER and isinstance(part, TextPart)
    )
    return next(filter(None, titles), None)


class MessageRow(Protocol):
    """A row of `list_chat_messages` or `list_chat_messages_before`."""

    @property
    def msg_id(self) -> str: ...
    @property
    def role(self) -> MessageRole: ...
    @property
    def parts(self) -> Any: ...  # noqa: ANN401 - JSON
    @property
    def metadata(self) -> Any: ...  # noqa: ANN401 - JSON
    @property
    def has_metadata(self) -> bool: ...


def from_rows(rows: Iterable[MessageRow]) -> list[dict[str, Any]]:
    """Give rows as the UIMessages that the SDK takes, which `save_turn` takes, too.

    What older systems stored is converted: calls of tools in the form of the SDK before
    its version 5, and parts without a type, which become texts. The rows stay as they
    are, and so does what is stored, until the messages are saved.
    """
    messages: list[dict[str, Any]] = []
    for row in rows:
        message = {
            "id": row.msg_id,
            "role": str(row.role),
            "parts": [_current(part) for part in row.parts],
        }
        if row.has_metadata:
            message["metadata"] = row.metadata
        messages.append(message)
    return messages


# The states of a tool's call before and since version 5 of the SDK, as its own guide
# converts them: content/docs/08-migration-guides/25-migration-guide-5-0-data.mdx of
# vercel/ai.
_STATES = {
    "partial-call": "input-streaming",
    "call": "input-available",
    "result": "output-available",
}


def _current(part: object) -> dict[str, Any]:
    match part:
        case {
            "type": "tool-invocation",
            "toolInvocation": {"toolName": str(), "toolCallId": str()},
        }:
            return _tool_part(cast("dict[str, Any]", part)["toolInvocation"])
        case {"type": str()}:
            return cast("dict[str, Any]", part)
        case str():
            return {"type": "text", "text": part}
        case _:
            return {"type": "text", "text": to_json(part).decode()}


def _tool_part(call: dict[str, Any]) -> dict[str, Any]:
    state = _STATES.get(str(call.get("state")), "output-available")
    part: dict[str, Any] = {
        "type": f"tool-{call['toolName']}",
        "toolCallId": call["toolCallId"],
        "state": state,
    }
    # The SDK wants an input once it is complete, and an output when there is one only.
    if call.get("args") is not None:
        part["input"] = call["args"]
    elif state != "input-streaming":
        part["input"] = {}
    if state == "output-available":
        part["output"] = call.get("result")
    return part


class _Read(NamedTuple):
    message: UIMessage
    head: bytes
    parts: bytes
    metadata: bytes


def _read(given: Any, place: int) -> _Read:  # noqa: ANN401 - it may be anything
    """Read a message; walk slowly, to find the place, only if there is a reason."""
    with suppress(ValueError):
        if _is_plain((given,), 1 + MAX_LEVELS):
            read = _serialized(_MESSAGE.validate_python(given), given)
            # What reads like this escape may be text, too: the walk tells them apart.
            if not any(b"\\u0000" in each for each in read[1:]):
                return read
    _refuse_unstorable(given, (place,))
    try:
        message = _MESSAGE.validate_python(given)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = first["loc"][:2] + first["loc"][3:]  # without the tag of the union
        raise _refusal((place, *path), _expected(first)) from None
    return _serialized(message, given)


def _serialized(message: UIMessage, given: dict[str, Any]) -> _Read:
    # What was given, not the model, whose serializer would walk it by its classes.
    has_metadata = "metadata" in message.model_fields_set
    return _Read(
        message,
        to_json({"id": message.id, "role": message.role}),
        to_json(given["parts"]),
        to_json(given["metadata"]) if has_metadata else b"",
    )


_LONG_INTEGER = 1 << MAX_INTEGER_BITS


def _is_plain(values: Iterable[Any], levels: int) -> bool:
    """Tell whether values are surely JSON that can be stored, their texts apart.

    All of them come by here, so it asks for exact types, keeps no place, calls little
    and leaves texts to the serializer, which looks into them faster.
    """
    for value in values:
        kind: object = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is str or value is None or kind is bool:
            continue
        if kind is dict:
            for key in value:
                if type(key) is not str:
                    return False
            if not levels or not _is_plain(value.values(), levels - 1):
                return False
        elif kind is list:
            if not levels or not _is_plain(value, levels - 1):
                return False
        elif kind is int:
            if not -_LONG_INTEGER < value < _LONG_INTEGER:
                return False
        elif kind is not float or not isfinite(value):
            return False
    return True


def _refuse_unstorable(value: object, path: tuple[str | int, ...]) -> None:
    match value:
        case str() if _UNSTORABLE.search(value):
            raise _refusal(path, "text without NUL and lone surrogates")
        case int() if value.bit_length() > MAX_INTEGER_BITS:
            raise _refusal(path, f"an integer of at most {MAX_INTEGER_BITS} bits")
        case float() if not isfinite(value):
            raise _refusal(path, "a number that JSON has")
        case dict() | list() if len(path) > MAX_LEVELS + 1:
            raise _refusal(path, f"at most {MAX_LEVELS} levels")
        case dict():
            for key, each in cast("dict[object, object]", value).items():
                if not isinstance(key, str):
                    raise _refusal(path, "keys that are texts")
                _refuse_unstorable(key, path)
                _refuse_unstorable(each, (*path, key))
        case list():
            for place, each in enumerate(cast("list[object]", value)):
                _refuse_unstorable(each, (*path, place))
        case None | str() | int() | float():
            pass
        case _:
            raise _refusal(path, "JSON")


# In words of ours, by pydantic's type of error.
_EXPECTED = {
    "missing": "it to be there",
    "extra_forbidden": "nothing of this name",
    "string_too_short": "at least 1 character",
    "string_too_long": "at most {max_length} characters",
    "string_type": "a text",
    "list_type": "an array",
    "model_type": "an object",
    "enum": "one of {expected}",
}


def _expected(error: ErrorDetails) -> str:
    known = _EXPECTED.get(error["type"])
    if known is None:
        return error["msg"]
    return known.format(**error.get("ctx", {}))


def _refusal(path: Iterable[str | int], expected: str) -> errors.InvalidValue:
    place = "messages"
    for step in path:
        if isinstance(step, str) and not _NAMES.fullmatch(step):
            break
        place += f".{step}" if isinstance(step, str) else f"[{step}]"
    return errors.InvalidValue(expected, place=place)
