"""UIMessages: what is loaded is what is dumped, and what is refused is placed."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from store import errors, messages
from store_testing import chat_strategies
from tests.unit.ui_messages import exact, message, text

WORDS = "the user's own words"


def nested(levels: int) -> object:
    """Make arrays in arrays."""
    value: object = 0
    for _ in range(levels):
        value = [value]
    return value


def refusal(*given: Any) -> errors.InvalidValue:  # noqa: ANN401 - JSON, or worse
    """Load what is refused; the refusal tells nothing of what was said."""
    with pytest.raises(errors.InvalidValue) as refused:
        messages.load(given)
    error = refused.value
    assert str(error) == f"{error.place}: expected {error.expected}"
    assert WORDS not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return error


def place_of(*given: Any) -> str:  # noqa: ANN401 - JSON, or worse
    """Load what is refused, and tell where that is."""
    place = refusal(*given).place
    assert place
    return place


@given(chat_strategies.turns())
def test_what_is_loaded_is_dumped_unchanged(turn: list[dict[str, Any]]) -> None:
    """Known and unknown types and keys survive, numbers included."""
    loaded = messages.load(turn)
    dumped = [each.model_dump(exclude_unset=True) for each in loaded]
    assert exact(dumped) == exact(turn)


@given(st.data(), st.sampled_from(sorted(chat_strategies.KNOWN)))
def test_a_known_type_is_read_into_its_class(data: st.DataObject, type_: str) -> None:
    """Each known type has a class, whose attributes are the keys."""
    part = data.draw(chat_strategies.known_parts(type_))
    [loaded] = messages.load([message(part)])
    assert type(loaded.parts[0]) is chat_strategies.KNOWN[type_][0]
    assert all(getattr(loaded.parts[0], key) == part[key] for key in part)


@given(st.data(), st.sampled_from(sorted(chat_strategies.KNOWN)))
def test_a_known_type_has_its_keys(data: st.DataObject, type_: str) -> None:
    """A known type without a key that it must have is refused, with the place."""
    part = data.draw(chat_strategies.known_parts(type_))
    required = [key for key, kind in chat_strategies.KNOWN[type_][1].items() if kind[1]]
    missing = data.draw(st.sampled_from(required))
    del part[missing]
    assert place_of(message(text("a"), part)) == f"messages[0].parts[1].{missing}"


@given(st.data(), st.sampled_from(sorted(chat_strategies.KNOWN)))
def test_a_known_key_is_of_its_type(data: st.DataObject, type_: str) -> None:
    """A known key with a value of another type is refused, with the place."""
    part = data.draw(chat_strategies.known_parts(type_))
    texts = [k for k, kind in chat_strategies.KNOWN[type_][1].items() if kind[0] is str]
    assume(texts)
    key = data.draw(st.sampled_from(texts))
    part[key] = data.draw(st.integers() | st.booleans() | st.just([WORDS]))
    assert place_of(message(part)) == f"messages[0].parts[0].{key}"


@given(st.data(), st.sampled_from(["\0", "\ud800", "\udfff", "a\0b", "\ud83d x"]))
def test_unstorable_text_is_refused_with_its_place(
    data: st.DataObject, bad: str
) -> None:
    """A NUL or lone surrogate anywhere in a part is refused; its text is not told."""
    type_ = data.draw(st.sampled_from(sorted(chat_strategies.KNOWN)))
    part = data.draw(chat_strategies.known_parts(type_))
    key = data.draw(st.sampled_from(sorted({*chat_strategies.KNOWN[type_][1], "type"})))
    part[key] = WORDS + bad
    turn = [message(text("a"), id="0"), message(text("b"), part)]
    assert place_of(*turn) == f"messages[1].parts[1].{key}"


@given(chat_strategies.json_values, st.sampled_from(["\0", "\ud800"]), st.booleans())
def test_unstorable_text_is_refused_at_any_depth(
    around: object, bad: str, as_key: bool
) -> None:
    """It is refused as a value, and as a key, below others too."""
    leaf = {WORDS + bad: 1} if as_key else [around, WORDS + bad]
    part = {"type": "data-x", "data": {WORDS: [around, leaf]}, "more": around}
    assert place_of(message(part)) == "messages[0].parts[0].data"


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        (message(text("a"), id="a\0"), "messages[0].id"),
        (message(text("a"), id=""), "messages[0].id"),
        (message(text("a"), id="a" * 101), "messages[0].id"),
        (message(text("a"), id=7), "messages[0].id"),
        (message(text("a"), role="\ud800"), "messages[0].role"),
        (message(text("a"), role=WORDS), "messages[0].role"),
        (message(text("a"), metadata={"a": WORDS + "\0"}), "messages[0].metadata"),
        (message(text("a"), metadata="\ud800"), "messages[0].metadata"),
        (message(text("a"), metadata=[math.nan]), "messages[0].metadata[0]"),
        (message(text("a"), metadata={1: 2}), "messages[0].metadata"),
        (message(text("a"), metadata=(1,)), "messages[0].metadata"),
        (message(text("a"), **{WORDS: 1}), "messages[0]"),
        ({"id": "1", "role": "user"}, "messages[0].parts"),
        ({"id": "1", "parts": []}, "messages[0].role"),
        ({"role": "user", "parts": []}, "messages[0].id"),
        ({"id": "1", "role": "user", "parts": {"0": text("a")}}, "messages[0].parts"),
        (message({"text": WORDS}), "messages[0].parts[0].type"),
        (message({"type": 7}), "messages[0].parts[0].type"),
        (message(WORDS), "messages[0].parts[0]"),
        (message([text(WORDS)]), "messages[0].parts[0]"),
        (WORDS, "messages[0]"),
        (None, "messages[0]"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(
    broken: object, place: str
) -> None:
    """An id, role, parts, and nothing else: other keys have no column."""
    assert place_of(broken) == place


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        1 << 14_000,
        -(1 << 14_000),
        b"bytes",
        (1,),
        {1},
        {1: "a"},
        {None: "a"},
        datetime.now(UTC),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(value: object) -> None:
    """Numbers that JSON or Python's reading lacks, and other objects, are refused."""
    for data in (value, [value], {"a": [value]}):
        part = {"type": "data-x", "data": data}
        assert place_of(message(part)).startswith("messages[0].parts[0].data")


@pytest.mark.parametrize("value", [(1 << 14_000) - 1, -(1 << 14_000) + 1, 1e308, -0.0])
def test_the_largest_numbers_pass(value: float) -> None:
    """Integers of 14,000 bits pass, and so does every finite float."""
    assert messages.load([message({"type": "data-x", "data": value})])


@pytest.mark.parametrize("objects", [0, 1])
def test_a_hundred_levels_pass_and_one_more_is_refused(objects: int) -> None:
    """`parts` is the first level, a part the second, what is in it the third."""

    def data(levels: int) -> object:
        return {"a": nested(levels - 1)} if objects else nested(levels)

    assert messages.load([message({"type": "x", "data": data(98)})])
    deep = message({"type": "x", "data": data(99)})
    assert place_of(deep).startswith("messages[0].parts[0].data")


def test_a_circle_is_refused() -> None:
    """What holds itself is too deep, and found so at once."""
    circle: list[object] = []
    circle += [circle, circle]
    deep = message({"type": "x", "data": circle})
    assert place_of(deep).startswith("messages[0].parts[0].data[0]")


@pytest.mark.parametrize("letter", ["a", "é", "\N{GRINNING FACE}"])
def test_a_mebibyte_passes_and_one_byte_more_is_refused(letter: str) -> None:
    """A message's parts have at most 1 MiB as compact JSON in UTF-8."""
    frame = len('[{"type":"text","text":""}]')
    letters, rest = divmod(messages.MAX_MESSAGE_BYTES - frame, len(letter.encode()))
    said = letter * letters + "b" * rest
    assert messages.load([message(text(said))])
    assert place_of(message(text(said + "b"))) == "messages[0].parts"


def test_metadata_count_towards_a_message() -> None:
    """Parts and metadata share the limit; the larger of the two is named."""
    some = message(text("a"), metadata="b" * (messages.MAX_MESSAGE_BYTES - 29))
    assert place_of(some) == "messages[0].metadata"
    other = message(text("a" * (messages.MAX_MESSAGE_BYTES - 40)), metadata="b" * 40)
    assert place_of(other) == "messages[0].parts"
    full = len('[{"type":"text","text":"a"}]')
    fits = message(text("a"), metadata="b" * (messages.MAX_MESSAGE_BYTES - full - 2))
    assert messages.load([fits])
    fits["metadata"] += "b"
    assert place_of(fits) == "messages[0].metadata"


def test_metadata_are_as_deep_as_parts() -> None:
    """They are the first of a hundred levels."""
    assert messages.load([message(metadata=nested(100))])
    assert place_of(message(metadata=nested(101))).startswith("messages[0].metadata[0]")


@pytest.mark.parametrize("metadata", [None, {}, [], 0, "", False, {"a": None}])
def test_metadata_that_are_null_are_there(metadata: object) -> None:
    """Any JSON is kept, null too, which is told from none at all."""
    given = [message(text("a"), metadata=metadata)]
    [loaded] = messages.load(given)
    assert loaded.model_dump(exclude_unset=True) == given[0]
    [bare] = messages.load([message(text("a"))])
    assert bare.metadata is None
    assert "metadata" not in bare.model_dump(exclude_unset=True)


def test_what_is_fine_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk that finds the place of what is wrong costs nobody else anything."""

    def walk(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(messages, "_refuse_unstorable", walk)
    part: dict[str, Any] = {
        "type": "data-x",
        "data": [1, 2.5, True, None, "é \\ u0000", {"a": nested(3)}],
    }
    assert messages.load([message(part, metadata={"a": [part]})])


class Shouted(str):
    """A text of another class."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value", ["\\u0000", "a \\\\u0000", Shouted("a"), {Shouted("a"): 1}]
)
def test_what_looks_wrong_and_is_not_passes(value: object) -> None:
    """The text of an escape, and texts of a subclass, can be stored."""
    part = {"type": "data-x", "data": value}
    [loaded] = messages.load([message(part)])
    assert loaded.model_dump(exclude_unset=True)["parts"] == [part]


@given(st.data())
def test_the_fast_look_and_the_walk_agree(data: st.DataObject) -> None:
    """What the walk refuses is refused, and at its place, wherever it lies."""
    bad = data.draw(
        st.sampled_from(
            [
                "\0",
                "\ud800",
                math.nan,
                -math.inf,
                1 << 14_000,
                b"",
                (),
                {1: 2},
                {"\0": 1},
            ]
        )
    )
    value = data.draw(
        st.recursive(
            st.just(bad),
            lambda inner: (
                st.tuples(chat_strategies.json_values, inner).map(list)
                | st.dictionaries(st.sampled_from(["a", "text"]), inner, min_size=1)
            ),
            max_leaves=3,
        )
    )
    given_ = message(text("a"), {"type": "data-x", "data": value})
    with pytest.raises(errors.InvalidValue) as walked:
        messages._refuse_unstorable(given_, (0,))  # pyright: ignore[reportPrivateUsage]
    refused = refusal(given_)
    assert str(refused) == str(walked.value)


def test_a_turn_has_its_limit_too() -> None:
    """All parts together have at most 16 MiB; the first too many is named."""
    frame = len('[{"type":"text","text":""}]')
    full = text("a" * (messages.MAX_MESSAGE_BYTES - frame))
    turn = [message(full, id=str(n)) for n in range(16)]
    assert len(messages.load(turn)) == 16
    small: dict[str, Any] = {"id": "16", "role": "user", "parts": []}
    assert place_of(*turn, small) == "messages[16].parts"


def test_an_id_that_comes_twice_is_refused() -> None:
    """Two messages of one turn cannot be one message."""
    turn = [message(id="a"), message(id="b"), message(id="a")]
    assert place_of(*turn) == "messages[2].id"


def test_an_id_counts_in_characters() -> None:
    """A hundred characters pass, however many bytes they are."""
    assert messages.load([message(id="\N{GRINNING FACE}" * 100)])
