"""Whatever can be loaded is stored, and read as the same JSON."""

import json
from decimal import Context, Decimal

import psycopg
from hypothesis import given

from generated import chats
from store import messages
from store_testing import chat_strategies, factories
from tests.property.chat_model import MANY, Message
from tests.support import stores

EXACT = Context(prec=5000, Emin=-6000, Emax=6000)


def test_what_is_saved_is_what_is_read(
    database_url: str, conn: psycopg.Connection
) -> None:
    """All that can be loaded can be stored, and comes back as the same JSON."""

    @given(turn=chat_strategies.turns())
    def check(turn: list[Message]) -> None:
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
        assert exact(messages.from_rows(rows)) == exact(turn)

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
