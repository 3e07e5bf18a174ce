"""Two at once in one session."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from generated.models import ChatSession
from store import Store, errors
from tests.integration.chats.sessions import delete, race, read, said, texts, touch
from tests.support import gates
from tests.support.gates import Gate


def test_two_turns_of_one_session(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    session: ChatSession,
    gate: Gate,
) -> None:
    """T1: saves a, b; T2: b, c. The messages are T1's, then T2's; the title is T1's."""
    one, other = race(
        gate,
        lambda: store.save_turn(user_id, session.id, [said("a"), said("b")]),
        lambda: store.save_turn(user_id, session.id, [said("b", "B"), said("c")]),
    )
    assert one.result().title == other.result().title == "a"
    assert one.result().updated_at < other.result().updated_at
    assert texts(conn, session) == ["a", "B", "c"]


def test_two_turns_of_crossed_messages(
    store: Store, conn: psycopg.Connection, user_id: UUID, session: ChatSession
) -> None:
    """T1: saves a, b; T2: b, a. The order is one of them, the texts of one of them."""
    turns = [said("a", "1"), said("b", "1")], [said("b", "2"), said("a", "2")]
    with ThreadPoolExecutor(2) as threads, conn.transaction():
        touch(conn, session)
        both = [
            threads.submit(store.save_turn, user_id, session.id, turn) for turn in turns
        ]
        gates.wait_until_waiting(conn, 2)
    for future in both:
        future.result()
    assert [row.msg_id for row in read(conn, session)] in (["a", "b"], ["b", "a"])
    assert texts(conn, session) in (["1", "1"], ["2", "2"])


def test_a_turn_before_a_new_answer(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    session: ChatSession,
    gate: Gate,
) -> None:
    """T1: saves a, b; T2: saves c in place of all after a. So b goes."""
    one, other = race(
        gate,
        lambda: store.save_turn(user_id, session.id, [said("a"), said("b")]),
        lambda: store.save_turn(user_id, session.id, [said("c")], replace_after="a"),
    )
    assert one.result().id == other.result().id
    assert texts(conn, session) == ["a", "c"]


def test_a_turn_before_the_end_of_its_session(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    session: ChatSession,
    gate: Gate,
) -> None:
    """T1: saves; T2: deletes the session. It is gone, and its messages with it."""
    one, other = race(
        gate,
        lambda: store.save_turn(user_id, session.id, [said("a")]),
        lambda: delete(store, session),
    )
    assert one.result().id == other.result() == session.id
    assert conn.execute("SELECT count(*) FROM chat_messages").fetchone() == (0,)


def test_the_end_of_a_session_before_a_turn(
    store: Store, user_id: UUID, session: ChatSession, gate: Gate
) -> None:
    """T1: deletes the session; T2: saves. It is not found."""
    one, other = race(
        gate,
        lambda: delete(store, session),
        lambda: store.save_turn(user_id, session.id, [said("a")]),
    )
    assert one.result() == session.id
    with pytest.raises(errors.ChatSessionNotFound):
        other.result()
