"""Pages of events beside each other, and beside all else that writes their rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

import psycopg
import pytest

from generated import users
from generated.enums import OrderStatus
from store import RecordedPage, Store, errors
from store_testing import chains, factories
from store_testing.chains import page
from tests.integration.mirror.events import (
    ADDED_AT,
    LARGER,
    SMALLER,
    SOLD_AT,
    WALLETS,
    add_owner,
    event,
    items,
    orders_of,
    reasons,
    record,
    states,
)
from tests.support import gates
from tests.support.races import race

_T = TypeVar("_T")
_U = TypeVar("_U")


def at_once(
    url: str, first: Callable[[], _T], second: Callable[[], _U]
) -> tuple[_T, _U]:
    """Bring T1 to its COMMIT and T2 as far as it comes; give what both return."""
    with gates.shut(url) as gate:
        one, other = race(gate, first, second)
    return one.result(), other.result()


def outcome(call: Callable[[], RecordedPage]) -> RecordedPage | Exception:
    """Give what a worker gets."""
    try:
        return call()
    except errors.ChainCursorMoved as moved:
        return moved


@pytest.mark.usefixtures("user_id")
def test_two_workers_with_one_page(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: record a page; T2: the same page. One records, the other repeats."""
    given = page([SMALLER, LARGER], ("a", "1"))
    one, other = at_once(
        database_url,
        lambda: onchain.record_chain_page(given, asked_with=None),
        lambda: onchain.record_chain_page(given, asked_with=None),
    )
    assert (one.recorded, one.repeated) == (2, False)
    assert (other.recorded, other.repeated) == (0, True)
    assert states(conn) == {1: None, 2: ADDED_AT}


@pytest.mark.usefixtures("user_id")
def test_a_worker_that_is_behind(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: record a page; T2: another one after the same cursor. T2 writes nothing."""
    one, other = at_once(
        database_url,
        lambda: onchain.record_chain_page(page([SMALLER], ("a", "1")), asked_with=None),
        lambda: outcome(
            lambda: onchain.record_chain_page(
                page([SMALLER, LARGER], ("b", "2")), asked_with=None
            )
        ),
    )
    assert isinstance(other, errors.ChainCursorMoved)
    assert other.stored == one.cursor == onchain.get_chain_cursor()
    assert states(conn) == {1: None}


def test_replays_of_the_same_users_at_once(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: replay for two users; T2: the same the other way round. No deadlock."""
    for wallet in WALLETS:
        add_owner(conn, wallet)
    events = [event("added", n, wallet) for n, wallet in enumerate(WALLETS, 1)]
    at_once(
        database_url,
        lambda: onchain.replay_chain_page(page(events)),
        lambda: onchain.replay_chain_page(page(events[::-1])),
    )
    assert states(conn) == {1: None, 2: None}


def test_a_wallet_given_while_its_events_come(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: give a wallet; T2: record its events. They are skipped, until replayed."""
    late = factories.add_user(conn)
    users.begin_wallet(conn, id=late)
    with gates.shut(database_url) as gate, ThreadPoolExecutor(1) as threads:
        one = threads.submit(
            onchain.provision_wallet, late, wallet_address=WALLETS[0], key=None
        )
        gate.wait_for_arrival()
        recorded = record(onchain, SMALLER)
        gate.open()
        assert one.result()
    assert (recorded.recorded, recorded.skipped) == (0, 1)
    onchain.replay_chain_page(page([SMALLER]))
    assert len(items(conn, late)) == 1


def test_an_event_while_its_object_is_checked_out(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: check an item out; T2: its `added` again. It stays out of the cart."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed], _ = at_once(
        database_url,
        lambda: onchain.checkout(user_id, [factories.line(item, "x")]),
        lambda: record(onchain, SMALLER, LARGER),
    )
    assert states(conn) == {1: placed.order.created_at, 2: ADDED_AT}


def test_a_checkout_while_its_order_comes(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: check an item out as Crossmint's order; T2: its OrderCreated. One order."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed], recorded = at_once(
        database_url,
        lambda: onchain.checkout(user_id, [factories.line(item, "crossmint-1")]),
        lambda: record(onchain, event("sold", 1)),
    )
    assert recorded.set_aside == 0
    [order] = orders_of(conn, user_id)
    assert (order.id, order.tx_hash) == (placed.order.id, chains.digest(1, 2))
    assert states(conn) == {1: SOLD_AT}


def test_a_payment_while_its_order_comes(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: an OrderCreated makes an order; T2: its payment comes. It is paid."""
    record(onchain, SMALLER)
    at_once(
        database_url,
        lambda: record(onchain, event("sold", 1)),
        lambda: onchain.record_order_event(
            factories.event(factories.PAYMENT_SUCCEEDED, "crossmint-1")
        ),
    )
    [order] = orders_of(conn, user_id)
    assert order.status == OrderStatus.PAYMENT_CONFIRMED


def test_a_digest_that_is_used_meanwhile(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: a deposit claims a transaction; T2: an OrderCreated of it is set aside."""
    other = factories.add_user(conn)

    def claim() -> None:
        with onchain.connection() as inside:
            inside.execute(
                "INSERT INTO orders (user_id, type, tx_hash)"
                " VALUES (%s, 'deposit', %s)",
                [other, chains.digest(1, 2)],
            )

    _, recorded = at_once(
        database_url, claim, lambda: record(onchain, SMALLER, event("sold", 1))
    )
    assert (recorded.recorded, recorded.set_aside) == (2, 1)
    assert reasons(conn) == ["its transaction is another order's"]
    [order] = orders_of(conn, user_id)
    assert order.tx_hash is None


def test_a_deletion_while_its_events_come(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: record events of a user; T2: delete the user. Nothing of them is left."""
    record(onchain, SMALLER)
    at_once(
        database_url,
        lambda: record(onchain, LARGER, event("removed", 1)),
        lambda: onchain.delete_user(user_id),
    )
    for table in ("chain_events", "cart_items", "users"):
        assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - ours
