"""Whatever comes from Sui, in whichever order, carts are what its events say."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from psycopg.rows import dict_row

from generated import carts, chain
from generated.enums import OrderStatus
from store import ChainEvent, CheckoutLine, Product, Store, errors
from tests.property.conftest import RunMachine
from tests.property.mirror_model import Mirror, Order, Row, Variant, variant_of
from tests.property.model import status_of
from tests.support import chains, factories, stores

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
WALLETS = [f"0x{n:064x}" for n in (10, 11, 12)]
STRANGER = f"0x{13:064x}"
VARIANTS = [
    Variant("B01", None, None),
    Variant("B01", "M", None),
    Variant("B01", None, "red"),
]


def _digest(number: int, place: int) -> str:
    """Give the digest of what happened to an object; it sorts as nothing else."""
    return chains.base58(bytes([number * 7 % 16 + 1, place]) + bytes(30))


@st.composite
def histories(draw: st.DrawFn) -> list[ChainEvent]:
    """Draw what happened to some objects on chain: any of it may be missing or tied."""
    events: list[ChainEvent] = []
    wallets = st.sampled_from([*WALLETS, WALLETS[0], WALLETS[0], STRANGER])
    for number in draw(
        st.lists(st.integers(0, 15), min_size=1, max_size=8, unique=True)
    ):
        wallet, variant = draw(wallets), draw(st.sampled_from(VARIANTS))
        kinds = draw(
            st.lists(
                st.sampled_from(["removed", "checked_out"]), max_size=2, unique=True
            )
        )
        for place, kind in enumerate(["added", *kinds]):
            product = Product(
                **variant._asdict(), product_name=f"Object {number}", price=number
            )
            at = FIRST + timedelta(seconds=draw(st.integers(0, 5)))
            events.append(
                ChainEvent.model_validate(
                    {
                        "tx_digest": _digest(number, place),
                        "event_sequence": place,
                        "type": kind,
                        "object_id": f"0x{number:064x}",
                        "wallet_address": wallet,
                        "occurred_at": at,
                        "product": product if kind == "added" else None,
                    }
                )
            )
    return events


@st.composite
def deliveries(draw: st.DrawFn, events: list[ChainEvent]) -> list[list[ChainEvent]]:
    """Draw batches that hold all the events, in any order, some of them repeatedly."""
    more = draw(st.lists(st.sampled_from(events), max_size=4))
    stream = draw(st.permutations([*events, *more]))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def empty(conn: psycopg.Connection) -> None:
    """Delete what an earlier example has left."""
    for table in ("users", "order_events", "chain_events", "chain_cursor"):
        conn.execute(f"DELETE FROM {table}")  # noqa: S608 - our names


def add_user(conn: psycopg.Connection, name: str, wallet: str | None) -> UUID:
    """Create a user with this wallet."""
    user_id = factories.add_user(conn, name)
    set_wallet(conn, user_id, wallet)
    return user_id


def set_wallet(conn: psycopg.Connection, user_id: UUID, wallet: str | None) -> None:
    """Give a user a wallet, as its provisioning does."""
    conn.execute(
        "UPDATE users SET wallet_address = %s WHERE id = %s", (wallet, user_id)
    )


def cart_rows(conn: psycopg.Connection) -> list[dict[str, Any]]:
    """Read all rows of all carts."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute("SELECT * FROM cart_items").fetchall()


def shown(row: dict[str, Any]) -> tuple[Any, ...]:
    """Give what is compared of a row that is stored: of one off chain less."""
    fields = [field.name for field in dataclasses.fields(Product)]
    object_id, left_at = row["on_chain_object_id"], row["deleted_at"]
    return (
        row["user_id"],
        *(row[name] for name in fields),
        row["tx_digest"],
        object_id,
        left_at if object_id else left_at is None,
    )


def expected(rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    """Give the same of the model's rows."""
    return [
        (
            row.owner,
            *dataclasses.astuple(row.product),
            row.tx_digest,
            row.object_id,
            row.left_at if row.object_id else row.left_at is None,
        )
        for row in rows
    ]


@given(data=st.data(), history=histories())
def test_only_the_set_of_events_counts(
    database_url: str,
    conn: psycopg.Connection,
    data: st.DataObject,
    history: list[ChainEvent],
) -> None:
    """Any order, repetition and division of the events leaves the model's rows."""
    empty(conn)
    owners = {
        wallet: add_user(conn, wallet, wallet)
        for wallet in data.draw(st.permutations(WALLETS))
    }
    mirror = Mirror(owners)
    for wallet in data.draw(st.lists(st.sampled_from(WALLETS), unique=True)):
        variant = data.draw(st.sampled_from(VARIANTS))
        item = factories.add_item(conn, owners[wallet], **variant._asdict())
        left_over = Product(
            **variant._asdict(), product_name=item.product_name, price=item.price
        )
        mirror.rows.append(Row(owners[wallet], left_over))
    mirror.record(history)
    with stores.opened(database_url, cart_service="onchain") as store:
        for batch in data.draw(deliveries(history)):
            store.record_chain_events(batch, cursor=0)
    rows = [shown(row) for row in cart_rows(conn)]
    assert sorted(rows, key=repr) == sorted(expected(mirror.rows), key=repr)


class MirrorMachine(RuleBasedStateMachine):
    """Drives the store and the model alike, then looks at every row of every cart."""

    def __init__(self, store: Store, other: Store, conn: psycopg.Connection) -> None:
        super().__init__()
        self.store, self.off_chain, self.conn = store, other, conn

    @initialize(history=histories())
    def begin(self, history: list[ChainEvent]) -> None:
        """Begin with two users with a wallet, and a third without."""
        empty(self.conn)
        self.history = history
        self.owners = {
            wallet: add_user(self.conn, wallet, wallet if n < 2 else None)
            for n, wallet in enumerate(WALLETS)
        }
        self.model = Mirror({w: self.owners[w] for w in WALLETS[:2]})
        self.cursor: int | None = None
        self.order_events: dict[str, set[str]] = {}
        self.used: set[str | None] = set()

    @rule(data=st.data(), cursor=st.integers(0, 9))
    def record(self, data: st.DataObject, cursor: int) -> None:
        """Record some events of the history, in any order."""
        batch = data.draw(st.lists(st.sampled_from(self.history), max_size=6))
        self.store.record_chain_events(batch, cursor=cursor)
        self.model.record(batch)
        self.cursor = max(self.cursor or 0, cursor)

    @rule()
    def record_all(self) -> None:
        """Record the whole history."""
        self.store.record_chain_events(self.history, cursor=0)
        self.model.record(self.history)
        self.cursor = self.cursor or 0

    @rule(tell=st.booleans())
    def provide_wallet(self, tell: bool) -> None:
        """Give the third user the wallet, with the store or behind its back."""
        wallet, user_id = WALLETS[2], self.owners[WALLETS[2]]
        self.model.owners[wallet] = user_id
        if tell:
            self.conn.execute("UPDATE users SET wallet_status = 'pending'")
            assert self.store.activate_wallet(user_id, wallet_address=wallet)
            self.model.apply(user_id)
            self.cursor = self.cursor or 0
        else:
            set_wallet(self.conn, user_id, wallet)

    @rule(wallet=st.sampled_from(WALLETS), variant=st.sampled_from(VARIANTS))
    def leave_over(self, wallet: str, variant: Variant) -> None:
        """Add an item off chain, as before the carts went on chain."""
        owner = self.owners[wallet]
        if self.model.in_cart(owner, variant):
            return
        product = Product(**variant._asdict(), product_name="Off chain", price=1)
        item = self.off_chain.add_cart_item(owner, product)
        self.model.rows.append(Row(owner, product, id=item.id))

    @precondition(lambda self: self.model.rows)
    @rule(
        data=st.data(),
        number=st.integers(0, 5),
        place=st.none() | st.integers(0, 2),
    )
    def check_out(self, data: st.DataObject, number: int, place: int | None) -> None:
        """Check an item out, in the cart or not, by a transaction or without."""
        row = data.draw(st.sampled_from(self.model.rows))
        tx_hash = None
        if place is not None and row.object_id:
            tx_hash = _digest(int(row.object_id, 16), place)
        crossmint = None if tx_hash else f"crossmint-{number}"
        if {crossmint, tx_hash} & self.used - {None}:
            return
        assert row.id
        line = CheckoutLine(
            cart_item_id=row.id, crossmint_order_id=crossmint, tx_hash=tx_hash
        )
        if row.left_at is not None and not self.model.paid_by(row, tx_hash):
            with pytest.raises(errors.ItemUnavailable):
                self.store.checkout(row.owner, [line])
            return
        [placed] = self.store.checkout(row.owner, [line])
        order = placed.order
        self.used |= {crossmint, tx_hash}
        cancelled = status_of(self.order_events.get(crossmint or "", ())) == "cancelled"
        self.model.orders.append(
            Order(order.id, row, row.object_id, order.created_at, crossmint, cancelled)
        )
        assert placed.item.on_chain_object_id == row.object_id
        if not cancelled:
            row.left_at = row.left_at or order.created_at

    @precondition(lambda self: self.model.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel an order that is awaiting approval."""
        order = data.draw(st.sampled_from(self.model.orders))
        if self._status(order) == OrderStatus.AWAITING_APPROVAL:
            self.store.cancel_order(order.row.owner, order.id)
            order.cancelled_by_user = True
            self._settle(order)

    @rule(
        number=st.integers(0, 5),
        kind=st.sampled_from([factories.PAYMENT_FAILED, factories.PAYMENT_SUCCEEDED]),
    )
    def pay(self, number: int, kind: str) -> None:
        """Let a payment succeed or fail, of an order that is here or not yet."""
        name = f"crossmint-{number}"
        before = {id(o): self._status(o) for o in self.model.orders}
        self.store.record_order_event(factories.event(kind, name))
        self.order_events.setdefault(name, set()).add(kind)
        for order in self.model.orders:
            if before[id(order)] != self._status(order):
                self._settle(order)

    def _status(self, order: Order) -> OrderStatus:
        types = set(self.order_events.get(order.crossmint_order_id or "", ()))
        return status_of(
            types | ({"user.cancelled"} if order.cancelled_by_user else set())
        )

    def _settle(self, order: Order) -> None:
        self.model.settle(order, cancelled=self._status(order) == OrderStatus.CANCELLED)
        self.model.apply(order.row.owner)

    @invariant()
    def carts_are_what_the_model_says(self) -> None:
        """Exactly the model's rows are there, and each keeps its id."""
        stored = cart_rows(self.conn)
        for row in self.model.rows:
            if row.id is None:
                [row.id] = [
                    s["id"] for s in stored if s["on_chain_object_id"] == row.object_id
                ]
        there = {row["id"]: shown(row) for row in stored}
        ids = [row.id for row in self.model.rows]
        assert there == dict(zip(ids, expected(self.model.rows), strict=True))

    @invariant()
    def listing_and_counting_agree(self) -> None:
        """A cart is listed and counted without what has left it."""
        for owner in self.owners.values():
            live = {r.id for r in self.model.rows if r.owner == owner and not r.left_at}
            listed = carts.list_cart_items(self.conn, user_id=owner, max_rows=99)
            assert {item.id for item in listed} == live
            assert carts.count_cart_items(self.conn, user_id=owner) == len(live)

    @invariant()
    def the_cursor_is_the_furthest(self) -> None:
        """The cursor is where it was ever moved to, at the furthest."""
        assert chain.get_chain_cursor(self.conn) == self.cursor

    @invariant()
    def events_are_kept_once(self) -> None:
        """Exactly the events that were recorded are kept."""
        kept = self.conn.execute("SELECT tx_digest, event_sequence FROM chain_events")
        assert sorted(kept) == sorted(self.model.events)


def test_carts_follow_the_chain_beside_checkouts(
    database_url: str, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Mirrored carts behave as the model in any sequence of events and checkouts."""
    with (
        stores.opened(database_url, cart_service="onchain") as store,
        stores.opened(database_url) as other,
    ):
        run_machine(
            lambda: MirrorMachine(store, other, conn),
            settings=settings(stateful_step_count=30),
        )


def test_variants_differ() -> None:
    """The variants of these tests are distinct, an absent size or colour included."""
    products = [Product(**v._asdict(), product_name="", price=0) for v in VARIANTS]
    assert len({variant_of(product) for product in products}) == len(VARIANTS)
