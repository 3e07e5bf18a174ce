"""Whatever users and the chain do, a transaction is one deposit, credited once."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from psycopg import Connection

from generated import deposits
from store import RecordedDeposit, Store, errors
from store_testing import factories
from tests.property.conftest import RunMachine
from tests.support import gates, races, stores

HASHES = ["0x" + digit * 64 for digit in "abc"]
hashes = st.sampled_from(HASHES)
users_ = st.integers(0, 1)
amounts = st.just(Decimal(0)) | st.decimals("0.000001", "1000", places=6)


@dataclass
class Deposit:
    """A deposit, as the model has it."""

    owner: int
    status: str = "awaiting_approval"
    amount: Decimal | None = None
    settled: bool = False

    @property
    def is_open(self) -> bool:
        """Whether anything may still become of it."""
        return not self.settled and self.status in OPEN


OPEN = {"awaiting_approval", "payment_confirmed"}


class DepositsMachine(RuleBasedStateMachine):
    """Drives store, generated functions and the model alike, then compares all rows."""

    def __init__(self, store: Store, conn: Connection[Any]) -> None:
        super().__init__()
        self.store, self.conn = store, conn

    @initialize()
    def begin(self) -> None:
        """Begin with two users who claimed nothing."""
        self.conn.execute("DELETE FROM users")
        self.users = [factories.add_user(self.conn) for _ in range(2)]
        self.known: dict[str, Deposit] = {}

    @rule(owner=users_, tx_hash=hashes)
    def claim(self, owner: int, tx_hash: str) -> None:
        """The first to claim a transaction has it; a repeated claim finds it."""
        mine = self.known.setdefault(tx_hash, Deposit(owner)).owner == owner
        claimed = deposits.claim_deposit(
            self.conn, user_id=self.users[owner], tx_hash=tx_hash
        )
        assert (claimed is not None) == mine

    @rule(owner=users_, tx_hash=hashes, amount=amounts)
    def record(self, owner: int, tx_hash: str, amount: Decimal) -> None:
        """What was verified on chain is recorded at once; a replay is told apart."""
        deposit = self.known.setdefault(tx_hash, Deposit(owner))
        if deposit.owner != owner:
            with pytest.raises(errors.AlreadyExists) as refused:
                self.store.record_deposit(self.users[owner], tx_hash, amount)
            assert refused.value.constraint == "orders_tx_hash_key"
            return
        recorded = self.store.record_deposit(self.users[owner], tx_hash, amount)
        assert recorded.is_first == self._move(
            tx_hash, {"awaiting_approval"}, "payment_confirmed"
        )
        if recorded.is_first:
            deposit.amount = amount
        assert recorded.deposit.status == deposit.status
        assert recorded.deposit.amount_usdc == deposit.amount

    @precondition(lambda self: any(each.is_open for each in self.known.values()))
    @rule(data=st.data())
    def adopt(self, data: st.DataObject) -> None:
        """Take a deposit over, at any status, as one that may have been paid out."""
        open_ = [tx_hash for tx_hash, each in self.known.items() if each.is_open]
        tx_hash = data.draw(st.sampled_from(open_))
        self.known[tx_hash].settled = True
        self.conn.execute(
            "UPDATE orders SET settled_at = coalesce(settled_at, now())"
            " WHERE tx_hash = %s",
            [tx_hash],
        )

    @rule(tx_hash=hashes, amount=amounts)
    def confirm(self, tx_hash: str, amount: Decimal) -> None:
        """A claimed transaction that was seen on chain has its amount from there."""
        found = deposits.confirm_deposit(self.conn, tx_hash=tx_hash, amount_usdc=amount)
        moved = self._move(tx_hash, {"awaiting_approval"}, "payment_confirmed")
        assert (found is not None) == moved
        if moved:
            self.known[tx_hash].amount = amount

    @rule(tx_hash=hashes)
    def credit(self, tx_hash: str) -> None:
        """A confirmed deposit is handed out for crediting once."""
        found = deposits.credit_deposit(self.conn, tx_hash=tx_hash)
        moved = self._move(tx_hash, {"payment_confirmed"}, "delivered")
        assert (found is not None) == moved
        if moved:
            self.known[tx_hash].settled = True

    @rule(tx_hash=hashes)
    def fail(self, tx_hash: str) -> None:
        """What was not credited can fail, for good."""
        found = deposits.fail_deposit(self.conn, tx_hash=tx_hash)
        assert (found is not None) == self._move(tx_hash, OPEN, "cancelled")

    def _move(self, tx_hash: str, before: set[str], after: str) -> bool:
        deposit = self.known.get(tx_hash)
        if deposit is None or deposit.status not in before or deposit.settled:
            return False
        deposit.status = after
        return True

    @invariant()
    def rows_are_the_models(self) -> None:
        """Every deposit is its user's, in its state, with its amount; no other is."""
        rows = self.conn.execute(
            "SELECT tx_hash, user_id, status, amount_usdc, settled_at IS NOT NULL, type"
            " FROM orders"
        ).fetchall()
        assert {row[0]: row[1:] for row in rows} == {
            tx_hash: (
                self.users[each.owner],
                each.status,
                each.amount,
                each.settled,
                "deposit",
            )
            for tx_hash, each in self.known.items()
        }

    @invariant()
    def the_worker_sees_what_waits(self) -> None:
        """The list for the worker has the open deposits, the oldest first."""
        waiting = deposits.list_deposits_to_check(self.conn, max_rows=9)
        assert [row.created_at for row in waiting] == sorted(
            row.created_at for row in waiting
        )
        assert {row.tx_hash for row in waiting} == {
            tx_hash for tx_hash, each in self.known.items() if each.is_open
        }


def test_a_transaction_is_one_deposit_credited_once(
    database_url: str, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Claims, records, sightings, credits and failures leave what the model says."""
    with stores.opened(database_url) as store:
        run_machine(lambda: DepositsMachine(store, conn))


@pytest.mark.parametrize("status", ["awaiting_approval", "payment_confirmed"])
def test_an_adopted_deposit_is_never_paid_out(
    database_url: str, conn: psycopg.Connection, status: str
) -> None:
    """What was taken over as settled is not listed, confirmed, credited or failed."""
    user_id = factories.add_user(conn)
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=HASHES[0])
    conn.execute(
        "UPDATE orders SET status = %s, amount_usdc = 0, settled_at = now()", [status]
    )
    before = conn.execute("SELECT * FROM orders").fetchall()
    assert deposits.list_deposits_to_check(conn, max_rows=9) == []
    amount = Decimal(1)
    assert not deposits.confirm_deposit(conn, tx_hash=HASHES[0], amount_usdc=amount)
    assert not deposits.credit_deposit(conn, tx_hash=HASHES[0])
    assert not deposits.fail_deposit(conn, tx_hash=HASHES[0])
    with stores.opened(database_url) as store:
        recorded = store.record_deposit(user_id, HASHES[0], amount)
    assert not recorded.is_first
    assert conn.execute("SELECT * FROM orders").fetchall() == before


def test_nobody_s_deposit_is_not_recorded(
    database_url: str, conn: psycopg.Connection
) -> None:
    """A record for a user who does not exist is refused and writes nothing."""
    with (
        stores.opened(database_url) as store,
        pytest.raises(errors.UserNotFound),
    ):
        store.record_deposit(UUID(int=1), HASHES[0], Decimal(1))
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)


@pytest.mark.parametrize(
    ("amount", "rule_"),
    [
        (Decimal(-1), "usdc_amount_is_not_negative"),
        (Decimal("NaN"), "usdc_amount_is_finite"),
        (Decimal("0.0000001"), "usdc_amount_has_6_decimals"),
        (1.5, None),
    ],
)
def test_a_deposit_of_no_amount_is_not_recorded(
    database_url: str, conn: psycopg.Connection, amount: Decimal, rule_: str | None
) -> None:
    """An amount against the rules is refused, by the rule's name."""
    user_id = factories.add_user(conn)
    with stores.opened(database_url) as store:
        with pytest.raises(errors.InvalidValue) as refused:
            store.record_deposit(user_id, HASHES[0], amount)
        assert refused.value.constraint == rule_
        recorded = store.record_deposit(user_id, HASHES[0], Decimal(0))
    assert recorded.deposit.amount_usdc == 0


@pytest.mark.parametrize("same_user", [True, False])
def test_two_records_at_once(
    database_url: str, conn: psycopg.Connection, same_user: bool
) -> None:
    """T1: records a transaction; T2: the same one. It is recorded once."""
    users = [factories.add_user(conn)]
    users += users if same_user else [factories.add_user(conn)]
    with (
        stores.opened(database_url) as store,
        gates.shut(database_url) as gate,
    ):
        one, other = races.race(
            gate,
            lambda: store.record_deposit(users[0], HASHES[0], Decimal(1)),
            lambda: store.record_deposit(users[1], HASHES[0], Decimal(1)),
        )
    first = one.result()
    assert first.is_first
    if same_user:
        assert other.result() == RecordedDeposit(first.deposit, is_first=False)
    else:
        with pytest.raises(errors.AlreadyExists):
            other.result()


def test_a_used_up_transaction_is_not_recorded(
    database_url: str, conn: psycopg.Connection
) -> None:
    """What paid for a checkout, or was a deleted user's, is no deposit."""
    user_id, other = factories.add_user(conn), factories.add_user(conn)
    with stores.opened(database_url) as store:
        store.record_deposit(other, HASHES[0], Decimal(1))
        deposits.fail_deposit(conn, tx_hash=HASHES[0])
        store.delete_user(other)
        [placed] = store.checkout(
            user_id, [factories.line(factories.add_item(conn, user_id))]
        )
        conn.execute(
            "UPDATE orders SET tx_hash = %s WHERE id = %s",
            [HASHES[1], placed.order.id],
        )
        for used in HASHES[:2]:
            with pytest.raises(errors.AlreadyExists) as refused:
                store.record_deposit(user_id, used, Decimal(1))
            assert refused.value.constraint == "orders_tx_hash_key"


def test_a_deposit_of_nobody_is_not_claimed(conn: psycopg.Connection) -> None:
    """A claim of a user who does not exist returns nothing and writes nothing."""
    unknown = UUID(int=1)
    assert deposits.claim_deposit(conn, user_id=unknown, tx_hash=HASHES[0]) is None
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)
