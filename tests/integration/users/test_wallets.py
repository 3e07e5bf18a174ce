"""Wallets are provisioned once, whoever does it.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens.
"""

import inspect
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from generated import users
from generated.enums import WalletStatus
from generated.internal import user_steps
from generated.models import UserProfile
from store import Store, errors
from store_testing import chains
from tests.support import onboarding, stores
from tests.support.gates import Gate
from tests.support.races import race
from tests.support.tables import Tables


def key_of(number: int) -> SecretStr:
    """Give one key of many."""
    return SecretStr(chains.sui_private_key(number.to_bytes(32)))


@pytest.fixture
def pending(conn: psycopg.Connection, user_id: UUID) -> UserProfile:
    """Give a user whose wallet is pending."""
    user = users.begin_wallet(conn, id=user_id)
    assert user is not None
    return user


def test_two_workers_begin_one_wallet(store: Store, user_id: UUID, gate: Gate) -> None:
    """T1: begin the wallet; T2: the same. The second gets nothing, and lets it be."""

    def begin() -> UserProfile | None:
        with store.connection() as conn:
            return users.begin_wallet(conn, id=user_id)

    one, other = race(gate, begin, begin)
    assert one.result() is not None
    assert other.result() is None


def test_two_workers_retry_one_wallet(
    store: Store, pending: UserProfile, gate: Gate
) -> None:
    """T1: begin a pending wallet anew; T2: the same. One provisions it."""

    def retry() -> UserProfile | None:
        with store.connection() as conn:
            return users.retry_wallet(
                conn, id=pending.id, pending_since=pending.wallet_status_since
            )

    one, other = race(gate, retry, retry)
    renewed = one.result()
    assert renewed is not None
    assert renewed.wallet_status_since > pending.wallet_status_since
    assert other.result() is None


@stores.not_on_citus("its own table and trigger are told in one query")
def test_a_wallet_is_provisioned_in_one_write(
    store: Store, conn: psycopg.Connection, pending: UserProfile
) -> None:
    """Addresses, reference, key and status come together; once is as good as twice."""
    given: dict[str, Any] = {
        "wallet_address": "0xA11CE",
        "key": key_of(1),
        "crossmint_wallet_id": "wallet-1",
        "evm_address": "0x" + "AB" * 20,
    }
    conn.execute(
        "CREATE TABLE versions AS SELECT * FROM users;"
        " CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO versions SELECT NEW.*; RETURN NULL; END $$;"
        " CREATE TRIGGER keep AFTER UPDATE ON users FOR EACH ROW"
        " EXECUTE FUNCTION keep()"
    )
    user = store.provision_wallet(pending.id, **given)
    assert (user.wallet_status, user.wallet_address, user.evm_address) == (
        WalletStatus.ACTIVE,
        "0x" + "a11ce".zfill(64),
        "0x" + "ab" * 20,
    )
    assert (user.crossmint_wallet_id, user.has_sui_private_key) == ("wallet-1", True)
    assert user.wallet_status_since >= pending.wallet_status_since
    assert store.get_sui_private_key(user.id) == key_of(1)
    assert store.provision_wallet(pending.id, **given) == user
    assert conn.execute("SELECT count(*) FROM versions").fetchone() == (2,)


@pytest.mark.parametrize(
    "changed",
    [
        {"wallet_address": "0x2"},
        {"key": key_of(2)},
        {"crossmint_wallet_id": "wallet-2"},
        {"evm_address": "0x" + "2" * 40},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_active_wallet_is_never_provisioned_again(
    store: Store,
    conn: psycopg.Connection,
    pending: UserProfile,
    changed: dict[str, Any],
) -> None:
    """With one thing other than before, it is refused, and all stays."""
    given: dict[str, Any] = {
        "wallet_address": "0x1",
        "key": key_of(1),
        "crossmint_wallet_id": "wallet-1",
        "evm_address": "0x" + "1" * 40,
    }
    store.provision_wallet(pending.id, **given)
    before = Tables(conn).read()
    with pytest.raises(errors.WalletAlreadyActive) as refused:
        store.provision_wallet(pending.id, **given | changed)
    assert refused.value.user_id == pending.id
    with pytest.raises(errors.WalletAlreadyActive):
        store.set_sui_private_key(pending.id, key_of(2))
    store.set_sui_private_key(pending.id, key_of(1))  # the same: nothing to do
    assert Tables(conn).read() == before


def test_two_provisionings_of_one_wallet(
    store: Store, pending: UserProfile, gate: Gate
) -> None:
    """T1: provision; T2: provision with another key. T1 wins whole, T2 is told."""
    one, other = race(
        gate,
        lambda: store.provision_wallet(
            pending.id, wallet_address="0x1", key=key_of(1), evm_address="0x" + "1" * 40
        ),
        lambda: store.provision_wallet(
            pending.id, wallet_address="0x2", key=key_of(2), evm_address="0x" + "2" * 40
        ),
    )
    user = one.result()
    assert (user.wallet_address, user.evm_address) == (f"0x{1:064x}", "0x" + "1" * 40)
    with pytest.raises(errors.WalletAlreadyActive):
        other.result()
    assert store.get_sui_private_key(pending.id) == key_of(1)


def test_a_key_set_while_the_wallet_is_provisioned(
    store: Store, pending: UserProfile, gate: Gate
) -> None:
    """T1: provision; T2: set another key. T2 is told, and the wallet keeps its key."""
    one, other = race(
        gate,
        lambda: store.provision_wallet(pending.id, wallet_address="0x1", key=key_of(1)),
        lambda: store.set_sui_private_key(pending.id, key_of(2)),
    )
    assert one.result().has_sui_private_key
    with pytest.raises(errors.WalletAlreadyActive):
        other.result()
    assert store.get_sui_private_key(pending.id) == key_of(1)


def test_a_user_deleted_while_a_key_is_compared(
    store: Store,
    conn: psycopg.Connection,
    pending: UserProfile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repeated provisioning whose user goes meanwhile is told so."""
    given: dict[str, Any] = {"wallet_address": "0x1", "key": key_of(1)}
    store.provision_wallet(pending.id, **given)
    read = user_steps.get_sui_private_key

    def deleted_before(
        on: psycopg.Connection,
        *,
        id: UUID,  # noqa: A002 - the query's name
    ) -> str | None:
        user_steps.erase_user(conn, id=id)
        return read(on, id=id)

    monkeypatch.setattr(user_steps, "get_sui_private_key", deleted_before)
    with pytest.raises(errors.UserNotFound):
        store.provision_wallet(pending.id, **given)


def test_many_provisionings_leave_one_wallet(
    store: Store, pending: UserProfile
) -> None:
    """Of five at once one wins; address and key are the winner's, both."""
    barrier = Barrier(5)

    def provision(number: int) -> int | None:
        barrier.wait()
        try:
            store.provision_wallet(
                pending.id, wallet_address=hex(number), key=key_of(number)
            )
        except errors.WalletAlreadyActive:
            return None
        return number

    with ThreadPoolExecutor(5) as threads:
        [won] = filter(None, threads.map(provision, range(1, 6)))
    assert store.get_sui_private_key(pending.id) == key_of(won)
    with store.connection() as conn:
        user = users.get_user(conn, id=pending.id)
    assert user is not None
    assert user.wallet_address == f"0x{won:064x}"


@pytest.mark.parametrize("status", [WalletStatus.NONE, WalletStatus.FAILED])
def test_what_is_not_pending_is_not_provisioned(
    store: Store, conn: psycopg.Connection, user_id: UUID, status: WalletStatus
) -> None:
    """Who provisions without having begun, or after a failure, hears the status."""
    conn.execute("UPDATE users SET wallet_status = %s", [status])
    before = Tables(conn).read()
    with pytest.raises(errors.WalletNotPending) as refused:
        store.provision_wallet(user_id, wallet_address="0x1", key=key_of(1))
    assert (refused.value.user_id, refused.value.status) == (user_id, status)
    assert Tables(conn).read() == before


def test_a_wallet_without_a_key_may_get_one_later(
    store: Store, conn: psycopg.Connection, pending: UserProfile
) -> None:
    """An active wallet's first key replaces none; before that the profile says so."""
    user = store.provision_wallet(pending.id, wallet_address="0x1", key=None)
    assert not user.has_sui_private_key
    store.set_sui_private_key(pending.id, key_of(1))
    found = users.get_user(conn, id=pending.id)
    assert found is not None
    assert found.has_sui_private_key


def test_wallets_that_hang_are_listed_the_longest_first(
    store: Store, conn: psycopg.Connection
) -> None:
    """Only what is pending for longer than asked for, and at most so many."""
    made = [store.create_user(str(number), email=None) for number in range(5)]
    for minutes, user in zip((30, 10, 20, 1), made, strict=False):
        users.begin_wallet(conn, id=user.id)
        conn.execute(
            "UPDATE users SET wallet_status_since = now() - %s WHERE id = %s",
            [timedelta(minutes=minutes), user.id],
        )
    store.provision_wallet(made[1].id, wallet_address="0x1", key=None)
    for rows, expected in ((9, [made[0].id, made[2].id]), (1, [made[0].id])):
        found = users.list_pending_wallets(
            conn, older_than=timedelta(minutes=5), max_rows=rows
        )
        assert [user.id for user in found] == expected


def test_who_was_overtaken_does_not_fail_the_next_provisioning(
    conn: psycopg.Connection, pending: UserProfile
) -> None:
    """A provisioning is failed by who knows since when it is pending."""
    since = pending.wallet_status_since
    renewed = users.retry_wallet(conn, id=pending.id, pending_since=since)
    assert renewed is not None
    assert users.fail_wallet(conn, id=pending.id, pending_since=since) is None
    since = renewed.wallet_status_since
    failed = users.fail_wallet(conn, id=pending.id, pending_since=since)
    assert failed is not None
    assert failed.wallet_status == WalletStatus.FAILED


def test_the_time_of_a_status_is_that_of_its_change(
    conn: psycopg.Connection, pending: UserProfile
) -> None:
    """Other changes of the row do not move it."""
    user = users.set_email(conn, id=pending.id, email="ann@example.org")
    assert user is not None
    assert user.wallet_status_since == pending.wallet_status_since < user.updated_at


def test_no_query_replaces_what_an_active_wallet_has(
    store: Store, conn: psycopg.Connection, pending: UserProfile
) -> None:
    """Whatever is called for the user, addresses and key stay; rotation apart."""
    store.provision_wallet(
        pending.id, wallet_address="0x1", key=key_of(1), evm_address="0x" + "1" * 40
    )
    read = (
        "SELECT wallet_address, evm_address, crossmint_wallet_id,"
        " sui_private_key_encrypted FROM users"
    )
    before = conn.execute(read).fetchall()
    values: dict[str, Any] = dict.fromkeys(onboarding.FIELDS, "US") | {
        "id": pending.id,
        "email": "ann@example.org",
        "evm_address": "0x" + "2" * 40,
        "wallet_address": "0x" + "2" * 64,
        "crossmint_wallet_id": "wallet-2",
        "crossmint_user_id": "google|2",
        "token": "v1",
        "pending_since": pending.wallet_status_since,
        "ids": [pending.id],
        "old_tokens": ["v1"],
        "new_tokens": ["v1"],
        "older_than": timedelta(0),
        "after": UUID(int=0),
        "user_id": pending.id,
        "max_rows": 1,
    }
    for name in users.__all__:
        query = getattr(users, name)
        if not inspect.isfunction(query) or name == "erase_user" or "_row" in name:
            continue
        parameters = list(inspect.signature(query).parameters)[1:]
        query(conn, **{each: values[each] for each in parameters})
        assert conn.execute(read + " WHERE id = %s", [pending.id]).fetchall() == before


def test_an_evm_address_outlives_a_provisioning(
    store: Store, conn: psycopg.Connection, pending: UserProfile
) -> None:
    """It may be set before, and stays where the provisioning names none."""
    evm_address = "0x" + "ab" * 20
    users.set_evm_address(conn, id=pending.id, evm_address=evm_address)
    user = store.provision_wallet(pending.id, wallet_address="0x1", key=None)
    assert user.evm_address == evm_address
    again = users.set_evm_address(conn, id=pending.id, evm_address=evm_address)
    assert again == user


def test_an_address_that_is_not_normal_is_refused(store: Store, user_id: UUID) -> None:
    """The database takes normalised addresses only, and says so without them."""
    with pytest.raises(errors.InvalidValue) as refused, store.connection() as conn:
        users.set_evm_address(conn, id=user_id, evm_address="0x" + "AB" * 20)
    assert refused.value.constraint == "evm_address_is_normalised"
    assert "AB" not in str(refused.value)
