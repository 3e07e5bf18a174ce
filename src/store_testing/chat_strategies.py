"""Messages as the AI SDK's clients send them, and as later ones may."""

from typing import Any

from hypothesis import strategies as st

from store import messages

__all__ = ["KNOWN", "json_values", "known_parts", "parts", "turns"]

_Keys = dict[str, tuple[type, bool]]

# By type: its class, and of each key its value's type and whether it must be there.
KNOWN: dict[str, tuple[type, _Keys]] = {
    "text": (messages.TextPart, {"text": (str, True)}),
    "reasoning": (messages.ReasoningPart, {"text": (str, True)}),
    "file": (
        messages.FilePart,
        {"mediaType": (str, True), "url": (str, True), "filename": (str, False)},
    ),
    "source-url": (
        messages.SourceUrlPart,
        {"sourceId": (str, True), "url": (str, True), "title": (str, False)},
    ),
    "source-document": (
        messages.SourceDocumentPart,
        {"sourceId": (str, True), "mediaType": (str, True), "title": (str, True)},
    ),
    "data-weather": (
        messages.DataPart,
        {"data": (object, True), "id": (str, False)},
    ),
    "tool-search": (
        messages.ToolPart,
        {
            "toolCallId": (str, True),
            "state": (str, True),
            "input": (object, False),
            "output": (object, False),
            "errorText": (str, False),
        },
    ),
    "dynamic-tool": (
        messages.DynamicToolPart,
        {
            "toolName": (str, True),
            "toolCallId": (str, True),
            "state": (str, True),
            "input": (object, False),
            "output": (object, False),
            "errorText": (str, False),
        },
    ),
}

_texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20
)
_numbers = (
    st.integers()
    | st.integers(-(1 << 14_000) + 1, (1 << 14_000) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
json_values = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3)
    ),
    max_leaves=6,
)

# Among the unknown keys are some that could be mistaken for something else.
_keys = _texts | st.sampled_from(
    [
        "media_type",
        "error_text",
        "model_config",
        "self",
        "__dict__",
        "",
        "providerMetadata",
    ]
)
_extras = st.dictionaries(_keys, json_values, max_size=3)


@st.composite
def known_parts(draw: st.DrawFn, type_: str) -> dict[str, Any]:
    """Draw a part of a known type, without unknown keys."""
    part: dict[str, Any] = {"type": type_}
    for key, (kind, required) in KNOWN[type_][1].items():
        if required or draw(st.booleans()):
            part[key] = draw(_texts if kind is str else json_values)
    return part


@st.composite
def parts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a part, of a known type or another, with whatever keys besides."""
    extras = draw(_extras)
    if draw(st.booleans()):
        return extras | draw(known_parts(draw(st.sampled_from(sorted(KNOWN)))))
    types = st.sampled_from(
        ["step-start", "reasoning-file", "custom", "text-", "other"]
    )
    unknown = _texts.filter(lambda name: not name.startswith(("tool-", "data-")))
    type_ = draw(types | unknown.filter(lambda name: name not in KNOWN))
    return extras | {"type": type_}


@st.composite
def turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw messages with ids of their own, some with metadata."""
    ids = draw(st.lists(_texts.filter(bool), max_size=3, unique=True))
    roles = st.sampled_from(["user", "assistant", "system", "tool"])
    return [
        {"id": id_, "role": draw(roles), "parts": draw(st.lists(parts(), max_size=3))}
        | draw(st.fixed_dictionaries({}, optional={"metadata": json_values}))
        for id_ in ids
    ]
