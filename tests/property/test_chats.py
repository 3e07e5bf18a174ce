"""Whatever users do to their chats, the database holds what the model says."""

import itertools
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from psycopg.types.json import Jsonb

from generated import chats
from generated.internal import chat_steps
from generated.models import ChatMessage, ChatSession
from store import Store, errors, messages
from store_testing import factories
from tests.property.chat_model import (
    MANY,
    Call,
    Message,
    MessageReader,
    Session,
    SessionReader,
    msg_ids,
    pages,
    people,
    turns,
)
from tests.property.conftest import RunMachine
from tests.support import stores


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

    @rule(who=people, title=st.none() | st.none() | st.sampled_from(["", "mine"]))
    def create(self, who: int, title: str | None) -> None:
        """Open a conversation; a title that it is given is a chosen one."""
        row = chats.create_chat_session(self.conn, user_id=self.users[who], title=title)
        assert row
        source = None if title is None else "chosen"
        self.sessions[row.id] = Session(
            row.id, self.users[who], title, source, next(self.clock)
        )

    @precondition(lambda self: self.sessions)
    @rule(
        data=st.data(),
        turn=turns,
        replace_after=st.none() | st.none() | msg_ids,
        behind=st.none() | st.integers(0, 1),
        make_title=st.booleans(),
        stranger=st.integers(0, 7),
    )
    def save(
        self,
        data: st.DataObject,
        turn: list[Message],
        replace_after: str | None,
        behind: int | None,
        *,
        make_title: bool,
        stranger: int,
    ) -> None:
        """Save a turn, or try to, from this version, the one before, or any."""
        session = self._any(data)
        from_version = None if behind is None else session.version - behind
        call = Call(turn, replace_after, from_version, make_title)
        self._save(session, call, self._acting(session, stranger))

    @precondition(lambda self: any(each.last for each in self.sessions.values()))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Call the last save of a conversation again, as after a lost reply."""
        done = [each for each in self.sessions.values() if each.last]
        session = data.draw(st.sampled_from(done))
        assert session.last
        self._save(session, session.last, session.owner)

    @precondition(lambda self: any(each.messages for each in self.sessions.values()))
    @rule(data=st.data(), turn=turns)
    def save_all_again(self, data: st.DataObject, turn: list[Message]) -> None:
        """Save the whole conversation and some more, as the client does."""
        session = self._any(data)
        ids = {message["id"] for message in session.messages}
        more = [message for message in turn if message["id"] not in ids]
        whole = Call([*session.messages, *more], None, None, make_title=True)
        self._save(session, whole, session.owner)

    @precondition(lambda self: any(each.messages for each in self.sessions.values()))
    @rule(data=st.data(), again=st.booleans())
    def edit_by_hand(self, data: st.DataObject, *, again: bool) -> None:
        """Change a message by SQL, behind the store's back; or save it back again."""
        written = [each for each in self.sessions.values() if each.messages]
        session = data.draw(st.sampled_from(written))
        place = data.draw(st.integers(0, len(session.messages) - 1))
        before = session.messages[place]
        parts = [{"type": "text", "text": "edited"}]
        self.conn.execute(
            "UPDATE chat_messages SET parts = %s WHERE session_id = %s AND msg_id = %s",
            [Jsonb(parts), session.id, before["id"]],
        )
        session.messages[place] = before | {"parts": parts}
        if again:
            back = Call([before], None, session.version, make_title=False)
            self._save(session, back, session.owner)

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
            assert (row.title, row.title_source) == (title, "chosen")
            session.title, session.title_source = title, "chosen"
            session.touched = next(self.clock)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), title=st.sampled_from(["m", "y" * 100]), stranger=people)
    def give_model_title(self, data: st.DataObject, title: str, stranger: int) -> None:
        """Give a conversation a model's title, or try to: a chosen one stays."""
        session = self._any(data)
        user_id = self._acting(session, stranger)
        row = chats.give_model_title(
            self.conn, id=session.id, user_id=user_id, title=title
        )
        given = user_id == session.owner and session.title_source != "chosen"
        assert (row is not None) == given
        if row:
            assert (row.title, row.title_source) == (title, "model")
            session.title, session.title_source = title, "model"
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

    @rule(who=people, limit=st.integers(0, 3), offset=st.integers(0, 4))
    def read_by_number(self, who: int, limit: int, offset: int) -> None:
        """Read a page by limit and offset, with the number of all."""
        user_id = self.users[who]
        page = self.store.page_chat_sessions(user_id, limit=limit, offset=offset)
        there = self._newest_first(user_id)
        assert [row.id for row in page.rows] == [
            each.id for each in there[offset : offset + limit]
        ]
        assert page.total == len(there)
        assert page.total == chats.count_chat_sessions(self.conn, user_id=user_id)

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
        page = chat_steps.list_chat_sessions(
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
            expected = [
                (each.id, each.title, each.title_source, each.version)
                for each in self._newest_first(user_id)
            ]
            rows = self._list_sessions(user_id, MANY)
            assert [
                (row.id, row.title, row.title_source, row.version) for row in rows
            ] == expected
            assert {row.user_id for row in rows} <= {user_id}

    @invariant()
    def messages_are_in_order(self) -> None:
        """Each conversation holds the model's messages, in the model's order."""
        for session in self.sessions.values():
            rows = self._messages(session)
            assert messages.from_rows(rows) == session.messages
        count = self.conn.execute("SELECT count(*) FROM chat_messages").fetchone()
        assert count == (sum(len(each.messages) for each in self.sessions.values()),)

    def _any(self, data: st.DataObject) -> Session:
        return data.draw(st.sampled_from(list(self.sessions.values())))

    def _acting(self, session: Session, stranger: int) -> UUID:
        """Give the owner, or the other one if `stranger` is 0."""
        return self.users[(self.users.index(session.owner) + (stranger == 0)) % 2]

    def _newest_first(self, user_id: UUID) -> list[Session]:
        own = [each for each in self.sessions.values() if each.owner == user_id]
        return sorted(own, key=lambda each: -each.touched)

    def _list_sessions(self, user_id: UUID, max_rows: int) -> list[ChatSession]:
        return chat_steps.list_chat_sessions(
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

    def _save(self, session: Session, call: Call, user_id: UUID) -> None:
        """Save, in the database and in the model, or be refused by both."""

        def save() -> ChatSession:
            return self.store.save_turn(
                user_id,
                session.id,
                call.turn,
                replace_after=call.replace_after,
                from_version=call.from_version,
                make_title=call.make_title,
            )

        overtaken = call.from_version not in {None, session.version}
        if user_id != session.owner:
            with pytest.raises(errors.ChatSessionNotFound) as not_found:
                save()
            assert not_found.value.session_id == session.id
        elif overtaken and not call.repeats(session.last):
            with pytest.raises(errors.ChatOvertaken) as late:
                save()
            assert late.value.session_id == session.id
        elif (
            not overtaken
            and call.replace_after is not None
            and session.place_of(call.replace_after) is None
        ):
            with pytest.raises(errors.InvalidValue) as refused:
                save()
            assert refused.value.place == "replace_after"
        else:
            row = save()
            if not overtaken:
                session.save(call)
                session.touched = next(self.clock)
            assert (row.id, row.version) == (session.id, session.version)
            assert row == chats.get_chat_session(
                self.conn, id=session.id, user_id=user_id
            )


def test_the_database_does_what_the_model_says(
    database_url: str, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Chats behave as the model in any sequence, and so do those who page."""
    with stores.opened(database_url) as store:
        run_machine(lambda: ChatMachine(store, conn))
