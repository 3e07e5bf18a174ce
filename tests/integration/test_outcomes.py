"""'Nothing was written' is true: where that is not known, the error says so."""

import inspect
from collections.abc import Generator
from types import ModuleType
from uuid import UUID

import psycopg
import pytest

from generated import carts, chain, chats, deposits, orders, users
from postgres_testing import proxy
from postgres_testing.proxy import Proxy
from store import Product, Store, errors
from store_testing import factories
from tests.support import stores


@pytest.fixture
def tap(database_url: str) -> Generator[Proxy]:
    """Give a proxy before the database."""
    with proxy.before(database_url) as opened:
        yield opened


@pytest.fixture
def tapped(tap: Proxy) -> Generator[Store]:
    """Give a store that goes through the proxy."""
    with stores.opened(tap.url) as opened:
        yield opened


def test_a_lost_reply_to_a_write_is_told(
    tap: Proxy, tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A single write that was committed unseen says that it may have been."""
    tap.cut_reply_to(b"UPDATE 1")
    with pytest.raises(errors.OutcomeUnknown) as unknown, tapped.connection() as single:
        users.set_display_name(single, id=user_id, display_name="Ada")
    assert not unknown.value.retryable
    user = users.get_user(conn, id=user_id)
    assert user
    assert user.display_name == "Ada"


def test_a_lost_reply_to_a_read_is_none(
    tap: Proxy, tapped: Store, user_id: UUID
) -> None:
    """A read writes nothing, whatever becomes of its reply."""
    tap.cut_reply_to(b"SELECT 1")
    with pytest.raises(errors.ConnectionLost), tapped.connection() as single:
        users.get_user(single, id=user_id)


def test_a_method_that_reads_is_repeated(
    tap: Proxy, tapped: Store, user_id: UUID
) -> None:
    """A connection that is lost under a single statement of a method is not told."""
    tap.cut_reply_to(b"SELECT 0")
    assert tapped.page_orders(user_id).total == 0
    assert not tap.is_armed


def test_a_lost_reply_to_a_method_can_be_repeated(
    tap: Proxy, tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What a method of the store may have done, the same call finds done."""
    pen = Product(product_id="B01", product_name="Pen", price=1)
    tapped.clear_cart(user_id)
    tap.cut_after_message(5)  # Parse, Bind, Describe, Execute, Sync
    with pytest.raises(errors.OutcomeUnknown) as unknown:
        tapped.add_cart_item(user_id, pen)
    assert unknown.value.retryable
    tap.reset()
    tapped.add_cart_item(user_id, pen)
    assert len(factories.cart_of(conn, user_id)) == 1


def test_an_ended_session_wrote_nothing(
    tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Where the server says that it ended the session, it did not commit."""

    def write() -> None:
        with tapped.connection() as single:
            factories.end_backend(conn, single.info.backend_pid)
            users.set_display_name(single, id=user_id, display_name="Ada")

    with pytest.raises(errors.ConnectionLost):
        write()


@pytest.mark.parametrize("own", ["BEGIN", None])
def test_a_transaction_by_hand_is_not_in_doubt(
    tap: Proxy, tapped: Store, user_id: UUID, own: str | None
) -> None:
    """Before its COMMIT is sent, what was lost was not committed."""
    tap.cut_reply_to(b"UPDATE 1")
    kind = errors.ConnectionLost if own else errors.OutcomeUnknown

    def write() -> None:
        with tapped.connection() as single:
            if own:
                single.execute("BEGIN")
            users.set_display_name(single, id=user_id, display_name="Ada")

    with pytest.raises(kind) as lost:
        write()
    assert type(lost.value) is kind


def test_queries_that_begin_with_select_write_nothing(conn: psycopg.Connection) -> None:
    """By its first word alone a query is taken for a read, so it calls no writer."""
    functions = conn.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND provolatile = 'v' AND prosrc ~* '\\m(INSERT|UPDATE|DELETE)\\M'"
    ).fetchall()
    modules: tuple[ModuleType, ...] = (carts, chain, chats, deposits, orders, users)
    reads = [
        text
        for module in modules
        for _, text in inspect.getmembers(module)
        if isinstance(text, str) and text.lstrip().upper().startswith("SELECT")
    ]
    assert len(reads) > 10
    assert not [text for text in reads for (name,) in functions if name in text]
