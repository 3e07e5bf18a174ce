"""What always holds of carts and orders, checked on every row of the database."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from hypothesis.stateful import RuleBasedStateMachine, invariant

from generated import carts, orders
from generated.enums import OrderStatus
from generated.internal import order_steps
from store import Store
from store_testing import factories
from store_testing.model import Order, Shop
from tests.support.tables import Row, Rows, Tables

MANY = 1000
EVERYBODY = UUID(int=0)
"""Acts for all users: a worker."""


class ShopInvariants(RuleBasedStateMachine):
    """Holds the store and the model, and compares them after each step."""

    def __init__(self, store: Store, conn: psycopg.Connection, tables: Tables) -> None:
        super().__init__()
        self.store, self.conn, self.tables = store, conn, tables
        self.shop = Shop()
        self.users: list[UUID] = []
        self.actor: UUID | None = None
        self.rows: Rows = {}
        self.before: Rows = {}

    def sign_up(self) -> None:
        """Begin with two users and nothing else."""
        self.conn.execute("DELETE FROM users")
        self.conn.execute("DELETE FROM order_events")
        self.users = [factories.add_user(self.conn, f"user-{n}") for n in range(2)]
        self.rows = self.before = self.tables.read()

    @contextmanager
    def acting_for(self, user_id: UUID | None) -> Generator[None]:
        """Look at every row after what one user, or Crossmint for one, does."""
        self.actor, self.before = user_id, self.rows
        yield
        self.rows = self.tables.read()

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
    def a_cart_is_listed_newest_first(self) -> None:
        """Listing gives exactly the live items."""
        for user_id in self.users:
            rows = carts.list_cart_items(self.conn, user_id=user_id, max_rows=MANY)
            cart = {item.id for item in self.shop.cart(user_id)}
            assert {row.id for row in rows} == cart
            newest = sorted(
                rows, key=lambda row: (row.created_at, row.id), reverse=True
            )
            assert rows == newest

    @invariant()
    def orders_are_what_their_events_say(self) -> None:
        """Status, payment hash and amount follow from the set of events."""
        expected = {
            str(order.id): (
                order.status,
                order.payment_hash,
                order.amount_usdc,
                order.quoted_usdc,
                order.received_usdc,
            )
            for order in self.shop.orders.values()
        }
        there = {
            order_id: (
                row["status"],
                row["payment_hash"],
                row["amount_usdc"],
                row["quoted_usdc"],
                row["received_usdc"],
            )
            for order_id, row in self.rows["orders"].items()
        }
        assert there == expected

    @invariant()
    def payments_that_differ_are_listed(self) -> None:
        """The list has exactly the orders whose quoted and received amounts differ."""
        rows = order_steps.list_payments_that_differ(
            self.conn, after_created_at=None, after_id=None, max_rows=MANY
        )
        assert {row.id for row in rows} == {
            order.id
            for order in self.shop.orders.values()
            if order.quoted_usdc
            and order.received_usdc
            and order.quoted_usdc != order.received_usdc
        }

    @invariant()
    def events_wait_to_be_announced(self) -> None:
        """Exactly the events whose order is here wait, until they are announced.

        What the events of an order did is one story, which ends with its status.
        """
        rows = orders.list_events_to_announce(self.conn, max_rows=MANY)
        assert len(rows) == len({row.id for row in rows})
        assert {row.id for row in rows} == self.shop.to_announce()
        story = dict.fromkeys(self.rows["orders"], OrderStatus.AWAITING_APPROVAL)
        named = {
            row["crossmint_order_id"]: order_id
            for order_id, row in self.rows["orders"].items()
        }
        for event in sorted(
            self.rows["order_events"].values(),
            key=lambda row: (row["applied_at"] or "", row["received_at"], row["id"]),
        ):
            if event["applied_at"]:
                order_id = event["order_id"] or named[event["crossmint_order_id"]]
                assert event["status_before"] == story[order_id]
                story[order_id] = OrderStatus(event["status_after"])
        assert story == {
            order_id: row["status"] for order_id, row in self.rows["orders"].items()
        }

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
        """The lists of what is paid twice, of one user and of all, are complete."""
        # Of one user at a time, for speed.
        for user_id in (self.users[len(self.shop.events) % 2], None):
            rows = order_steps.list_items_paid_twice(
                self.conn,
                user_id=user_id,
                after_created_at=None,
                after_id=None,
                max_rows=MANY,
            )
            listed = [
                frozenset({row.order.id, other})
                for row in rows
                for other in row.other_order_ids
            ]
            assert len(listed) == len(set(listed))
            assert set(listed) == self.shop.paid_twice(user_id)

    @invariant()
    def other_users_rows_never_change(self) -> None:
        """What one user does changes no row of another one."""
        if self.actor is EVERYBODY:
            return

        def others(rows: Rows) -> list[list[Row]]:
            mine = {str(self.actor), None}
            of_order = {key: row["user_id"] for key, row in rows["orders"].items()}
            return [
                [row for row in rows["users"].values() if row["id"] not in mine],
                [
                    row
                    for row in rows["cart_items"].values()
                    if row["user_id"] not in mine
                ],
                [row for row in rows["orders"].values() if row["user_id"] not in mine],
                [
                    row
                    for row in rows["order_items"].values()
                    if of_order[row["order_id"]] not in mine
                ],
            ]

        assert others(self.rows) == others(self.before)
