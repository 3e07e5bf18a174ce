"""Folders that last as long as who made them, and its children; then they are swept."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import MigrationError

__all__ = ["temporary", "write"]

_PREFIX = "store-"


@contextmanager
def temporary(name: str) -> Generator[tuple[Path, int]]:
    """Have a folder until the block ends, and remove those of runs that were killed.

    With it comes the descriptor of its lock: a child that is given it keeps the folder
    when this process is killed.

    Raises:
        MigrationError: there is no folder for temporary files, or it takes no more.
    """
    try:
        _sweep(name)
        # It is locked before it gets the name that others look for.
        made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}{name}-"))
    except OSError as error:
        raise _refused(error) from None
    folder = made.with_name(made.name.removeprefix("."))
    lock = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(folder)
        yield folder, lock
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def write(path: Path, text: str) -> None:
    """Write a file of such a folder.

    Raises:
        MigrationError: there is no room for it.
    """
    try:
        path.write_bytes(text.encode(errors="surrogateescape"))
    except OSError as error:
        raise _refused(error) from None


def _refused(error: OSError) -> MigrationError:
    where = error.filename or "it"
    return MigrationError(
        f"cannot write to the folder for temporary files ({where}): {error.strerror}; "
        "set TMPDIR to a folder that may be written to"
    )


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
