"""A migration file: its name, its text and its two parts."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import MigrationError

__all__ = [
    "DIRECTORY",
    "FOLDER",
    "MigrationFile",
    "Part",
    "Section",
    "listed",
    "load",
    "new",
    "read",
    "refuse_installed",
]

_INSTALLED = Path(__file__).parents[1] / "db"

# An installed wheel has its own; a checkout is worked in where it stands.
FOLDER = _INSTALLED if _INSTALLED.is_dir() else Path("db")
DIRECTORY = FOLDER / "migrations"

Section: TypeAlias = Literal["up", "down"]

_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_MARK = re.compile(r"^--[ \t]*migrate:(up|down)([ \t].*)?$", re.MULTILINE)

_SKELETON = """\
-- migrate:up

-- The change, run in one transaction. What cannot run in one (CREATE INDEX
-- CONCURRENTLY) has `transaction:false` after `migrate:up` and a file of its own.

-- migrate:down

-- How to take the change back.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The SQL under `-- migrate:up` or `-- migrate:down`, whose line is `line`.

    The first line of `sql` is the next one of the file.
    """

    sql: str
    line: int
    in_transaction: bool


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """A migration; its text has line ends of LF, whatever the checkout made of them."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Give the file name, like `0001_users.sql`."""
        return self.path.name

    @property
    def number(self) -> str:
        """Give the four digits by which dbmate knows it."""
        return self.name[:4]

    @property
    def sha256(self) -> str:
        """Give the hash of the text, in hex."""
        return hashlib.sha256(self.text.encode(errors="surrogateescape")).hexdigest()

    def part(self, section: Section) -> Part | None:
        """Give the first part of that kind, as dbmate and sqlc do; None without one."""
        marks = [*_MARK.finditer(self.text)]
        ends = [*(mark.start() for mark in marks[1:]), len(self.text)]
        for mark, end in zip(marks, ends, strict=False):
            if mark[1] == section:
                return Part(
                    self.text[mark.end() + 1 : end],
                    self.text.count("\n", 0, mark.start()) + 1,
                    "transaction:false" not in (mark[2] or "").split(),
                )
        return None


def read(path: Path) -> MigrationFile:
    """Read a migration.

    Raises:
        MigrationError: the file cannot be read.
    """
    try:
        text = path.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise MigrationError(f"cannot read {path}: {error.strerror}") from None
    return MigrationFile(path, text.replace("\r\n", "\n"))


def listed(directory: Path = DIRECTORY) -> list[str]:
    """List the names of the migrations, all such that dbmate sees them in one order.

    dbmate passes over a file without a number, and knows two of one number as one.

    Raises:
        MigrationError: the directory cannot be read, or a name in it misleads dbmate.
    """
    try:
        names = sorted(
            path.name for path in directory.iterdir() if path.suffix == ".sql"
        )
    except OSError as error:
        raise MigrationError(
            f"cannot read the migrations in {directory}, which is looked for in the "
            f"working directory: {error.strerror}"
        ) from None
    for name in names:
        if not _NAME.fullmatch(name):
            raise MigrationError(
                f"{directory / name} is not named like 0001_what_it_does.sql"
            )
    for first, second in itertools.pairwise(names):
        if first[:4] == second[:4]:
            hashes = [read(directory / name).sha256[:12] for name in (first, second)]
            raise MigrationError(
                f"{directory / first} and {second} have the same number ({hashes[0]}, "
                f"{hashes[1]}): give the later one the next"
            )
    return names


def load(directory: Path = DIRECTORY) -> list[MigrationFile]:
    """Read all migrations, in their order.

    Raises:
        MigrationError: as `listed` and `read` do.
    """
    return [read(directory / name) for name in listed(directory)]


def refuse_installed(directory: Path) -> None:
    """Refuse to write where the migrations of an installed wheel are.

    Raises:
        MigrationError: the directory is theirs.
    """
    if directory.resolve().is_relative_to(_INSTALLED):
        raise MigrationError(
            f"{directory} came with the installed distribution, which is not edited: "
            "work in a checkout, or name its folder: store migrate --directory "
            "db/migrations …"
        )


def new(name: str, *, directory: Path = DIRECTORY, text: str = _SKELETON) -> Path:
    """Write the next migration, by default a skeleton, and give its path.

    Raises:
        MigrationError: the name is not made of words, or the file cannot be written.
    """
    refuse_installed(directory)
    humps = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    words = re.sub(r"[\s_-]+", "_", humps).lower()
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", words):
        raise MigrationError(
            f"{name!r} does not name a migration: say in a few words of ASCII letters "
            "and digits what it does, like add_order_notes"
        )
    last = max((int(file[:4]) for file in listed(directory)), default=0)
    path = directory / f"{last + 1:04}_{words}.sql"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise MigrationError(f"cannot write {path}: {error.strerror}") from None
    return path
