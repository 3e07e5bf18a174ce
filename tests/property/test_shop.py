"""Whatever users and Crossmint do, the database holds what the model says."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from generated import carts, orders
from generated.enums import OrderStatus
from store import CheckoutLine, OrderEvent, PlacedOrder, Store, errors
from tests.property import strategies
from tests.property.model import Details, Item, Order, Shop, Variant
from tests.support import factories, stores
from tests.support.tables import Row, Rows, Tables

MANY = 1000
people = st.sampled_from([0, 1, 2])


class ShopMachine(RuleBasedStateMachine):
    """Drives the store and the model alike, then looks at every row."""

    baskets = Bundle("baskets")

    def __init__(self, store: Store, conn: psycopg.Connection, tables: Tables) -> None:
        super().__init__()
        self.store, self.conn, self.tables = store, conn, tables
        self.shop = Shop()
        self.actor: UUID | None = None
        self.rows: Rows = {}
        self.before: Rows = {}
        self.objects = itertools.count()

    @initialize()
    def sign_up(self) -> None:
        """Begin with three users and nothing else."""
        self.conn.execute("DELETE FROM users")
        self.conn.execute("DELETE FROM order_events")
        self.users = [factories.add_user(self.conn, f"user-{n}") for n in range(3)]
        self.rows = self.before = self.tables.read()

    @contextmanager
    def acting_for(self, user_id: UUID | None) -> Generator[None]:
        """Look at every row after what one user, or Crossmint for one, does."""
        self.actor, self.before = user_id, self.rows
        yield
        self.rows = self.tables.read()

    # What users do to their carts

    @rule(who=people, variant=strategies.variants, details=strategies.details)
    def add(self, who: int, variant: Variant, details: Details) -> None:
        """Put a variant into a cart, or give the one that is in it new details."""
        user_id = self.users[who]
        with self.acting_for(user_id), self.store.connection() as conn:
            row = factories.add_item(
                conn, user_id, **variant._asdict(), **details._asdict()
            )
        item = self.shop.in_cart(user_id, variant)
        if item is None:
            assert row.id not in self.shop.items, "a gone item's row came back"
            self.shop.items[row.id] = Item(row.id, user_id, variant, details)
        else:
            assert row.id == item.id
            item.details = details

    @precondition(lambda self: self.shop.items)
    @rule(data=st.data(), details=strategies.details)
    def change(self, data: st.DataObject, details: Details) -> None:
        """Add again what was added before, in the cart by now or not."""
        item = self._any_item(data)
        self.add(self.users.index(item.owner), item.variant, details)

    @rule(who=people, variant=strategies.variants, details=strategies.details)
    def mirror(self, who: int, variant: Variant, details: Details) -> None:
        """Put an item into a cart as the chain's mirror does."""
        user_id, object_id = self.users[who], f"0x{next(self.objects):064x}"
        if self.shop.in_cart(user_id, variant):
            return
        with self.acting_for(user_id):
            fields = {
                "user_id": user_id,
                "on_chain_object_id": object_id,
                **variant._asdict(),
                **details._asdict(),
            }
            [(item_id,)] = self.conn.execute(
                f"INSERT INTO cart_items ({', '.join(fields)})"  # noqa: S608 - our names
                f" VALUES ({', '.join(['%s'] * len(fields))}) RETURNING id",
                list(fields.values()),
            )
        self.shop.items[item_id] = Item(
            item_id, user_id, variant, details, on_chain_object_id=object_id
        )

    @precondition(lambda self: self.shop.items)
    @rule(data=st.data(), stranger=st.integers(0, 7))
    def remove(self, data: st.DataObject, stranger: int) -> None:
        """Take an item out of the cart, or try to; not out of another one's."""
        item = self._any_item(data)
        owner = self.users.index(item.owner)
        user_id = self.users[(owner + (stranger == 0)) % len(self.users)]
        with self.acting_for(user_id), self.store.connection() as conn:
            removed = carts.remove_cart_item(conn, id=item.id, user_id=user_id)
        assert (removed is not None) == (item.live and user_id == item.owner)
        item.live = item.live and removed is None

    @rule(who=people)
    def clear(self, who: int) -> None:
        """Take everything out of a cart."""
        user_id = self.users[who]
        with self.acting_for(user_id), self.store.transaction() as conn:
            for row in carts.list_cart_items(conn, user_id=user_id, max_rows=MANY):
                assert carts.remove_cart_item(conn, id=row.id, user_id=user_id)
        for item in self.shop.cart(user_id):
            item.live = False

    # Checkouts

    @precondition(lambda self: self.shop.items)
    @rule(target=baskets, data=st.data(), who=people)
    def check_out(self, data: st.DataObject, who: int) -> Any:  # noqa: ANN401 - hypothesis'
        """Check out some items, mostly of the user's own cart."""
        own = self.shop.cart(self.users[who])
        source = own if own and data.draw(st.integers(0, 4)) else self.shop.items.values()
        lines = data.draw(strategies.checkout_lines(list(source)))
        return self._check_out(who, lines)

    @rule(target=baskets, basket=baskets, data=st.data(), stranger=st.integers(0, 7))
    def check_out_again(
        self, basket: tuple[int, list[CheckoutLine]], data: st.DataObject, stranger: int
    ) -> Any:  # noqa: ANN401 - hypothesis'
        """Check out the same lines in any order, some of them, or with others."""
        who, lines = basket
        again: list[CheckoutLine] = data.draw(st.permutations(lines))
        kind = data.draw(st.sampled_from(["same", "same", "fewer", "more"]))
        if kind == "fewer":
            again = again[1:]
        elif kind == "more":
            source = list(self.shop.items.values())
            again += data.draw(strategies.checkout_lines(source))
        return self._check_out((who + (stranger == 0)) % len(self.users), again)

    def _check_out(self, who: int, lines: list[CheckoutLine]) -> Any:  # noqa: ANN401 - hypothesis'
        user_id = self.users[who]
        refusal = self.shop.refusal(user_id, lines)
        earlier = refusal is None and self.shop.placed_before(user_id, lines)
        with self.acting_for(user_id):
            if refusal:
                with pytest.raises(errors.CheckoutRefused) as refused:
                    self.store.checkout(user_id, lines)
                self._check_refusal(refused.value, refusal, user_id, lines)
            else:
                placed = self.store.checkout(user_id, lines)
        if refusal or earlier:
            assert self.rows == self.before, "a refused or repeated checkout wrote"
        if refusal:
            return multiple()
        if earlier:
            assert [each.order.id for each in placed] == [each.id for each in earlier]
        else:
            self.shop.place(user_id, lines, [each.order.id for each in placed])
        self._check_returned(placed)
        return who, lines

    def _check_refusal(
        self,
        refused: errors.CheckoutRefused,
        expected: type[errors.CheckoutRefused],
        user_id: UUID,
        lines: list[CheckoutLine],
    ) -> None:
        assert type(refused) is expected
        if isinstance(refused, errors.ItemUnavailable):
            unavailable = self.shop.unavailable(user_id, lines)
            assert refused.cart_item_ids == unavailable

    def _check_returned(self, placed: Sequence[PlacedOrder]) -> None:
        """What a checkout returns is what is stored."""
        for each in placed:
            order = self.shop.orders[each.order.id]
            assert each.order.status == order.status
            assert each.order.amount_usdc == order.amount_usdc
            assert each.order.payment_hash == order.payment_hash
            assert (each.item.cart_item_id, each.item.price) == (
                order.item.id,
                order.details.price,
            )

    # What happens to orders

    @rule(event=strategies.events)
    def happen(self, event: OrderEvent) -> None:
        """Receive an event, of an order that is here, or that is not yet."""
        with self.acting_for(self.shop.owner_of(event.crossmint_order_id)):
            self.store.record_order_event(event)
        self.shop.record(event)

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), event=strategies.events)
    def happen_to_order(self, data: st.DataObject, event: OrderEvent) -> None:
        """Receive an event of an order that is here, if Crossmint knows it."""
        known = [each.line.crossmint_order_id for each in self.shop.orders.values()]
        target = data.draw(st.sampled_from(known))
        if target:
            self.happen(dataclasses.replace(event, crossmint_order_id=target))

    @precondition(lambda self: self.shop.events)
    @rule(data=st.data())
    def happen_again(self, data: st.DataObject) -> None:
        """Receive an event once more; nothing changes."""
        event = data.draw(st.sampled_from(list(self.shop.events.values())))
        with self.acting_for(None):
            self.store.record_order_event(event)
        assert self.rows == self.before, "a repeated event wrote"

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), stranger=st.integers(0, 7))
    def cancel(self, data: st.DataObject, stranger: int) -> None:
        """Cancel an order, or try to."""
        order = data.draw(st.sampled_from(list(self.shop.orders.values())))
        owner = self.users.index(order.owner)
        user_id = self.users[(owner + (stranger == 0)) % len(self.users)]
        with self.acting_for(user_id):
            outcome = self._outcome_of_cancelling(user_id, order)
        if user_id != order.owner:
            assert outcome is errors.OrderNotFound
        elif order.status == OrderStatus.AWAITING_APPROVAL:
            assert outcome is OrderStatus.CANCELLED
            self.shop.cancel(order)
            return
        elif order.status == OrderStatus.CANCELLED:
            assert outcome is OrderStatus.CANCELLED
        else:
            assert outcome is errors.OrderNotCancellable
        assert self.rows == self.before, "a refused or repeated cancellation wrote"

    def _outcome_of_cancelling(self, user_id: UUID, order: Order) -> object:
        try:
            return self.store.cancel_order(user_id, order.id).status
        except (errors.OrderNotFound, errors.OrderNotCancellable) as refusal:
            return type(refusal)

    def _any_item(self, data: st.DataObject) -> Item:
        return data.draw(st.sampled_from(list(self.shop.items.values())))

    # What always holds

    @invariant()
    def a_cart_holds_a_variant_once(self) -> None:
        """There is one live row per user, product, size and colour."""
        live = Counter(
            (row["user_id"], row["product_id"], row["size"], row["color"])
            for row in self.rows["cart_items"].values()
            if row["deleted_at"] is None
        )
        assert all(count == 1 for count in live.values())

    @invariant()
    def a_cart_holds_what_the_model_says(self) -> None:
        """Exactly the model's items are there, with their details, live or not."""
        expected = {
            str(item.id): {
                "user_id": str(item.owner),
                **item.variant._asdict(),
                **item.details._asdict(),
                "on_chain_object_id": item.on_chain_object_id,
                "live": item.live,
            }
            for item in self.shop.items.values()
        }
        for item_id, row in self.rows["cart_items"].items():
            there = row | {"live": row["deleted_at"] is None}
            assert expected[item_id].items() <= there.items()
        assert expected.keys() == self.rows["cart_items"].keys()

    @invariant()
    def a_cart_is_listed_oldest_first(self) -> None:
        """Listing gives exactly the live items."""
        for user_id in self.users:
            rows = carts.list_cart_items(self.conn, user_id=user_id, max_rows=MANY)
            cart = {item.id for item in self.shop.cart(user_id)}
            assert {row.id for row in rows} == cart
            assert rows == sorted(rows, key=lambda row: (row.created_at, row.id))

    @invariant()
    def orders_are_what_their_events_say(self) -> None:
        """Status, payment hash and amount follow from the set of events."""
        expected = {
            str(order.id): (order.status, order.payment_hash, order.amount_usdc)
            for order in self.shop.orders.values()
        }
        there = {
            order_id: (row["status"], row["payment_hash"], row["amount_usdc"])
            for order_id, row in self.rows["orders"].items()
        }
        assert there == expected

    @invariant()
    def events_are_kept_once(self) -> None:
        """Every event is kept, as it first came."""
        kept = {
            row["id"]: (row["type"], row["crossmint_order_id"])
            for row in self.rows["order_events"].values()
            if row["crossmint_order_id"]
        }
        assert kept == {
            event.id: (event.type, event.crossmint_order_id)
            for event in self.shop.events.values()
        }

    @invariant()
    def a_snapshot_never_moves(self) -> None:
        """Every order has one snapshot: its item as it was when it was claimed."""
        expected = {
            str(order.id): {
                "cart_item_id": str(order.item.id),
                **order.variant._asdict(),
                **order.details._asdict(),
                "on_chain_object_id": order.item.on_chain_object_id,
            }
            for order in self.shop.orders.values()
        }
        snapshots = list(self.rows["order_items"].values())
        assert Counter(row["order_id"] for row in snapshots) == Counter(list(expected))
        for row in snapshots:
            assert expected[row["order_id"]].items() <= row.items()

    @invariant()
    def an_item_is_sold_once(self) -> None:
        """One uncancelled order holds an item, unless money came late for others."""
        held: dict[UUID, list[Order]] = {}
        for order in self.shop.orders.values():
            if self.rows["orders"][str(order.id)]["status"] != OrderStatus.CANCELLED:
                held.setdefault(order.item.id, []).append(order)
        for holders in held.values():
            assert sum(not order.was_cancelled for order in holders) <= 1

    @invariant()
    def items_paid_twice_are_listed(self) -> None:
        """The list of items paid twice is complete, and has no others."""
        for user_id in self.users:
            rows = orders.list_items_paid_twice(
                self.conn, user_id=user_id, max_rows=MANY
            )
            listed = [(row.cart_item_id, row.order.id) for row in rows]
            assert len(listed) == len(set(listed))
            assert set(listed) == self.shop.paid_twice(user_id)

    @invariant()
    def other_users_rows_never_change(self) -> None:
        """What one user does changes no row of another one."""

        def others(rows: Rows) -> list[list[Row]]:
            mine = {str(self.actor), None}
            of_order = {key: row["user_id"] for key, row in rows["orders"].items()}
            return [
                [row for row in rows["users"].values() if row["id"] not in mine],
                [row for row in rows["cart_items"].values() if row["user_id"] not in mine],
                [row for row in rows["orders"].values() if row["user_id"] not in mine],
                [
                    row
                    for row in rows["order_items"].values()
                    if of_order[row["order_id"]] not in mine
                ],
            ]

        assert others(self.rows) == others(self.before)


def test_the_database_does_what_the_model_says(
    database_url: str, conn: psycopg.Connection
) -> None:
    """Carts, checkouts and order events behave as the model in any sequence."""
    tables = Tables(conn)
    with stores.opened(database_url) as store:
        run_state_machine_as_test(lambda: ShopMachine(store, conn, tables))
