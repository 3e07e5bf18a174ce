"""The flows of the API that this replaces, on the store alone: not a line of SQL.

Inputs are as the world sends them: webhooks of `tests.support.crossmint`, pages of
chain events of `tests.support.chains`, messages of the AI SDK.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from generated import carts, chats, deposits, orders, users
from generated.enums import OrderStatus, OrderType, WalletStatus
from generated.internal import order_steps
from generated.models import UserProfile
from store import CheckoutLine, Product, Store, errors, messages
from store_testing import chains, crossmint
from tests.support import stores

KEYS = "0f" * 32
IDENTITY, EMAIL = "google|1017", "ann@example.org"
NOTEBOOK = Product(product_id="B01", product_name="Notebook", price=1490, size="A4")
DEPOSIT = chains.digest(9)


@pytest.fixture
def store(database_url: str) -> Generator[Store]:
    """Give a store whose carts are in the database."""
    with stores.opened(database_url, wallet_encryption_keys=KEYS) as opened:
        yield opened


@pytest.fixture
def onchain(database_url: str) -> Generator[Store]:
    """Give a store whose carts are on chain."""
    with stores.opened(
        database_url, wallet_encryption_keys=KEYS, cart_service="onchain"
    ) as opened:
        yield opened


def sign_in(store: Store, wallet: str = chains.wallet(1)) -> Iterator[UserProfile]:
    """Serve a request of an identity, step by step; a crash ends it at a `yield`."""
    with store.connection() as conn:
        user = users.get_user_by_crossmint_user_id(conn, crossmint_user_id=IDENTITY)
    if user is None:
        user = store.create_user(IDENTITY, email=EMAIL)
        yield user
    with store.connection() as conn:
        if user.wallet_status == WalletStatus.PENDING:  # somebody died
            [hanging] = users.list_pending_wallets(
                conn, older_than=timedelta(0), max_rows=10
            )
            since = hanging.wallet_status_since
            begun = users.retry_wallet(conn, id=hanging.id, pending_since=since)
        else:
            begun = users.begin_wallet(conn, id=user.id)
    if begun:
        yield begun  # Crossmint is asked for an EVM wallet
        user = store.provision_wallet(
            begun.id,
            wallet_address=wallet,
            key=SecretStr(chains.sui_private_key(bytes(32))),
            crossmint_wallet_id="wallet-1",
            evm_address="0x" + "Ab" * 20,
        )
    yield user


def signed_in(store: Store) -> UUID:
    """Sign in, without a crash."""
    *_, user = sign_in(store)
    return user.id


def webhook(store: Store, number: int, kind: str, order_id: str) -> OrderStatus | None:
    """Receive a webhook as it arrives; give the status that the order has then."""
    event = crossmint.event(kind, crossmint.order(order_id))
    received = store.receive_order_event(*crossmint.delivery(f"msg_{number}", event))
    assert received.is_first
    return received.order.status if received.order else None


@pytest.mark.parametrize("crash", [1, 2, 3])
def test_provisioning_survives_a_crash_between_any_two_steps(
    store: Store, crash: int
) -> None:
    """Whatever step was the last, the next request ends with one active wallet."""
    for _, _step in zip(range(crash), sign_in(store), strict=False):
        pass  # and then the process is gone
    user_id = signed_in(store)
    assert signed_in(store) == user_id
    with store.connection() as conn:
        user = users.get_user(conn, id=user_id)
        assert user is not None
        assert user.wallet_status == WalletStatus.ACTIVE
        assert (user.wallet_address, user.email) == (chains.wallet(1), EMAIL)
        same = {"max_rows": 10}
        found = [
            users.list_users_by_email(conn, email=EMAIL, **same),
            users.list_users_by_wallet_address(
                conn, wallet_address=chains.wallet(1), **same
            ),
            users.list_users_by_evm_address(conn, evm_address="0x" + "ab" * 20, **same),
        ]
        assert found == [[user]] * 3
        hanging = users.list_pending_wallets(conn, older_than=timedelta(0), **same)
        assert hanging == []
    key = store.get_sui_private_key(user_id)
    assert key is not None
    assert key.get_secret_value() == chains.sui_private_key(bytes(32))
    with pytest.raises(errors.WalletAlreadyActive):
        store.provision_wallet(user_id, wallet_address=chains.wallet(2), key=None)


def test_a_chat_with_a_tool_call(store: Store) -> None:
    """A turn with a tool's result and metadata reads back; the title is a model's."""
    user_id = signed_in(store)
    said: list[dict[str, Any]] = [
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Pens?"}]},
        {
            "id": "a1",
            "role": "assistant",
            "metadata": {"model": "m-1", "usage": None},
            "parts": [
                {
                    "type": "tool-searchProducts",
                    "toolCallId": "c1",
                    "state": "output-available",
                    "input": {"query": "pens"},
                    "output": [{"productId": "B01"}],
                },
                {"type": "text", "text": "This one."},
            ],
        },
    ]
    with store.connection() as conn:
        session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session is not None
    first = store.save_turn(user_id, session.id, said[:1])
    saved = store.save_turn(user_id, session.id, said, from_version=first.version)
    with pytest.raises(errors.ChatOvertaken):
        store.save_turn(user_id, session.id, said[:1], from_version=0)
    with store.connection() as conn:
        titled = chats.give_model_title(
            conn, id=session.id, user_id=user_id, title="Pens"
        )
        rows = chats.list_chat_messages(
            conn, session_id=session.id, user_id=user_id, after_position=0, max_rows=99
        )
    assert titled is not None
    assert messages.from_rows(rows) == said
    page = store.page_chat_sessions(user_id, limit=1, offset=0)
    assert (page.total, [each.title for each in page.rows]) == (1, ["Pens"])
    assert saved.version == first.version + 1


def test_an_order_from_the_cart_to_the_door(store: Store) -> None:
    """Add, check out, pay, deliver; a failure that comes late changes nothing."""
    user_id = signed_in(store)
    item = store.add_cart_item(user_id, NOTEBOOK).item
    assert not store.add_cart_item(user_id, NOTEBOOK).is_new
    line = CheckoutLine(cart_item_id=str(item.id), crossmint_order_id="c-1")
    [placed] = store.checkout(user_id, [line])
    assert [each.order.id for each in store.checkout(user_id, [line])] == [
        placed.order.id
    ]
    kinds = (
        ("orders.quote.updated", OrderStatus.AWAITING_APPROVAL),
        ("orders.payment.succeeded", OrderStatus.PAYMENT_CONFIRMED),
        ("orders.delivery.initiated", OrderStatus.IN_PROGRESS),
        ("orders.delivery.completed", OrderStatus.DELIVERED),
        ("orders.payment.failed", OrderStatus.DELIVERED),
    )
    for number, (kind, status) in enumerate(kinds):
        assert webhook(store, number, kind, "c-1") == status
    with store.connection() as conn:
        row = orders.get_order_with_item(conn, id=placed.order.id, user_id=user_id)
        waiting = orders.list_events_to_announce(conn, max_rows=99)
        assert carts.count_cart_items(conn, user_id=user_id) == 0
    assert row is not None
    assert row.order.amount_usdc == Decimal("69.99")
    assert row.order_item is not None
    assert row.order_item.product_name == "Notebook"
    assert [event.id for event in waiting] == [f"msg_{n}" for n in range(len(kinds))]


def test_an_order_on_chain(onchain: Store) -> None:
    """The mirror fills the cart; the digest follows the payment, from either side."""
    user_id, owner, object_id = signed_in(onchain), chains.wallet(1), chains.item_id(1)
    added = chains.happened("CartItemAdded", owner, object_id, tx=chains.digest(1))
    page = chains.page([added], (chains.digest(1), "0"))
    onchain.record_chain_page(page, asked_with=None)
    line = CheckoutLine(cart_item_id=object_id, crossmint_order_id="c-2")
    [placed] = onchain.checkout(user_id, [line])
    assert webhook(onchain, 1, "orders.payment.succeeded", "c-2")
    with onchain.connection() as conn:
        [work] = order_steps.list_orders_without_digest(
            conn, after_created_at=None, after_id=None, max_rows=9
        )
        named = orders.get_order_by_crossmint_order(conn, crossmint_order_id="c-2")
    assert named is not None
    assert (work.order.id, work.wallet_address) == (placed.order.id, owner)
    assert named.has_sui_private_key
    assert named.order_item is not None
    assert named.order_item.on_chain_object_id == object_id
    digest = chains.digest(2)
    created = chains.happened(
        "OrderCreated", owner, object_id, tx=digest, order_id="c-2"
    )
    cursor = onchain.get_chain_cursor()
    onchain.record_chain_page(chains.page([created], (digest, "0")), asked_with=cursor)
    assert onchain.attach_transaction("c-2", digest).tx_hash == digest
    with pytest.raises(errors.AlreadyExists):
        onchain.attach_transaction("c-2", chains.digest(3))
    with onchain.connection() as conn:
        assert carts.list_cart_items(conn, user_id=user_id, max_rows=9) == []


def test_a_buyer_who_walks_away(store: Store) -> None:
    """After a time the order is given up, and its item is back; money still wins."""
    user_id = signed_in(store)
    item = store.add_cart_item(user_id, NOTEBOOK).item
    line = CheckoutLine(cart_item_id=item.id, crossmint_order_id="c-3")
    store.checkout(user_id, [line])
    assert store.give_up_checkouts(timedelta(hours=1)) == []
    [given_up] = store.give_up_checkouts(timedelta(0))
    assert given_up.order.status == OrderStatus.CANCELLED
    assert given_up.item_in_cart
    status = webhook(store, 1, "orders.payment.succeeded", "c-3")
    assert status == OrderStatus.PAYMENT_CONFIRMED
    with store.connection() as conn:
        assert carts.count_cart_items(conn, user_id=user_id) == 0


def test_a_deposit_and_its_replay(store: Store) -> None:
    """A verified deposit is recorded once, credited once, and listed with the total."""
    user_id = signed_in(store)
    recorded = store.record_deposit(user_id, DEPOSIT, Decimal("25.5"))
    assert recorded.is_first
    replay = store.record_deposit(user_id, DEPOSIT, Decimal("25.5"))
    assert not replay.is_first
    with store.transaction() as conn:
        assert deposits.credit_deposit(conn, tx_hash=DEPOSIT)
    with store.transaction() as conn:
        assert deposits.credit_deposit(conn, tx_hash=DEPOSIT) is None
    page = store.page_orders(user_id, page=1, limit=20, type=OrderType.DEPOSIT)
    assert (page.total, [row.order.id for row in page.orders]) == (
        1,
        [recorded.deposit.id],
    )
    assert store.page_orders(user_id, page=2, limit=20).total == 1
