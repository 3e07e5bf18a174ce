"""The commands of the encrypted wallet keys: `store keys …`."""

from __future__ import annotations

import argparse

from .. import rotation
from .._sync.store import Store
from ..rotation import Findings
from ..settings import Settings
from .terminal import FINE, PENDING, say

__all__ = ["add"]


def add(keys: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of `keys`."""
    commands = keys.add_subparsers(required=True, metavar="ACTION")
    rotate = commands.add_parser(
        "rotate", help="encrypt all with the first key of WALLET_ENCRYPTION_KEYS"
    )
    rotate.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing; exits with 1 if any is to be encrypted anew",
    )
    rotate.set_defaults(command=_rotate)
    check = commands.add_parser(
        "check", help="list users whose key does not decrypt; exits with 1 if any"
    )
    check.set_defaults(command=_check)


def _rotate(options: argparse.Namespace) -> int:
    with Store(Settings.load()) as store:
        visit = rotation.check if options.dry_run else rotation.rotate
        found = visit(store, say)
    _legacy(found)
    say(f"{found.older} to be encrypted anew" if options.dry_run else "done")
    return PENDING if _undecryptable(found) or found.older else FINE


def _check(_options: argparse.Namespace) -> int:
    with Store(Settings.load()) as store:
        found = rotation.check(store, say)
    _legacy(found)
    return PENDING if _undecryptable(found) else FINE


def _legacy(found: Findings) -> None:
    if found.legacy:
        say(f"{found.legacy} as the old backend wrote them: a rotation binds them")


def _undecryptable(found: Findings) -> bool:
    for user_id in found.undecryptable:
        whose = " (of no form that is known)" if user_id in found.foreign else ""
        say(f"does not decrypt: user {user_id}{whose}")
    return bool(found.undecryptable)
