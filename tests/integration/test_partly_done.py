"""What commits in several transactions never says that nothing was written."""

from collections.abc import Callable
from datetime import timedelta
from typing import LiteralString, cast
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from generated.models import CartItem
from store import ForgottenEvents, GivenUpOrder, Store, errors, rotation
from store._sync import orders
from store_testing import chains, factories
from tests.support import stores

NO_TIME = timedelta(0)
KEY = SecretStr(chains.sui_private_key(bytes(range(32))))

# The second write of rows of one table fails, as if the session had been ended.
_FAILING: LiteralString = """
CREATE SEQUENCE written;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('written') > 1 THEN RAISE SQLSTATE '57P01'; END IF;
    RETURN coalesce(NEW, OLD);
END $$;
"""


def break_second(conn: psycopg.Connection, when: LiteralString) -> None:
    """Have every such write but the first fail."""
    conn.execute(_FAILING)
    each = "FOR EACH ROW EXECUTE FUNCTION fail()"
    conn.execute(f"CREATE TRIGGER fail BEFORE {when} {each}".encode())


@pytest.fixture(autouse=True)
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a transaction do one row."""
    for module, name in (
        (orders, "_CHECKOUTS_AT_ONCE"),
        (orders, "_EVENTS_AT_ONCE"),
        (rotation, "_BATCH"),
    ):
        monkeypatch.setattr(module, name, 1)


def fails(method: Callable[[], object]) -> errors.PartlyDone:
    """Call what fails in its second transaction; give the error."""
    with pytest.raises(errors.PartlyDone) as partly:
        method()
    error = partly.value
    assert isinstance(error.reason, errors.ConnectionLost)
    assert error.retryable
    assert "is committed" in str(error)
    return error


def test_givings_up_that_are_committed_are_told(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The error has the first transaction's orders, the next call the others."""
    items = [factories.add_item(conn, user_id) for _ in range(3)]
    ids = [
        store.checkout(user_id, [factories.line(item)])[0].order.id for item in items
    ]
    break_second(conn, "INSERT ON order_events")
    error = fails(lambda: store.give_up_checkouts(NO_TIME))
    done = cast("list[GivenUpOrder]", error.done)
    assert [each.order.id for each in done] == ids[:1]
    conn.execute("DROP TRIGGER fail ON order_events")
    assert [each.order.id for each in store.give_up_checkouts(NO_TIME)] == ids[1:]


def test_events_that_are_forgotten_are_counted(
    store: Store, conn: psycopg.Connection
) -> None:
    """The error counts those of the first transaction; the next call has the rest."""
    for _ in range(3):
        store.record_order_event(factories.event("orders.quote.created", "x"))
    break_second(conn, "DELETE ON order_events")
    error = fails(lambda: store.forget_order_events(NO_TIME))
    assert error.done == ForgottenEvents(stripped=0, deleted=1)
    conn.execute("DROP TRIGGER fail ON order_events")
    assert store.forget_order_events(NO_TIME) == ForgottenEvents(0, 2)


def test_keys_that_are_rotated_are_counted(
    database_url: str, conn: psycopg.Connection
) -> None:
    """The error counts the keys that were replaced, and the next run has the rest."""
    with stores.opened(database_url, wallet_encryption_keys="0f" * 32) as old:
        for _ in range(3):
            old.set_sui_private_key(factories.add_user(conn), KEY)
    ring = f"{'a0' * 32},{'0f' * 32}"
    with stores.opened(database_url, wallet_encryption_keys=ring) as new:
        break_second(conn, "UPDATE ON users")
        error = fails(lambda: rotation.rotate(new, lambda _: None))
        assert isinstance(error.done, rotation.Findings)
        assert error.done.replaced == 1
        conn.execute("DROP TRIGGER fail ON users")
        assert rotation.rotate(new, lambda _: None).replaced == 2


def test_a_failure_of_the_first_says_that_nothing_was_written(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """Where no transaction was committed before, the error is the plain one."""
    store.checkout(user_id, [factories.line(item)])
    break_second(conn, "INSERT ON order_events")
    conn.execute("SELECT nextval('written')")
    with pytest.raises(errors.ConnectionLost):
        store.give_up_checkouts(NO_TIME)


def test_within_a_transaction_nothing_is_partly_done(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """There the first part ends with the caller's transaction."""
    for _ in range(2):
        store.checkout(user_id, [factories.line(factories.add_item(conn, user_id))])
    break_second(conn, "INSERT ON order_events")
    with pytest.raises(errors.ConnectionLost), store.transaction() as inside:
        store.within(inside).give_up_checkouts(NO_TIME)
    assert conn.execute("SELECT count(*) FROM order_events").fetchone() == (0,)
