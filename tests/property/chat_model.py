"""What chats are, in plain Python."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from generated.models import ChatMessage, ChatSession

Message = dict[str, Any]


def id_of(message: Message) -> str:
    """Give a message's id."""
    return str(message["id"])


MANY = 1000
people = st.sampled_from([0, 1])
pages = st.integers(1, 3)
msg_ids = st.sampled_from("abcdefg")
turns: st.SearchStrategy[list[Message]] = st.lists(
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
        },
        optional={"metadata": st.sampled_from([None, {}, {"model": "x"}])},
    ),
    max_size=4,
    unique_by=id_of,
)


@dataclass(frozen=True)
class Call:
    """What a save was called with."""

    turn: list[Message]
    replace_after: str | None
    from_version: int | None
    make_title: bool

    @property
    def title(self) -> str | None:
        """What it makes, if the session has no title."""
        return first_text(self.turn) if self.make_title else None

    def repeats(self, other: "Call | None") -> bool:
        """Tell whether it says the same as another one."""
        return other is not None and (
            (self.turn, self.replace_after, self.from_version, self.title)
            == (other.turn, other.replace_after, other.from_version, other.title)
        )


@dataclass(eq=False)
class Session:
    """A conversation: its messages in order, and when it was last touched."""

    id: UUID
    owner: UUID
    title: str | None
    title_source: str | None
    touched: int
    version: int = 0
    messages: list[Message] = field(default_factory=list[Message])
    last: Call | None = None

    def place_of(self, msg_id: str) -> int | None:
        """Find a message."""
        ids = [message["id"] for message in self.messages]
        return ids.index(msg_id) if msg_id in ids else None

    def save(self, call: Call) -> None:
        """Save a turn: the named message's successors go, then all are upserted."""
        if call.replace_after is not None:
            kept = self.place_of(call.replace_after)
            assert kept is not None
            del self.messages[kept + 1 :]
        for message in call.turn:
            place = self.place_of(message["id"])
            if place is None:
                self.messages.append(message)
            else:
                self.messages[place] = message
        if self.title is None and call.title:
            self.title, self.title_source = call.title, "made"
        self.version += 1
        self.last = call


def first_text(turn: list[Message]) -> str | None:
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
