"""Whatever happens to users, each is what the model says, and a deleted one is gone."""

import itertools
from dataclasses import dataclass, field
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
from psycopg import Connection
from pydantic import SecretStr

from generated import users
from generated.models import User
from store import Store, addresses, errors
from tests.property.conftest import RunMachine
from tests.support import chains, factories, onboarding, stores
from tests.support.tables import Rows, Tables

RING = "0f" * 32

identities = st.sampled_from(["google|1", "google|2"])
emails = st.none() | st.sampled_from(["ann@example.org", "bob@example.org"])
keys = st.binary(min_size=32, max_size=32).map(chains.sui_private_key)
sui_addresses = st.integers(0, 2**256 - 1).map(lambda number: f"0x{number:X}")
evm_addresses = st.none() | st.integers(0, 2**160 - 1).map(lambda n: f"0X{n:040X}")


@dataclass(eq=False)
class Person:
    """A user, as the model has it."""

    id: UUID
    columns: dict[str, Any]
    key: tuple[UUID, str] | None = None
    """The key, and for whom it was encrypted."""
    orders: dict[str, bool] = field(default_factory=dict[str, bool])
    """Whether each is open, by its id at Crossmint."""


class UsersMachine(RuleBasedStateMachine):
    """Drives the store and the model alike, then looks at every row."""

    def __init__(self, store: Store, conn: Connection[Any], tables: Tables) -> None:
        super().__init__()
        self.store, self.conn, self.tables = store, conn, tables
        self.numbers = itertools.count()

    @initialize()
    def begin(self) -> None:
        """Begin with nobody."""
        for table in ("users", "order_events", "retired_orders"):
            self.conn.execute(f"DELETE FROM {table}")  # noqa: S608 - our names
        self.people: list[Person] = []
        self.retired: set[str] = set()
        self.late: set[str] = set()

    def somebody(self, data: st.DataObject) -> Person:
        """Draw a user."""
        return data.draw(st.sampled_from(self.people))

    def check(self, returned: User | None, person: Person | None) -> None:
        """What a query returns is the user as the model has it, or nothing."""
        if person is None:
            assert returned is None
        else:
            assert returned is not None
            there = {name: getattr(returned, name) for name in person.columns}
            assert there == person.columns

    @rule(identity=identities, email=emails)
    def sign_up(self, identity: str, email: str | None) -> None:
        """Create a user, or find the one of this identity, unchanged."""
        known = [p for p in self.people if p.columns["crossmint_user_id"] == identity]
        user = users.create_user(self.conn, crossmint_user_id=identity, email=email)
        assert user is not None
        if not known:
            columns = dict.fromkeys(
                [*onboarding.FIELDS, "wallet_address", "evm_address"]
            )
            columns |= {"crossmint_user_id": identity, "email": email}
            columns |= {"crossmint_wallet_id": None}
            columns |= {"wallet_status": "none", "onboarding_step": 0}
            known = [Person(user.id, columns)]
            self.people += known
        assert user.id == known[0].id
        self.check(user, known[0])

    @precondition(lambda self: self.people)
    @rule(data=st.data(), email=emails)
    def set_email(self, data: st.DataObject, email: str | None) -> None:
        """Change the address, or forget it."""
        person = self.somebody(data)
        person.columns["email"] = email
        self.check(users.set_email(self.conn, email=email, id=person.id), person)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def onboard(self, data: st.DataObject) -> None:
        """Take a step: the next one, mostly, or one again, or one too early."""
        person = self.somebody(data)
        following = min(person.columns["onboarding_step"] + 1, 3)
        step = data.draw(st.sampled_from([following, following, 1, 2, 3]))
        query, lengths = onboarding.STEPS[step - 1]
        given: dict[str, str | None] = {
            name: "ä" * data.draw(st.sampled_from([0, 1, longest]))
            for name, longest in lengths.items()
        }
        if step == 2 and data.draw(st.booleans()):
            given["apt"] = None  # the one that may be absent
        returned = query(self.conn, id=person.id, **given)
        if step > person.columns["onboarding_step"] + 1:
            assert returned is None
            return
        done = max(person.columns["onboarding_step"], step)
        person.columns |= given | {"onboarding_step": done}
        self.check(returned, person)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), address=sui_addresses, evm_address=evm_addresses)
    def activate_wallet(
        self, data: st.DataObject, address: str, evm_address: str | None
    ) -> None:
        """Give a pending wallet its addresses, whichever way they are spelt."""
        person = self.somebody(data)
        normal = evm_address and addresses.evm_address(evm_address)
        returned = self.store.activate_wallet(
            person.id,
            wallet_address=address,
            crossmint_wallet_id="wallet",
            evm_address=evm_address,
        )
        if person.columns["wallet_status"] != "pending":
            assert returned is None
            return
        person.columns |= {
            "wallet_status": "active",
            "wallet_address": f"0x{int(address, 16):064x}",
            "crossmint_wallet_id": "wallet",
            "evm_address": normal or person.columns["evm_address"],
        }
        self.check(returned, person)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), wanted=st.sampled_from(["pending", "failed"]))
    def move_wallet(self, data: st.DataObject, wanted: str) -> None:
        """Begin, or fail; only where that follows on what the wallet is."""
        person = self.somebody(data)
        query = users.begin_wallet if wanted == "pending" else users.fail_wallet
        returned = query(self.conn, id=person.id)
        moves = {("none", "pending"), ("failed", "pending"), ("pending", "failed")}
        if (person.columns["wallet_status"], wanted) in moves:
            person.columns["wallet_status"] = wanted
            self.check(returned, person)
        else:
            assert returned is None

    @precondition(lambda self: self.people)
    @rule(data=st.data(), evm_address=evm_addresses.filter(bool))
    def set_evm_address(self, data: st.DataObject, evm_address: str) -> None:
        """Set the EVM address, whatever the wallet is."""
        person = self.somebody(data)
        normal = addresses.evm_address(evm_address)
        person.columns["evm_address"] = normal
        returned = users.set_evm_address(self.conn, evm_address=normal, id=person.id)
        self.check(returned, person)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), key=keys)
    def set_key(self, data: st.DataObject, key: str) -> None:
        """Keep a key, in place of any before."""
        person = self.somebody(data)
        self.store.set_sui_private_key(person.id, SecretStr(key))
        person.key = person.id, key

    @precondition(lambda self: len(self.people) > 1)
    @rule(data=st.data())
    def steal_key(self, data: st.DataObject) -> None:
        """Copy an encrypted key into another row, with plain SQL."""
        victim, thief = data.draw(st.permutations(self.people))[:2]
        self.conn.execute(
            "UPDATE users"
            " SET sui_private_key_encrypted = victim.sui_private_key_encrypted"
            " FROM users AS victim WHERE users.id = %s AND victim.id = %s",
            (thief.id, victim.id),
        )
        thief.key = victim.key

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def order(self, data: st.DataObject) -> None:
        """Buy something, which leaves an open order."""
        person = self.somebody(data)
        crossmint_order_id = f"crossmint-{next(self.numbers)}"
        item = factories.add_item(self.conn, person.id)
        self.store.checkout(person.id, [factories.line(item, crossmint_order_id)])
        person.orders[crossmint_order_id] = True

    @precondition(lambda self: any(person.orders for person in self.people))
    @rule(data=st.data(), delivered=st.booleans())
    def close_order(self, data: st.DataObject, delivered: bool) -> None:
        """Deliver an order, or let its delivery fail."""
        ids = [order_id for person in self.people for order_id in person.orders]
        crossmint_order_id = data.draw(st.sampled_from(ids))
        outcome = "completed" if delivered else "failed"
        self.store.record_order_event(
            factories.event(f"orders.delivery.{outcome}", crossmint_order_id)
        )
        for person in self.people:
            if crossmint_order_id in person.orders:
                person.orders[crossmint_order_id] = False

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete a user, unless an order is open."""
        person = self.somebody(data)
        open_orders = {name for name, is_open in person.orders.items() if is_open}
        if not open_orders:
            self.store.delete_user(person.id)
            self.people.remove(person)
            self.retired |= person.orders.keys()
            return
        with pytest.raises(errors.UserHasOpenOrders) as refused:
            self.store.delete_user(person.id)
        rows = self.tables.read()["orders"]
        named = {
            rows[str(id_)]["crossmint_order_id"] for id_ in refused.value.order_ids
        }
        assert named == open_orders

    @precondition(lambda self: self.retired)
    @rule(data=st.data())
    def happen_late(self, data: st.DataObject) -> None:
        """Receive an event of an order whose user is gone: only its type is kept."""
        retired = data.draw(st.sampled_from(sorted(self.retired)))
        event = factories.event("orders.payment.succeeded", retired, payment_hash="0x1")
        self.store.record_order_event(event)
        self.late.add(event.id)

    @invariant()
    def the_database_is_what_the_model_says(self) -> None:
        """Users, their keys, and what is left of the deleted."""
        rows = self.tables.read()
        self.look_at_users(rows)
        self.look_at_keys(rows)
        self.look_for_the_deleted(rows)

    def look_at_users(self, rows: Rows) -> None:
        """Every column is the model's, and nobody else is there."""
        there = {
            row["id"]: {name: row[name] for name in self.people[0].columns}
            for row in rows["users"].values()
        }
        assert there == {str(person.id): person.columns for person in self.people}

    def look_at_keys(self, rows: Rows) -> None:
        """A user's key comes back to the user alone, and is nowhere to be read."""
        for person in self.people:
            token = rows["users"][str(person.id)]["sui_private_key_encrypted"]
            if person.key is None:
                assert self.store.get_sui_private_key(person.id) is token is None
                continue
            owner, text = person.key
            assert text not in token
            if owner == person.id:
                assert self.store.get_sui_private_key(owner) == SecretStr(text)
            else:
                with pytest.raises(errors.Undecryptable):
                    self.store.get_sui_private_key(person.id)

    def look_for_the_deleted(self, rows: Rows) -> None:
        """Of the deleted nothing stays but which orders they had, and late events."""
        of_users = {name for person in self.people for name in person.orders}
        orders = {row["crossmint_order_id"] for row in rows["orders"].values()}
        assert orders == of_users
        retired = rows["retired_orders"].values()
        assert {row["crossmint_order_id"] for row in retired} == self.retired
        late = {
            row["id"]: row
            for row in rows["order_events"].values()
            if row["crossmint_order_id"] in self.retired
        }
        assert late.keys() == self.late
        assert not any(row["payload"] or row["payment_hash"] for row in late.values())


def test_the_database_does_what_the_model_says(
    database_url: str, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Profiles, wallets, keys and deletions behave as the model in any sequence."""
    tables = Tables(conn)
    with stores.opened(database_url, wallet_encryption_keys=RING) as store:
        run_machine(
            lambda: UsersMachine(store, conn, tables),
            settings=settings(max_examples=50),
        )
