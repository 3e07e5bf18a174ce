"""Titles of sessions, made of the user's first words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import messages
from tests.unit.ui_messages import message, text


def word(letter: str, length: int) -> str:
    """Make a word."""
    return letter * length


_words = st.builds(
    word,
    st.characters(exclude_categories=["Z", "C"]),
    st.integers(1, 60) | st.sampled_from([98, 99, 100, 101, 130]),
)
_spaces = st.text(" \t\n\u00a0\u2003", min_size=1, max_size=3)


def title_of(*turn: dict[str, Any]) -> str | None:
    """Make the title of a turn."""
    return messages.title_of(messages.load(turn))


@given(st.lists(st.tuples(_words, _spaces), min_size=1, max_size=40), _spaces)
def test_a_title_is_as_many_words_as_fit(
    said: list[tuple[str, str]], before: str
) -> None:
    """Words are joined by one space while 100 characters hold them."""
    words = [word for word, _ in said]
    title = words[0][:100]
    for word in words[1:]:
        if len(words[0]) > 100 or len(title) + 1 + len(word) > 100:
            break
        title += " " + word
    folded = before + "".join(word + space for word, space in said)
    assert title_of(message(text(folded))) == title


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("a" * 100, "a" * 100),
        ("a" * 101, "a" * 100),
        ("a" * 49 + " " + "b" * 50, "a" * 49 + " " + "b" * 50),
        ("a" * 49 + " " + "b" * 50 + " c", "a" * 49 + " " + "b" * 50),
        ("a" * 49 + " " + "b" * 51, "a" * 49),
        ("a" + " " * 200 + "b", "a b"),
    ],
)
def test_a_title_has_at_most_a_hundred_characters(said: str, title: str) -> None:
    """The hundredth character is in; a word that would pass it is not."""
    assert title_of(message(text(said))) == title


def test_a_title_is_the_users_first_text() -> None:
    """Blank texts, other parts and other speakers are passed over."""
    turn = [
        message(text("not the system"), id="0", role="system"),
        message(text("not the assistant"), id="1", role="assistant"),
        message({"type": "reasoning", "text": "not a thought"}, id="2"),
        message({"type": "other", "text": "not another"}, text(" \n "), id="3"),
        message({"type": "step-start"}, text("  this \n one "), text("no"), id="4"),
        message(text("not a later one"), id="5"),
    ]
    assert title_of(*turn) == "this one"
    assert title_of(*turn[:4]) is None
    assert title_of() is None
