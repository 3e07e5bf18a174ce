"""What can be said of the migrations without a database.

dbmate reads a mistyped mark or option as a comment; here it is a finding. The linter is
squawk, which knows what locks a table for long. It sees a file until that is recorded:
nothing can be done about it afterwards.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..errors import MigrationError
from ..sql import leftovers, statements
from ..sql.statements import Statement
from . import files, journal, lint
from .files import MigrationFile, Section
from .lint import Ignored

__all__ = ["Finding", "check", "findings"]

_Made = TypeVar("_Made")

_OLDEST_SERVER = "15.0"

_NOT_OURS = (
    # Types and lengths are the seed's.
    "prefer-bigint-over-int",
    "prefer-text-field",
    # A rule that many columns share stands once, in a domain.
    "ban-create-domain-with-constraint",
    # The lock timeout is the runner's; a backfill takes the time that it takes.
    "require-lock-timeout",
    "require-statement-timeout",
    # CREATE INDEX CONCURRENTLY IF NOT EXISTS passes over an INVALID index.
    "prefer-robust-stmts",
)

_NEARLY_A_MARK = re.compile(
    r"^[ \t]*--[ \t]*migrate[ \t]*:?[ \t]*(up|down)\b.*$", re.IGNORECASE | re.MULTILINE
)
_MARK = re.compile(r"-- migrate:(?:up|down)(?: transaction:false)?")
_TRANSACTIONS = {
    f"TRANS_STMT_{word}" for word in ("BEGIN", "START", "COMMIT", "ROLLBACK", "PREPARE")
}
_IRREVERSIBLE = re.compile(r"^-- irreversible: \S", re.MULTILINE)

# From this length on sqlc overlooks the line, and all that comes after it.
_LINE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a file, where, and by which rule of the linter, if by one."""

    path: Path
    line: int | None
    problem: str
    rule: str | None = None
    is_notice: bool = False

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return ": ".join(filter(None, [str(place), self.rule, self.problem]))


def check(directory: Path = files.DIRECTORY) -> list[Finding]:
    """List what is wrong with the migrations.

    Raises:
        MigrationError: the directory cannot be read, or a tool is not installed.
    """
    migrations = files.load(directory)
    entries = journal.read(directory)
    ignored = lint.read(directory)
    recorded = {entry.name for entry in entries}
    return [
        *(
            finding
            for file in migrations
            for finding in (
                _written(file)
                if file.name in recorded
                else findings(file, ignored=ignored)
            )
        ),
        *(
            Finding(directory / one.name, None, one.problem, is_notice=one.is_notice)
            for one in journal.compare(migrations, entries)
        ),
    ]


def findings(file: MigrationFile, *, ignored: Iterable[Ignored] = ()) -> list[Finding]:
    """List what is wrong with one file, whatever the journal says."""
    answered = {one.rule for one in ignored if one.file == file.name}
    return [
        *_written(file),
        *(finding for finding in _linted(file) if finding.rule not in answered),
    ]


def _written(file: MigrationFile) -> Iterator[Finding]:
    yield from _text(file)
    yield from _marks(file)
    yield from _parts(file)


def _text(file: MigrationFile) -> Iterator[Finding]:
    for number, line in enumerate(file.text.split("\n"), 1):
        if "\0" in line:
            problem = "has a zero byte, at which the server stops reading"
            yield Finding(file.path, number, problem)
        if not line.isascii():
            problem = "is not ASCII: write U&'\\00e9' or chr(233)"
            yield Finding(file.path, number, problem)
        if len(line) >= _LINE_BYTES:
            problem = f"is longer than {_LINE_BYTES - 1} bytes: sqlc skips it"
            yield Finding(file.path, number, problem)


def _marks(file: MigrationFile) -> Iterator[Finding]:
    marks = [*_NEARLY_A_MARK.finditer(file.text)]
    for mark in marks:
        if not _MARK.fullmatch(mark[0]):
            line = file.text.count("\n", 0, mark.start()) + 1
            problem = (
                f"{mark[0].strip()!r} is not understood: write -- migrate:up or "
                "-- migrate:down, and after it at most transaction:false"
            )
            yield Finding(file.path, line, problem)
    if [mark[1].lower() for mark in marks] != ["up", "down"]:
        problem = "needs one -- migrate:up and, below it, one -- migrate:down"
        yield Finding(file.path, None, problem)
    above = file.text[: marks[0].start()] if marks else ""
    if _statements(above):
        yield Finding(file.path, None, "has statements above -- migrate:up")


def _parts(file: MigrationFile) -> Iterator[Finding]:
    yield from _part(file, "up")
    yield from _part(file, "down")


def _part(file: MigrationFile, section: Section) -> Iterator[Finding]:
    part = file.part(section)
    if part is None:
        return
    found = _statements(part.sql)
    if found is None:
        problem = f"its {section} part is not PostgreSQL's (17) SQL"
        yield Finding(file.path, part.line, problem)
        return
    count = len(found)
    if not part.in_transaction and count != 1:
        problem = (
            f"transaction:false takes one statement, not {count}: what fails after the "
            "first would leave a half"
        )
        yield Finding(file.path, part.line, problem)
    elif count == 0 and (section == "up" or not _IRREVERSIBLE.search(part.sql)):
        why = "; say why: -- irreversible: …" if section == "down" else ""
        problem = f"its {section} part does nothing{why}"
        yield Finding(file.path, part.line, problem)

    for statement in found:
        line = part.line + statement.line
        for leftover in leftovers.left_by(statement):
            yield Finding(file.path, line, str(leftover))
        if part.in_transaction and statement.node.get("kind") in _TRANSACTIONS:
            problem = (
                f"{statements.shortened(statement.text)} takes the file out of the "
                "transaction in which it and its number are written: leave it out"
            )
            yield Finding(file.path, line, problem)


def _statements(sql: str) -> list[Statement] | None:
    """Take SQL apart; None for what does not parse."""
    _tool(lambda: importlib.import_module("pgparse"), "pgparse")
    try:
        return statements.split(sql)
    except MigrationError:
        return None


def _linted(file: MigrationFile) -> Iterator[Finding]:
    part = file.part("up")
    if part is None:
        return
    linted = _tool(
        lambda: subprocess.run(  # noqa: S603 - no shell, and our own arguments
            [
                Path(sysconfig.get_path("scripts"), "squawk"),
                f"--config={os.devnull}",
                "--reporter=json",
                f"--pg-version={_OLDEST_SERVER}",
                f"--exclude={','.join(_NOT_OURS)}",
                *(["--assume-in-transaction"] if part.in_transaction else []),
            ],
            # Its lines are to be the file's.
            input="\n" * part.line + part.sql,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        ),
        "squawk-cli",
    )
    for found in json.loads(linted.stdout or "[]"):
        advice = f"; {found['help']}" if found["help"] else ""
        problem = f"{found['message']}{advice}"
        yield Finding(file.path, found["line"] + 1, problem, found["rule_name"])


def _tool(use: Callable[[], _Made], distribution: str) -> _Made:
    try:
        return use()
    except (FileNotFoundError, ModuleNotFoundError):
        raise MigrationError(
            f"{distribution}, which checks migrations, is not installed: run make "
            f"setup, or pip install {distribution}"
        ) from None
