"""Generating again whenever a file that sqlc reads has changed."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, TypeAlias

from sqlc_gen_psycopg.command import config
from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.problems import RefusedError
from sqlc_gen_psycopg.sql import sql_files

_SECONDS = 0.2
_State: TypeAlias = dict[Path, tuple[int, int]]


def watch(file: Path, generate: Callable[[], None]) -> NoReturn:
    """Generate now, and after each change, until a signal ends it.

    What is wrong with the SQL, or with the configuration, is told and waited out.
    """
    patterns: tuple[str, ...] = ()
    while True:
        # While one cannot be read, what the last one named is watched.
        with contextlib.suppress(CannotRunError):
            patterns = config.read(file).patterns
        # Taken first: what changes meanwhile has changed.
        before = _state(file, patterns)
        try:
            generate()
        except CannotRunError as error:
            sys.stderr.write(f"{error}\n")
        except RefusedError as refused:
            sys.stderr.write(f"sqlc-gen-psycopg refuses to generate:\n{refused}\n")
        sys.stdout.write("waiting for changes; end with Ctrl-C\n")
        sys.stdout.flush()
        _wait_for_change(file, patterns, before)


def _wait_for_change(file: Path, patterns: tuple[str, ...], before: _State) -> None:
    """Return once something has changed, and nothing does any more."""
    last = _state(file, patterns)
    while True:
        time.sleep(_SECONDS)
        now = _state(file, patterns)
        if now == last != before:
            return
        last = now


def _state(file: Path, patterns: tuple[str, ...]) -> _State:
    found: _State = {}
    for path in _files(file, patterns):
        # It may be gone since it was listed.
        with contextlib.suppress(OSError):
            status = path.stat()
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


def _files(file: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    yield file
    for pattern in patterns:
        with contextlib.suppress(OSError):
            yield from sql_files.find((pattern,))
