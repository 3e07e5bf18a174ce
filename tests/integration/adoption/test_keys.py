"""Wallet keys that the old backend encrypted come under the store's own ring."""

import base64
from collections.abc import Generator
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from generated import users
from store import Store, rotation
from store.errors import Undecryptable
from tests.support import adopted, chains, factories, stores

RING = "0f" * 32


def key_of(user_id: UUID) -> SecretStr:
    """Give a user's own key."""
    return SecretStr(chains.sui_private_key(user_id.bytes * 2))


def foreign(user_id: UUID) -> str:
    """Encrypt a user's key as the old backend did."""
    secret = key_of(user_id).get_secret_value()
    return "b64:" + base64.b64encode(secret.encode()).decode()


def decrypt(user_id: UUID, token: str) -> SecretStr | None:
    """Decrypt what the old backend encrypted."""
    assert token == foreign(user_id)
    return key_of(user_id)


def silent(_line: str) -> None:
    """Say nothing."""


@pytest.fixture
def store(old_url: str) -> Generator[Store]:
    """Give a store on the adopted database."""
    adopted.adopt(old_url)
    with stores.opened(old_url, wallet_encryption_keys=RING) as opened:
        yield opened


@pytest.fixture
def user_ids(store: Store, old: psycopg.Connection) -> list[UUID]:
    """Give users with keys of the old backend, more than a batch."""
    old.execute("UPDATE users SET sui_private_key_encrypted = NULL")
    with store.transaction() as conn:
        ids = sorted(factories.add_user(conn) for _ in range(103))
        for user_id in ids:
            users.set_sui_private_key(conn, id=user_id, token=foreign(user_id))
    return ids


def test_foreign_keys_are_told_from_broken_ones(
    store: Store, old: psycopg.Connection, user_ids: list[UUID]
) -> None:
    """They are kept, and a check says whose they are; a copied token is ours."""
    store.set_sui_private_key(user_ids[0], key_of(user_ids[0]))
    user = users.get_user(old, id=user_ids[0])
    assert user is not None
    assert user.sui_private_key_encrypted is not None
    users.set_sui_private_key(old, id=user_ids[1], token=user.sui_private_key_encrypted)
    found = rotation.check(store, silent)
    assert found.undecryptable == user_ids[1:]
    assert found.foreign == user_ids[2:]
    with pytest.raises(Undecryptable):
        store.get_sui_private_key(user_ids[2])


def test_a_callback_brings_foreign_keys_under_the_ring(
    store: Store, user_ids: list[UUID]
) -> None:
    """Every user's key is the user's own, encrypted by the store; again is nothing."""
    store.set_sui_private_key(user_ids[5], key_of(user_ids[6]))
    found = rotation.reencrypt(store, silent, decrypt)
    assert (found.visited, found.replaced) == (103, 102)
    assert found.undecryptable == found.foreign == []
    keys = [store.get_sui_private_key(user_id) for user_id in user_ids]
    kept = [key_of(user_id) for user_id in user_ids]
    assert keys == [*kept[:5], kept[6], *kept[6:]]
    assert rotation.reencrypt(store, silent, decrypt).replaced == 0
    assert rotation.check(store, silent).undecryptable == []


@pytest.mark.parametrize("given", [None, SecretStr("no key of Sui's")])
def test_what_the_callback_cannot_read_stays(
    store: Store, old: psycopg.Connection, user_ids: list[UUID], given: SecretStr | None
) -> None:
    """Such a token is not touched, and its user is named; the others' come along."""

    def fail_for_one(user_id: UUID, token: str) -> SecretStr | None:
        return given if user_id == user_ids[7] else decrypt(user_id, token)

    found = rotation.reencrypt(store, silent, fail_for_one)
    assert found.undecryptable == found.foreign == [user_ids[7]]
    assert found.replaced == 102
    user = users.get_user(old, id=user_ids[7])
    assert user is not None
    assert user.sui_private_key_encrypted == foreign(user_ids[7])


def test_an_interrupted_run_is_resumed(store: Store, user_ids: list[UUID]) -> None:
    """What the callback raises ends the run; the batches before it stay encrypted."""

    def break_off(user_id: UUID, token: str) -> SecretStr | None:
        if user_id == user_ids[101]:
            raise KeyboardInterrupt
        return decrypt(user_id, token)

    with pytest.raises(KeyboardInterrupt):
        rotation.reencrypt(store, silent, break_off)
    assert rotation.check(store, silent).foreign == user_ids[100:]
    assert rotation.reencrypt(store, silent, decrypt).replaced == 3
