"""Titles: what nobody chose is replaced, what somebody chose stays."""

from typing import Any

import psycopg

from generated import chats
from generated.enums import TitleSource
from generated.models import ChatSession
from store import Store
from tests.integration.chats.sessions import race, said
from tests.support.gates import Gate


def give_title(store: Store, session: ChatSession, title: str) -> ChatSession | None:
    """Give a session a model's title."""
    with store.connection() as conn:
        return chats.give_model_title(
            conn, id=session.id, user_id=session.user_id, title=title
        )


def rename(store: Store, session: ChatSession, title: str) -> ChatSession | None:
    """Give a session a chosen title."""
    with store.connection() as conn:
        return chats.rename_chat_session(
            conn, id=session.id, user_id=session.user_id, title=title
        )


def title_of(conn: psycopg.Connection, session: ChatSession) -> tuple[Any, ...]:
    """Read a session's title and where it is from."""
    row = chats.get_chat_session(conn, id=session.id, user_id=session.user_id)
    assert row
    return row.title, row.title_source


def test_a_model_replaces_what_nobody_chose(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """None, the store's own and an earlier model's are replaced, a chosen one not."""
    given = give_title(store, session, "before the first text")
    assert given
    assert title_of(conn, session) == ("before the first text", TitleSource.MODEL)
    conn.execute("UPDATE chat_sessions SET title = NULL, title_source = NULL")
    made = store.save_turn(session.user_id, session.id, [said("a", "the text")])
    assert (made.title, made.title_source) == ("the text", TitleSource.MADE)
    for title in ("one", "another"):
        given = give_title(store, session, title)
        assert given
        assert (given.title, given.title_source) == (title, TitleSource.MODEL)
    assert rename(store, session, "mine")
    assert give_title(store, session, "the model's") is None
    assert title_of(conn, session) == ("mine", TitleSource.CHOSEN)


def test_a_title_of_unknown_source_counts_as_chosen(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """Titles from before they had a source are kept."""
    conn.execute("UPDATE chat_sessions SET title = 'old'")
    assert give_title(store, session, "the model's") is None
    store.save_turn(session.user_id, session.id, [said("a", "the text")])
    assert title_of(conn, session) == ("old", None)


def test_a_session_may_stay_without_a_title(store: Store, session: ChatSession) -> None:
    """A save that makes none leaves it to a later one, or to a model."""
    turn = [said("a", "the text")]
    saved = store.save_turn(session.user_id, session.id, turn, make_title=False)
    assert (saved.title, saved.title_source) == (None, None)
    saved = store.save_turn(session.user_id, session.id, turn)
    assert (saved.title, saved.title_source) == ("the text", TitleSource.MADE)


def test_a_chosen_title_before_a_models(
    store: Store, conn: psycopg.Connection, session: ChatSession, gate: Gate
) -> None:
    """T1: renames; T2: gives a model's title. The chosen one stays."""
    one, other = race(
        gate,
        lambda: rename(store, session, "mine"),
        lambda: give_title(store, session, "the model's"),
    )
    assert one.result().title == "mine"
    assert other.result() is None
    assert title_of(conn, session) == ("mine", TitleSource.CHOSEN)
