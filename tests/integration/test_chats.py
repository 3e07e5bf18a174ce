"""Saving turns: flights, races, and what is not written."""

import asyncio
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from generated import chats
from generated.aio import chats as async_chats
from generated.models import ChatMessage, ChatSession
from store import AsyncStore, Store, errors
from tests.support import factories, gates, proxy, stores
from tests.support.gates import Gate
from tests.support.tables import Tables


@pytest.fixture
def store(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store; a deadlock, though retried and so unseen, fails the test."""
    with stores.opened(database_url) as opened:
        yield opened
    others = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    while conn.execute(others).fetchone() != (0,):  # only then are deadlocks reported
        time.sleep(0.002)
    deadlocks = (
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert conn.execute(deadlocks).fetchone() == (0,)


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Give a user."""
    return factories.add_user(conn)


@pytest.fixture
def session(conn: psycopg.Connection, user_id: UUID) -> ChatSession:
    """Give a session of the user's."""
    return open_session(conn, user_id)


@pytest.fixture
def another(conn: psycopg.Connection, user_id: UUID) -> ChatSession:
    """Give another session of the user's."""
    return open_session(conn, user_id)


@pytest.fixture
def gate(database_url: str, conn: psycopg.Connection) -> Generator[Gate]:
    """Give a gate that is shut to whoever saved a turn; ask for it last."""
    with gates.shut(database_url) as shut:
        conn.execute(
            "CREATE CONSTRAINT TRIGGER wait_at_gate"
            " AFTER INSERT OR UPDATE OR DELETE ON chat_sessions"
            " DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION wait_at_gate()"
        )
        yield shut


def open_session(conn: psycopg.Connection, user_id: UUID) -> ChatSession:
    """Open a session without a title."""
    session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session
    return session


def said(msg_id: str, text: str | None = None, role: str = "user") -> dict[str, Any]:
    """Make a message of a text, which is the id unless given."""
    part = {"type": "text", "text": msg_id if text is None else text}
    return {"id": msg_id, "role": role, "parts": [part]}


def read(conn: psycopg.Connection, session: ChatSession) -> list[ChatMessage]:
    """Read a session's messages."""
    return chats.list_chat_messages(
        conn,
        session_id=session.id,
        user_id=session.user_id,
        after_position=0,
        max_rows=99,
    )


def texts(conn: psycopg.Connection, session: ChatSession) -> list[object]:
    """Read what was said."""
    parts: Any = [row.parts for row in read(conn, session)]
    return [message[0]["text"] for message in parts]


def newest_first(conn: psycopg.Connection, user_id: UUID) -> list[UUID]:
    """Read the ids of a user's sessions."""
    rows = chats.list_chat_sessions(
        conn, user_id=user_id, before_updated_at=None, before_id=None, max_rows=99
    )
    return [row.id for row in rows]


def race(
    gate: Gate, first: Callable[[], Any], second: Callable[[], Any]
) -> tuple["Future[Any]", "Future[Any]"]:
    """Bring T1 to its COMMIT, T2 to wait for T1, then let both end."""
    with ThreadPoolExecutor(2) as threads:
        try:
            one = threads.submit(first)
            holder = gate.wait_for_arrival()
            other = threads.submit(second)
            gate.wait_for_one_behind(holder)
        finally:
            gate.open()
    return one, other


# One call


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(("replace_after", "flights"), [(None, 1), ("0", 2)])
def test_a_turn_is_one_flight(
    database_url: str,
    session: ChatSession,
    replace_after: str | None,
    flights: int,
    *,
    warm: bool,
) -> None:
    """However many messages; to replace what follows one takes a look in between."""
    turn = [said(str(number)) for number in range(20)]
    with proxy.before(database_url) as tap, stores.opened(tap.url) as store:
        for after in (None, *[replace_after] * 10 * warm):  # the driver then prepares
            store.save_turn(session.user_id, session.id, turn, replace_after=after)
        tap.reset()
        store.save_turn(session.user_id, session.id, turn, replace_after=replace_after)
        assert tap.flights == flights


def test_both_faces_do_the_same(
    database_url: str, store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """`AsyncStore` saves, replaces and refuses as `Store` does."""
    sessions = open_session(conn, user_id), open_session(conn, user_id)
    first = [said("a", "hello  you"), said("b", role="assistant"), said("c")]
    store.save_turn(user_id, sessions[0].id, first)

    async def act() -> list[errors.StoreError]:
        refusals: list[errors.StoreError] = []
        async with AsyncStore(stores.settings(database_url)) as astore:
            await astore.save_turn(user_id, sessions[1].id, first)
            await astore.save_turn(
                user_id, sessions[1].id, [said("d")], replace_after="a"
            )
            for session_id, turn, after in (
                (uuid4(), [said("x")], None),
                (sessions[1].id, [said("x")], "b"),
                (sessions[1].id, [said("x\0")], None),
            ):
                with pytest.raises(errors.StoreError) as refused:
                    await astore.save_turn(
                        user_id, session_id, turn, replace_after=after
                    )
                refusals.append(refused.value)
            async with astore.connection() as aconn:
                row = await async_chats.get_chat_session(
                    aconn, id=sessions[1].id, user_id=user_id
                )
                assert row
                assert row.title == "hello you"
        return refusals

    assert [type(each) for each in asyncio.run(act())] == [
        errors.ChatSessionNotFound,
        errors.MessageRefused,
        errors.MessageRefused,
    ]
    # The other session's messages, which are younger, stay.
    store.save_turn(user_id, sessions[0].id, [said("d")], replace_after="a")
    assert texts(conn, sessions[0]) == texts(conn, sessions[1]) == ["hello  you", "d"]


@pytest.mark.parametrize("replace_after", [None, "a", "missing"])
def test_another_users_session_is_not_found(
    store: Store, conn: psycopg.Connection, session: ChatSession, replace_after: str
) -> None:
    """It is refused as one that does not exist, and nothing is written."""
    store.save_turn(session.user_id, session.id, [said("a"), said("b")])
    stranger = factories.add_user(conn)
    before = Tables(conn).read()
    for session_id in (session.id, uuid4()):
        with pytest.raises(errors.ChatSessionNotFound) as refused:
            store.save_turn(
                stranger, session_id, [said("a", "x")], replace_after=replace_after
            )
        assert refused.value.session_id == session_id
    assert Tables(conn).read() == before


@pytest.mark.parametrize(
    ("turn", "replace_after"),
    [
        ([said("a", "x")], "missing"),
        ([said("a", "x"), said("b\0")], None),
        ([said("a", "x"), said("a", "y")], None),
        ([said("a", "x"), said("b", "\ud800")], "a"),
    ],
)
def test_a_refused_turn_writes_nothing(
    store: Store,
    conn: psycopg.Connection,
    session: ChatSession,
    turn: list[dict[str, Any]],
    replace_after: str | None,
) -> None:
    """Neither the session nor any message changes."""
    store.save_turn(session.user_id, session.id, [said("a"), said("b")])
    before = Tables(conn).read()
    with pytest.raises(errors.MessageRefused):
        store.save_turn(session.user_id, session.id, turn, replace_after=replace_after)
    assert Tables(conn).read() == before


def test_an_unchanged_message_is_not_written_again(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """Saving the whole list writes only what is new or changed."""
    turn = [said("a"), said("b"), said("c")]
    store.save_turn(session.user_id, session.id, turn)
    rows = "SELECT msg_id, ctid::text FROM chat_messages ORDER BY position"
    before: dict[str, str] = dict(conn.execute(rows).fetchall())
    changed = [said("a"), said("b", role="assistant"), said("c", "C"), said("d")]
    store.save_turn(session.user_id, session.id, changed)
    after: dict[str, str] = dict(conn.execute(rows).fetchall())
    assert {msg_id for msg_id in after if after[msg_id] != before.get(msg_id)} == {
        "b",
        "c",
        "d",
    }


# Which session is the newest


def test_a_touch_is_newest_though_its_transaction_is_older(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What counts is when a session was touched, not when its transaction began."""
    one, other = open_session(conn, user_id), open_session(conn, user_id)
    with store.transaction() as early:
        early.execute("SELECT 1").fetchone()
        store.save_turn(user_id, other.id, [])
        chats.touch_chat_session(early, id=one.id, user_id=user_id, title=None)
        new = open_session(early, user_id)
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


# Two at once


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
        chats.touch_chat_session(conn, id=session.id, user_id=user_id, title=None)
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


def delete(store: Store, session: ChatSession) -> UUID | None:
    """Delete a session as the API does."""
    with store.connection() as conn:
        return chats.delete_chat_session(conn, id=session.id, user_id=session.user_id)


# Limits


def test_what_passes_is_taken_by_the_server(
    store: Store, conn: psycopg.Connection, user_id: UUID, session: ChatSession
) -> None:
    """The deepest, the largest and the longest that `load` lets through is stored."""
    deep: object = 0
    for _ in range(98):
        deep = [deep]
    parts: list[Any] = [
        {"type": "x", "deep": deep, "long": (1 << 14_000) - 1, "big": 1e308},
        {"type": "text", "text": "a" * 1_040_000},
    ]
    message = {"id": "i" * 100, "role": "tool", "parts": parts}
    store.save_turn(user_id, session.id, [message])
    [row] = read(conn, session)
    assert (row.msg_id, row.role) == ("i" * 100, "tool")
    assert isinstance(row.parts, list)
    assert row.parts[1] == parts[1]
