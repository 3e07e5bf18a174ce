"""Users at once: one row an identity, one provisioner a wallet, and a clean end.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens.
"""

import base64
import inspect
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from generated import carts, chats, deposits, models, orders, users
from generated.enums import WalletStatus
from generated.internal import user_steps
from generated.models import CartItem, Order, UserProfile
from store import Store, errors
from store_testing import chains, factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support import gates, onboarding, stores
from tests.support.gates import Gate
from tests.support.races import no_deadlock, race
from tests.support.tables import Tables

DIGEST = "1" * 32


@pytest.fixture
def store(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store; a deadlock fails the test."""
    with (
        no_deadlock(conn),
        stores.opened(database_url, wallet_encryption_keys="0f" * 32) as opened,
    ):
        yield opened


@pytest.fixture
def cancelled(store: Store, user_id: UUID, item: CartItem) -> UUID:
    """Give the cancelled order of that item; Crossmint knows it as `x`."""
    [placed] = store.checkout(user_id, [factories.line(item, "x")])
    store.attach_transaction("x", DIGEST)
    return store.cancel_order(user_id, placed.order.id).id


@pytest.fixture
def gate(database_url: str) -> Generator[Gate]:
    """Give a shut gate, also before the COMMIT of a deletion."""
    with gates.shut(database_url) as shut:
        with psycopg.connect(database_url) as conn:
            conn.execute(
                "CREATE CONSTRAINT TRIGGER wait_at_gate_to_delete AFTER DELETE ON users"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                " EXECUTE FUNCTION wait_at_gate()"
            )
        yield shut


def payloads(conn: psycopg.Connection) -> list[Any]:
    """Read what is kept of the bodies of events."""
    return [row[0] for row in conn.execute("SELECT payload FROM order_events")]


# Creation


def test_one_identity_created_twice_at_once(store: Store, gate: Gate) -> None:
    """T1: create a user; T2: create the same one. Both get one row, as T1 made it."""
    one, other = race(
        gate,
        lambda: store.create_user("google|1", email="ann@example.org"),
        lambda: store.create_user("google|1", email="bob@example.org"),
    )
    assert one.result() == other.result()
    assert one.result().email == "ann@example.org"


def test_one_identity_created_by_many(store: Store, conn: psycopg.Connection) -> None:
    """Five at once get one user."""
    barrier = Barrier(5)

    def create_together(_: int) -> UserProfile:
        barrier.wait()
        return store.create_user("google|1", email=None)

    with ThreadPoolExecutor(5) as threads:
        ids = {user.id for user in threads.map(create_together, range(5))}
    assert len(ids) == 1
    assert conn.execute("SELECT count(*) FROM users").fetchone() == (1,)


def test_a_user_that_is_there_is_read_without_a_write_or_a_lock(
    store: Store, database_url: str
) -> None:
    """Reading by identity, and creating again, wait for nobody and move no row."""
    user = store.create_user("google|1", email="ann@example.org")
    place = "SELECT ctid, xmin, xmax::text FROM users"
    with store.connection() as lent, psycopg.connect(database_url) as holder:
        holder.execute("SELECT FROM users FOR UPDATE")
        before = holder.execute(place).fetchall()
        lent.execute("SET lock_timeout = 1")
        found = users.get_user_by_crossmint_user_id(lent, crossmint_user_id="google|1")
        again = user_steps.create_user(lent, crossmint_user_id="google|1", email=None)
        written = lent.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()
        assert (found, again, written) == (user, None, (None,))
        lent.execute("RESET lock_timeout")
        with Store(store.settings) as other:
            assert other.create_user("google|1", email="bob@example.org") == user
        assert holder.execute(place).fetchall() == before


def test_a_user_deleted_while_it_is_found_is_created_anew(
    store: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: delete the user; T2: create it. It waits, and the identity has one again."""
    first = store.create_user("google|1", email=None)
    with psycopg.connect(database_url) as deletion, ThreadPoolExecutor(1) as threads:
        user_steps.erase_user(deletion, id=first.id)
        creating = threads.submit(store.create_user, "google|1", email=None)
        gates.wait_until_waiting(conn, 1, behind=deletion.info.backend_pid)
        deletion.commit()
        assert creating.result().id != first.id


@pytest.mark.parametrize("email", ["x", "ann at example", "ä@ö", "@"])
def test_an_email_address_is_kept_as_it_comes(store: Store, email: str) -> None:
    """What the identity provider calls an e-mail address is not checked."""
    assert store.create_user("google|1", email=email).email == email


# Finding


def test_users_are_found_by_what_several_may_share(
    store: Store, conn: psycopg.Connection
) -> None:
    """By e-mail, wallet and EVM wallet: each user that has it, the eldest first."""
    shared = {
        "email": "ann@example.org",
        "wallet": "0x" + "a" * 64,
        "evm": "0x" + "b" * 40,
    }
    made = [
        store.create_user(f"google|{each}", email=shared["email"]) for each in "123"
    ]
    other = store.create_user("google|4", email="bob@example.org")
    conn.execute(
        "UPDATE users SET wallet_address = %(wallet)s, evm_address = %(evm)s"
        " WHERE email = %(email)s",
        shared,
    )
    conn.execute(
        "UPDATE users SET created_at = created_at - interval '1 day' WHERE id = %s",
        [made[2].id],
    )
    eldest_first = [made[2].id, made[0].id, made[1].id]
    for rows in (1, 2, 9):
        for found in (
            users.list_users_by_email(conn, email=shared["email"], max_rows=rows),
            users.list_users_by_wallet_address(
                conn, wallet_address=shared["wallet"], max_rows=rows
            ),
            users.list_users_by_evm_address(
                conn, evm_address=shared["evm"], max_rows=rows
            ),
        ):
            assert [user.id for user in found] == eldest_first[:rows]
    assert users.list_users_by_email(conn, email="ANN@example.org", max_rows=9) == []
    [alone] = users.list_users_by_email(conn, email="bob@example.org", max_rows=9)
    assert alone == other


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (users.LIST_USERS_BY_EMAIL, "users_email_idx"),
        (users.LIST_USERS_BY_WALLET_ADDRESS, "users_wallet_address_idx"),
        (users.LIST_USERS_BY_EVM_ADDRESS, "users_evm_address_idx"),
        (users.LIST_PENDING_WALLETS, "users_pending_wallets_idx"),
    ],
)
def test_a_search_reads_its_index(
    conn: psycopg.Connection, query: str, index: str
) -> None:
    """Among many users, each search for some of them goes by the index made for it."""
    conn.execute(
        "INSERT INTO users (crossmint_user_id, email, evm_address, wallet_address,"
        " wallet_status) SELECT n, n || '@x', '0x' || lpad(to_hex(n), 40, '0'),"
        " '0x' || lpad(to_hex(n), 64, '0'),"
        " CASE WHEN n % 1000 = 0 THEN 'pending' ELSE 'active' END"
        " FROM generate_series(1, 20000) AS n"
    )
    conn.execute("ANALYZE users")
    given = "interval '0'" if "interval" in query else "'0x1'"
    text = query.replace("$1", given).replace("$2", "50")
    planned = conn.execute(b"EXPLAIN " + text.encode()).fetchall()
    assert index in str(planned)


# Keys


def test_a_profile_is_a_user_without_the_key(conn: psycopg.Connection) -> None:
    """The view has every column of users but the token, and whether there is one."""
    columns = (
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    )
    table, view = (
        {name for (name,) in conn.execute(columns, [relation])}
        for relation in ("users", "user_profiles")
    )
    assert table - view == {"sui_private_key_encrypted"}
    assert view - table == {"has_sui_private_key"}


def test_no_query_but_two_gives_a_token() -> None:
    """One query gives the token of a user, and one those of all, for the rotation."""
    naming = {
        name.lower()
        for module in (carts, chats, deposits, orders, users, user_steps)
        for name, text in inspect.getmembers(module)
        if name.isupper() and "sui_private_key_encrypted" in str(text)
    }
    writing = {"provision_wallet", "set_sui_private_key", "replace_sui_private_keys"}
    assert naming - writing == {"get_sui_private_key", "list_sui_private_keys"}
    for name in writing:
        hints = inspect.signature(getattr(user_steps, name))
        assert hints.return_annotation is int
    assert not [
        field
        for _, model in inspect.getmembers(models, inspect.isclass)
        for field in getattr(model, "__annotations__", {})
        if "encrypted" in field
    ]


KEY_IN_THE_OPEN = chains.sui_private_key(bytes(range(32)))


@pytest.mark.parametrize(
    "spelling",
    [
        KEY_IN_THE_OPEN,
        KEY_IN_THE_OPEN.upper(),
        f" {KEY_IN_THE_OPEN}\n",
        f'{{"key": "{KEY_IN_THE_OPEN}"}}',
        base64.b64encode(KEY_IN_THE_OPEN.encode()).decode(),
        KEY_IN_THE_OPEN.encode().hex(),
        bytes(range(32)).hex(),
        "0x" + bytes(range(32)).hex().upper(),
        bytes(range(33)).hex(),
        base64.b64encode(bytes(range(32))).decode(),
        base64.b64encode(bytes(range(33))).decode(),
        "film crazy soon outside stand loop subway crumble thrive popular green nuts",
    ],
)
def test_a_key_in_the_open_does_not_come_into_its_column(
    store: Store, user_id: UUID, spelling: str
) -> None:
    """The database refuses a plaintext key in each spelling of Sui's tools."""

    def set_key(conn: psycopg.Connection) -> None:
        user_steps.set_sui_private_key(conn, id=user_id, token=spelling)

    def rotate(conn: psycopg.Connection) -> None:
        user_steps.replace_sui_private_keys(
            conn, ids=[user_id], old_tokens=["v1"], new_tokens=[spelling]
        )

    def provision(conn: psycopg.Connection) -> None:
        user_steps.provision_wallet(
            conn,
            id=user_id,
            wallet_address="0x" + "1" * 64,
            crossmint_wallet_id=None,
            evm_address=None,
            token=spelling,
        )

    with store.connection() as conn:
        users.begin_wallet(conn, id=user_id)
        user_steps.set_sui_private_key(conn, id=user_id, token="v1")  # noqa: S106 - none
    for write in (set_key, rotate, provision):
        with pytest.raises(errors.InvalidValue) as refused, store.connection() as conn:
            write(conn)
        assert refused.value.constraint == "encrypted_key_is_not_plain"
        assert spelling not in str(refused.value)


# Onboarding


@pytest.mark.parametrize("column", onboarding.FIELDS)
def test_a_text_that_is_too_long_is_refused(
    store: Store, conn: psycopg.Connection, user_id: UUID, column: str
) -> None:
    """One character more than a column takes: nothing is written, nor told."""
    for query, lengths in onboarding.STEPS:
        given = {name: onboarding.text(name, 1) for name in lengths}
        if column not in lengths:
            query(conn, id=user_id, **given)
            continue
        before = users.get_user(conn, id=user_id)
        given[column] = ("zq" * lengths[column])[: lengths[column] + 1]
        with pytest.raises(errors.InvalidValue) as refused, store.connection() as lent:
            query(lent, id=user_id, **given)
        assert refused.value.sqlstate == "22001"
        assert "zq" not in str(refused.value)
        assert users.get_user(conn, id=user_id) == before
        return


def test_a_shipping_address_may_have_no_state(
    conn: psycopg.Connection, user_id: UUID
) -> None:
    """Many countries have none; flats too are not everybody's."""
    users.set_display_name(conn, id=user_id, display_name="Ann")
    query, lengths = onboarding.STEPS[1]
    given = {name: onboarding.text(name, 1) for name in lengths}
    user = query(conn, id=user_id, **given | {"state": None, "apt": None})
    assert user is not None
    assert (user.state, user.apt, user.country) == (None, None, "US")


@pytest.mark.parametrize("country", ["us", "U", "", "U1", "  ", "ÄÖ"])
def test_a_country_is_two_capital_letters(
    store: Store, conn: psycopg.Connection, user_id: UUID, country: str
) -> None:
    """What is no ISO 3166-1 alpha-2 code by its form is refused."""
    users.set_display_name(conn, id=user_id, display_name="Ann")
    query, lengths = onboarding.STEPS[1]
    given = {name: onboarding.text(name, 1) for name in lengths}
    with pytest.raises(errors.InvalidValue) as refused, store.connection() as lent:
        query(lent, id=user_id, **given | {"country": country})
    assert refused.value.constraint == "country_code_is_two_letters"


def test_nobody_is_found_under_an_unknown_id(store: Store) -> None:
    """Queries return nothing, methods raise UserNotFound with the id."""
    nobody = uuid4()
    key = SecretStr(chains.sui_private_key(bytes(32)))
    uses: tuple[Callable[[], object], ...] = (
        lambda: store.delete_user(nobody),
        lambda: store.get_sui_private_key(nobody),
        lambda: store.set_sui_private_key(nobody, key),
        lambda: store.provision_wallet(nobody, wallet_address="0x1", key=None),
    )
    for use in uses:
        with pytest.raises(errors.UserNotFound) as refused:
            use()
        assert refused.value.user_id == nobody
    with store.connection() as conn:
        assert users.get_user(conn, id=nobody) is None
        assert users.set_display_name(conn, id=nobody, display_name="a") is None


# Wallets


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


# Deletion


def test_deletion_takes_everything_along(
    store: Store, conn: psycopg.Connection, user_id: UUID, cancelled: UUID
) -> None:
    """No row of any table is left, but that the order's ids are used up."""
    stranger = factories.add_user(conn)
    others = factories.add_item(conn, stranger)
    store.checkout(stranger, [factories.line(others, "theirs")])
    store.record_order_event(factories.event(PAYMENT_FAILED, "theirs"))
    factories.add_item(conn, user_id)
    chats.create_chat_session(conn, user_id=user_id, title=None)
    store.record_order_event(factories.event(PAYMENT_FAILED, "x"))
    tables = Tables(conn)
    before = tables.read()
    store.delete_user(user_id)
    after = tables.read()
    [retired] = after.pop("retired_orders").values()
    assert retired == {
        "id": str(cancelled),
        "crossmint_order_id": "x",
        "tx_hash": DIGEST,
    }
    for name, rows in after.items():
        assert rows.items() <= before[name].items()
    assert list(after["users"]) == [str(stranger)]
    for name in ("cart_items", "orders", "order_items", "order_events"):
        assert len(after[name]) == 1
    assert not after["chat_sessions"]


def test_a_deleted_user_s_deposit_is_nobody_else_s(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A transaction that a deleted user claimed is claimed by nobody again."""
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=DIGEST)
    deposits.fail_deposit(conn, tx_hash=DIGEST)
    other = factories.add_user(conn)
    store.delete_user(user_id)
    assert deposits.claim_deposit(conn, user_id=other, tx_hash=DIGEST) is None
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_a_claim_of_what_a_deletion_uses_up(
    store: Store, conn: psycopg.Connection, user_id: UUID, database_url: str
) -> None:
    """T1: delete a user with a deposit; T2: claim its transaction. It is refused."""
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=DIGEST)
    deposits.fail_deposit(conn, tx_hash=DIGEST)
    other = factories.add_user(conn)

    def claim() -> Order | None:
        with store.connection() as inside:
            return deposits.claim_deposit(inside, user_id=other, tx_hash=DIGEST)

    with psycopg.connect(database_url) as deletion, ThreadPoolExecutor(1) as threads:
        user_steps.erase_orders(deletion, user_id=user_id)
        claiming = threads.submit(claim)
        gates.wait_until_waiting(conn, 1, behind=deletion.info.backend_pid)
        deletion.commit()
        with pytest.raises(errors.AlreadyExists) as refused:
            claiming.result()
    assert refused.value.constraint == "orders_tx_hash_key"


def test_deletion_names_the_open_orders(
    store: Store, conn: psycopg.Connection, user_id: UUID, cancelled: UUID
) -> None:
    """Exactly the orders that are neither delivered nor cancelled are named."""
    other = factories.add_item(conn, user_id)
    [placed] = store.checkout(user_id, [factories.line(other)])
    before = Tables(conn).read()
    with pytest.raises(errors.UserHasOpenOrders) as refused:
        store.delete_user(user_id)
    assert refused.value.order_ids == {placed.order.id} != {cancelled}
    assert refused.value.user_id == user_id
    assert str(placed.order.id) in str(refused.value)
    assert Tables(conn).read() == before


def test_a_checkout_before_a_deletion(
    store: Store, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: delete the user. The order stands, the deletion is refused."""
    one, other = race(
        gate,
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
        lambda: store.delete_user(user_id),
    )
    [placed] = one.result()
    with pytest.raises(errors.UserHasOpenOrders) as refused:
        other.result()
    assert refused.value.order_ids == {placed.order.id}


def test_a_checkout_after_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: delete the user; T2: check out. Nothing is sold to nobody."""
    one, other = race(
        gate,
        lambda: store.delete_user(user_id),
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
    )
    assert one.result() is None
    with pytest.raises(errors.ItemUnavailable):
        other.result()
    assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)


@pytest.mark.usefixtures("cancelled")
def test_an_event_before_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: an event; T2: delete the user. The deletion sees it and takes it along."""
    one, other = race(
        gate,
        lambda: store.record_order_event(factories.event(PAYMENT_FAILED, "x")),
        lambda: store.delete_user(user_id),
    )
    assert one.result().is_first
    assert other.result() is None
    assert payloads(conn) == []


@pytest.mark.usefixtures("cancelled")
def test_an_event_that_reopens_the_order_before_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: the money came after all; T2: delete the user. It is refused."""
    one, other = race(
        gate,
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
        lambda: store.delete_user(user_id),
    )
    assert one.result().pays
    with pytest.raises(errors.UserHasOpenOrders):
        other.result()
    assert users.get_user(conn, id=user_id) is not None


@pytest.mark.usefixtures("cancelled")
def test_an_event_after_a_deletion(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: delete the user; T2: an event. That it happened is kept, its body is not."""
    event = factories.event(PAYMENT_SUCCEEDED, "x", payment_hash="0x1")
    one, other = race(
        gate,
        lambda: store.delete_user(user_id),
        lambda: store.record_order_event(event),
    )
    assert one.result() is None
    assert other.result().order is None
    kept = conn.execute("SELECT id, type, payment_hash, payload FROM order_events")
    assert kept.fetchall() == [(event.id, PAYMENT_SUCCEEDED, None, None)]


def test_a_deletion_between_an_event_and_its_look_for_the_order(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: keep an event, but not yet lock its order; T2: delete the user; T1 goes on.

    The deletion waits for nobody, and the event, which it cannot see, does not
    outlive it with a body.
    """
    item = factories.add_item(conn, user_id)
    [placed] = store.checkout(user_id, [factories.line(item, "x")])
    store.cancel_order(user_id, placed.order.id)
    event = factories.event(PAYMENT_FAILED, "x", payment_hash="0x1")
    conn.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_advisory_xact_lock(2, 2); RETURN NULL; END $$;"
        " CREATE TRIGGER wait AFTER INSERT ON order_events FOR EACH ROW"
        " EXECUTE FUNCTION wait()"
    )
    with psycopg.connect(database_url) as holder, ThreadPoolExecutor(1) as threads:
        holder.execute("SELECT pg_advisory_xact_lock(2, 2)")
        receiving = threads.submit(store.record_order_event, event)
        gates.wait_until_waiting(conn, 1, behind=holder.info.backend_pid)
        store.delete_user(user_id)
        holder.commit()
        receiving.result()
    kept = conn.execute("SELECT id, payment_hash, payload FROM order_events").fetchall()
    assert kept == [(event.id, None, None)]


def test_events_and_deletions_in_any_order_leave_no_body(
    store: Store, conn: psycopg.Connection
) -> None:
    """Users are deleted while events of their orders come: every event is stripped."""
    known: list[tuple[UUID, str]] = []
    for number in range(24):
        user_id = factories.add_user(conn)
        line = factories.line(factories.add_item(conn, user_id), f"x{number}")
        [placed] = store.checkout(user_id, [line])
        store.cancel_order(user_id, placed.order.id)
        known.append((user_id, f"x{number}"))
    barrier = Barrier(4)

    def delete() -> None:
        barrier.wait()
        for user_id, _ in known:
            store.delete_user(user_id)

    def receive() -> None:
        barrier.wait()
        for _, name in known:
            store.record_order_event(factories.event(PAYMENT_FAILED, name))

    with ThreadPoolExecutor(4) as threads:
        for done in [
            threads.submit(each) for each in (delete, receive, receive, receive)
        ]:
            done.result()
    assert conn.execute("SELECT count(*) FROM users").fetchone() == (0,)
    assert not any(payloads(conn))


def test_a_user_with_many_orders_is_deleted_beside_others(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """The deletion locks nothing for each order, and others' events do not wait.

    So many orders that a lock for each would not fit into the server's lock table.
    """
    conn.execute(
        "INSERT INTO orders (user_id, type, status, crossmint_order_id)"
        " SELECT %s, 'checkout', 'delivered', 'many-' || n"
        " FROM generate_series(1, 20000) AS n",
        [user_id],
    )
    conn.execute(
        "INSERT INTO order_events (id, crossmint_order_id, type, payload)"
        " SELECT n, 'many-' || n, 'orders.delivery.completed', '{}'"
        " FROM generate_series(1, 20000) AS n"
    )
    stranger = factories.add_user(conn)
    item = factories.add_item(conn, stranger)
    store.checkout(stranger, [factories.line(item, "theirs")])
    with gates.shut(database_url) as gate, ThreadPoolExecutor(2) as threads:
        conn.execute(
            "CREATE CONSTRAINT TRIGGER wait_at_gate_to_delete AFTER DELETE ON users"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION wait_at_gate()"
        )
        for table in ("order_events", "orders", "cart_items"):
            conn.execute(f"DROP TRIGGER wait_at_gate ON {table}")
        deletion = threads.submit(store.delete_user, user_id)
        gate.wait_for_arrival()
        locks = conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE locktype = 'advisory' AND granted)"
            " FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        ).fetchone()
        paid = factories.event(PAYMENT_SUCCEEDED, "theirs")
        other = threads.submit(store.record_order_event, paid)
        try:
            other.result(timeout=20)
        finally:
            gate.open()
        deletion.result()
    assert locks is not None
    assert locks[0] < 100
    assert locks[1] == 1, "there is another lock than the gate's"
    left = conn.execute("SELECT count(*) FROM orders WHERE user_id = %s", [user_id])
    assert left.fetchone() == (0,)
    assert len(payloads(conn)) == 1


# What the orders of deleted users have used up


@pytest.fixture
def others(conn: psycopg.Connection) -> CartItem:
    """Give an item in another user's cart."""
    return factories.add_item(conn, factories.add_user(conn))


@pytest.mark.usefixtures("cancelled")
def test_what_was_used_up_pays_nothing_again(
    store: Store, user_id: UUID, others: CartItem
) -> None:
    """What a deleted user's order has used is refused as if the order were there."""
    store.delete_user(user_id)
    with pytest.raises(errors.AlreadyExists) as refused:
        store.checkout(others.user_id, [factories.line(others, "x")])
    assert refused.value.constraint == "orders_crossmint_order_id_key"
    [placed] = store.checkout(others.user_id, [factories.line(others)])
    with pytest.raises(errors.AlreadyExists) as attached:
        store.attach_crossmint_order(others.user_id, placed.order.id, "x")
    assert attached.value.constraint == "orders_crossmint_order_id_key"
    store.attach_crossmint_order(others.user_id, placed.order.id, "y")
    with pytest.raises(errors.AlreadyExists):
        store.attach_transaction("y", DIGEST)


@pytest.mark.usefixtures("cancelled")
def test_an_order_that_waits_for_a_deletion(
    store: Store, user_id: UUID, others: CartItem, gate: Gate
) -> None:
    """T1: delete the user; T2: check out as the user's order. It is not free."""
    one, other = race(
        gate,
        lambda: store.delete_user(user_id),
        lambda: store.checkout(others.user_id, [factories.line(others, "x")]),
    )
    assert one.result() is None
    with pytest.raises(errors.AlreadyExists):
        other.result()
