"""Rotation of what encrypts the wallet keys, and a check: `python -m store keys …`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from generated import users
from generated.users import ListSuiPrivateKeysRow

from ._sync.store import Store
from .encryption import SUI_PRIVATE_KEY, KeyRing
from .errors import Undecryptable

__all__ = ["Findings", "Progress", "check", "rotate"]

Progress = Callable[[str], object]
"""Is called with a line after each batch."""

_BATCH = 100


@dataclass(slots=True)
class Findings:
    """How many users' keys were visited, and what was found at the last look at each.

    ``older`` are encrypted with a key that is not the ring's first, ``replaced`` were.
    ``undecryptable`` are the ids of users whose keys do not decrypt.
    """

    visited: int = 0
    older: int = 0
    replaced: int = 0
    undecryptable: list[UUID] = field(default_factory=list[UUID])


def check(store: Store, progress: Progress) -> Findings:
    """Decrypt every key, and change nothing.

    Raises:
        ConfigurationError: WALLET_ENCRYPTION_KEYS is missing.
        DatabaseError: as `Store.connection` does.
    """
    return _visit(store, progress, rotating=False)


def rotate(store: Store, progress: Progress) -> Findings:
    """Encrypt anew, with the ring's first key, what another one has encrypted.

    Commits each batch: after an interruption the next run does the rest. What a user's
    key was changed to meanwhile stays, and what does not decrypt stays as it is.

    Raises:
        ConfigurationError: WALLET_ENCRYPTION_KEYS is missing.
        DatabaseError: as `Store.transaction` does.
    """
    return _visit(store, progress, rotating=True)


def _visit(store: Store, progress: Progress, *, rotating: bool) -> Findings:
    ring = KeyRing(store.settings.wallet_keys())
    found, after = Findings(), UUID(int=0)
    while rows := _batch(store, after):
        renewed, undecryptable = _examine(ring, rows)
        if rotating and renewed:
            found.replaced += _replace(store, rows, renewed)
            continue  # with the same batch: a writer with an older ring may have won
        found.visited += len(rows)
        found.older += len(renewed)
        found.undecryptable += undecryptable
        progress(f"visited {found.visited}, replaced {found.replaced}")
        after = rows[-1].id
    return found


def _batch(store: Store, after: UUID) -> list[ListSuiPrivateKeysRow]:
    with store.connection() as conn:
        return users.list_sui_private_keys(conn, after=after, max_rows=_BATCH)


def _examine(
    ring: KeyRing, rows: Iterable[ListSuiPrivateKeysRow]
) -> tuple[dict[UUID, str], list[UUID]]:
    """Give the new tokens of older ones, and the users whose keys do not decrypt."""
    renewed: dict[UUID, str] = {}
    undecryptable: list[UUID] = []
    for row in rows:
        try:
            key = ring.decrypt(row.token, row.id, SUI_PRIVATE_KEY)
        except Undecryptable:
            undecryptable.append(row.id)
        else:
            if not row.token.startswith(ring.prefix):
                renewed[row.id] = ring.encrypt(key, row.id, SUI_PRIVATE_KEY)
    return renewed, undecryptable


def _replace(
    store: Store, rows: Iterable[ListSuiPrivateKeysRow], renewed: dict[UUID, str]
) -> int:
    return store.atomically(
        partial(
            users.replace_sui_private_keys,
            ids=list(renewed),
            old_tokens=[row.token for row in rows if row.id in renewed],
            new_tokens=list(renewed.values()),
        )
    )
