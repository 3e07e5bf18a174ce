"""Bookmarks are read as they were written, compared, and refused if not whole."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import errors
from store.bookmarks import Position, Writes

SYSTEM = 7713523918971020536
POSITIONS = st.builds(
    Position,
    system_id=st.integers(-(2**63), 2**63 - 1),
    timeline=st.integers(1, 2**32 - 1),
    lsn=st.integers(0, 2**63 - 1),
)


@given(POSITIONS)
def test_a_bookmark_is_read_as_it_was_written(position: Position) -> None:
    """It says all of its place, in what cookies, headers and URLs take as it is."""
    bookmark = position.bookmark()
    assert Position.parse(bookmark) == position
    assert re.fullmatch("[A-Za-z0-9_-]{36}", bookmark)


@given(POSITIONS, st.data())
def test_a_bookmark_that_is_not_whole_is_refused(
    position: Position, data: st.DataObject
) -> None:
    """Not one character may be another one, missing, or too many."""
    whole = position.bookmark()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters())
    for text in (
        whole[:place] + other + whole[place + 1 :],
        whole[:place] + whole[place + 1 :],
        whole[:place] + other + whole[place:],
    ):
        if text != whole:
            with pytest.raises(errors.InvalidValue) as refused:
                Position.parse(text)
            assert refused.value.place == "bookmark"


def test_what_is_longer_is_refused_unread() -> None:
    """Whatever length somebody sends, and padding that a decoder passes over."""
    whole = Position(SYSTEM, 1, 10).bookmark()
    for text in (f"{whole}=", f"{whole}==", f"{whole}\n", whole * 2):
        with pytest.raises(errors.InvalidValue):
            Position.parse(text)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    """Whatever somebody sends as a cookie, nothing but `InvalidValue` is raised."""
    with pytest.raises(errors.InvalidValue):
        Position.parse(text)


@pytest.mark.parametrize(
    ("here", "there", "covers"),
    [
        (Position(SYSTEM, 1, 10), Position(SYSTEM, 1, 10), True),
        (Position(SYSTEM, 1, 9), Position(SYSTEM, 1, 10), False),
        # Promoted: what the new timeline has not, nobody has.
        (Position(SYSTEM, 2, 9), Position(SYSTEM, 1, 10), True),
        # Still on the old timeline, which may be as long without the write.
        (Position(SYSTEM, 1, 10), Position(SYSTEM, 2, 9), False),
        (Position(SYSTEM, 1, 10, 1), Position(SYSTEM, 2, 9), False),
        # It follows the new one, and has come so far.
        (Position(SYSTEM, 1, 10, 2), Position(SYSTEM, 2, 9), True),
        (Position(SYSTEM, 1, 8, 2), Position(SYSTEM, 2, 9), False),
        # It receives the new one, and may not have replayed the old one yet.
        (Position(SYSTEM, 1, 8, 2), Position(SYSTEM, 1, 9), False),
    ],
)
def test_what_a_replica_shows(here: Position, there: Position, *, covers: bool) -> None:
    """It shows what it has replayed, on the timeline of the write, or a later one."""
    assert here.covers(there) == covers


def test_a_bookmark_of_another_system_is_refused() -> None:
    """Places in two logs cannot be compared."""
    with pytest.raises(errors.InvalidValue, match="this database system"):
        Position(SYSTEM, 1, 10).covers(Position(SYSTEM + 1, 1, 10))


@given(st.permutations([Position(SYSTEM, 1, 9), Position(SYSTEM, 2, 3)]))
def test_the_latest_of_several_writes_counts(positions: list[Position]) -> None:
    """In whatever order they are told; the outer memory has them, too."""
    outer = Writes(None)
    inner = Writes(outer)
    for position in positions:
        inner.reach(position)
    inner.leave_untold()
    assert inner.position == outer.position == Position(SYSTEM, 2, 3)
    assert outer.are_untold


def test_an_answer_covers_what_came_before_its_question() -> None:
    """What is committed meanwhile is untold, and so is all while statements may."""
    writes = Writes(None)
    writes.leave_untold()
    asked = writes.asking()
    assert writes.are_untold  # for others too, who would get less than is committed
    writes.leave_untold()
    writes.cover(asked, Position(SYSTEM, 1, 10))
    assert writes.are_untold
    writes.cover(writes.asking(), Position(SYSTEM, 1, 10))
    assert not writes.are_untold
    writes.begin_singles()
    writes.cover(writes.asking(), Position(SYSTEM, 1, 10))
    assert writes.are_untold
    writes.end_singles()
    writes.cover(writes.asking(), Position(SYSTEM, 1, 10))
    assert not writes.are_untold


def test_what_another_system_tells_replaces_all() -> None:
    """A pooler may be turned to another server; what is committed there is no error."""
    writes = Writes(None)
    for position in (Position(SYSTEM, 2, 10), Position(SYSTEM + 1, 1, 5)):
        writes.reach(position)
        assert writes.position == position


def test_a_standby_tells_the_timeline_that_it_receives() -> None:
    """What it shows is of that one already, though it has not noted so."""
    bookmark = Position(SYSTEM, 1, 10, 2).bookmark()
    assert not Position(SYSTEM, 2, 9).covers(Position.parse(bookmark))
    assert not Position(SYSTEM, 1, 10).covers(Position.parse(bookmark))
    assert Position(SYSTEM, 1, 10, 2).covers(Position.parse(bookmark))
