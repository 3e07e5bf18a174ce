"""Taking a database from one migration to the next, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import dbmate, files
from .dbmate import Progress

__all__ = ["Status", "rollback", "status", "up"]

_FINISHED = re.compile(r"^(?:Applied|Rolled back): (\S+) in ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Status:
    """File names, in their order."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]


def _silent(_line: str) -> None:
    """Tell nobody."""


def up(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    progress: Progress = _silent,
) -> tuple[str, ...]:
    """Apply what is pending and give the file names; create the database if missing.

    Waits up to 10 seconds for the server, and 5 minutes for a run elsewhere.

    Raises:
        MigrationError: the migrations before the one that failed stay applied.
    """
    seen: list[str] = []

    def note(line: str) -> None:
        seen.append(line)
        progress(line)

    command = ("--wait", "--wait-timeout=10s", "up")
    try:
        dbmate.run(settings, directory, *command, progress=note)
    except MigrationError:
        # CREATE DATABASE is outside of dbmate's lock: of several runs on a missing
        # database one creates it, and the others find it when they look again.
        if not (seen and seen[-1].startswith("Creating: ")):
            raise
        dbmate.run(settings, directory, *command, progress=note)
    return tuple(_FINISHED.findall("\n".join(seen)))


def rollback(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    progress: Progress = _silent,
) -> str:
    """Take back the newest applied migration and give its file name.

    Nothing keeps two of these apart: dbmate's lock is for `up` alone.

    Raises:
        MigrationError: nothing is applied, or its down part failed.
    """
    output = dbmate.run(settings, directory, "rollback", progress=progress)
    return str(_FINISHED.findall(output)[-1])


def status(settings: DatabaseSettings, *, directory: Path = files.DIRECTORY) -> Status:
    """Compare the directory with the database, by number alone.

    Raises:
        MigrationError: the database cannot be reached or does not exist.
    """
    output = dbmate.run(settings, directory, "status", progress=_silent)
    return Status(
        tuple(re.findall(r"^\[X\] (\S+)$", output, re.MULTILINE)),
        tuple(re.findall(r"^\[ \] (\S+)$", output, re.MULTILINE)),
    )
