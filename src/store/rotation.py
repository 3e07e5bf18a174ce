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


@dataclass(frozen=True, slots=True)
class _Swap:
    user_id: UUID
    old_token: str
    new_token: str


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
        swaps, undecryptable = _examine(ring, rows)
        if rotating and swaps:
            found.replaced += _replace(store, swaps)
            continue  # with the same batch: a writer with an older ring may have won
        found.visited += len(rows)
        found.older += len(swaps)
        found.undecryptable += undecryptable
        progress(f"visited {found.visited}, replaced {found.replaced}")
        after = rows[-1].id
    return found


def _batch(store: Store, after: UUID) -> list[ListSuiPrivateKeysRow]:
    with store.connection() as conn:
        return users.list_sui_private_keys(conn, after=after, max_rows=_BATCH)


def _examine(
    ring: KeyRing, rows: Iterable[ListSuiPrivateKeysRow]
) -> tuple[list[_Swap], list[UUID]]:
    """Give what to replace, and the users whose keys do not decrypt."""
    swaps: list[_Swap] = []
    undecryptable: list[UUID] = []
    for row in rows:
        try:
            key = ring.decrypt(row.token, row.id, SUI_PRIVATE_KEY)
        except Undecryptable:
            undecryptable.append(row.id)
            continue
        if not row.token.startswith(ring.prefix):
            token = ring.encrypt(key, row.id, SUI_PRIVATE_KEY)
            swaps.append(_Swap(row.id, row.token, token))
    return swaps, undecryptable


def _replace(store: Store, swaps: list[_Swap]) -> int:
    return store.atomically(
        partial(
            users.replace_sui_private_keys,
            ids=[swap.user_id for swap in swaps],
            old_tokens=[swap.old_token for swap in swaps],
            new_tokens=[swap.new_token for swap in swaps],
        )
    )
