"""Folders that last as long as who made them, and its children; then they are swept."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["temporary"]

_PREFIX = "store-"


@contextmanager
def temporary(name: str) -> Generator[tuple[Path, int]]:
    """Have a folder until the block ends, and remove those of runs that were killed.

    With it comes the descriptor of its lock: a child that is given it keeps the folder
    when this process is killed.
    """
    _sweep(name)
    # It is locked before it gets the name that others look for.
    made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}{name}-"))
    folder = made.with_name(made.name.removeprefix("."))
    lock = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(folder)
        yield folder, lock
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(name: str) -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}{name}-*"):
        with suppress(OSError):  # gone meanwhile, in use, or another user's
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.getuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
