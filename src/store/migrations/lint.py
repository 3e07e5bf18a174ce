"""Findings of the linter that somebody has answered, beside the journal.

A comment in the file does the same, but is part of its hash.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, StringConstraints, ValidationError

from ..errors import MigrationError
from . import files

__all__ = ["Ignored", "path", "read"]

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Ignored(BaseModel, frozen=True, extra="forbid"):
    """A rule that does not count in a file, and why."""

    file: _Word
    rule: _Word
    reason: _Word


class _Answers(BaseModel, extra="forbid"):
    ignore: list[Ignored] = []


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
        text = place.read_text(encoding="utf-8")
        ignored = _Answers.model_validate(tomllib.loads(text)).ignore
    except FileNotFoundError:
        return []
    except OSError as error:
        raise MigrationError(f"cannot read {place}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise MigrationError(
            f"{place}: {where}: {first['msg']}; each [[ignore]] has a file, a rule and "
            "a reason, all text, and nothing else"
        ) from None
    except ValueError as error:
        raise MigrationError(f"{place} is not TOML: {error}") from None
    present = files.listed(directory)
    for one in ignored:
        if one.file not in present:
            raise MigrationError(f"{place}: there is no {one.file}: take its entry out")
    return ignored
