"""A save that was overtaken writes nothing."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from generated.models import ChatSession
from store import Store, errors
from tests.integration.chats.sessions import delete, race, said, texts
from tests.support.gates import Gate
from tests.support.tables import Tables


@pytest.mark.parametrize("replace_after", [None, "a", "missing"])
def test_an_overtaken_save_writes_nothing(
    store: Store, conn: psycopg.Connection, session: ChatSession, replace_after: str
) -> None:
    """What began before the last save is refused, and says of which session."""
    begun = store.save_turn(session.user_id, session.id, [said("a")])
    store.save_turn(session.user_id, session.id, [said("b", "the whole answer")])
    before = Tables(conn).read()
    with pytest.raises(errors.ChatOvertaken) as late:
        store.save_turn(
            session.user_id,
            session.id,
            [said("b", "the wh"), said("c")],
            replace_after=replace_after,
            from_version=begun.version,
        )
    assert late.value.session_id == session.id
    assert str(session.id) in str(late.value)
    assert Tables(conn).read() == before


def test_a_save_that_names_its_version_can_be_repeated(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """After a lost reply the same call has the same result, until another save."""
    begun = store.save_turn(session.user_id, session.id, [said("a"), said("b")])

    def save(*turn: dict[str, Any], after: str | None = "a") -> ChatSession:
        return store.save_turn(
            session.user_id,
            session.id,
            turn,
            replace_after=after,
            from_version=begun.version,
        )

    saved = save(said("c"))
    before = Tables(conn).read()
    assert save(said("c")) == saved
    for others in ([said("c", "C")], [said("c"), said("d")], []):
        with pytest.raises(errors.ChatOvertaken):
            save(*others)
    with pytest.raises(errors.ChatOvertaken):
        save(said("c"), after=None)
    assert Tables(conn).read() == before
    store.save_turn(session.user_id, session.id, [said("c")])
    with pytest.raises(errors.ChatOvertaken):
        save(said("c"))


def test_a_deleted_session_is_not_overtaken(store: Store, session: ChatSession) -> None:
    """It is not found, whatever version a save names."""
    delete(store, session)
    with pytest.raises(errors.ChatSessionNotFound):
        store.save_turn(session.user_id, session.id, [said("a")], from_version=7)


def test_two_saves_from_one_version(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    session: ChatSession,
    gate: Gate,
) -> None:
    """T1: saves from version 0; T2 too, with other words. T2 is overtaken."""

    def save(text: str) -> ChatSession:
        return store.save_turn(
            user_id, session.id, [said("a", text), said(text)], from_version=0
        )

    one, other = race(gate, lambda: save("whole"), lambda: save("wh"))
    assert one.result().version == 1
    with pytest.raises(errors.ChatOvertaken):
        other.result()
    assert texts(conn, session) == ["whole", "whole"]


def test_one_save_twice_at_once(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    session: ChatSession,
    gate: Gate,
) -> None:
    """T1, T2: the same save from version 0. It is done once, both are told so."""

    def save() -> ChatSession:
        return store.save_turn(user_id, session.id, [said("a")], from_version=0)

    one, other = race(gate, save, save)
    assert one.result() == other.result()
    assert one.result().version == 1
    assert texts(conn, session) == ["a"]
