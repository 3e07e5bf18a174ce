"""Rotation of what encrypts the wallet keys, and a check: `python -m store keys …`.

In an adopted database it also brings what the old backend has encrypted, by
a key of the ring, into our form, bound to its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from generated.internal import user_steps
from generated.internal.user_steps import ListSuiPrivateKeysRow

from ._sync.store import Store
from .addresses import sui_private_key_is_sound
from .encryption import SUI_PRIVATE_KEY, KeyRing, is_legacy_token, is_token
from .errors import PartlyDone, StoreError, Undecryptable

__all__ = ["Findings", "Progress", "check", "rotate"]

Progress = Callable[[str], object]
"""Is called with a line after each batch."""

_BATCH = 100


@dataclass(slots=True)
class Findings:
    """How many users' keys were visited, and what was found at the last look at each.

    ``older`` are encrypted with a key that is not the ring's first, or in the form of
    the old backend, which ``legacy`` counts; ``replaced`` were either.
    ``undecryptable`` are the ids of users whose tokens do not decrypt to a Sui private
    key, ``foreign`` those among them whose tokens have neither form.
    """

    visited: int = 0
    older: int = 0
    legacy: int = 0
    replaced: int = 0
    undecryptable: list[UUID] = field(default_factory=list[UUID])
    foreign: list[UUID] = field(default_factory=list[UUID])


def check(store: Store, progress: Progress) -> Findings:
    """Decrypt every key, and change nothing.

    Raises:
        ConfigurationError: WALLET_ENCRYPTION_KEYS is missing.
        DatabaseError: as `Store.connection` does.
    """
    return _visit(store, progress, _ring(store), writing=False)


def rotate(store: Store, progress: Progress) -> Findings:
    """Encrypt anew, with the ring's first key, what another one has encrypted.

    Commits each batch: after an interruption the next run does the rest. What a user's
    key was changed to meanwhile stays, and what does not decrypt stays as it is.

    Raises:
        ConfigurationError: WALLET_ENCRYPTION_KEYS is missing.
        DatabaseError: as `Store.transaction` does.
        PartlyDone: so it did, after batches that are committed; ``done`` counts them.
    """
    return _visit(store, progress, _ring(store), writing=True)


def _ring(store: Store) -> KeyRing:
    return KeyRing(store.settings.wallet_keys())


def _renewed(ring: KeyRing, row: ListSuiPrivateKeysRow) -> str:
    key = ring.decrypt(row.token, row.id, SUI_PRIVATE_KEY)
    if not sui_private_key_is_sound(key.get_secret_value()):
        raise Undecryptable(row.id, SUI_PRIVATE_KEY)
    if row.token.startswith(ring.prefix):
        return row.token
    return ring.encrypt(key, row.id, SUI_PRIVATE_KEY)


def _visit(
    store: Store, progress: Progress, ring: KeyRing, *, writing: bool
) -> Findings:
    found = Findings()
    try:
        _visit_all(store, progress, ring, found, writing=writing)
    except StoreError as reason:
        if found.replaced:
            raise PartlyDone(found, reason) from None
        raise
    return found


def _visit_all(
    store: Store, progress: Progress, ring: KeyRing, found: Findings, *, writing: bool
) -> None:
    after = UUID(int=0)
    while rows := _batch(store, after):
        renewed, undecryptable = _examine(ring, rows)
        if writing and renewed:
            found.replaced += _replace(store, rows, renewed)
            continue  # with the same batch: a writer with an older ring may have won
        found.visited += len(rows)
        found.older += len(renewed)
        found.undecryptable += undecryptable
        for row in rows:
            if is_legacy_token(row.token):
                found.legacy += row.id in renewed
            elif not is_token(row.token):
                found.foreign.append(row.id)
        progress(f"visited {found.visited}, replaced {found.replaced}")
        after = rows[-1].id


def _batch(store: Store, after: UUID) -> list[ListSuiPrivateKeysRow]:
    with store.connection() as conn:
        return user_steps.list_sui_private_keys(conn, after=after, max_rows=_BATCH)


def _examine(
    ring: KeyRing, rows: Iterable[ListSuiPrivateKeysRow]
) -> tuple[dict[UUID, str], list[UUID]]:
    """Give the tokens to write, by user, and the users whose keys do not decrypt."""
    renewed: dict[UUID, str] = {}
    undecryptable: list[UUID] = []
    for row in rows:
        try:
            token = _renewed(ring, row)
        except Undecryptable:
            undecryptable.append(row.id)
            continue
        if token != row.token:
            renewed[row.id] = token
    return renewed, undecryptable


def _replace(
    store: Store, rows: Iterable[ListSuiPrivateKeysRow], renewed: dict[UUID, str]
) -> int:
    return store.atomically(
        partial(
            user_steps.replace_sui_private_keys,
            ids=list(renewed),
            old_tokens=[row.token for row in rows if row.id in renewed],
            new_tokens=list(renewed.values()),
        )
    )
