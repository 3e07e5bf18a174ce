"""What every command shares: its exit codes, and how it speaks."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ..migrations import files

__all__ = [
    "FAILURE",
    "FINE",
    "PENDING",
    "Command",
    "allow_pooler",
    "choose_directory",
    "may_be_json",
    "say",
    "sayer",
]

FINE, PENDING, FAILURE = 0, 1, 2
"""All is fine; something is pending, or was found; it failed."""

Command: TypeAlias = Callable[[argparse.Namespace], int]

say = functools.partial(print, flush=True)
"""Print line by line, also into a pipe."""


def may_be_json(parser: argparse.ArgumentParser) -> None:
    """Let a command answer in JSON."""
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON document on stdout; what people read goes to stderr",
    )


def sayer(options: argparse.Namespace) -> Callable[[str], None]:
    """Give what tells people: on stderr where a program reads stdout."""
    return functools.partial(say, file=sys.stderr) if options.json else say


def choose_directory(parser: argparse.ArgumentParser) -> None:
    """Let a command work on other migrations than the checkout's or the wheel's."""
    parser.add_argument(
        "--directory",
        type=Path,
        default=files.DIRECTORY,
        help="where the migrations are; default: %(default)s",
    )


def allow_pooler(parser: argparse.ArgumentParser) -> None:
    """Let a URL be taken for the server's own."""
    parser.add_argument(
        "--allow-pooler",
        action="store_true",
        help="take the URL for the server's, though it looks like a pooler's",
    )
