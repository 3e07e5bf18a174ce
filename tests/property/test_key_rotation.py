"""Rotation encrypts everything anew and loses nothing, whoever writes meanwhile."""

import itertools
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
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

from generated.internal import user_steps
from store import Store, rotation
from store.encryption import SUI_PRIVATE_KEY, KeyRing
from store.rotation import Findings
from store_testing import chains, factories, wallets
from tests.property.conftest import RunMachine
from tests.support import gates, stores
from tests.support.races import race

Kind: TypeAlias = str | int | None
"""The place in the ring of the key that made a token; another reason; no token."""

LEGACY = {"the old backend's, 1": 1, "the old backend's, 0": 0}
"""The place in the ring of the key with which the old backend has encrypted."""

OLDER = {1, 2, *LEGACY}
LOST = ["of a lost key", "the old backend's, of a lost key"]

RING = [bytes([number]) * 32 for number in (1, 2, 3)]
KEYS = {0, 1, 2}
FOREIGN = ["", "v1.", "legacy:AAAA", "v2.72cd6e8422c407fb." + "00" * 40]

kinds: st.SearchStrategy[str | int] = st.sampled_from(
    [*KEYS, *KEYS, *LEGACY, *LOST, "of another user", *FOREIGN]
)


def _token(kind: str | int, user_id: UUID, key: SecretStr) -> str:
    if isinstance(kind, int):
        return KeyRing([RING[kind]]).encrypt(key, user_id, SUI_PRIVATE_KEY)
    if kind in LEGACY:
        return wallets.legacy_token(key.get_secret_value(), RING[LEGACY[kind]])
    if kind == "the old backend's, of a lost key":
        return wallets.legacy_token(key.get_secret_value(), bytes(32))
    if kind == "of a lost key":
        return KeyRing([bytes(32)]).encrypt(key, user_id, SUI_PRIVATE_KEY)
    if kind == "of another user":
        return KeyRing(RING).encrypt(key, UUID(int=1), SUI_PRIVATE_KEY)
    return kind


class Rows:
    """The users of an example: what each one's token should decrypt to, if it does."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn, self._numbers = conn, itertools.count()
        conn.execute("DELETE FROM users")
        self.keys: dict[UUID, str | None] = {}
        self.stored: dict[UUID, str] = {}

    def add(self, kind: Kind) -> UUID:
        """Add a user with such a token."""
        user_id = factories.add_user(self._conn)
        if kind is not None:
            self.write(self._conn, user_id, kind)
        return user_id

    def write(self, conn: Connection[Any], user_id: UUID, kind: str | int) -> None:
        """Give a user a new key, in such a token."""
        key = self._new_key()
        self.keys[user_id] = key if kind in {*KEYS, *LEGACY} else None
        self.stored[user_id] = token = _token(kind, user_id, SecretStr(key))
        user_steps.set_sui_private_key(conn, id=user_id, token=token)

    def set_key(self, store: Store, user_id: UUID) -> None:
        """Give a user a new key through a store."""
        self.keys[user_id] = key = self._new_key()
        store.set_sui_private_key(user_id, SecretStr(key))
        self.stored[user_id] = self.read()[user_id]

    def read(self) -> dict[UUID, str]:
        """Read the tokens."""
        query = (
            "SELECT id, sui_private_key_encrypted FROM users"
            " WHERE sui_private_key_encrypted IS NOT NULL"
        )
        return dict(self._conn.execute(query).fetchall())

    def undecryptable(self) -> set[UUID]:
        """Give the users whose token no key of the ring decrypts."""
        return {user_id for user_id in self.stored if self.keys[user_id] is None}

    def older(self) -> int:
        """Count the tokens that decrypt, but are not of the first key and our form."""
        newest = KeyRing(RING).prefix
        return sum(
            self.keys[user_id] is not None and not token.startswith(newest)
            for user_id, token in self.read().items()
        )

    def _new_key(self) -> str:
        return chains.sui_private_key(next(self._numbers).to_bytes(32))

    def check(self, *, rotated: bool) -> None:
        """Each row decrypts to its key, with the first one, or is what it was."""
        newest = KeyRing(RING[:1] if rotated else RING)
        now = self.read()
        assert now.keys() == self.stored.keys()
        for user_id, token in now.items():
            if (key := self.keys[user_id]) is None:
                assert token == self.stored[user_id]
            else:
                secret = newest.decrypt(token, user_id, SUI_PRIVATE_KEY)
                assert secret.get_secret_value() == key


def ring_of(keys: list[bytes]) -> str:
    """Spell a ring as its variable does."""
    return ",".join(key.hex() for key in keys)


@pytest.fixture
def store(database_url: str) -> Generator[Store]:
    """Give a store with the whole ring."""
    with stores.opened(database_url, wallet_encryption_keys=ring_of(RING)) as opened:
        yield opened


@pytest.fixture
def old_store(database_url: str) -> Generator[Store]:
    """Give a store that still encrypts with the second key."""
    ring = ring_of([RING[1], RING[0], RING[2]])
    with stores.opened(database_url, wallet_encryption_keys=ring) as opened:
        yield opened


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows be several batches."""
    monkeypatch.setattr(rotation, "_BATCH", 3)


def silent(_line: str) -> None:
    """Say nothing."""


@given(st.lists(st.none() | kinds, max_size=12))
def test_rotation_renews_all_that_decrypts(
    store: Store, conn: psycopg.Connection, given_: list[Kind]
) -> None:
    """Older tokens become the first key's; what does not decrypt stays and is named."""
    rows = Rows(conn)
    for kind in given_:
        rows.add(kind)
    older = sum(kind in OLDER for kind in given_)
    found = rotation.check(store, silent)
    assert rows.read() == rows.stored, "a check wrote"
    assert set(found.undecryptable) == rows.undecryptable()
    assert (found.visited, found.older) == (len(rows.stored), older)
    assert found.legacy == sum(kind in LEGACY for kind in given_)
    rotated = rotation.rotate(store, silent)
    rows.check(rotated=True)
    assert rotated.undecryptable == found.undecryptable
    assert (rotated.visited, rotated.replaced) == (found.visited, older)
    before = rows.read()
    again = rotation.rotate(store, silent)
    assert (again.replaced, again.older, rows.read()) == (0, 0, before)


@given(st.lists(st.none() | kinds, max_size=12), st.integers(0, 4))
def test_an_interrupted_rotation_is_resumed(
    store: Store, conn: psycopg.Connection, given_: list[Kind], batches: int
) -> None:
    """Stopped after any batch nothing is lost, and the next run does only the rest."""
    rows = Rows(conn)
    for kind in given_:
        rows.add(kind)

    lines = iter(range(batches))

    def interrupt(_line: str) -> None:
        if next(lines, None) is None:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        rotation.rotate(store, interrupt)
    rows.check(rotated=False)
    done = sum(rows.stored[user_id] != token for user_id, token in rows.read().items())
    found = rotation.rotate(store, silent)
    assert found.replaced == sum(kind in OLDER for kind in given_) - done
    rows.check(rotated=True)


ways = kinds | st.sampled_from(["new", "old"])
"""How a key comes to be written: see `RotationMachine.write`."""


class RotationMachine(RuleBasedStateMachine):
    """Rotates, checks and stops, while writers of both rings change what is there."""

    def __init__(self, store: Store, old_store: Store, conn: Connection[Any]) -> None:
        super().__init__()
        self.stores, self.conn = {"new": store, "old": old_store}, conn

    @initialize()
    def begin(self) -> None:
        """Begin with nobody."""
        self.rows = Rows(self.conn)
        self.users: list[UUID] = []

    @rule(kind=st.none() | kinds)
    def add(self, kind: Kind) -> None:
        """Add a user, with a key or without."""
        self.users.append(self.rows.add(kind))

    @precondition(lambda self: self.users)
    @rule(who=st.integers(0), how=ways)
    def write(self, who: int, how: str | int) -> None:
        """Let a store of the new or old ring set a key, or a row be spoilt."""
        user_id = self.users[who % len(self.users)]
        if how in self.stores:
            self.rows.set_key(self.stores[str(how)], user_id)
        else:
            self.rows.write(self.conn, user_id, how)

    @precondition(lambda self: self.users)
    @rule(
        writes=st.lists(st.tuples(st.integers(0), ways), max_size=4),
        stopped=st.booleans(),
    )
    def rotate_beside_writers(
        self, writes: list[tuple[int, str | int]], stopped: bool
    ) -> None:
        """Rotate, with a write after each batch, to the end or until it is stopped."""

        def after_a_batch(_line: str) -> None:
            if writes:
                self.write(*writes.pop())
            elif stopped:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            rotation.rotate(self.stores["new"], after_a_batch)

    @rule()
    def rotate(self) -> None:
        """Rotate alone: everything that decrypts is the first key's thereafter."""
        older = self.rows.older()
        found = rotation.rotate(self.stores["new"], silent)
        assert found.replaced == older
        assert set(found.undecryptable) == self.rows.undecryptable()
        self.rows.check(rotated=True)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Each key decrypts, and a check counts what is older or lost already."""
        self.rows.check(rotated=False)
        found = rotation.check(self.stores["new"], silent)
        assert (found.visited, found.older) == (
            len(self.rows.stored),
            self.rows.older(),
        )
        assert set(found.undecryptable) == self.rows.undecryptable()


def test_rotation_does_what_the_model_says(
    store: Store, old_store: Store, conn: psycopg.Connection, run_machine: RunMachine
) -> None:
    """Whatever writers do between batches, no key is lost and no token overlooked."""
    run_machine(
        lambda: RotationMachine(store, old_store, conn),
        settings=settings(max_examples=50, stateful_step_count=20),
    )


@settings(max_examples=40)
@given(st.data())
def test_what_is_written_before_a_replacement_stays(
    store: Store, conn: psycopg.Connection, database_url: str, data: st.DataObject
) -> None:
    """A row that changes between its reading and its replacement keeps the change.

    The writer has changed rows of the first batch, and commits when the rotation waits
    for one of them. What it wrote with an older key is replaced thereafter.
    """
    rows = Rows(conn)
    ids = sorted(rows.add(data.draw(st.sampled_from([0, 1, 2]))) for _ in range(5))
    rows.write(conn, ids[0], 1)  # so that the rotation wants to replace one that waits
    with psycopg.connect(database_url) as writer, ThreadPoolExecutor(1) as threads:
        for user_id in [ids[0], *data.draw(st.sets(st.sampled_from(ids[1:])))]:
            rows.write(writer, user_id, data.draw(kinds))
        rotating = threads.submit(rotation.rotate, store, silent)
        gates.wait_until_waiting(conn, 1, behind=writer.info.backend_pid)
        writer.commit()
        found = rotating.result()
    rows.check(rotated=True)
    assert set(found.undecryptable) == rows.undecryptable()


def test_what_is_written_during_a_replacement_stays(
    store: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: rotate, up to COMMIT; T2: set another key. It waits, and its key stays."""
    rows = Rows(conn)
    user_id = rows.add(1)
    key = SecretStr(chains.sui_private_key(b"k" * 32))
    with gates.shut(database_url) as gate:
        one, other = race(
            gate,
            lambda: rotation.rotate(store, silent),
            lambda: store.set_sui_private_key(user_id, key),
        )
    assert (one.result().replaced, other.result()) == (1, None)
    assert store.get_sui_private_key(user_id) == key


def test_two_rotations_at_once(
    store: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1: rotate, up to COMMIT; T2: rotate. Each row is replaced once."""
    rows = Rows(conn)
    for _ in range(3):
        rows.add(1)
    with gates.shut(database_url) as gate:
        one, other = race(
            gate,
            lambda: rotation.rotate(store, silent),
            lambda: rotation.rotate(store, silent),
        )
    assert (one.result().replaced, other.result().replaced) == (3, 0)
    rows.check(rotated=True)


def test_rotations_beside_writers_of_both_rings_lose_nothing(
    store: Store, old_store: Store, conn: psycopg.Connection
) -> None:
    """Two writers, one of them with the ring of before, and two rotations, together.

    Each user's last key is there in the end, and a last rotation finds all decryptable.
    """
    rows = Rows(conn)
    ids = [rows.add(1) for _ in range(8)]
    barrier = Barrier(4)

    def write(writer: Store, own: list[UUID]) -> dict[UUID, SecretStr]:
        barrier.wait()
        last: dict[UUID, SecretStr] = {}
        for number in range(1, 16):
            for user_id in own:
                last[user_id] = SecretStr(chains.sui_private_key(bytes([number]) * 32))
                writer.set_sui_private_key(user_id, last[user_id])
        return last

    def rotate() -> list[UUID]:
        barrier.wait()
        return [
            id_
            for _ in range(5)
            for id_ in rotation.rotate(store, silent).undecryptable
        ]

    with ThreadPoolExecutor(4) as threads:
        writers = [
            threads.submit(write, store, ids[::2]),
            threads.submit(write, old_store, ids[1::2]),
        ]
        rotations = [threads.submit(rotate), threads.submit(rotate)]
    assert not any(each.result() for each in rotations)
    last = writers[0].result() | writers[1].result()
    found = rotation.rotate(store, silent)
    assert found == Findings(visited=8, replaced=found.replaced)
    rows.keys = {user_id: key.get_secret_value() for user_id, key in last.items()}
    rows.check(rotated=True)
