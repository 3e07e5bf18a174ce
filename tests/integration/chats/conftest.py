"""A user's sessions, and a gate that is shut to whoever saved a turn."""

from collections.abc import Generator
from uuid import UUID

import psycopg
import pytest

from generated.models import ChatSession
from store import Store
from tests.integration.chats.sessions import open_session
from tests.support import gates, stores
from tests.support.gates import Gate
from tests.support.races import no_deadlock


@pytest.fixture
def store(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store; a deadlock, though retried and so unseen, fails the test."""
    with no_deadlock(conn), stores.opened(database_url) as opened:
        yield opened


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
