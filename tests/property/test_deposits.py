"""Whatever users and the chain do, a transaction is one deposit, credited once."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from psycopg import Connection

from generated import deposits
from tests.property.conftest import RunMachine
from tests.support import factories

HASHES = ["0x" + digit * 64 for digit in "abc"]
hashes = st.sampled_from(HASHES)
users_ = st.integers(0, 1)
amounts = st.decimals("0.000001", "1000", places=6)


@dataclass
class Deposit:
    """A deposit, as the model has it."""

    owner: int
    status: str = "awaiting_approval"
    amount: Decimal | None = None


class DepositsMachine(RuleBasedStateMachine):
    """Drives the generated functions and the model alike, then compares all rows."""

    def __init__(self, conn: Connection[Any]) -> None:
        super().__init__()
        self.conn = conn

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

    @rule(tx_hash=hashes)
    def fail(self, tx_hash: str) -> None:
        """What was not credited can fail, for good."""
        found = deposits.fail_deposit(self.conn, tx_hash=tx_hash)
        open_ = {"awaiting_approval", "payment_confirmed"}
        assert (found is not None) == self._move(tx_hash, open_, "cancelled")

    def _move(self, tx_hash: str, before: set[str], after: str) -> bool:
        deposit = self.known.get(tx_hash)
        if deposit is None or deposit.status not in before:
            return False
        deposit.status = after
        return True

    @invariant()
    def rows_are_the_models(self) -> None:
        """Every deposit is its user's, in its state, with its amount; no other is."""
        rows = self.conn.execute(
            "SELECT tx_hash, user_id, status, amount_usdc, type FROM orders"
        ).fetchall()
        assert {row[0]: row[1:] for row in rows} == {
            tx_hash: (self.users[each.owner], each.status, each.amount, "deposit")
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
            tx_hash
            for tx_hash, each in self.known.items()
            if each.status in {"awaiting_approval", "payment_confirmed"}
        }


def test_a_transaction_is_one_deposit_credited_once(
    conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Claims, sightings, credits and failures leave what the model says."""
    run_machine(lambda: DepositsMachine(conn))


def test_a_deposit_of_nobody_is_not_claimed(conn: psycopg.Connection) -> None:
    """A claim of a user who does not exist returns nothing and writes nothing."""
    unknown = UUID(int=1)
    assert deposits.claim_deposit(conn, user_id=unknown, tx_hash=HASHES[0]) is None
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)
