"""The command line as a whole: its parser, and how it ends."""

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

from .. import signals
from ..errors import ConfigurationError, StoreError
from . import adopt, doctor, keys, migrate, schema
from .terminal import FAILURE, FINE, say

__all__ = ["main"]

_DISTRIBUTION = "chat-commerce-store"

_EXAMPLES = """\
examples:
  export DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/NAME
  store doctor                    is all as the store needs it?
  store migrate status            what is applied, pending or wrong
  store migrate up                apply what is pending
  store keys rotate --dry-run     are there wallet keys of an old key?
  store completion bash >~/.local/share/bash-completion/completions/store

exit codes: 0 all is fine, 1 something is pending or found, 2 it failed
"""


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
    migrate.add(areas.add_parser("migrate", help="change the database's schema"))
    schema.add(areas.add_parser("schema", help="write down the database's schema"))
    schema.add_studio(
        areas.add_parser("studio", help="browse the database in a visual UI, read-only")
    )
    adopt.add(
        areas.add_parser(
            "adopt",
            help="take over a database of Drizzle's; exits with 1 if a rule is broken",
        )
    )
    keys.add(areas.add_parser("keys", help="care for the encrypted wallet keys"))
    doctor.add(
        areas.add_parser(
            "doctor", help="look for what is wrong with settings, server and schema"
        )
    )
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
    say(shtab.complete(parser, shell=options.shell))
    return FINE
