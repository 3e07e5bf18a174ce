"""Every method of a store can be part of its caller's transaction."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from generated import chats, users
from store import ChainCursor, CheckoutLine, Product, Settings, Store, errors
from store_testing import chains, crossmint, factories
from tests.support import stores

PEN = Product(product_id="B01", product_name="Pen", price=1)
CURSOR = ChainCursor(tx_digest=chains.digest(2), event_seq="0")
KEY = SecretStr(chains.sui_private_key(b"k" * 32))
EVENT = chains.happened(
    "ItemAdded", chains.wallet(1), chains.item_id(1), tx=chains.digest(1)
)


@dataclass
class Shop:
    """What there is before a method is called."""

    user_id: UUID
    named_id: UUID
    unnamed_id: UUID
    item_id: UUID
    session_id: UUID


@pytest.fixture
def shop(conn: psycopg.Connection, store: Store) -> Shop:
    """Give a user with two orders, one of a Crossmint order, an item, and a chat."""
    user_id = factories.add_user(conn)
    items = [factories.add_item(conn, user_id) for _ in range(3)]
    named, unnamed = store.checkout(
        user_id, [factories.line(items[0], "x"), factories.line(items[1])]
    )
    session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session
    users.begin_wallet(conn, id=user_id)
    return Shop(user_id, named.order.id, unnamed.order.id, items[2].id, session.id)


def provision(store: Store, shop: Shop) -> object:
    """Make the user's wallet active."""
    return store.provision_wallet(
        shop.user_id, wallet_address=chains.wallet(1), key=KEY
    )


def retry_unknown(store: Store, _: Shop) -> None:
    """Try an event again that was never set aside."""
    with pytest.raises(errors.ChainEventNotFound):
        store.retry_chain_event(uuid4())


METHODS: dict[str, Callable[[Store, Shop], object]] = {
    "add_cart_item": lambda store, shop: store.add_cart_item(shop.user_id, PEN),
    "adopt_chain_cursor": lambda store, _: store.adopt_chain_cursor(CURSOR),
    "atomically": lambda store, _: store.atomically(lambda conn: conn.closed),
    "attach_crossmint_order": lambda store, shop: store.attach_crossmint_order(
        shop.user_id, shop.unnamed_id, "y", amount_usdc=Decimal(1)
    ),
    "attach_transaction": lambda store, _: store.attach_transaction("x", "7" * 44),
    "bookmark": lambda store, _: store.bookmark(),
    "cancel_order": lambda store, shop: store.cancel_order(shop.user_id, shop.named_id),
    "checkout": lambda store, shop: store.checkout(
        shop.user_id, [CheckoutLine(cart_item_id=shop.item_id)]
    ),
    "clear_cart": lambda store, shop: store.clear_cart(shop.user_id),
    "create_user": lambda store, _: store.create_user("google|1", email=None),
    "delete_user": lambda store, _: store.delete_user(
        store.create_user("google|1", email=None).id
    ),
    "forget_order_events": lambda store, _: store.forget_order_events(timedelta(0)),
    "get_cart_item": lambda store, shop: store.get_cart_item(
        shop.user_id, shop.item_id
    ),
    "get_chain_cursor": lambda store, _: store.get_chain_cursor(),
    "get_sui_private_key": lambda store, shop: store.get_sui_private_key(shop.user_id),
    "give_up_checkouts": lambda store, _: store.give_up_checkouts(timedelta(0)),
    "list_chat_sessions": lambda store, shop: store.list_chat_sessions(shop.user_id),
    "list_items_paid_twice": lambda store, _: store.list_items_paid_twice(),
    "list_orders": lambda store, shop: store.list_orders(shop.user_id),
    "list_orders_without_digest": lambda store, _: store.list_orders_without_digest(),
    "list_payments_that_differ": lambda store, _: store.list_payments_that_differ(),
    "list_payments_without_order": lambda store, _: store.list_payments_without_order(
        timedelta(0)
    ),
    "list_set_aside_chain_events": lambda store, _: store.list_set_aside_chain_events(),
    "page_chat_sessions": lambda store, shop: store.page_chat_sessions(shop.user_id),
    "page_orders": lambda store, shop: store.page_orders(shop.user_id),
    "ping": lambda store, _: store.ping(),
    "provision_wallet": provision,
    "receive_order_event": lambda store, _: store.receive_order_event(
        *crossmint.delivery("evt", {"type": factories.PAYMENT_SUCCEEDED})
    ),
    "record_chain_page": lambda store, shop: (
        provision(store, shop),
        store.record_chain_page(chains.page([EVENT], ("1", "0")), asked_with=None),
    ),
    "record_deposit": lambda store, shop: store.record_deposit(
        shop.user_id, "0x" + "ab" * 32, Decimal(1)
    ),
    "record_order_event": lambda store, _: store.record_order_event(
        factories.event(factories.PAYMENT_SUCCEEDED, "x")
    ),
    "remove_cart_item": lambda store, shop: store.remove_cart_item(
        shop.user_id, shop.item_id
    ),
    "replay_chain_page": lambda store, shop: (
        provision(store, shop),
        store.replay_chain_page(chains.page([EVENT])),
    ),
    "retry_chain_event": retry_unknown,
    "save_turn": lambda store, shop: store.save_turn(
        shop.user_id, shop.session_id, [{"id": "1", "role": "user", "parts": []}]
    ),
    "set_sui_private_key": lambda store, shop: store.set_sui_private_key(
        shop.user_id, KEY
    ),
}
ONCHAIN = {
    "adopt_chain_cursor",
    "record_chain_page",
    "replay_chain_page",
    "retry_chain_event",
}


def test_all_methods_are_here() -> None:
    """What is not here needs no connection, or lends one."""
    others = {"open", "close", "connection", "transaction"}
    others |= {"limited", "tracked", "within"}
    public = {name for name, _ in inspect.getmembers(Store, inspect.isfunction)}
    named = {name for name in public if not name.startswith("_")}
    assert named == {*METHODS} | others, "METHODS has a call of each"


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize("name", METHODS)
def test_a_method_within_a_transaction_is_part_of_it(
    database_url: str, conn: psycopg.Connection, shop: Shop, name: str, *, commits: bool
) -> None:
    """It takes no other connection, and what it wrote ends with the transaction."""
    settings: Settings = stores.settings(
        database_url,
        cart_service="onchain" if name in ONCHAIN else "db",
        wallet_encryption_keys="0f" * 32,
        database_url_replica=database_url,
        database_pool_size=1,
    )
    tables = (
        "SELECT sum(hashtextextended(u::text, 0)) FROM users u",
        "SELECT count(*), max(status) FROM orders",
        "SELECT count(*) FROM chain_events",
    )
    before = [conn.execute(text.encode()).fetchall() for text in tables]

    def work(inside: psycopg.Connection) -> None:
        METHODS[name](store.within(inside), shop)
        users.set_display_name(inside, id=shop.user_id, display_name="Ada")
        assert [conn.execute(text.encode()).fetchall() for text in tables] == before
        if not commits:
            raise KeyError(name)

    with Store(settings) as store:
        if commits:
            store.atomically(work)
        else:
            with pytest.raises(KeyError, match=name):
                store.atomically(work)
        assert store.statistics.connected == 1
    user = users.get_user(conn, id=shop.user_id)
    assert user
    assert user.display_name == ("Ada" if commits else None)
    if not commits:
        assert [conn.execute(text.encode()).fetchall() for text in tables] == before
