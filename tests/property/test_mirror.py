"""Whatever comes from Sui, in whichever order, carts are what its events say."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from generated import carts, chain
from generated.internal import chain_steps
from store import Store, errors
from store_testing import factories
from tests.property.conftest import RunMachine
from tests.property.mirror_events import (
    FIRST,
    VARIANTS,
    WALLETS,
    Told,
    cursor,
    entries,
    histories,
    page,
)
from tests.property.mirror_model import Goods, Key, Mirror, Order, Row, Variant
from tests.property.mirror_rows import (
    add_user,
    empty,
    expected,
    refused,
    set_wallet,
    shown,
    stored,
)
from tests.support import stores


class MirrorMachine(RuleBasedStateMachine):
    """Drives the store and the model alike, then looks at every row of every cart."""

    def __init__(self, store: Store, conn: psycopg.Connection) -> None:
        super().__init__()
        self.store, self.conn = store, conn

    @initialize(history=histories())
    def begin(self, history: list[Told]) -> None:
        """Begin with two users of one wallet, one of another, and one without."""
        empty(self.conn)
        self.history = history
        wallets = [WALLETS[0], WALLETS[0], WALLETS[1]]
        self.users = [
            add_user(self.conn, f"user {n}", wallet)
            for n, wallet in enumerate([*wallets, None])
        ]
        self.model = Mirror(dict(zip(self.users, wallets, strict=False)))
        self.place: int | None = None
        self.last: list[Told] = []

    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        """Record the next page: any of the history, in any order."""
        self.last = data.draw(st.lists(st.sampled_from(self.history), max_size=6))
        following = (self.place or 0) + 1
        result = self.store.record_chain_page(
            page(self.last, following), asked_with=cursor(self.place)
        )
        self.place = following
        assert result.recorded == self.model.record(entries(self.last))
        assert (result.repeated, result.cursor) == (False, cursor(following))

    @rule(data=st.data())
    def record_without_a_cursor(self, data: st.DataObject) -> None:
        """Record a page that gives no cursor, which moves none."""
        batch = data.draw(st.lists(st.sampled_from(self.history), max_size=3))
        self.store.record_chain_page(page(batch), asked_with=cursor(self.place))
        self.model.record(entries(batch))

    @precondition(lambda self: self.place is not None)
    @rule()
    def repeat(self) -> None:
        """Record the last page again, as a worker that had no answer."""
        assert self.place
        asked_with = cursor(self.place - 1) if self.place > 1 else None
        result = self.store.record_chain_page(
            page(self.last, self.place), asked_with=asked_with
        )
        assert (result.repeated, result.recorded) == (True, 0)

    @rule(data=st.data(), behind=st.integers(1, 3))
    def be_behind(self, data: st.DataObject, behind: int) -> None:
        """Record a page that was asked with another cursor: nothing comes of it."""
        batch = data.draw(st.lists(st.sampled_from(self.history), max_size=6))
        asked_with = cursor((self.place or 0) + behind)
        with pytest.raises(errors.ChainCursorMoved) as moved:
            self.store.record_chain_page(page(batch, 50), asked_with=asked_with)
        assert moved.value.stored == cursor(self.place)

    @rule(times=st.integers(1, 2))
    def replay_all(self, times: int) -> None:
        """Replay the whole history."""
        for _ in range(times):
            result = self.store.replay_chain_page(page(self.history))
            assert result.recorded == self.model.record(entries(self.history))

    @precondition(lambda self: self.model.aside)
    @rule(data=st.data(), drop=st.booleans())
    def look_at_what_was_set_aside(self, data: st.DataObject, drop: bool) -> None:
        """Try an event that was set aside again, or drop it."""
        listed = chain_steps.list_set_aside_chain_events(
            self.conn, after_set_aside_at=None, after_id=None, max_rows=99
        )
        row = data.draw(st.sampled_from(sorted(listed, key=lambda each: each.event)))
        name = json.loads(row.event)["id"]
        key = Key(name["txDigest"], int(name["eventSeq"]))
        if drop:
            assert chain.drop_set_aside_chain_events(self.conn, ids=[row.id]) == 1
            del self.model.aside[key]
            return
        assert self.store.retry_chain_event(row.id)
        event = json.loads(row.event)
        [told] = [each for each in self.history if each.event == event][:1]
        self.model.record([told.entry])

    @rule()
    def provide_wallet(self) -> None:
        """Give the last user the wallet; what was skipped before needs a replay."""
        set_wallet(self.conn, self.users[3], WALLETS[2])
        self.model.wallets[self.users[3]] = WALLETS[2]

    @rule(who=st.integers(0, 2), variant=st.sampled_from(VARIANTS))
    def leave_over(self, who: int, variant: Variant) -> None:
        """Add an item off chain, as before the carts went on chain."""
        owner = self.users[who]
        if self.model.in_cart(owner, variant):
            return
        item = factories.add_item(self.conn, owner, **variant._asdict())
        goods = Goods(variant, item.product_name, item.price)
        self.model.rows.append(Row(owner, goods, id=item.id))
        self._touch(owner, variant)

    @rule(data=st.data(), who=st.integers(0, 2), ended=st.booleans())
    def adopt(self, data: st.DataObject, who: int, ended: bool) -> None:
        """Take over a row that the replaced indexer made of an `added`."""
        entry = data.draw(st.sampled_from(self.history)).entry
        owner, goods = self.users[who], entry.goods
        if (
            (entry.kind, entry.wallet) != ("added", self.model.wallets[owner])
            or self.model.row_of(entry.item)
            or (not ended and self.model.in_cart(owner, goods.variant))
        ):
            return
        left_at = FIRST + timedelta(days=1) if ended else None
        [(row_id, created_at)] = self.conn.execute(
            "INSERT INTO cart_items (user_id, product_id, size, color, product_name,"
            " price, tx_digest, on_chain_object_id, deleted_at, ended_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, created_at",
            (
                *(owner, *goods.variant, goods.name, goods.price),
                *(entry.key.tx, entry.item, left_at, left_at),
            ),
        )
        self.model.rows.append(
            Row(
                *(owner, goods, entry.item, entry.key.tx, left_at, left_at),
                created_at=created_at,
                id=row_id,
            )
        )
        self._touch(owner, goods.variant)

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data(), number=st.none() | st.integers(0, 5))
    def check_out(self, data: st.DataObject, number: int | None) -> None:
        """Check an item out, in the cart or not."""
        row = data.draw(st.sampled_from(self.model.rows))
        name = None if number is None else f"crossmint-{number}"
        if name and any(o.crossmint_order_id == name for o in self.model.orders):
            return
        assert row.id
        items = [item for item in self._cart(row.owner) if item.id == row.id]
        if row.left_at is not None:
            assert not items
            return
        [item] = items
        [placed] = self.store.checkout(row.owner, [factories.line(item, name)])
        created_at = placed.order.created_at
        order = Order(row.owner, row, row.item, created_at, name, id=placed.order.id)
        self.model.orders.append(order)
        assert placed.item.on_chain_object_id == row.item
        if self.model.status(order) != "cancelled":
            row.left_at = created_at
        self._touch(row.owner, row.goods.variant)

    @precondition(lambda self: self.model.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel an order that is awaiting approval."""
        order = data.draw(st.sampled_from(self.model.orders))
        if self.model.status(order) == "awaiting_approval":
            assert order.id
            before = {id(order): self.model.status(order)}
            self.store.cancel_order(order.owner, order.id)
            order.cancelled_by_user = True
            self.model.change([order], before)

    @rule(
        number=st.integers(0, 5),
        kind=st.sampled_from([factories.PAYMENT_FAILED, factories.PAYMENT_SUCCEEDED]),
    )
    def pay(self, number: int, kind: str) -> None:
        """Let a payment succeed or fail, of an order that is here or not yet."""
        name = f"crossmint-{number}"
        before = {id(order): self.model.status(order) for order in self.model.orders}
        self.store.record_order_event(factories.event(kind, name))
        self.model.paid.setdefault(name, set()).add(kind)
        self.model.change(self.model.orders, before)

    def _cart(self, owner: UUID) -> list[Any]:
        return carts.list_cart_items(self.conn, user_id=owner, max_rows=99)

    def _touch(self, owner: UUID, variant: Variant) -> None:
        """Mirror a variant after what the chain does not tell; its next event would."""
        named = [
            row.item
            for row in self.model.rows
            if (row.owner, row.goods.variant) == (owner, variant) and row.item
        ]
        chain_steps.link_snapshots_to_cart_items(
            self.conn, object_ids=named, user_ids=[owner]
        )
        chain_steps.mirror_cart_items(
            self.conn, order_ids=[], object_ids=named, user_ids=[owner]
        )
        self.model.settle()

    @invariant()
    def carts_are_what_the_model_says(self) -> None:
        """Exactly the model's rows are there, and each keeps its id."""
        rows = stored(self.conn, "SELECT * FROM cart_items")
        for row in self.model.rows:
            if row.id is None:
                [row.id] = [
                    each["id"]
                    for each in rows
                    if each["on_chain_object_id"] == row.item
                ]
        there = {row["id"]: shown(row) for row in rows}
        ids = [row.id for row in self.model.rows]
        assert there == dict(zip(ids, expected(self.model.rows), strict=True))

    @invariant()
    def orders_are_what_the_model_says(self) -> None:
        """Exactly the model's orders are there, each with its item and transaction."""
        rows = stored(
            self.conn,
            "SELECT orders.*, cart_item_id, on_chain_object_id"
            " FROM orders JOIN order_items ON order_id = orders.id",
        )
        for order in self.model.orders:
            if order.id is None:
                [order.id] = [
                    row["id"]
                    for row in rows
                    if row["crossmint_order_id"] == order.crossmint_order_id
                ]
        there = {
            row["id"]: (
                row["user_id"],
                row["status"],
                row["tx_hash"],
                row["created_at"],
                row["cart_item_id"],
                row["on_chain_object_id"],
                row["checkout_id"] is not None,
            )
            for row in rows
        }
        assert there == {
            order.id: (
                order.owner,
                self.model.status(order),
                order.tx,
                order.created_at,
                order.row and order.row.id,
                order.item,
                order.by_checkout,
            )
            for order in self.model.orders
        }

    @invariant()
    def reads_agree(self) -> None:
        """The cart has what has not left it, the contract what has not ended."""
        for owner in self.users:
            mine = [row for row in self.model.rows if row.owner == owner]
            live = {row.id for row in mine if row.left_at is None}
            assert {item.id for item in self._cart(owner)} == live
            assert carts.count_cart_items(self.conn, user_id=owner) == len(live)
            held = [row for row in mine if row.item and row.ended_at is None]
            assert chain.count_items_on_chain(self.conn, user_id=owner) == len(held)

    @invariant()
    def the_cursor_is_the_last_page_s(self) -> None:
        """The cursor is where the last page led, whatever was replayed."""
        assert self.store.get_chain_cursor() == cursor(self.place)

    @invariant()
    def events_are_kept_once(self) -> None:
        """Exactly the events that were recorded are kept, and others set aside."""
        kept = self.conn.execute("SELECT tx_digest, event_sequence FROM chain_events")
        assert sorted(kept) == sorted(self.model.events)
        assert refused(self.conn) == self.model.aside

    def teardown(self) -> None:
        """Mirror all that is stored again: nothing changes."""
        if hasattr(self, "model"):
            known = [
                each for each in self.history if each.entry.key in self.model.events
            ]
            self.store.replay_chain_page(page(known))
            self.carts_are_what_the_model_says()


def test_carts_follow_the_chain_beside_checkouts(
    database_url: str, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Mirrored carts behave as the model in any sequence of pages and checkouts."""
    with stores.opened(database_url, cart_service="onchain") as store:
        run_machine(
            lambda: MirrorMachine(store, conn),
            settings=settings(stateful_step_count=30),
        )
