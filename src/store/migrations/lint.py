"""Findings of the linter that somebody has answered, beside the journal.

A comment in the file does the same, but is part of its hash.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MigrationError
from . import files

__all__ = ["Ignored", "path", "read"]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A rule that does not count in a file, and why."""

    file: str
    rule: str
    reason: str


def path(directory: Path = files.DIRECTORY) -> Path:
    """Say where the answers for a directory of migrations are."""
    return directory / "meta" / "lint.toml"


def read(directory: Path = files.DIRECTORY) -> Sequence[Ignored]:
    """Read the answers; there are none where there is no such file.

    Raises:
        MigrationError: it is no TOML, an entry lacks one of its three words, or it
            names a file that is not there.
    """
    place = path(directory)
    try:
        document = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise MigrationError(f"cannot read {place}: {error.strerror}") from None
    except ValueError as error:
        raise MigrationError(f"{place} is not TOML: {error}") from None
    entries = document.pop("ignore", [])
    if document or not isinstance(entries, list):
        raise MigrationError(f"{place} has only [[ignore]] tables, no other keys")
    present = files.listed(directory)
    return [_ignored(place, entry, present) for entry in entries]


def _ignored(place: Path, entry: object, present: Sequence[str]) -> Ignored:
    match entry:
        case {
            "file": str(file),
            "rule": str(rule),
            "reason": str(reason),
            **others,
        } if rule.strip() and reason.strip() and not others:
            if file not in present:
                raise MigrationError(f"{place}: there is no {file}: take its entry out")
            return Ignored(file, rule, reason)
        case _:
            raise MigrationError(
                f"{place}: each [[ignore]] has a file, a rule and a reason, all text, "
                "and nothing else"
            )
