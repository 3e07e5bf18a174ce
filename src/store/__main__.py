"""The command line: `store …`, also `python -m store …`, behind make."""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from . import rotation, signals
from ._sync.store import Store
from .errors import ConfigurationError, StoreError
from .migrations import commands
from .rotation import Findings
from .settings import Settings

FINE, PENDING, FAILURE = 0, 1, 2

_DISTRIBUTION = "chat-commerce-store"

_EXAMPLES = """\
examples:
  export DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/NAME
  store migrate status            what is applied, pending or wrong
  store migrate up                apply what is pending
  store keys rotate --dry-run     are there wallet keys of an old key?
  store completion bash >~/.local/share/bash-completion/completions/store

exit codes: 0 all is fine, 1 something is pending or found, 2 it failed
"""

# Line by line, also into a pipe.
_say = functools.partial(print, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 0 fine, 1 pending or found, 2 failure.

    A signal ends it with 128 and the signal's number.
    """
    options = _parser().parse_args(arguments)
    with signals.caught() as received:
        try:
            code: int = options.command(options)
        except signals.Ended:
            code = FAILURE
        except BrokenPipeError:
            # Nobody reads on; Python would complain once more as it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 128 + signal.SIGPIPE
        except StoreError as error:
            sys.stderr.write(f"{error}\n")
            code = FAILURE
    if received.number and code == FAILURE:
        sys.stderr.write(f"ended by {received.name}\n")
        return 128 + received.number
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="store",
        description="Care for the database of chat-commerce-store.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}"
    parser.add_argument("--version", action="version", version=version)
    areas = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add(areas.add_parser("migrate", help="change the database's schema"))
    _add_keys(areas.add_parser("keys", help="care for the encrypted wallet keys"))
    completion = areas.add_parser(
        "completion", help="write what completes these words in a shell"
    )
    completion.add_argument("shell", choices=("bash", "tcsh", "zsh"))
    completion.set_defaults(command=functools.partial(_completion, parser))
    return parser


def _completion(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        shtab: Any = importlib.import_module("shtab")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "shtab, which writes completions, is not installed: pip install "
            f"'{_DISTRIBUTION}[completion]'"
        ) from None
    _say(shtab.complete(parser, shell=options.shell))
    return FINE


def _add_keys(keys: argparse.ArgumentParser) -> None:
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
        found = visit(store, _say)
    _legacy(found)
    _say(f"{found.older} to be encrypted anew" if options.dry_run else "done")
    return PENDING if _undecryptable(found) or found.older else FINE


def _check(_options: argparse.Namespace) -> int:
    with Store(Settings.load()) as store:
        found = rotation.check(store, _say)
    _legacy(found)
    return PENDING if _undecryptable(found) else FINE


def _legacy(found: Findings) -> None:
    if found.legacy:
        _say(f"{found.legacy} as the old backend wrote them: a rotation binds them")


def _undecryptable(found: Findings) -> bool:
    for user_id in found.undecryptable:
        whose = " (of no form that is known)" if user_id in found.foreign else ""
        _say(f"does not decrypt: user {user_id}{whose}")
    return bool(found.undecryptable)


if __name__ == "__main__":
    sys.exit(main())
