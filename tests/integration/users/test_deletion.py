"""A deletion takes everything along, and leaves what was used up.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest

from generated import chats, deposits, users
from generated.internal import order_steps, user_steps
from generated.models import CartItem, Order
from store import Store, errors
from store_testing import factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support import gates, stores
from tests.support.gates import Gate
from tests.support.races import race
from tests.support.tables import Tables

DIGEST = "1" * 32


@pytest.fixture
def cancelled(store: Store, user_id: UUID, item: CartItem) -> UUID:
    """Give the cancelled order of that item; Crossmint knows it as `x`."""
    [placed] = store.checkout(user_id, [factories.line(item, "x")])
    store.attach_transaction("x", DIGEST)
    return store.cancel_order(user_id, placed.order.id).id


def payloads(conn: psycopg.Connection) -> list[Any]:
    """Read what is kept of the bodies of events."""
    return [row[0] for row in conn.execute("SELECT payload FROM order_events")]


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
        user_steps.erase_orders(deletion, user_id=user_id, max_rows=9)
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
    assert one.result().is_first
    assert other.result() is None
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
    assert one.result().pays
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
    assert one.result() is None
    assert other.result().order is None
    kept = conn.execute("SELECT id, type, payment_hash, payload FROM order_events")
    assert kept.fetchall() == [(event.id, PAYMENT_SUCCEEDED, None, None)]


@stores.not_on_citus("the lock of its trigger would be another node's")
def test_a_deletion_between_an_event_and_its_look_for_the_order(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: keep an event, but not yet lock its order; T2: delete the user; T1 goes on.

    The deletion waits for nobody, and the event, which it cannot see, does not
    outlive it with a body.
    """
    item = factories.add_item(conn, user_id)
    [placed] = store.checkout(user_id, [factories.line(item, "x")])
    store.cancel_order(user_id, placed.order.id)
    event = factories.event(PAYMENT_FAILED, "x", payment_hash="0x1")
    conn.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_advisory_xact_lock(2, 2); RETURN NULL; END $$;"
        " CREATE TRIGGER wait AFTER INSERT ON order_events FOR EACH ROW"
        " EXECUTE FUNCTION wait()"
    )
    with psycopg.connect(database_url) as holder, ThreadPoolExecutor(1) as threads:
        holder.execute("SELECT pg_advisory_xact_lock(2, 2)")
        receiving = threads.submit(store.record_order_event, event)
        gates.wait_until_waiting(conn, 1, behind=holder.info.backend_pid)
        store.delete_user(user_id)
        holder.commit()
        receiving.result()
    kept = conn.execute("SELECT id, payment_hash, payload FROM order_events").fetchall()
    assert kept == [(event.id, None, None)]


def test_events_and_deletions_in_any_order_leave_no_body(
    store: Store, conn: psycopg.Connection
) -> None:
    """Users are deleted while events of their orders come: every event is stripped."""
    known: list[tuple[UUID, str]] = []
    for number in range(24):
        user_id = factories.add_user(conn)
        line = factories.line(factories.add_item(conn, user_id), f"x{number}")
        [placed] = store.checkout(user_id, [line])
        store.cancel_order(user_id, placed.order.id)
        known.append((user_id, f"x{number}"))
    barrier = Barrier(4)

    def delete() -> None:
        barrier.wait()
        for user_id, _ in known:
            store.delete_user(user_id)

    def receive() -> None:
        barrier.wait()
        for _, name in known:
            store.record_order_event(factories.event(PAYMENT_FAILED, name))

    with ThreadPoolExecutor(4) as threads:
        for done in [
            threads.submit(each) for each in (delete, receive, receive, receive)
        ]:
            done.result()
    assert conn.execute("SELECT count(*) FROM users").fetchone() == (0,)
    assert not any(payloads(conn))


@stores.not_on_citus("there are advisory locks of its own")
def test_a_user_with_many_orders_is_deleted_beside_others(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """The deletion locks nothing for each order, and others' events do not wait.

    So many orders that a lock for each would not fit into the server's lock table.
    """
    conn.execute(
        "INSERT INTO orders (user_id, type, status, crossmint_order_id)"
        " SELECT %s, 'checkout', 'delivered', 'many-' || n"
        " FROM generate_series(1, 20000) AS n",
        [user_id],
    )
    conn.execute(
        "INSERT INTO order_events (id, crossmint_order_id, type, payload)"
        " SELECT n, 'many-' || n, 'orders.delivery.completed', '{}'"
        " FROM generate_series(1, 20000) AS n"
    )
    stranger = factories.add_user(conn)
    item = factories.add_item(conn, stranger)
    store.checkout(stranger, [factories.line(item, "theirs")])
    with gates.shut(database_url) as gate, ThreadPoolExecutor(2) as threads:
        conn.execute(
            "CREATE CONSTRAINT TRIGGER wait_at_gate_to_delete AFTER DELETE ON users"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION wait_at_gate()"
        )
        for table in ("order_events", "orders", "cart_items"):
            conn.execute(f"DROP TRIGGER wait_at_gate ON {table}")
        deletion = threads.submit(store.delete_user, user_id)
        gate.wait_for_arrival()
        locks = conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE locktype = 'advisory' AND granted)"
            " FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        ).fetchone()
        paid = factories.event(PAYMENT_SUCCEEDED, "theirs")
        other = threads.submit(store.record_order_event, paid)
        try:
            other.result(timeout=20)
        finally:
            gate.open()
        deletion.result()
    assert locks is not None
    assert locks[0] < 100
    assert locks[1] == 1, "there is another lock than the gate's"
    left = conn.execute("SELECT count(*) FROM orders WHERE user_id = %s", [user_id])
    assert left.fetchone() == (0,)
    assert len(payloads(conn)) == 1


def test_a_digest_that_is_being_attached_is_used_up(
    store: Store, conn: psycopg.Connection, user_id: UUID, database_url: str
) -> None:
    """T1: attach a digest to an order; T2: delete its user. The digest is not free."""
    [placed] = store.checkout(
        user_id, [factories.line(factories.add_item(conn, user_id), "x")]
    )
    store.cancel_order(user_id, placed.order.id)
    with psycopg.connect(database_url) as one, ThreadPoolExecutor(1) as threads:
        order_steps.attach_transaction_by_crossmint_order(
            one, crossmint_order_id="x", tx_hash=DIGEST
        )
        deletion = threads.submit(store.delete_user, user_id)
        gates.wait_until_waiting(conn, 1, behind=one.info.backend_pid)
        one.commit()
        deletion.result()
    used = conn.execute("SELECT crossmint_order_id, tx_hash FROM retired_orders")
    assert used.fetchall() == [("x", DIGEST)]


def test_a_chat_is_deleted_beside_its_user(
    store: Store, conn: psycopg.Connection, user_id: UUID, database_url: str
) -> None:
    """T1: delete a chat, but not yet its messages; T2: delete the user. Both happen."""
    chat = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert chat is not None
    text = {"type": "text", "text": "Which pen goes with it?"}
    store.save_turn(user_id, chat.id, [{"id": "m1", "role": "user", "parts": [text]}])
    with psycopg.connect(database_url) as one, ThreadPoolExecutor(1) as threads:
        one.execute("SELECT FROM chat_sessions FOR UPDATE")
        deletion = threads.submit(store.delete_user, user_id)
        gates.wait_until_waiting(conn, 1, behind=one.info.backend_pid)
        deleted = chats.delete_chat_session(one, id=chat.id, user_id=user_id)
        one.commit()
        deletion.result()
    assert deleted == chat.id
    assert users.get_user(conn, id=user_id) is None


# As many statements take what a user of 12,500 orders and 2,500 chats has.
PORTIONS = 3
NOTE_DELETIONS = """
CREATE TABLE deletions (of text, rows bigint);
CREATE FUNCTION note_deletion() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO deletions SELECT TG_TABLE_NAME, count(*) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
"""
A_LOT = """
INSERT INTO orders (id, user_id, type, status, crossmint_order_id)
SELECT md5('order' || n)::uuid, %(user)s, 'checkout', 'delivered', 'many-' || n
FROM generate_series(1, 12500) AS n;
INSERT INTO order_events (id, crossmint_order_id, type)
SELECT n, 'many-' || n, 'orders.delivery.completed' FROM generate_series(1, 12500) AS n;
INSERT INTO cart_items (id, user_id, product_id, product_name, price, deleted_at)
SELECT md5('item' || n)::uuid, %(user)s, n, 'Pen', 1, now()
FROM generate_series(1, 12500) AS n;
INSERT INTO order_items (order_id, cart_item_id, product_id, product_name, price)
SELECT md5('order' || n)::uuid, md5('item' || n)::uuid, n, 'Pen', 1
FROM generate_series(1, 12500) AS n;
INSERT INTO chat_sessions (id, user_id)
SELECT md5('chat' || n)::uuid, %(user)s FROM generate_series(1, 2500) AS n;
INSERT INTO chat_messages (session_id, msg_id, role, parts)
SELECT md5('chat' || n)::uuid, 'm', 'user', '[]' FROM generate_series(1, 2500) AS n;
"""


@stores.not_on_citus("a table of the test's is not where its trigger runs")
def test_a_deletion_is_several_statements(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What a user has goes in portions, none of which comes near a limit of time."""
    psycopg.ClientCursor(conn).execute(A_LOT, {"user": user_id})
    conn.execute(NOTE_DELETIONS)
    tables = [
        *("orders", "order_events", "order_items"),
        *("cart_items", "chat_sessions", "chat_messages"),
    ]
    for table in tables:
        conn.execute(
            f"CREATE TRIGGER note AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_deletion()".encode()
        )
    store.delete_user(user_id)
    noted = conn.execute("SELECT of, count(*), sum(rows) FROM deletions GROUP BY of")
    assert sorted(noted) == [
        (table, PORTIONS, 2500 if table.startswith("chat") else 12500)
        for table in sorted(tables)
    ]


# What the orders of deleted users have used up


@pytest.fixture
def others(conn: psycopg.Connection) -> CartItem:
    """Give an item in another user's cart."""
    return factories.add_item(conn, factories.add_user(conn))


@pytest.mark.usefixtures("cancelled")
def test_what_was_used_up_pays_nothing_again(
    store: Store, user_id: UUID, others: CartItem
) -> None:
    """What a deleted user's order has used is refused as if the order were there."""
    store.delete_user(user_id)
    with pytest.raises(errors.AlreadyExists) as refused:
        store.checkout(others.user_id, [factories.line(others, "x")])
    assert refused.value.constraint == "orders_crossmint_order_id_key"
    [placed] = store.checkout(others.user_id, [factories.line(others)])
    with pytest.raises(errors.AlreadyExists) as attached:
        store.attach_crossmint_order(others.user_id, placed.order.id, "x")
    assert attached.value.constraint == "orders_crossmint_order_id_key"
    store.attach_crossmint_order(others.user_id, placed.order.id, "y")
    with pytest.raises(errors.AlreadyExists):
        store.attach_transaction("y", DIGEST)


@pytest.mark.usefixtures("cancelled")
def test_an_order_that_waits_for_a_deletion(
    store: Store, user_id: UUID, others: CartItem, gate: Gate
) -> None:
    """T1: delete the user; T2: check out as the user's order. It is not free."""
    one, other = race(
        gate,
        lambda: store.delete_user(user_id),
        lambda: store.checkout(others.user_id, [factories.line(others, "x")]),
    )
    assert one.result() is None
    with pytest.raises(errors.AlreadyExists):
        other.result()
