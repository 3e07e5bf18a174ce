"""The keys of the wallets: whether what lies in the database can be read."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any
from uuid import UUID

from psycopg import Connection, errors

from generated.internal import server as queries
from generated.internal import user_steps

from ..encryption import SUI_PRIVATE_KEY, KeyRing
from ..errors import Undecryptable
from ..settings import Settings
from .findings import Finding, notice, ok, wrong
from .sessions import look

__all__ = ["examine"]

_SAMPLE = 100


def examine(conn: Connection[Any], settings: Settings) -> Generator[Finding]:
    """Decrypt a sample of the wallet keys; nothing of them is told or kept.

    A schema that has none yet is no fault of theirs.
    """
    with suppress(errors.UndefinedTable, errors.UndefinedColumn):
        yield from _examined(conn, settings)


def _examined(conn: Connection[Any], settings: Settings) -> Generator[Finding]:
    with look(conn):
        counted = queries.count_wallet_keys(conn)
        sample = user_steps.list_sui_private_keys(
            conn, after=UUID(int=0), max_rows=_SAMPLE
        )
    if not counted.keys:
        yield ok("wallet keys", "there are none yet")
        return
    if not settings.wallet_encryption_keys:
        yield wrong(
            "wallet keys",
            f"{counted.keys} are encrypted, and WALLET_ENCRYPTION_KEYS is not set",
            "set it to the ring that encrypted them; without it they are lost",
        )
        return
    ring = KeyRing(settings.wallet_keys())
    unreadable = sum(not _decrypts(ring, row.token, row.id) for row in sample)
    if unreadable:
        yield wrong(
            "wallet keys",
            f"{unreadable} of {len(sample)} looked at do not decrypt",
            "add the key that encrypted them to WALLET_ENCRYPTION_KEYS; "
            "make keys-check names the users",
        )
    else:
        yield ok("wallet keys", f"{len(sample)} of {counted.keys} looked at decrypt")
    if counted.legacy:
        yield notice(
            "wallet keys",
            f"{counted.legacy} are as the old backend wrote them, bound to no user",
            "run make keys-rotate with a new key in front of the ring",
        )


def _decrypts(ring: KeyRing, token: str, user_id: UUID) -> bool:
    try:
        ring.decrypt(token, user_id, SUI_PRIVATE_KEY)
    except Undecryptable:
        return False
    return True
