"""What takes a user neither shows nor changes another user's rows."""

import inspect
import json
import pkgutil
import re
import types
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

import generated
import generated.aio
import generated.internal
import generated.internal.aio
from generated import carts, chain, chats, deposits, orders, users
from generated.internal import (
    cart_steps,
    chain_steps,
    chat_steps,
    deposit_steps,
    order_steps,
    user_steps,
)
from generated.models import CartItem
from store import CheckoutLine, Product, Store, errors
from store_testing import chains, factories
from tests.support import stores
from tests.support.tables import Tables

Query = Callable[..., Any]

SQL = "".join(
    file.read_text()
    for file in (Path(__file__).parents[2] / "db/queries").rglob("*.sql")
)
OBJECT = chains.item_id(1)
DEPOSIT = "0x" + "a" * 64
KEY = SecretStr(chains.sui_private_key(bytes(32)))
MESSAGE = {"id": "m", "role": "user", "parts": [{"type": "text", "text": "x"}]}
SAVED = json.dumps(MESSAGE | {"role": "tool"}).encode()
MODULES = [
    carts,
    chain,
    chats,
    deposits,
    orders,
    users,
    cart_steps,
    chain_steps,
    chat_steps,
    deposit_steps,
    order_steps,
    user_steps,
]


def queries(module: types.ModuleType) -> Iterator[Query]:
    """Give the query functions of a module, without the deferred twins."""
    for name in module.__all__:
        function = getattr(module, name)
        if inspect.isfunction(function) and not re.match(r"send_|\w+_row$", name):
            yield function


def user_of(query: Query) -> str | None:
    """Give the parameter that says whose rows a query is about, if it has one."""
    parameters = inspect.signature(query).parameters
    own = ["id"] if query.__module__ in {users.__name__, user_steps.__name__} else []
    return next(
        (name for name in ("user_id", "user_ids", *own) if name in parameters), None
    )


# Those that have nothing to do for the owner below, or do nothing but lock.
IDLE = {
    cart_steps.claim_cart_items,  # each order has its snapshot
    cart_steps.claim_cart_items_by_id,
    cart_steps.lock_cart,
    chain_steps.adopt_cart_items,  # nothing came from the chain
    chain_steps.link_snapshots_to_cart_items,
    chain_steps.mirror_cart_items,
    order_steps.list_items_paid_twice,
    user_steps.provision_wallet,  # no wallet is pending
    users.retry_wallet,
    users.fail_wallet,
    user_steps.get_sui_private_key,  # there is none
}

CLAIMING = [
    deposits.claim_deposit,
    deposits.get_deposit,
    deposit_steps.insert_verified_deposit,
]
ALL = [query for module in MODULES for query in queries(module)]
SCOPED = [query for query in ALL if user_of(query)]


@pytest.mark.parametrize(
    "query", [each for each in ALL if not user_of(each)], ids=lambda q: q.__name__
)
def test_a_query_without_a_user_says_why(query: Query) -> None:
    """A query that is not scoped by user has the reason in a comment of its SQL."""
    written = (
        rf"-- name: {query.__name__} :(?:(?!-- name:).)*-- Not scoped by user: \w+"
    )
    assert re.search(written, SQL, re.DOTALL)


@pytest.fixture
def owner(store: Store, conn: psycopg.Connection) -> UUID:
    """Give a user with rows in every table."""
    user_id = factories.add_user(conn)
    conn.execute("UPDATE users SET onboarding_step = 2")
    session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session is not None
    store.save_turn(user_id, session.id, [MESSAGE])
    items = [factories.add_item(conn, user_id) for _ in range(2)]
    factories.add_item(conn, user_id, product_id="x", size="x", color="x")
    lines = [
        factories.line(items[0], "crossmint-a"),
        factories.line(items[1], amount_usdc=Decimal(2)),
    ]
    conn.execute(
        "UPDATE cart_items SET on_chain_object_id = %s WHERE id = %s",
        [OBJECT, items[0].id],
    )
    store.checkout(user_id, lines)
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=DEPOSIT)
    return user_id


def ids_of(conn: psycopg.Connection, rows: LiteralString) -> list[UUID]:
    """Give the ids of rows."""
    return [row[0] for row in conn.execute(f"SELECT id FROM {rows}")]  # noqa: S608 - ours


def arguments(conn: psycopg.Connection, query: Query, stranger: UUID) -> dict[str, Any]:
    """Make arguments that point at the owner's rows wherever they can.

    Any other text is "x", and whatever else may be left out is left out. Another
    parameter that is not known here raises KeyError: add it.
    """
    [item] = ids_of(conn, "cart_items WHERE deleted_at IS NULL")
    [order] = ids_of(
        conn, "orders WHERE crossmint_order_id IS NULL AND type = 'checkout'"
    )
    [session] = ids_of(conn, "chat_sessions")
    ids = {
        carts: item,
        orders: order,
        chats: session,
        cart_steps: item,
        order_steps: order,
        chat_steps: session,
    }
    rows = {module.__name__: each for module, each in ids.items()}
    creating = query in {order_steps.create_orders, cart_steps.add_cart_item}
    known: dict[str, Any] = {
        "id": uuid4() if creating else rows.get(query.__module__),
        "ids": [uuid4() if creating else rows.get(query.__module__)],
        "order_ids": [order],
        "object_ids": [OBJECT],
        "cart_item_ids": [item],
        "on_chain_object_id": None,
        "on_chain_object_ids": [None],
        "expected_prices": [None],
        "max_items": 99,
        "eventless": False,
        "crossmint_order_id": "crossmint-b",
        "crossmint_order_ids": ["crossmint-b" if creating else "crossmint-a"],
        "amounts_usdc": [None],
        "amount_usdc": Decimal(2)
        if query is deposit_steps.insert_verified_deposit
        else None,
        "tx_hash": DEPOSIT if query in CLAIMING else "0x" + "c" * 64,
        "checkout_id": uuid4(),
        "session_id": session,
        "msg_id": "m",
        "messages": SAVED,
        "index": json.dumps(
            [{"id": "m", "digest": str(uuid4()), "first": 1, "length": len(SAVED)}]
        ),
        "from_version": None,
        "last_save": None,
        "skipped_rows": 0,
        "after_position": 0,
        "before_position": 99,
        "price": 1,
        "max_rows": 99,
        "email": None,
        "country": "US",
        "pending_since": datetime.now(UTC),
        "evm_address": "0x" + "e" * 40,
        "wallet_address": "0x" + "e" * 64,
        "type": None,
        "status": None,
        "before_updated_at": None,
        "before_created_at": None,
        "before_id": None,
        "after_created_at": None,
        "after_id": None,
        "skip_rows": 0,
    }
    name = user_of(query)
    assert name is not None
    known[name] = [stranger] if name == "user_ids" else stranger
    _, *parameters = inspect.signature(query).parameters.values()
    for parameter in parameters:
        if parameter.annotation in {str, str | None}:
            known.setdefault(parameter.name, "x")
    return {
        parameter.name: known[parameter.name]
        for parameter in parameters
        if parameter.name in known or parameter.default is parameter.empty
    }


def ids_in(value: object) -> set[object]:
    """Give all ids in a result."""
    if isinstance(value, UUID):
        return {value}
    if isinstance(value, list):
        return set[object]().union(*map(ids_in, cast("list[object]", value)))
    if is_dataclass(value):
        return ids_in([getattr(value, field.name) for field in fields(value)])
    return set()


@pytest.mark.parametrize("query", SCOPED, ids=lambda query: query.__name__)
def test_a_stranger_neither_sees_nor_changes_anything(
    query: Query, conn: psycopg.Connection, owner: UUID
) -> None:
    """With another user's id, arguments that name the owner's rows find nothing."""
    tables = Tables(conn)
    before = tables.read()
    theirs = {UUID(key) for rows in before.values() for key in rows if len(key) == 36}
    assert {owner} < theirs
    stranger = factories.add_user(conn)
    with suppress(psycopg.IntegrityError):
        found = query(conn, **arguments(conn, query, stranger))
        assert not ids_in(found) & theirs
    after = tables.read()
    kept = {
        name: {key: after[name].get(key) for key in before[name]} for name in before
    }
    assert kept == before


@pytest.mark.parametrize(
    "query",
    [each for each in SCOPED if each not in IDLE],
    ids=lambda query: query.__name__,
)
def test_the_same_arguments_reach_the_owner_s_rows(
    query: Query, conn: psycopg.Connection, owner: UUID
) -> None:
    """What finds nothing for a stranger does something for the owner."""
    tables = Tables(conn)
    before = tables.read()
    found = query(conn, **arguments(conn, query, owner))
    assert found or tables.read() != before


class Theirs(NamedTuple):
    """Ids of rows of the owner."""

    item: UUID
    order: UUID
    session: UUID


# By name, each method that takes a user.
METHODS: dict[str, Callable[[Store, UUID, Theirs], object]] = {
    "add_cart_item": lambda store, user, _: store.add_cart_item(
        user, Product(product_id="new", product_name="New", price=1)
    ),
    "get_cart_item": lambda store, user, its: store.get_cart_item(user, its.item),
    "remove_cart_item": lambda store, user, its: store.remove_cart_item(user, its.item),
    "clear_cart": lambda store, user, _: store.clear_cart(user),
    "checkout": lambda store, user, its: store.checkout(
        user, [CheckoutLine(cart_item_id=its.item)]
    ),
    "cancel_order": lambda store, user, its: store.cancel_order(user, its.order),
    "attach_crossmint_order": lambda store, user, its: store.attach_crossmint_order(
        user, its.order, "crossmint-b"
    ),
    "list_chat_sessions": lambda store, user, _: store.list_chat_sessions(user).rows,
    "list_items_paid_twice": lambda store, user, _: (
        store.list_items_paid_twice(user).rows
    ),
    "list_orders": lambda store, user, _: store.list_orders(user).rows,
    "page_orders": lambda store, user, _: store.page_orders(user),
    "record_deposit": lambda store, user, _: store.record_deposit(
        user, "0x" + "d" * 64, Decimal(1)
    ),
    "page_chat_sessions": lambda store, user, _: store.page_chat_sessions(user).rows,
    "save_turn": lambda store, user, its: store.save_turn(
        user, its.session, [MESSAGE | {"parts": []}], replace_after="m"
    ),
    "provision_wallet": lambda store, user, _: store.provision_wallet(
        user, wallet_address="0x1", key=KEY
    ),
    "set_sui_private_key": lambda store, user, _: store.set_sui_private_key(user, KEY),
    "get_sui_private_key": lambda store, user, _: store.get_sui_private_key(user),
    "delete_user": lambda store, user, _: store.delete_user(user),
}


@pytest.fixture
def keeper(
    database_url: str, conn: psycopg.Connection, owner: UUID
) -> Generator[Store]:
    """Give a store with keys, one of which is the owner's, and a pending wallet."""
    with stores.opened(database_url, wallet_encryption_keys="0f" * 32) as opened:
        opened.set_sui_private_key(owner, KEY)
        conn.execute("UPDATE users SET wallet_status = 'pending'")
        yield opened


def call(conn: psycopg.Connection, name: str, store: Store, user_id: UUID) -> object:
    """Call a method with ids of the owner's rows; give what comes, or the refusal."""
    [item] = ids_of(conn, "cart_items WHERE deleted_at IS NULL")
    [order] = ids_of(conn, "orders WHERE checkout_id IS NOT NULL AND amount_usdc = 2")
    [session] = ids_of(conn, "chat_sessions")
    try:
        return METHODS[name](store, user_id, Theirs(item, order, session))
    except errors.StoreError as refusal:
        return refusal


@pytest.mark.parametrize("name", METHODS)
def test_a_method_shows_a_stranger_nothing(
    name: str, keeper: Store, conn: psycopg.Connection, owner: UUID
) -> None:
    """With another user's id, a method finds and changes none of the owner's rows."""
    stranger = factories.add_user(conn)
    tables = Tables(conn)
    before = tables.read()
    del before["users"][str(stranger)]
    theirs = {UUID(key) for rows in before.values() for key in rows if len(key) == 36}
    assert owner in theirs
    found = call(conn, name, keeper, stranger)
    assert not ids_in(found) & theirs
    assert found != KEY
    after = tables.read()
    kept = {
        name: {key: after[name].get(key) for key in before[name]} for name in before
    }
    assert kept == before


# The owner has paid for nothing twice.
@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"list_items_paid_twice"}))
def test_the_same_call_is_of_use_to_the_owner(
    name: str, keeper: Store, conn: psycopg.Connection, owner: UUID
) -> None:
    """What does nothing to the owner's rows for a stranger does it for the owner."""
    tables = Tables(conn)
    before = tables.read()
    found = call(conn, name, keeper, owner)
    read = found == KEY or (name == "page_orders" and bool(ids_in(found)))
    read = read or (found != [] and isinstance(found, list))
    reached = read or isinstance(found, CartItem | errors.UserHasOpenOrders)
    assert reached or (tables.read() != before and not isinstance(found, Exception))


def test_everything_is_covered(record_property: Callable[[str, object], None]) -> None:
    """The tests above are about each query and method; they say of how many."""
    both = {
        module.name
        for package in (
            generated,
            generated.aio,
            generated.internal,
            generated.internal.aio,
        )
        for module in pkgutil.iter_modules(package.__path__)
    }
    named = {module.__name__.rpartition(".")[2] for module in MODULES}
    without_rows = {
        "aio",
        "catalog",
        "plans",
        "server",
        "enums",
        "internal",
        "json_types",
        "models",
        "sessions",
        "support",
    }
    assert named == both - without_rows
    taking = {
        name
        for name, method in inspect.getmembers(Store, inspect.isfunction)
        if "user_id" in inspect.signature(method).parameters and name[0] != "_"
    }
    assert taking == METHODS.keys(), "METHODS has a call of each"
    record_property("queries scoped by user", len(SCOPED))
    record_property("queries with a reason not to be", len(ALL) - len(SCOPED))
    record_property("store methods that take a user", len(METHODS))
