"""One call is given no more than a setting allows: it holds locks for no longer."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from generated import chats
from store import CheckoutLine, Store, errors
from store_testing import chains
from tests.support import stores
from tests.support.tables import Tables

LIMIT = 3

Call = Callable[[Store, UUID, int], object]


@pytest.fixture
def bounded(database_url: str) -> Iterator[Store]:
    """Open a store whose calls may be given three of each."""
    with stores.opened(
        database_url,
        cart_service="onchain",
        checkout_max_lines=LIMIT,
        turn_max_messages=LIMIT,
        chain_page_max_events=LIMIT,
    ) as store:
        yield store


def check_out(store: Store, user_id: UUID, count: int) -> object:
    """Check out items that are not in the cart."""
    lines = [CheckoutLine(cart_item_id=uuid4()) for _ in range(count)]
    with pytest.raises(errors.ItemUnavailable):
        store.checkout(user_id, lines)
    return count


def save(store: Store, user_id: UUID, count: int) -> object:
    """Save a turn of so many messages."""
    with store.connection() as conn:
        session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session
    messages: list[dict[str, Any]] = [
        {"id": f"m{n}", "role": "user", "parts": []} for n in range(count)
    ]
    return store.save_turn(user_id, session.id, messages)


def page_of(count: int) -> dict[str, object]:
    """Make a page of events of wallets that nobody has."""
    events = [
        chains.happened(
            "CartItemAdded", chains.wallet(n), chains.item_id(n), tx=chains.digest(n)
        )
        for n in range(1, count + 1)
    ]
    return chains.page(events, None)


def record(store: Store, user_id: UUID, count: int) -> object:
    """Record a page of so many events."""
    del user_id
    return store.record_chain_page(page_of(count), asked_with=None)


def replay(store: Store, user_id: UUID, count: int) -> object:
    """Replay a page of so many events."""
    del user_id
    return store.replay_chain_page(page_of(count))


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (check_out, ("lines", "CHECKOUT_MAX_LINES")),
        (save, ("messages", "TURN_MAX_MESSAGES")),
        (record, ("events", "CHAIN_PAGE_MAX_EVENTS")),
        (replay, ("events", "CHAIN_PAGE_MAX_EVENTS")),
    ],
)
def test_more_than_the_limit_is_refused(
    bounded: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    call: Call,
    names: tuple[str, str],
) -> None:
    """What the limit allows is taken; one more is refused, and nothing is written."""
    assert call(bounded, user_id, LIMIT)
    tables = Tables(conn)
    before = {
        name: rows for name, rows in tables.read().items() if "session" not in name
    }
    with pytest.raises(errors.TooMany) as refused:
        call(bounded, user_id, LIMIT + 1)
    after = {
        name: rows for name, rows in tables.read().items() if "session" not in name
    }
    assert after == before
    error = refused.value
    assert (error.what, error.setting) == names
    assert (error.given, error.limit) == (LIMIT + 1, LIMIT)
    assert error.setting in str(error)
