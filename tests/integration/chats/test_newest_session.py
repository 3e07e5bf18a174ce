"""Which session is the newest."""

from uuid import UUID

import psycopg

from generated import chats
from generated.models import ChatSession
from store import Store
from tests.integration.chats.sessions import newest_first, open_session, race, touch
from tests.support.gates import Gate


def test_a_touch_is_newest_though_its_transaction_is_older(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What counts is when a session was touched, not when its transaction began."""
    one, other = open_session(conn, user_id), open_session(conn, user_id)
    with conn.transaction():
        conn.execute("SELECT 1").fetchone()
        store.save_turn(user_id, other.id, [])
        touch(conn, one)
        new = open_session(conn, user_id)
    assert newest_first(conn, user_id) == [new.id, one.id, other.id]


def test_a_touch_is_newest_though_the_clock_went_back(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A time that lies in the future is passed by."""
    one, other = open_session(conn, user_id), open_session(conn, user_id)
    date_ahead(conn, other)
    store.save_turn(user_id, one.id, [])
    new = open_session(conn, user_id)
    chats.rename_chat_session(conn, id=other.id, user_id=user_id, title="old")
    assert newest_first(conn, user_id) == [other.id, new.id, one.id]


def test_sessions_become_visible_in_the_order_of_their_touches(
    store: Store,
    conn: psycopg.Connection,
    session: ChatSession,
    another: ChatSession,
    gate: Gate,
) -> None:
    """T1: saves in A; T2: in B. B waits, so no reader of B's page finds A later."""
    user_id = session.user_id
    one, other = race(
        gate,
        lambda: store.save_turn(user_id, session.id, []),
        lambda: store.save_turn(user_id, another.id, []),
    )
    assert one.result().updated_at < other.result().updated_at
    assert newest_first(conn, user_id) == [another.id, session.id]


def test_a_new_session_is_newer_than_what_it_waited_for(
    store: Store, conn: psycopg.Connection, session: ChatSession, gate: Gate
) -> None:
    """T1: saves, at a time ahead of the clock; T2: opens a session, which is newer."""

    def create() -> ChatSession:
        with store.connection() as own:
            return open_session(own, session.user_id)

    date_ahead(conn, session)
    one, other = race(
        gate, lambda: store.save_turn(session.user_id, session.id, []), create
    )
    assert one.result().updated_at < other.result().updated_at


def date_ahead(conn: psycopg.Connection, session: ChatSession) -> None:
    """Touch a session as if the clock had been ahead."""
    with conn.transaction():
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute(
            "UPDATE chat_sessions SET updated_at = 'tomorrow' WHERE id = %s",
            [session.id],
        )
