"""Users at once: one row an identity, one provisioner a wallet, and a clean end.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens.
"""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from generated import carts, chats, deposits, orders, users
from generated.models import CartItem, Order, User
from store import Store, errors
from tests.support import chains, factories, gates, onboarding, stores
from tests.support.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support.gates import Gate
from tests.support.races import no_deadlock, race
from tests.support.tables import Tables

DIGEST = "1" * 32


@pytest.fixture
def store(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store; a deadlock fails the test."""
    with (
        no_deadlock(conn),
        stores.opened(database_url, wallet_encryption_keys="0f" * 32) as opened,
    ):
        yield opened


@pytest.fixture
def cancelled(store: Store, user_id: UUID, item: CartItem) -> UUID:
    """Give the cancelled order of that item; Crossmint knows it as `x`."""
    [placed] = store.checkout(user_id, [factories.line(item, "x", tx_hash=DIGEST)])
    return store.cancel_order(user_id, placed.order.id).id


@pytest.fixture
def gate(database_url: str) -> Generator[Gate]:
    """Give a shut gate, also before the COMMIT of a deletion."""
    with gates.shut(database_url) as shut:
        with psycopg.connect(database_url) as conn:
            conn.execute(
                "CREATE CONSTRAINT TRIGGER wait_at_gate_to_delete AFTER DELETE ON users"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                " EXECUTE FUNCTION wait_at_gate()"
            )
        yield shut


def sign_up(store: Store, identity: str, email: str | None = None) -> User:
    """Create or find the user of an identity."""
    with store.connection() as conn:
        user = users.create_user(conn, crossmint_user_id=identity, email=email)
    assert user is not None
    return user


def payloads(conn: psycopg.Connection) -> list[Any]:
    """Read what is kept of the bodies of events."""
    return [row[0] for row in conn.execute("SELECT payload FROM order_events")]


# Creation


def test_one_identity_created_twice_at_once(store: Store, gate: Gate) -> None:
    """T1: create a user; T2: create the same one. Both get one row, as T1 made it."""
    one, other = race(
        gate,
        lambda: sign_up(store, "google|1", "ann@example.org"),
        lambda: sign_up(store, "google|1", "bob@example.org"),
    )
    assert one.result() == other.result()
    assert one.result().email == "ann@example.org"


def test_one_identity_created_by_many(store: Store, conn: psycopg.Connection) -> None:
    """Five at once get one user."""
    barrier = Barrier(5)

    def sign_up_together(_: int) -> User:
        barrier.wait()
        return sign_up(store, "google|1")

    with ThreadPoolExecutor(5) as threads:
        ids = {user.id for user in threads.map(sign_up_together, range(5))}
    assert len(ids) == 1
    assert conn.execute("SELECT count(*) FROM users").fetchone() == (1,)


def test_a_found_user_is_not_touched(store: Store) -> None:
    """Finding a user leaves even updated_at alone."""
    assert sign_up(store, "google|1") == sign_up(store, "google|1", "ann@example.org")


# Onboarding


@pytest.mark.parametrize("column", onboarding.FIELDS)
def test_a_text_that_is_too_long_is_refused(
    store: Store, conn: psycopg.Connection, user_id: UUID, column: str
) -> None:
    """One character more than a column takes: nothing is written, nor told."""
    for query, lengths in onboarding.STEPS:
        given = dict.fromkeys(lengths, "a")
        if column not in lengths:
            query(conn, id=user_id, **given)
            continue
        before = users.get_user(conn, id=user_id)
        given[column] = ("zq" * lengths[column])[: lengths[column] + 1]
        with pytest.raises(errors.InvalidValue) as refused, store.connection() as lent:
            query(lent, id=user_id, **given)
        assert refused.value.sqlstate == "22001"
        assert "zq" not in str(refused.value)
        assert users.get_user(conn, id=user_id) == before
        return


def test_nobody_is_found_under_an_unknown_id(store: Store) -> None:
    """Queries return nothing, methods raise UserNotFound with the id."""
    nobody = uuid4()
    key = SecretStr(chains.sui_private_key(bytes(32)))
    uses: tuple[Callable[[], object], ...] = (
        lambda: store.delete_user(nobody),
        lambda: store.get_sui_private_key(nobody),
        lambda: store.set_sui_private_key(nobody, key),
    )
    for use in uses:
        with pytest.raises(errors.UserNotFound) as refused:
            use()
        assert refused.value.user_id == nobody
    with store.connection() as conn:
        assert users.get_user(conn, id=nobody) is None
        assert users.set_display_name(conn, id=nobody, display_name="a") is None


# Wallets


def test_two_workers_begin_one_wallet(store: Store, user_id: UUID, gate: Gate) -> None:
    """T1: begin the wallet; T2: the same. The second gets nothing, and lets it be."""

    def begin() -> User | None:
        with store.connection() as conn:
            return users.begin_wallet(conn, id=user_id)

    one, other = race(gate, begin, begin)
    assert one.result() is not None
    assert other.result() is None


def test_an_evm_address_outlives_an_activation(
    conn: psycopg.Connection, user_id: UUID
) -> None:
    """Activating with another one replaces it, activating without one does not."""
    evm_address = "0x" + "ab" * 20
    for given in (None, "0x" + "cd" * 20, None):
        users.set_evm_address(conn, id=user_id, evm_address=evm_address)
        conn.execute("UPDATE users SET wallet_status = 'pending'")
        user = users.activate_wallet(
            conn,
            id=user_id,
            wallet_address="0x" + "1" * 64,
            crossmint_wallet_id=None,
            evm_address=given,
        )
        assert user is not None
        assert user.evm_address == (given or evm_address)


def test_an_address_that_is_not_normal_is_refused(store: Store, user_id: UUID) -> None:
    """The database takes normalised addresses only, and says so without them."""
    with pytest.raises(errors.InvalidValue) as refused, store.connection() as conn:
        users.set_evm_address(conn, id=user_id, evm_address="0x" + "AB" * 20)
    assert refused.value.constraint == "evm_address_is_normalised"
    assert "AB" not in str(refused.value)


# Deletion


def test_deletion_takes_everything_along(
    store: Store, conn: psycopg.Connection, user_id: UUID, cancelled: UUID
) -> None:
    """No row of any table is left, but that the order's ids are used up."""
    stranger = factories.add_user(conn)
    others = factories.add_item(conn, stranger)
    store.checkout(stranger, [factories.line(others, "theirs")])
    store.record_order_event(factories.event(PAYMENT_FAILED, "theirs"))
    factories.add_item(conn, user_id)
    chats.create_chat_session(conn, user_id=user_id, title=None)
    store.record_order_event(factories.event(PAYMENT_FAILED, "x"))
    tables = Tables(conn)
    before = tables.read()
    store.delete_user(user_id)
    after = tables.read()
    [retired] = after.pop("retired_orders").values()
    assert retired == {
        "id": str(cancelled),
        "crossmint_order_id": "x",
        "tx_hash": DIGEST,
    }
    for name, rows in after.items():
        assert rows.items() <= before[name].items()
    assert list(after["users"]) == [str(stranger)]
    for name in ("cart_items", "orders", "order_items", "order_events"):
        assert len(after[name]) == 1
    assert not after["chat_sessions"]


def test_a_deleted_user_s_deposit_is_nobody_else_s(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A transaction that a deleted user claimed is claimed by nobody again."""
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=DIGEST)
    deposits.fail_deposit(conn, tx_hash=DIGEST)
    other = factories.add_user(conn)
    store.delete_user(user_id)
    assert deposits.claim_deposit(conn, user_id=other, tx_hash=DIGEST) is None
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_a_claim_of_what_a_deletion_uses_up(
    store: Store, conn: psycopg.Connection, user_id: UUID, database_url: str
) -> None:
    """T1: delete a user with a deposit; T2: claim its transaction. It is refused."""
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=DIGEST)
    deposits.fail_deposit(conn, tx_hash=DIGEST)
    other = factories.add_user(conn)

    def claim() -> Order | None:
        with store.connection() as inside:
            return deposits.claim_deposit(inside, user_id=other, tx_hash=DIGEST)

    with psycopg.connect(database_url) as deletion, ThreadPoolExecutor(1) as threads:
        users.erase_user(deletion, id=user_id)
        claiming = threads.submit(claim)
        gates.wait_until_waiting(conn, 1, behind=deletion.info.backend_pid)
        deletion.commit()
        with pytest.raises(errors.AlreadyExists) as refused:
            claiming.result()
    assert refused.value.constraint == "orders_tx_hash_key"


def test_deletion_names_the_open_orders(
    store: Store, conn: psycopg.Connection, user_id: UUID, cancelled: UUID
) -> None:
    """Exactly the orders that are neither delivered nor cancelled are named."""
    other = factories.add_item(conn, user_id)
    [placed] = store.checkout(user_id, [factories.line(other)])
    before = Tables(conn).read()
    with pytest.raises(errors.UserHasOpenOrders) as refused:
        store.delete_user(user_id)
    assert refused.value.order_ids == {placed.order.id} != {cancelled}
    assert refused.value.user_id == user_id
    assert str(placed.order.id) in str(refused.value)
    assert Tables(conn).read() == before


def test_a_checkout_before_a_deletion(
    store: Store, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: delete the user. The order stands, the deletion is refused."""
    one, other = race(
        gate,
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
        lambda: store.delete_user(user_id),
    )
    [placed] = one.result()
    with pytest.raises(errors.UserHasOpenOrders) as refused:
        other.result()
    assert refused.value.order_ids == {placed.order.id}


def test_a_checkout_after_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: delete the user; T2: check out. Nothing is sold to nobody."""
    one, other = race(
        gate,
        lambda: store.delete_user(user_id),
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
    )
    assert one.result() is None
    with pytest.raises(errors.ItemUnavailable):
        other.result()
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)


@pytest.mark.usefixtures("cancelled")
def test_an_event_before_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: an event; T2: delete the user. The deletion sees it and takes it along."""
    one, other = race(
        gate,
        lambda: store.record_order_event(factories.event(PAYMENT_FAILED, "x")),
        lambda: store.delete_user(user_id),
    )
    assert (one.result(), other.result()) == (None, None)
    assert payloads(conn) == []


@pytest.mark.usefixtures("cancelled")
def test_an_event_that_reopens_the_order_before_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: the money came after all; T2: delete the user. It is refused."""
    one, other = race(
        gate,
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
        lambda: store.delete_user(user_id),
    )
    assert one.result() is None
    with pytest.raises(errors.UserHasOpenOrders):
        other.result()
    assert users.get_user(conn, id=user_id) is not None


@pytest.mark.usefixtures("cancelled")
def test_an_event_after_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: delete the user; T2: an event. That it happened is kept, its body is not."""
    event = factories.event(PAYMENT_SUCCEEDED, "x", payment_hash="0x1")
    one, other = race(
        gate,
        lambda: store.delete_user(user_id),
        lambda: store.record_order_event(event),
    )
    assert (one.result(), other.result()) == (None, None)
    kept = conn.execute("SELECT id, type, payment_hash, payload FROM order_events")
    assert kept.fetchall() == [(event.id, PAYMENT_SUCCEEDED, None, None)]


def test_an_order_that_comes_during_a_deletion(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """The event of an order that the deletion saw too late to lock does not outlive it.

    The order is placed, cancelled, while the deletion waits for the user; its next
    event is on its way when the deletion goes on.
    """
    store.record_order_event(factories.event(PAYMENT_FAILED, "x"))
    with (
        psycopg.connect(database_url) as holder,
        psycopg.connect(database_url) as receiver,
        ThreadPoolExecutor(1) as threads,
    ):
        users.lock_user(holder, id=user_id)
        deletion = threads.submit(store.delete_user, user_id)
        gates.wait_until_waiting(conn, 1)
        item = factories.add_item(holder, user_id)
        holder.execute(
            "INSERT INTO orders (user_id, type, status, crossmint_order_id)"
            " VALUES (%s, 'checkout', 'cancelled', 'x')",
            (user_id,),
        )
        orders.lock_crossmint_orders(receiver, crossmint_order_ids=["x"])
        late = factories.event(PAYMENT_FAILED, "x")
        orders.insert_order_event(
            receiver,
            id=late.id,
            crossmint_order_id="x",
            type=late.type,
            payment_hash=None,
            amount_usdc=None,
            payload=late.payload,
        )
        holder.commit()
        gates.wait_until_waiting(conn, 1, behind=receiver.info.backend_pid)
        receiver.commit()
        deletion.result()
    assert payloads(conn) == []
    assert carts.list_prices_in_cart(conn, user_id=user_id, ids=[item.id]) == []


# What the orders of deleted users have used up


@pytest.fixture
def others(conn: psycopg.Connection) -> CartItem:
    """Give an item in another user's cart."""
    return factories.add_item(conn, factories.add_user(conn))


@pytest.mark.parametrize(
    ("column", "value"), [("crossmint_order_id", "x"), ("tx_hash", DIGEST)]
)
@pytest.mark.usefixtures("cancelled")
def test_what_was_used_up_pays_nothing_again(
    store: Store, user_id: UUID, others: CartItem, column: LiteralString, value: str
) -> None:
    """What a deleted user's order has used is refused as if the order were there."""
    rule = f"orders_{column}_key"
    store.delete_user(user_id)
    ids: dict[str, Any] = {column: value}
    line = factories.line(others, **ids)
    with pytest.raises(errors.CheckoutConflict) as refused:
        store.checkout(others.user_id, [line])
    assert refused.value.constraint == rule
    store.checkout(others.user_id, [factories.line(others)])
    with pytest.raises(errors.AlreadyExists) as afterwards, store.connection() as conn:
        conn.execute(f"UPDATE orders SET {column} = %s", (value,))  # noqa: S608 - ours
    assert afterwards.value.constraint == rule


@pytest.mark.usefixtures("cancelled")
def test_a_claim_that_waits_for_a_deletion(
    store: Store, user_id: UUID, others: CartItem, gate: Gate
) -> None:
    """T1: delete the user; T2: use the user's transaction. It is not free meanwhile."""
    one, other = race(
        gate,
        lambda: store.delete_user(user_id),
        lambda: store.checkout(
            others.user_id, [factories.line(others, tx_hash=DIGEST)]
        ),
    )
    assert one.result() is None
    with pytest.raises(errors.CheckoutConflict):
        other.result()
