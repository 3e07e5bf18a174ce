"""Users are created, once for each identity, and found.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import psycopg
import pytest

from generated import users
from generated.internal import user_steps
from generated.models import UserProfile
from store import Store
from tests.support import gates
from tests.support.gates import Gate
from tests.support.races import race

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
        "UPDATE users SET created_at = %s WHERE id = %s",
        [made[2].created_at - timedelta(days=1), made[2].id],
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
