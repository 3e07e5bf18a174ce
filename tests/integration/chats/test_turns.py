"""A turn is saved in one round trip, and only what changed is written."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from generated import chats
from generated.aio import chats as async_chats
from generated.internal import chat_steps
from generated.models import ChatSession
from postgres_testing import proxy
from store import AsyncStore, Store, errors, messages
from store_testing import factories
from tests.integration.chats.sessions import open_session, read, said, texts
from tests.support import stores
from tests.support.tables import Tables

# One call


def test_a_page_by_number_is_one_round_trip(
    database_url: str, store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The page and the number of all come together, and are the user's own."""
    opened = [open_session(conn, user_id).id for _ in range(3)][::-1]
    open_session(conn, factories.add_user(conn))
    with proxy.before(database_url) as tap, stores.opened(tap.url) as far:
        far.page_chat_sessions(user_id)
        tap.reset()
        page = far.page_chat_sessions(user_id, limit=2, offset=1)
        assert tap.flights == 1
    assert ([row.id for row in page.rows], page.total) == (opened[1:], 3)
    beyond = store.page_chat_sessions(user_id, limit=2, offset=3)
    assert (beyond.rows, beyond.total) == ([], 3)
    nobody = store.page_chat_sessions(uuid4())
    assert (nobody.rows, nobody.total) == ([], 0)


def test_pages_and_counts_read_the_index(conn: psycopg.Connection) -> None:
    """Neither looks at the sessions of other users."""
    conn.execute(
        "INSERT INTO users (crossmint_user_id) SELECT n FROM generate_series(1, 500) n"
    )
    conn.execute(
        "INSERT INTO chat_sessions (user_id)"
        " SELECT users.id FROM users, generate_series(1, 40)"
    )
    conn.execute("ANALYZE chat_sessions")
    user_id = conn.execute("SELECT id FROM users LIMIT 1").fetchone()
    assert user_id
    queries: list[tuple[LiteralString, list[Any]]] = [
        (chat_steps.PAGE_CHAT_SESSIONS, [user_id[0], 20, 10]),
        (chats.COUNT_CHAT_SESSIONS, [user_id[0]]),
    ]
    for query, arguments in queries:
        with psycopg.RawCursor(conn) as cur:
            cur.execute("EXPLAIN " + query, arguments)
            plan = "\n".join(line for (line,) in cur)
        assert "chat_sessions_user_id_" in plan
        assert "Seq Scan" not in plan


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
        errors.InvalidValue,
        errors.InvalidValue,
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
    with pytest.raises(errors.InvalidValue):
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


def test_what_did_not_change_is_not_locked(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """A save passes rows that somebody has locked, if they are as it brings them."""
    turn = [said("a"), said("b")]
    store.save_turn(session.user_id, session.id, turn)
    with ThreadPoolExecutor(1) as threads, conn.transaction():
        conn.execute("SELECT FROM chat_messages FOR UPDATE")
        whole = [*turn, said("c")]
        saved = threads.submit(store.save_turn, session.user_id, session.id, whole)
        assert saved.result(timeout=20).version == 2
    assert texts(conn, session) == ["a", "b", "c"]


def test_what_was_changed_by_hand_is_saved_again(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """A save trusts no digest of before somebody else's change."""
    turn = [said("a") | {"metadata": 1}]
    changes: list[LiteralString] = [
        "UPDATE chat_messages SET parts = '[]'",
        "UPDATE chat_messages SET role = 'tool'",
        "UPDATE chat_messages SET metadata = 'null'",
        "UPDATE chat_messages SET metadata = NULL, has_metadata = FALSE",
        "UPDATE chat_messages SET digest = NULL",
    ]
    for change in changes:
        store.save_turn(session.user_id, session.id, turn)
        conn.execute(change)
        store.save_turn(session.user_id, session.id, turn)
        assert messages.from_rows(read(conn, session)) == turn


@stores.not_on_citus("what the rows take up is told by the node alone")
def test_parts_that_come_in_another_order_of_keys_stay_where_they_lie(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """What was read and is saved again is new to its digest, but not written again."""
    size = (
        "SELECT pg_relation_size(reltoastrelid) FROM pg_class"
        " WHERE relname = 'chat_messages'"
    )
    output = [str(uuid4()) for _ in range(2000)]  # nothing that could be compressed
    part = {"type": "data-x", "id": "1", "data": output}
    turn = [{"id": "a", "role": "user", "parts": [part]}]
    store.save_turn(session.user_id, session.id, turn)
    before = conn.execute(size).fetchone()
    assert before != (0,)
    turned = [turn[0] | {"parts": [dict(reversed(part.items()))]}]
    for _ in range(3):
        store.save_turn(session.user_id, session.id, turned)
        store.save_turn(session.user_id, session.id, turn)
    assert conn.execute(size).fetchone() == before
    assert messages.from_rows(read(conn, session)) == turn


@pytest.mark.parametrize("metadata", [None, {}, {"model": "x", "tokens": 7}, [], 0])
def test_metadata_are_kept(
    store: Store, conn: psycopg.Connection, session: ChatSession, metadata: object
) -> None:
    """Any JSON comes back, null told from none; a save replaces them like parts."""

    def saved(message: dict[str, Any]) -> list[dict[str, Any]]:
        store.save_turn(session.user_id, session.id, [message])
        return messages.from_rows(read(conn, session))

    bare = said("a")
    rich = bare | {"metadata": metadata}
    for message in (bare, rich, bare, rich, rich | {"metadata": "other"}, rich):
        assert saved(message) == [message]


# What older systems stored


def test_older_messages_are_read_and_stay(
    store: Store, conn: psycopg.Connection, session: ChatSession
) -> None:
    """A tool's call of before is read as one of today; a save stores what was read."""
    call = {"toolName": "search", "toolCallId": "c", "state": "result", "result": [1]}
    older = [{"type": "tool-invocation", "toolInvocation": call}]
    conn.execute(
        "INSERT INTO chat_messages (id, session_id, msg_id, role, parts)"
        " SELECT id, %s, id, 'assistant', %s FROM gen_random_uuid() AS id",
        [session.id, Jsonb(older)],
    )
    [row] = read(conn, session)
    [message] = messages.from_rows([row])
    assert message == {
        "id": str(row.id),
        "role": "assistant",
        "parts": [
            {
                "type": "tool-search",
                "toolCallId": "c",
                "state": "output-available",
                "input": {},
                "output": [1],
            }
        ],
    }
    assert read(conn, session) == [row]
    assert row.parts == older
    store.save_turn(session.user_id, session.id, [message])
    [row] = read(conn, session)
    assert row.parts == message["parts"]


# Beside other work


def test_other_tasks_run_while_a_large_turn_is_made_ready(database_url: str) -> None:
    """A save pauses every 64 KiB; here it is refused before it reaches the database."""
    rounds = 0

    async def count() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async def act() -> int:
        turn = [said(str(number), "a" * 6000) for number in range(100)]
        async with AsyncStore(stores.settings(database_url)) as astore:
            counting = asyncio.create_task(count())
            await asyncio.sleep(0)
            before = rounds
            with pytest.raises(errors.InvalidValue):
                await astore.save_turn(uuid4(), uuid4(), [*turn, said("\0")])
            counting.cancel()
            return rounds - before

    assert asyncio.run(act()) >= 8


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
