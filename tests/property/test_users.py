"""Whatever happens to users, each is what the model says, and a deleted one is gone."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
from generated.models import UserProfile
from store import Store, addresses, errors
from store_testing import chains, factories
from tests.property.conftest import RunMachine
from tests.support import onboarding, stores
from tests.support.tables import Rows, Tables

RING = "0f" * 32

identities = st.sampled_from(["google|1", "google|2"])
emails = st.none() | st.sampled_from(["ann@example.org", "bob@example.org"])
keys = st.binary(min_size=32, max_size=32).map(chains.sui_private_key)
sui_addresses = st.integers(0, 2**256 - 1).map(lambda number: f"0x{number:X}")
evm_addresses = st.none() | st.integers(0, 2**160 - 1).map(lambda n: f"0X{n:040X}")


@dataclass(eq=False)
class Attempt:
    """A provisioning that somebody is at, or was when the process died."""

    person: "Person"
    pending_since: datetime
    key: str
    address: str
    evm_address: str | None

    def finish(self, store: Store) -> UserProfile:
        """Do the last step, the one write."""
        return store.provision_wallet(
            self.person.id,
            wallet_address=self.address,
            key=SecretStr(self.key),
            crossmint_wallet_id="wallet",
            evm_address=self.evm_address,
        )


@dataclass(eq=False)
class Person:
    """A user, as the model has it."""

    id: UUID
    columns: dict[str, Any]
    key: tuple[UUID, str] | None = None
    """The key, and for whom it was encrypted."""
    pending_since: datetime | None = None
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
        self.attempts: list[Attempt] = []
        self.retired: set[str] = set()
        self.late: set[str] = set()

    def somebody(self, data: st.DataObject) -> Person:
        """Draw a user."""
        return data.draw(st.sampled_from(self.people))

    def check(self, returned: UserProfile | None, person: Person | None) -> None:
        """What a query returns is the user as the model has it, or nothing."""
        if person is None:
            assert returned is None
        else:
            assert returned is not None
            there = {name: getattr(returned, name) for name in person.columns}
            assert there == person.columns
            assert returned.id == person.id
            assert returned.has_sui_private_key == (person.key is not None)

    @rule(identity=identities, email=emails)
    def sign_up(self, identity: str, email: str | None) -> None:
        """Create a user, or find the one of this identity, unchanged."""
        known = [p for p in self.people if p.columns["crossmint_user_id"] == identity]
        found = users.get_user_by_crossmint_user_id(
            self.conn, crossmint_user_id=identity
        )
        self.check(found, known[0] if known else None)
        user = self.store.create_user(identity, email=email)
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
            name: onboarding.text(
                name, data.draw(st.sampled_from([0, 1, longest])), "ä"
            )
            for name, longest in lengths.items()
        }
        for name in sorted(onboarding.MAY_BE_ABSENT & given.keys()):
            if data.draw(st.booleans()):
                given[name] = None
        returned = query(self.conn, id=person.id, **given)
        if step > person.columns["onboarding_step"] + 1:
            assert returned is None
            return
        done = max(person.columns["onboarding_step"], step)
        person.columns |= given | {"onboarding_step": done}
        self.check(returned, person)

    def attempt(
        self, data: st.DataObject, person: Person, user: UserProfile
    ) -> Attempt:
        """Make what a provisioning makes first: a key pair, and an EVM wallet."""
        attempt = Attempt(
            person,
            user.wallet_status_since,
            data.draw(keys),
            data.draw(sui_addresses),
            data.draw(evm_addresses),
        )
        person.pending_since = attempt.pending_since
        self.attempts.append(attempt)
        return attempt

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def begin_wallet(self, data: st.DataObject) -> None:
        """Begin a provisioning; only if none is begun or done."""
        person = self.somebody(data)
        returned = users.begin_wallet(self.conn, id=person.id)
        if person.columns["wallet_status"] not in {"none", "failed"}:
            assert returned is None
            return
        person.columns["wallet_status"] = "pending"
        self.check(returned, person)
        assert returned is not None
        self.attempt(data, person, returned)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """Lose a provisioning, wherever it is: all that it knew is gone."""
        self.attempts.remove(data.draw(st.sampled_from(self.attempts)))

    @rule(data=st.data())
    def look_for_hanging(self, data: st.DataObject) -> None:
        """Those that are pending are found, the longest first, and one begun anew."""
        found = users.list_pending_wallets(
            self.conn, older_than=timedelta(0), max_rows=9
        )
        expected = [p for p in self.people if p.columns["wallet_status"] == "pending"]
        expected.sort(key=lambda p: (p.pending_since or datetime.max, p.id))
        assert [user.id for user in found] == [person.id for person in expected]
        if expected:
            person = data.draw(st.sampled_from(expected))
            since = person.pending_since
            assert since is not None
            renewed = users.retry_wallet(self.conn, id=person.id, pending_since=since)
            self.check(renewed, person)
            assert renewed is not None
            self.attempt(data, person, renewed)
            again = users.retry_wallet(self.conn, id=person.id, pending_since=since)
            assert again is None

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def fail_wallet(self, data: st.DataObject) -> None:
        """Give an attempt up; one that was overtaken fails nothing."""
        attempt = data.draw(st.sampled_from(self.attempts))
        person = attempt.person
        returned = users.fail_wallet(
            self.conn, id=person.id, pending_since=attempt.pending_since
        )
        self.attempts.remove(attempt)
        if (
            person in self.people
            and person.columns["wallet_status"] == "pending"
            and person.pending_since == attempt.pending_since
        ):
            person.columns["wallet_status"] = "failed"
            self.check(returned, person)
        else:
            assert returned is None

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def provision(self, data: st.DataObject) -> None:
        """Finish an attempt: the first of a user wins, and can be repeated."""
        self.finish(data.draw(st.sampled_from(self.attempts)))

    def finish(self, attempt: Attempt) -> None:
        """Finish an attempt; what a wallet has once it is active stays."""
        person = attempt.person
        if person not in self.people:
            with pytest.raises(errors.UserNotFound):
                attempt.finish(self.store)
            return
        status = person.columns["wallet_status"]
        written = {
            "wallet_status": "active",
            "wallet_address": f"0x{int(attempt.address, 16):064x}",
            "crossmint_wallet_id": "wallet",
            "evm_address": (
                addresses.evm_address(attempt.evm_address)
                if attempt.evm_address
                else person.columns["evm_address"]
            ),
        }
        if status == "pending":
            person.columns |= written
            person.key = person.id, attempt.key
            self.check(attempt.finish(self.store), person)
        elif status != "active":
            with pytest.raises(errors.WalletNotPending) as refused:
                attempt.finish(self.store)
            assert refused.value.status == status
        elif (person.columns | written, (person.id, attempt.key)) == (
            person.columns,
            person.key,
        ):
            self.check(attempt.finish(self.store), person)
        else:
            with pytest.raises(errors.WalletAlreadyActive):
                attempt.finish(self.store)

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """Whatever was lost on the way, a user's wallet can be made active."""
        person = self.somebody(data)
        if person.columns["wallet_status"] == "active":
            return
        user = users.begin_wallet(self.conn, id=person.id)
        if user is None:
            found = users.list_pending_wallets(
                self.conn, older_than=timedelta(0), max_rows=9
            )
            [hanging] = [each for each in found if each.id == person.id]
            user = users.retry_wallet(
                self.conn, id=person.id, pending_since=hanging.wallet_status_since
            )
        assert user is not None
        person.columns["wallet_status"] = "pending"
        self.finish(self.attempt(data, person, user))
        assert person.columns["wallet_status"] == "active"

    @precondition(lambda self: self.people)
    @rule(data=st.data(), evm_address=evm_addresses.filter(bool))
    def set_evm_address(self, data: st.DataObject, evm_address: str) -> None:
        """Set the EVM address, unless an active wallet has another."""
        person = self.somebody(data)
        normal = addresses.evm_address(evm_address)
        returned = users.set_evm_address(self.conn, evm_address=normal, id=person.id)
        before = person.columns["evm_address"]
        if person.columns["wallet_status"] == "active" and before not in {None, normal}:
            assert returned is None
            return
        person.columns["evm_address"] = normal
        self.check(returned, person)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), key=keys)
    def set_key(self, data: st.DataObject, key: str) -> None:
        """Keep a key, in place of any before, unless the wallet is active."""
        person = self.somebody(data)
        active = person.columns["wallet_status"] == "active"
        if active and person.key not in {None, (person.id, key)}:
            with pytest.raises(errors.WalletAlreadyActive):
                self.store.set_sui_private_key(person.id, SecretStr(key))
            return
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
