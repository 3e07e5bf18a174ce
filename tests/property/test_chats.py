"""Whatever users do to their chats, the database holds what the model says."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from generated import chats
from generated.models import ChatMessage, ChatSession
from store import Store, errors
from tests.property import chat_strategies
from tests.property.conftest import RunMachine
from tests.support import factories, stores

_Message = dict[str, Any]


def id_of(message: _Message) -> str:
    """Give a message's id."""
    return str(message["id"])


MANY = 1000
EXACT = Context(prec=5000, Emin=-6000, Emax=6000)
people = st.sampled_from([0, 1])
pages = st.integers(1, 3)
msg_ids = st.sampled_from("abcdefg")
turns = st.lists(
    st.fixed_dictionaries(
        {
            "id": msg_ids,
            "role": st.sampled_from(["user", "assistant"]),
            "parts": st.lists(
                st.fixed_dictionaries(
                    {
                        "type": st.sampled_from(["text", "other"]),
                        "text": st.sampled_from(["", " ", "one", "two  words"]),
                    }
                ),
                max_size=2,
            ),
        }
    ),
    max_size=4,
    unique_by=id_of,
)


@dataclass(eq=False)
class Session:
    """A conversation: its messages in order, and when it was last touched."""

    id: UUID
    owner: UUID
    title: str | None
    touched: int
    messages: list[_Message] = field(default_factory=list[_Message])

    def place_of(self, msg_id: str) -> int | None:
        """Find a message."""
        ids = [message["id"] for message in self.messages]
        return ids.index(msg_id) if msg_id in ids else None

    def save(self, turn: list[_Message], replace_after: str | None) -> None:
        """Save a turn: the named message's successors go, then all are upserted."""
        if replace_after is not None:
            kept = self.place_of(replace_after)
            assert kept is not None
            del self.messages[kept + 1 :]
        for message in turn:
            place = self.place_of(message["id"])
            if place is None:
                self.messages.append(message)
            else:
                self.messages[place] = message
        if self.title is None:
            self.title = first_text(turn)


def first_text(turn: list[_Message]) -> str | None:
    """Give the first text of the user's that is not blank, its spaces folded."""
    for message in turn:
        for part in message["parts"]:
            if (
                message["role"] == "user"
                and part["type"] == "text"
                and part["text"].strip()
            ):
                return " ".join(part["text"].split())
    return None


@dataclass(eq=False)
class SessionReader:
    """Somebody who pages through a user's conversations while they change."""

    user_id: UUID
    there: list[Session]
    seen: list[ChatSession] = field(default_factory=list[ChatSession])


@dataclass(eq=False)
class MessageReader:
    """Somebody who pages through a conversation while it changes."""

    session: Session
    forward: bool
    seen: list[ChatMessage] = field(default_factory=list[ChatMessage])


class ChatMachine(RuleBasedStateMachine):
    """Drives the store and the model alike, then reads everything."""

    def __init__(self, store: Store, conn: psycopg.Connection) -> None:
        super().__init__()
        self.store, self.conn = store, conn
        self.sessions: dict[UUID, Session] = {}
        self.session_readers: list[SessionReader] = []
        self.message_readers: list[MessageReader] = []
        self.clock = itertools.count()

    @initialize()
    def sign_up(self) -> None:
        """Begin with two users and nothing else."""
        self.conn.execute("DELETE FROM users")
        self.users = [factories.add_user(self.conn, f"user-{n}") for n in range(2)]

    # What users do

    @rule(who=people, title=st.none() | st.sampled_from(["", "mine"]))
    def create(self, who: int, title: str | None) -> None:
        """Open a conversation."""
        row = chats.create_chat_session(self.conn, user_id=self.users[who], title=title)
        assert row
        self.sessions[row.id] = Session(
            row.id, self.users[who], title, next(self.clock)
        )

    @precondition(lambda self: self.sessions)
    @rule(
        data=st.data(),
        turn=turns,
        replace_after=st.none() | st.none() | msg_ids,
        stranger=st.integers(0, 7),
    )
    def save(
        self,
        data: st.DataObject,
        turn: list[_Message],
        replace_after: str | None,
        stranger: int,
    ) -> None:
        """Save a turn, or try to; not in another one's conversation."""
        session = self._any(data)
        user_id = self._acting(session, stranger)
        missing = replace_after is not None and session.place_of(replace_after) is None
        if user_id != session.owner:
            with pytest.raises(errors.ChatSessionNotFound) as not_found:
                self._save(user_id, session, turn, replace_after)
            assert not_found.value.session_id == session.id
        elif missing:
            with pytest.raises(errors.MessageRefused) as refused:
                self._save(user_id, session, turn, replace_after)
            assert refused.value.place == "replace_after"
        else:
            row = self._save(user_id, session, turn, replace_after)
            session.save(turn, replace_after)
            session.touched = next(self.clock)
            assert (row.id, row.title) == (session.id, session.title)
            assert row == chats.get_chat_session(
                self.conn, id=session.id, user_id=user_id
            )

    @precondition(lambda self: any(each.messages for each in self.sessions.values()))
    @rule(data=st.data(), turn=turns)
    def save_all_again(self, data: st.DataObject, turn: list[_Message]) -> None:
        """Save the whole conversation and some more, as the client does."""
        session = self._any(data)
        ids = {message["id"] for message in session.messages}
        more = [message for message in turn if message["id"] not in ids]
        self._save(session.owner, session, [*session.messages, *more], None)
        session.save([*session.messages, *more], None)
        session.touched = next(self.clock)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), title=st.sampled_from(["mine", "x" * 100]), stranger=people)
    def rename(self, data: st.DataObject, title: str, stranger: int) -> None:
        """Rename a conversation, or try to."""
        session = self._any(data)
        user_id = self._acting(session, stranger)
        row = chats.rename_chat_session(
            self.conn, id=session.id, user_id=user_id, title=title
        )
        assert (row is not None) == (user_id == session.owner)
        if row:
            assert row.title == title
            session.title = title
            session.touched = next(self.clock)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), stranger=people)
    def delete(self, data: st.DataObject, stranger: int) -> None:
        """Delete a conversation, or try to."""
        session = self._any(data)
        user_id = self._acting(session, stranger)
        deleted = chats.delete_chat_session(self.conn, id=session.id, user_id=user_id)
        assert deleted == (session.id if user_id == session.owner else None)
        if deleted:
            del self.sessions[session.id]
            self.message_readers = [
                each for each in self.message_readers if each.session is not session
            ]

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def pry(self, data: st.DataObject) -> None:
        """Read another one's conversation, or try to."""
        session = self._any(data)
        user_id = self._acting(session, stranger=0)
        assert not chats.get_chat_session(self.conn, id=session.id, user_id=user_id)
        assert not chats.list_chat_messages(
            self.conn,
            session_id=session.id,
            user_id=user_id,
            after_position=0,
            max_rows=MANY,
        )
        assert not chats.list_chat_messages_before(
            self.conn,
            session_id=session.id,
            user_id=user_id,
            before_position=None,
            max_rows=MANY,
        )

    # Who pages meanwhile

    @rule(who=people)
    def begin_to_read_sessions(self, who: int) -> None:
        """Begin to page through a user's conversations."""
        user_id = self.users[who]
        self.session_readers.append(SessionReader(user_id, self._newest_first(user_id)))

    @precondition(lambda self: self.session_readers)
    @rule(data=st.data(), size=pages)
    def read_sessions(self, data: st.DataObject, size: int) -> None:
        """Read a page on; at the end nothing was repeated, and nothing is lost."""
        reader = data.draw(st.sampled_from(self.session_readers))
        last = reader.seen[-1] if reader.seen else None
        page = chats.list_chat_sessions(
            self.conn,
            user_id=reader.user_id,
            before_updated_at=last.updated_at if last else None,
            before_id=last.id if last else None,
            max_rows=size,
        )
        assert len(page) <= size
        reader.seen += page
        seen = [row.id for row in reader.seen]
        assert len(set(seen)) == len(seen)
        if not page:
            self.session_readers.remove(reader)
            self._check_session_reader(reader)

    def _check_session_reader(self, reader: SessionReader) -> None:
        seen = [row.id for row in reader.seen]
        there = self._newest_first(reader.user_id)
        newer = itertools.takewhile(
            lambda row: not reader.seen or row.updated_at > reader.seen[0].updated_at,
            self._list_sessions(reader.user_id, MANY),
        )
        assert {each.id for each in there} <= {*seen, *(row.id for row in newer)}

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), forward=st.booleans())
    def begin_to_read_messages(self, data: st.DataObject, *, forward: bool) -> None:
        """Begin to page through a conversation, from either end."""
        self.message_readers.append(MessageReader(self._any(data), forward))

    @precondition(lambda self: self.message_readers)
    @rule(data=st.data(), size=pages)
    def read_messages(self, data: st.DataObject, size: int) -> None:
        """Read a page on; at the end nothing was repeated, and nothing is lost."""
        reader = data.draw(st.sampled_from(self.message_readers))
        page = self._page(reader, size)
        assert page == self._expected_page(reader, size)
        reader.seen = [*reader.seen, *page] if reader.forward else [*page, *reader.seen]
        positions = [row.position for row in reader.seen]
        assert positions == sorted(set(positions))
        if not page:
            self.message_readers.remove(reader)
            self._check_message_reader(reader)

    def _page(self, reader: MessageReader, size: int) -> list[ChatMessage]:
        session = reader.session
        if reader.forward:
            return chats.list_chat_messages(
                self.conn,
                session_id=session.id,
                user_id=session.owner,
                after_position=reader.seen[-1].position if reader.seen else 0,
                max_rows=size,
            )
        return chats.list_chat_messages_before(
            self.conn,
            session_id=session.id,
            user_id=session.owner,
            before_position=reader.seen[0].position if reader.seen else None,
            max_rows=size,
        )

    def _expected_page(self, reader: MessageReader, size: int) -> list[ChatMessage]:
        there = self._messages(reader.session)
        if reader.forward:
            last = reader.seen[-1].position if reader.seen else 0
            return [row for row in there if row.position > last][:size]
        if reader.seen:
            first = reader.seen[0].position
            there = [row for row in there if row.position < first]
        return there[-size:]

    def _check_message_reader(self, reader: MessageReader) -> None:
        positions = [row.position for row in reader.seen]
        there = [row.position for row in self._messages(reader.session)]
        if not reader.forward:
            end = positions[-1] if positions else 0
            there = [position for position in there if position <= end]
        assert set(there) <= set(positions)

    # What always holds

    @invariant()
    def sessions_are_newest_first(self) -> None:
        """The last touched comes first, with its title; others' are not there."""
        for user_id in getattr(self, "users", []):
            expected = [(each.id, each.title) for each in self._newest_first(user_id)]
            rows = self._list_sessions(user_id, MANY)
            assert [(row.id, row.title) for row in rows] == expected
            assert {row.user_id for row in rows} <= {user_id}

    @invariant()
    def messages_are_in_order(self) -> None:
        """Each conversation holds the model's messages, in the model's order."""
        for session in self.sessions.values():
            assert as_saved(self._messages(session)) == session.messages
        rows = self.conn.execute("SELECT count(*) FROM chat_messages").fetchone()
        assert rows == (sum(len(each.messages) for each in self.sessions.values()),)

    def _any(self, data: st.DataObject) -> Session:
        return data.draw(st.sampled_from(list(self.sessions.values())))

    def _acting(self, session: Session, stranger: int) -> UUID:
        """Give the owner, or the other one if `stranger` is 0."""
        return self.users[(self.users.index(session.owner) + (stranger == 0)) % 2]

    def _newest_first(self, user_id: UUID) -> list[Session]:
        own = [each for each in self.sessions.values() if each.owner == user_id]
        return sorted(own, key=lambda each: -each.touched)

    def _list_sessions(self, user_id: UUID, max_rows: int) -> list[ChatSession]:
        return chats.list_chat_sessions(
            self.conn,
            user_id=user_id,
            before_updated_at=None,
            before_id=None,
            max_rows=max_rows,
        )

    def _messages(self, session: Session) -> list[ChatMessage]:
        return chats.list_chat_messages(
            self.conn,
            session_id=session.id,
            user_id=session.owner,
            after_position=0,
            max_rows=MANY,
        )

    def _save(
        self,
        user_id: UUID,
        session: Session,
        turn: list[_Message],
        replace_after: str | None,
    ) -> ChatSession:
        return self.store.save_turn(
            user_id, session.id, turn, replace_after=replace_after
        )


def as_saved(rows: Sequence[ChatMessage]) -> list[_Message]:
    """Give rows as the messages that they were saved from."""
    return [{"id": row.msg_id, "role": row.role, "parts": row.parts} for row in rows]


def test_the_database_does_what_the_model_says(
    database_url: str, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Chats behave as the model in any sequence, and so do those who page."""
    with stores.opened(database_url) as store:
        run_machine(lambda: ChatMachine(store, conn))


def test_what_is_saved_is_what_is_read(
    database_url: str, conn: psycopg.Connection
) -> None:
    """All that can be loaded can be stored, and comes back as the same JSON."""

    @given(turn=chat_strategies.turns())
    def check(turn: list[_Message]) -> None:
        session = chats.create_chat_session(conn, user_id=user_id, title=None)
        assert session
        store.save_turn(user_id, session.id, turn)
        rows = chats.list_chat_messages(
            conn,
            session_id=session.id,
            user_id=user_id,
            after_position=0,
            max_rows=MANY,
        )
        assert exact(as_saved(rows)) == exact(turn)

    user_id = factories.add_user(conn)
    with stores.opened(database_url) as store:
        check()


def exact(value: object) -> str:
    """Spell JSON by the values of its numbers: jsonb knows no other spelling."""
    text = json.dumps(value, sort_keys=True)
    return repr(json.loads(text, parse_int=number, parse_float=number))


def number(digits: str) -> Decimal:
    """Read a number exactly, without the zeros that end it."""
    exact = EXACT.normalize(Decimal(digits))
    return exact or abs(exact)
