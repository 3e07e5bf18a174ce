"""Carts and their two writers: what each refuses, on both faces, and their races."""

import asyncio
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import ValidationError

from generated import carts, chain, users
from generated.aio import carts as async_carts
from generated.models import CartItem, User
from store import AsyncStore, ChainEvent, CheckoutLine, Product, Store, errors
from tests.support import chains, factories, gates, stores
from tests.support.races import no_deadlock, race

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NOTEBOOK = Product(product_id="B01", product_name="Notebook", price=1490)
WALLETS = [f"0x{n:064x}" for n in (10, 11)]

_T = TypeVar("_T")
_U = TypeVar("_U")


def happened(kind: str, number: int, wallet: str = WALLETS[0]) -> ChainEvent:
    """Make an event of an object of a cart."""
    place = ("added", "removed", "checked_out").index(kind)
    return ChainEvent.model_validate(
        {
            "tx_digest": chains.base58(bytes([number, place]) + bytes(30)),
            "event_sequence": place,
            "type": kind,
            "object_id": hex(number),
            "wallet_address": wallet,
            "occurred_at": FIRST + timedelta(minutes=place),
            "product": NOTEBOOK if kind == "added" else None,
        }
    )


SMALLER, LARGER = happened("added", 1), happened("added", 2)
# Lets a batch come to the gate that else writes no row.
SPARE = ChainEvent.model_validate(
    happened("added", 3).model_dump()
    | {"product": Product(product_id="B02", product_name="Pen", price=1)}
)


@pytest.fixture
def onchain(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store whose carts are on chain; a deadlock fails the test."""
    with (
        no_deadlock(conn),
        stores.opened(database_url, cart_service="onchain") as opened,
    ):
        yield opened


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Give a user with the first wallet."""
    return add_owner(conn, WALLETS[0])


def add_owner(conn: psycopg.Connection, wallet: str) -> UUID:
    """Create a user with this wallet."""
    user_id = factories.add_user(conn)
    give_wallet(conn, user_id, wallet)
    return user_id


def give_wallet(conn: psycopg.Connection, user_id: UUID, wallet: str) -> None:
    """Give a user a wallet, as its provisioning does."""
    conn.execute(
        "UPDATE users SET wallet_address = %s WHERE id = %s", (wallet, user_id)
    )


def at_once(
    url: str, first: Callable[[], _T], second: Callable[[], _U]
) -> tuple[_T, _U]:
    """Bring T1 to its COMMIT and T2 as far as it comes; give what both return."""
    with gates.shut(url) as gate:
        one, other = race(gate, first, second)
    return one.result(), other.result()


def activate(
    store: Store, conn: psycopg.Connection, user_id: UUID, wallet: str = WALLETS[0]
) -> User | None:
    """Let a user's wallet be pending, then active."""
    conn.execute("UPDATE users SET wallet_status = 'pending' WHERE id = %s", [user_id])
    return store.activate_wallet(user_id, wallet_address=wallet)


def items(conn: psycopg.Connection, user_id: UUID) -> list[CartItem]:
    """List a cart."""
    return carts.list_cart_items(conn, user_id=user_id, max_rows=9)


def states(conn: psycopg.Connection) -> dict[str, datetime | None]:
    """Give when each object left its cart."""
    rows = conn.execute("SELECT on_chain_object_id, deleted_at FROM cart_items")
    return {hex(int(object_id, 16)): left_at for object_id, left_at in rows}


# In db mode


def test_a_repeat_is_the_same_item(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A product added again is one item, with the details given last."""
    first = store.add_cart_item(user_id, NOTEBOOK)
    again = Product(product_id="B01", product_name="Renamed", price=2, image="i")
    second = store.add_cart_item(user_id, again)
    assert second.id == first.id
    assert (second.product_name, second.price, second.image) == ("Renamed", 2, "i")
    assert carts.count_cart_items(conn, user_id=user_id) == 1


def test_an_item_is_removed_once(store: Store, user_id: UUID) -> None:
    """Only the owner takes an item out, and only an item that is in the cart."""
    item = store.add_cart_item(user_id, NOTEBOOK)
    assert store.remove_cart_item(uuid4(), item.id) is None
    removed = store.remove_cart_item(user_id, item.id)
    assert removed is not None
    assert removed.id == item.id
    assert store.remove_cart_item(user_id, item.id) is None


def test_clearing_empties_one_cart(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Clearing tells how many items left, and leaves other carts alone."""
    other = factories.add_user(conn)
    theirs = store.add_cart_item(other, NOTEBOOK)
    for size in ("S", "M"):
        factories.add_item(conn, user_id, size=size)
    assert (store.clear_cart(user_id), store.clear_cart(user_id)) == (2, 0)
    assert (items(conn, user_id), items(conn, other)) == ([], [theirs])


def test_nobody_has_no_cart(store: Store) -> None:
    """Adding for a user that does not exist says so."""
    with pytest.raises(errors.UserNotFound):
        store.add_cart_item(uuid4(), NOTEBOOK)


def test_the_mirror_stays_out_of_db_carts(store: Store) -> None:
    """In db mode the mirror refuses to write."""
    with pytest.raises(errors.WrongCartService) as refused:
        store.record_chain_events([], cursor=1)
    assert refused.value.required == "onchain"


# In onchain mode


def test_users_stay_out_of_onchain_carts(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """In onchain mode all of a user's writes are refused, and change nothing."""
    item = factories.add_item(conn, user_id)
    calls: list[Callable[[], Any]] = [
        lambda: onchain.add_cart_item(user_id, NOTEBOOK),
        lambda: onchain.remove_cart_item(user_id, item.id),
        lambda: onchain.clear_cart(user_id),
    ]
    for call in calls:
        with pytest.raises(errors.WrongCartService) as refused:
            call()
        assert refused.value.required == "db"
    assert items(conn, user_id) == [item]


def test_an_event_that_cannot_be_kept_keeps_all_back(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A batch with a bad value is refused whole, and the cursor stays."""
    onchain.record_chain_events([], cursor=3)
    nameless = happened("added", 2).model_copy(update={"product": None})
    with pytest.raises(errors.InvalidValue) as refused:
        onchain.record_chain_events([happened("added", 1), nameless], cursor=4)
    assert refused.value.constraint == "chain_events_added_names_product"
    assert items(conn, user_id) == []
    assert chain.get_chain_cursor(conn) == 3


def test_ids_are_compared_in_one_form(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Short and upper-case spellings of ids and addresses are the same ones."""
    given = happened("added", 0xAB, wallet="0XA")
    onchain.record_chain_events([given], cursor=0)
    [item] = items(conn, user_id)
    assert item.on_chain_object_id == f"0x{0xAB:064x}"
    assert item.tx_digest == given.tx_digest
    ended = happened("removed", 0xAB).model_dump() | {"object_id": "0X00AB"}
    onchain.record_chain_events([ChainEvent.model_validate(ended)], cursor=0)
    assert items(conn, user_id) == []


def test_malformed_events_are_not_made() -> None:
    """A bad digest or id, or a time without its zone, is refused at once."""
    sound = happened("added", 1).model_dump()
    for field in ("tx_digest", "object_id", "wallet_address"):
        with pytest.raises(errors.Malformed):
            ChainEvent.model_validate(sound | {field: "0x_"})
    with pytest.raises(ValidationError):
        ChainEvent.model_validate(sound | {"occurred_at": FIRST.replace(tzinfo=None)})


def test_chain_time_is_an_instant(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A time of another zone is the same instant in the cart."""
    elsewhere = timezone(timedelta(hours=9))
    event = happened("added", 1).model_copy(
        update={"occurred_at": FIRST.astimezone(elsewhere)}
    )
    onchain.record_chain_events([event], cursor=0)
    [item] = items(conn, user_id)
    assert item.created_at == FIRST


def test_a_wallet_brings_what_came_before(
    onchain: Store, store: Store, conn: psycopg.Connection
) -> None:
    """An activated wallet fills the cart with its earlier events, where on chain."""
    onchain.record_chain_events([SMALLER, LARGER], cursor=7)
    user_id = factories.add_user(conn)
    assert onchain.activate_wallet(user_id, wallet_address=WALLETS[0]) is None
    assert activate(store, conn, user_id)
    assert items(conn, user_id) == []
    user = activate(onchain, conn, user_id, "0xA")
    assert user is not None
    assert (user.wallet_status, user.wallet_address) == ("active", WALLETS[0])
    assert states(conn) == {"0x1": None, "0x2": FIRST}
    assert chain.get_chain_cursor(conn) == 7


def test_of_two_users_with_one_wallet_the_eldest_is_meant(
    onchain: Store, conn: psycopg.Connection
) -> None:
    """A wallet that two users name fills the cart of the first, whoever asks first."""
    onchain.record_chain_events([SMALLER], cursor=0)
    elder, other = add_owner(conn, WALLETS[0]), add_owner(conn, WALLETS[0])
    theirs = factories.add_item(conn, other, product_id="B01")
    assert activate(onchain, conn, other)
    assert (items(conn, elder), items(conn, other)) == ([], [theirs])
    assert activate(onchain, conn, elder)
    assert (len(items(conn, elder)), items(conn, other)) == (1, [theirs])
    onchain.record_chain_events([LARGER], cursor=0)
    assert items(conn, other) == [theirs]


def test_a_row_of_another_user_is_left_alone(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An object that is in another cart already changes nothing there."""
    other = factories.add_user(conn)
    theirs = factories.add_item(conn, other)
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", (f"0x{1:064x}",))
    before = items(conn, other)
    onchain.record_chain_events(
        [happened("added", 1), happened("removed", 1)], cursor=0
    )
    assert (items(conn, other), items(conn, user_id)) == (before, [])
    assert before[0].id == theirs.id


def test_a_live_row_that_no_event_told_of_keeps_its_place(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A mirrored row without stored events is kept; an object of its variant waits."""
    old = factories.add_item(conn, user_id, product_id="B01")
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", (f"0x{9:064x}",))
    onchain.record_chain_events([happened("added", 1)], cursor=0)
    assert [item.id for item in items(conn, user_id)] == [old.id]
    assert states(conn) == {"0x9": None, "0x1": FIRST}


def test_what_users_changed_in_a_mirrored_row_is_mended(
    onchain: Store, store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Details that a store in db mode wrote give way to the chain's."""
    onchain.record_chain_events([happened("added", 1)], cursor=0)
    store.add_cart_item(user_id, Product(product_id="B01", product_name="X", price=1))
    onchain.record_chain_events([happened("added", 1)], cursor=0)
    [item] = items(conn, user_id)
    assert (item.product_name, item.price) == ("Notebook", 1490)


def test_a_late_payment_takes_no_adopted_row(
    onchain: Store, store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An order from before the item was on chain does not hold the object."""
    item = store.add_cart_item(user_id, NOTEBOOK)
    onchain.checkout(user_id, [factories.line(item, "x")])
    onchain.record_order_event(factories.event(factories.PAYMENT_FAILED, "x"))
    onchain.record_chain_events([happened("added", 1)], cursor=0)
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    [there] = items(conn, user_id)
    assert (there.id, there.on_chain_object_id) == (item.id, f"0x{1:064x}")


def test_both_faces_write_carts(database_url: str, user_id: UUID) -> None:
    """The awaited face does what the blocking one does, in either mode."""

    async def shop() -> list[list[str | None]]:
        seen: list[list[str | None]] = []
        async with AsyncStore(stores.settings(database_url)) as db:
            item = await db.add_cart_item(user_id, NOTEBOOK)
            assert await db.remove_cart_item(user_id, item.id)
            await db.add_cart_item(user_id, NOTEBOOK)
            assert await db.clear_cart(user_id) == 1
        settings = stores.settings(database_url, cart_service="onchain")
        async with AsyncStore(settings) as mirror:
            for kind in ("added", "removed"):
                await mirror.record_chain_events([happened(kind, 1)], cursor=0)
                async with mirror.connection() as conn:
                    listed = await async_carts.list_cart_items(
                        conn, user_id=user_id, max_rows=9
                    )
                seen.append([each.on_chain_object_id for each in listed])
        return seen

    assert asyncio.run(shop()) == [[f"0x{1:064x}"], []]


# The states of an object's row

ADDED_AT, REMOVED_AT, CHECKED_OUT_AT = (
    FIRST + timedelta(minutes=place) for place in range(3)
)


def test_the_smallest_live_object_is_in_the_cart(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A twin waits since it was added, and takes over when the smaller one ends."""
    onchain.record_chain_events([LARGER], cursor=0)
    assert states(conn) == {"0x2": None}
    onchain.record_chain_events([SMALLER], cursor=0)
    assert states(conn) == {"0x1": None, "0x2": ADDED_AT}
    onchain.record_chain_events([happened("checked_out", 1)], cursor=0)
    assert states(conn) == {"0x1": CHECKED_OUT_AT, "0x2": None}
    onchain.record_chain_events([happened("removed", 1)], cursor=0)
    assert states(conn) == {"0x1": REMOVED_AT, "0x2": None}
    assert [item.price for item in items(conn, user_id)] == [1490]


def test_variants_do_not_displace_each_other(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Objects that differ in size or colour alone are all in the cart."""
    for number, change in enumerate([{}, {"size": "M"}, {"color": "red"}], 1):
        product = Product(
            product_id="B01", product_name="Notebook", price=1490, **change
        )
        event = happened("added", number).model_copy(update={"product": product})
        onchain.record_chain_events([event], cursor=0)
    assert set(states(conn).values()) == {None}
    assert len(items(conn, user_id)) == 3


def test_an_order_holds_its_object(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A checked-out object is out of the cart until its order is cancelled."""
    onchain.record_chain_events([SMALLER, LARGER], cursor=0)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    held = {"0x1": placed.order.created_at, "0x2": ADDED_AT}
    assert states(conn) == held
    onchain.record_chain_events([SMALLER, LARGER], cursor=0)
    assert states(conn) == held
    onchain.cancel_order(user_id, placed.order.id)
    assert states(conn) == {"0x1": None, "0x2": ADDED_AT}
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == held
    onchain.record_chain_events([happened("removed", 1)], cursor=0)
    assert states(conn) == {"0x1": REMOVED_AT, "0x2": None}


def test_of_two_orders_the_first_holds_an_object(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Where money came late for a cancelled order, its time counts again."""
    onchain.record_chain_events([SMALLER], cursor=0)
    [item] = items(conn, user_id)
    [first] = onchain.checkout(user_id, [factories.line(item, "x")])
    onchain.cancel_order(user_id, first.order.id)
    onchain.checkout(user_id, [factories.line(item, "y")])
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == {"0x1": first.order.created_at}


def test_a_held_object_gives_way_to_a_smaller_one(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """When its order is cancelled, it waits behind the one that came meanwhile."""
    onchain.record_chain_events([LARGER], cursor=0)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    onchain.record_chain_events([SMALLER], cursor=0)
    assert states(conn) == {"0x1": None, "0x2": placed.order.created_at}
    onchain.cancel_order(user_id, placed.order.id)
    assert states(conn) == {"0x1": None, "0x2": ADDED_AT}


def test_what_is_off_chain_in_the_cart_is_adopted(
    onchain: Store, store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The item keeps its id and becomes the smallest object that has no row yet."""
    gone = store.add_cart_item(user_id, NOTEBOOK)
    store.remove_cart_item(user_id, gone.id)
    item = store.add_cart_item(user_id, NOTEBOOK)
    onchain.record_chain_events([LARGER, SMALLER], cursor=0)
    [there] = items(conn, user_id)
    assert (there.id, there.tx_digest) == (item.id, SMALLER.tx_digest)
    assert there.on_chain_object_id == SMALLER.object_id
    [(off_chain,)] = conn.execute(
        "SELECT id FROM cart_items WHERE on_chain_object_id IS NULL"
    )
    assert off_chain == gone.id


def test_a_change_of_an_order_mirrors_the_cart_in_full(
    onchain: Store, conn: psycopg.Connection
) -> None:
    """Events that still wait to be applied are, adoption included."""
    onchain.record_chain_events([SMALLER], cursor=0)
    user_id = add_owner(conn, WALLETS[0])
    item = factories.add_item(conn, user_id, product_id="B01")
    pen = factories.add_item(conn, user_id, product_id="B02")
    [placed] = onchain.checkout(user_id, [factories.line(pen, "x")])
    onchain.cancel_order(user_id, placed.order.id)
    there = {each.id: each.on_chain_object_id for each in items(conn, user_id)}
    assert there == {item.id: SMALLER.object_id, pen.id: None}


def test_a_mirrored_row_is_adopted_by_no_other_object(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A second object has a row of its own, and the first one keeps its own."""
    onchain.record_chain_events([SMALLER], cursor=0)
    [first] = items(conn, user_id)
    onchain.record_chain_events([LARGER], cursor=0)
    assert items(conn, user_id) == [first]


def test_only_its_own_transaction_checks_out_an_ended_object(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What a transaction has taken can be checked out by its digest alone, once."""
    onchain.record_chain_events([SMALLER, LARGER], cursor=0)
    [item] = items(conn, user_id)
    removed, taken = happened("removed", 1), happened("checked_out", 1)
    other = happened("checked_out", 2)
    onchain.record_chain_events([removed, taken, other], cursor=0)
    for event in (SMALLER, removed, other):
        with pytest.raises(errors.ItemUnavailable):
            onchain.checkout(user_id, [factories.line(item, tx_hash=event.tx_digest)])
    onchain.checkout(user_id, [factories.line(item, tx_hash=taken.tx_digest)])
    assert states(conn)["0x1"] == REMOVED_AT


def test_a_held_object_is_not_sold_again_by_its_digest(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An order that holds the object keeps a second one out, until cancelled."""
    onchain.record_chain_events([SMALLER], cursor=0)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    ended = happened("checked_out", 1)
    onchain.record_chain_events([ended], cursor=0)
    line = factories.line(item, tx_hash=ended.tx_digest)
    with pytest.raises(errors.ItemUnavailable):
        onchain.checkout(user_id, [line])
    onchain.cancel_order(user_id, placed.order.id)
    assert onchain.checkout(user_id, [line])[0].order.tx_hash == ended.tx_digest


# Races


@pytest.mark.usefixtures("user_id")
@pytest.mark.parametrize(
    "batches",
    [
        ([SMALLER], [LARGER]),
        ([LARGER], [SMALLER]),
        ([SMALLER], [SMALLER]),
        ([SMALLER, LARGER], [happened("removed", 1)]),
        ([happened("removed", 1), LARGER], [SMALLER]),
    ],
)
def test_two_batches_at_once(
    onchain: Store,
    conn: psycopg.Connection,
    database_url: str,
    batches: tuple[list[ChainEvent], list[ChainEvent]],
) -> None:
    """T1: record a batch; T2: record another. The rows are those of one batch."""
    one, other = batches
    at_once(
        database_url,
        lambda: onchain.record_chain_events([*one, SPARE], cursor=2),
        lambda: onchain.record_chain_events(other, cursor=1),
    )
    left = states(conn)
    assert chain.get_chain_cursor(conn) == 2
    conn.execute("DELETE FROM cart_items")
    onchain.record_chain_events([*one, *other, SPARE], cursor=0)
    assert states(conn) == left


def test_batches_of_the_same_users_at_once(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: record for two users; T2: the same the other way round. No deadlock."""
    for wallet in WALLETS:
        add_owner(conn, wallet)
    batch = [happened("added", n, wallet) for n, wallet in enumerate(WALLETS, 1)]
    at_once(
        database_url,
        lambda: onchain.record_chain_events(batch, cursor=0),
        lambda: onchain.record_chain_events(batch[::-1], cursor=0),
    )
    assert states(conn) == {"0x1": None, "0x2": None}


def test_a_wallet_given_while_its_events_come(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: record events of a wallet without a user; T2: give it. None is lost."""
    assert user_id
    late = factories.add_user(conn)
    users.begin_wallet(conn, id=late)
    batch = [happened("added", 1), happened("added", 2, WALLETS[1])]
    at_once(
        database_url,
        lambda: onchain.record_chain_events(batch, cursor=0),
        lambda: onchain.activate_wallet(late, wallet_address=WALLETS[1]),
    )
    assert len(items(conn, late)) == 1


def test_events_that_come_while_their_wallet_is_given(
    onchain: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: give a wallet; T2: record events of it. None is lost."""
    late = factories.add_user(conn)
    users.begin_wallet(conn, id=late)
    at_once(
        database_url,
        lambda: onchain.activate_wallet(late, wallet_address=WALLETS[0]),
        lambda: onchain.record_chain_events([SMALLER], cursor=0),
    )
    assert len(items(conn, late)) == 1


def test_a_checkout_while_its_event_comes(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: record that a transaction took the object; T2: check it out by that one."""
    onchain.record_chain_events([SMALLER], cursor=0)
    [item] = items(conn, user_id)
    ended = happened("checked_out", 1)
    line = CheckoutLine(cart_item_id=item.id, tx_hash=ended.tx_digest)
    _, [placed] = at_once(
        database_url,
        lambda: onchain.record_chain_events([ended], cursor=0),
        lambda: onchain.checkout(user_id, [line]),
    )
    assert placed.item.on_chain_object_id == item.on_chain_object_id
    assert states(conn) == {"0x1": ended.occurred_at}


def test_an_event_while_its_object_is_checked_out(
    onchain: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: check an item out; T2: record its `added` again. It stays out of the cart."""
    onchain.record_chain_events([SMALLER], cursor=0)
    [item] = items(conn, user_id)
    [placed], _ = at_once(
        database_url,
        lambda: onchain.checkout(user_id, [factories.line(item, "x")]),
        lambda: onchain.record_chain_events([SMALLER, LARGER], cursor=0),
    )
    assert states(conn) == {"0x1": placed.order.created_at, "0x2": FIRST}


def test_clearing_a_cart_that_is_checked_out(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: check two items out; T2: clear the cart. Only the third item is cleared."""
    three = [factories.add_item(conn, user_id) for _ in range(3)]
    placed, cleared = at_once(
        database_url,
        lambda: store.checkout(user_id, [factories.line(item) for item in three[1:]]),
        lambda: store.clear_cart(user_id),
    )
    assert (len(placed), cleared) == (2, 1)
