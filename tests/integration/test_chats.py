"""Saving turns: flights, races, and what is not written."""

import asyncio
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from generated import chats
from generated.aio import chats as async_chats
from generated.enums import TitleSource
from generated.internal import chat_steps
from generated.models import ChatMessage, ChatSession
from postgres_testing import proxy
from store import AsyncStore, Store, errors, messages
from store_testing import factories
from tests.support import gates, stores
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
    return [each[0]["text"] for each in parts]


def newest_first(conn: psycopg.Connection, user_id: UUID) -> list[UUID]:
    """Read the ids of a user's sessions."""
    rows = chat_steps.list_chat_sessions(
        conn, user_id=user_id, before_updated_at=None, before_id=None, max_rows=99
    )
    return [row.id for row in rows]


def touch(conn: psycopg.Connection, session: ChatSession) -> None:
    """Touch a session as a save does."""
    assert chat_steps.touch_chat_session(
        conn,
        id=session.id,
        user_id=session.user_id,
        title=None,
        from_version=None,
        last_save=None,
    )


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


# Titles


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


# Late saves


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


# Which session is the newest


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
