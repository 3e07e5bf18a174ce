"""Wallet keys that the old backend encrypted are read at once, and come to be bound."""

from collections.abc import Generator
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from generated.internal import user_steps
from store import Store, migrations, rotation
from store.errors import Undecryptable
from store_testing import chains, factories, wallets
from tests.support import adopted, stores
from tests.support.recorded import MIGRATIONS

OLD, NEW, LOST = b"\1" * 32, b"\2" * 32, b"\3" * 32


def key_of(user_id: UUID) -> SecretStr:
    """Give a user's own key."""
    return SecretStr(chains.sui_private_key(user_id.bytes * 2))


def legacy(user_id: UUID, key: bytes = OLD) -> str:
    """Encrypt a user's key as the old backend did."""
    return wallets.legacy_token(key_of(user_id).get_secret_value(), key)


def silent(_line: str) -> None:
    """Say nothing."""


@pytest.fixture
def user_ids(old_url: str, old: psycopg.Connection) -> list[UUID]:
    """Give users of an adopted database, more than a batch, with keys of before."""
    old.execute("UPDATE users SET sui_private_key_encrypted = NULL")
    ids = sorted(
        row[0]
        for row in old.execute(
            "INSERT INTO users (crossmint_user_id, email, wallet_status)"
            " SELECT 'key-' || n, 'x', 'active' FROM generate_series(1, 103) AS n"
            " RETURNING id"
        )
    )
    for user_id in ids:
        old.execute(
            "UPDATE users SET sui_private_key_encrypted = %s WHERE id = %s",
            [legacy(user_id), user_id],
        )
    adopted.adopt(old_url)
    migrations.up(adopted.at(old_url), directory=MIGRATIONS)
    return ids


@pytest.fixture
def store(old_url: str, user_ids: list[UUID]) -> Generator[Store]:
    """Give a store on the adopted database, with the old key behind a new one."""
    assert user_ids
    ring = f"{NEW.hex()},{OLD.hex()}"
    with stores.opened(old_url, wallet_encryption_keys=ring) as opened:
        yield opened


def test_keys_of_before_are_there_at_once(store: Store, user_ids: list[UUID]) -> None:
    """Every key decrypts with nothing done; a check tells how many are of before."""
    keys = [store.get_sui_private_key(user_id) for user_id in user_ids]
    assert keys == [key_of(user_id) for user_id in user_ids]
    found = rotation.check(store, silent)
    assert (found.visited, found.older, found.legacy) == (103, 103, 103)
    assert found.undecryptable == found.foreign == []


def test_a_rotation_binds_them(
    store: Store, old_url: str, user_ids: list[UUID]
) -> None:
    """Then the old key is not needed any more; again is nothing."""
    found = rotation.rotate(store, silent)
    assert (found.visited, found.replaced, found.legacy) == (103, 103, 0)
    assert rotation.rotate(store, silent).replaced == 0
    with stores.opened(old_url, wallet_encryption_keys=NEW.hex()) as renewed:
        keys = [renewed.get_sui_private_key(user_id) for user_id in user_ids]
    assert keys == [key_of(user_id) for user_id in user_ids]


def test_what_another_key_encrypted_stays(
    store: Store, old: psycopg.Connection, user_ids: list[UUID]
) -> None:
    """Such a token is not touched, and its user is named; the others' come along."""
    lost = legacy(user_ids[7], LOST)
    old.execute(
        "UPDATE users SET sui_private_key_encrypted = %s WHERE id = %s",
        [lost, user_ids[7]],
    )
    found = rotation.rotate(store, silent)
    assert (found.undecryptable, found.foreign) == ([user_ids[7]], [])
    assert found.replaced == 102
    assert user_steps.get_sui_private_key(old, id=user_ids[7]) == lost
    with pytest.raises(Undecryptable):
        store.get_sui_private_key(user_ids[7])


def test_a_key_of_an_adopted_wallet_is_not_replaced(
    store: Store, old: psycopg.Connection, user_ids: list[UUID]
) -> None:
    """What is active is so with the key that it came with."""
    assert store.create_user("key-1", email=None).has_sui_private_key
    factories.add_user(old)
    store.set_sui_private_key(user_ids[0], key_of(user_ids[0]))
    found = rotation.check(store, silent)
    assert (found.visited, found.legacy) == (103, 103)
