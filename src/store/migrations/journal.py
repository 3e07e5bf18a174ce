"""The journal: the hash of every migration that may run, one line each.

A migration enters it once, with `record`, when it is final; no database is migrated
with a file that is not in it, or that is not as it says. New lines are added below, so
that a review sees at once whether an old one was touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import MigrationError
from . import files
from .files import MigrationFile

__all__ = ["Entry", "Finding", "compare", "path", "read", "record", "repair", "short"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: number and name of a migration, and the SHA-256 of its text in hex."""

    index: int
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a migration, and what to do.

    A notice is of a new file that is not recorded yet, as it is while it is written.
    """

    name: str
    problem: str
    is_notice: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.problem}"


def path(directory: Path = files.DIRECTORY) -> Path:
    """Say where the journal of a directory of migrations is."""
    return directory / "meta" / "_journal.json"


def short(sha256: str) -> str:
    """Shorten a hash for people; it still finds the whole one."""
    return sha256[:12]


def read(directory: Path = files.DIRECTORY) -> list[Entry]:
    """Read the journal, in the order of its lines; it is empty where there is none.

    Raises:
        MigrationError: it is not what `record` and `repair` write.
    """
    place = path(directory)
    try:
        text = place.read_text(encoding="utf-8").replace("\r\n", "\n")
        entries = [Entry(**line) for line in json.loads(text)]
        numbers = [int(entry.name[:4]) for entry in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError):
        text, entries, numbers = "", [], []
    if _text(entries) != text or numbers != [entry.index for entry in entries]:
        raise MigrationError(
            f"{place} is damaged, perhaps by a merge: take one side's, give the other "
            "side's new files the next numbers, and run make migrate-record"
        )
    return entries


def compare(
    migrations: Sequence[MigrationFile], entries: Sequence[Entry]
) -> list[Finding]:
    """List where the files are not what the journal says."""
    known = {entry.name: entry for entry in entries}
    present = {file.name for file in migrations}
    gone = [entry for entry in entries if entry.name not in present]
    found = [_gone(entry, migrations) for entry in gone]
    moved = {entry.sha256 for entry in gone}
    last = max((entry.index for entry in entries), default=0)
    for file in migrations:
        if entry := known.get(file.name):
            found.extend(_edited(entry, file))
        elif file.sha256 not in moved:
            found.append(_unrecorded(file, last))
    return sorted(found, key=lambda finding: finding.name)


def record(directory: Path = files.DIRECTORY) -> list[str]:
    """Add what is not in the journal yet, and give the file names.

    Raises:
        MigrationError: the rest is not as the journal says, or a new file does not come
            after all that are in it.
    """
    migrations, entries = files.load(directory), read(directory)
    last = max((entry.index for entry in entries), default=0)
    new = [file for file in migrations if int(file.number) > last]
    added = {file.name for file in new}
    wrong = [one for one in compare(migrations, entries) if one.name not in added]
    if wrong:
        raise MigrationError("\n".join(map(str, wrong)))
    if new:
        _write(directory, [*entries, *map(_entry, new)])
    return [file.name for file in new]


def repair(name: str, directory: Path = files.DIRECTORY) -> str:
    """Make one line agree with its file, and say what became of it.

    The line of a file that is gone goes, too. This is for a file that no database has
    run, or that does the same as before (a comment, say): a database that has run it
    will not run it again.

    Raises:
        MigrationError: there is nothing to repair about this name.
    """
    entries = {entry.name: entry for entry in read(directory)}
    present = {file.name: file for file in files.load(directory)}
    old, file = entries.get(name), present.get(name)
    if old is None:
        raise MigrationError(f"{name} is not in {path(directory)}: nothing to repair")
    if file is None:
        del entries[name]
        _write(directory, entries.values())
        return f"{name} with {short(old.sha256)} is out of the journal"
    if file.sha256 == old.sha256:
        raise MigrationError(f"{name} is what the journal says: nothing to repair")
    entries[name] = _entry(file)
    _write(directory, entries.values())
    return f"{name} was {short(old.sha256)} and is {short(file.sha256)} in the journal"


def _entry(file: MigrationFile) -> Entry:
    return Entry(int(file.number), file.name, file.sha256)


def _write(directory: Path, entries: Iterable[Entry]) -> None:
    files.refuse_installed(directory)
    place = path(directory)
    try:
        place.parent.mkdir(exist_ok=True)
        place.write_text(_text(entries), encoding="utf-8", newline="\n")
    except OSError as error:
        raise MigrationError(f"cannot write {place}: {error.strerror}") from None


def _text(entries: Iterable[Entry]) -> str:
    """Spell the journal so that a line that is added touches no other."""
    ordered = sorted({entry.index: entry for entry in entries}.items())
    lines = [json.dumps(asdict(entry)) for _, entry in ordered]
    return "[\n  " + "\n, ".join(lines) + "\n]\n"


def _gone(entry: Entry, migrations: Sequence[MigrationFile]) -> Finding:
    was = f"is in the journal with {short(entry.sha256)}"
    same = [file for file in migrations if file.sha256 == entry.sha256]
    if same:
        return Finding(
            entry.name,
            f"{was} and is now {same[0].name} ({short(same[0].sha256)}): a migration "
            "keeps its number; rename it back, or, if no database has run it under the "
            f"old one, run make migrate-repair name={entry.name}",
        )
    number = [file for file in migrations if int(file.number) == entry.index]
    instead = f"{number[0].name} ({short(number[0].sha256)})" if number else "nothing"
    return Finding(
        entry.name,
        f"{was}, and there is {instead} of its number: it was deleted; take it "
        f"back with git, or, if no database has run it, run make migrate-repair "
        f"name={entry.name}",
    )


def _edited(entry: Entry, file: MigrationFile) -> list[Finding]:
    if entry.sha256 == file.sha256:
        return []
    return [
        Finding(
            file.name,
            f"is in the journal with {short(entry.sha256)} and was edited: it is "
            f"{short(file.sha256)} now; put it back and add a new migration, or, if no "
            f"database has run it, run make migrate-repair name={file.name}",
        )
    ]


def _unrecorded(file: MigrationFile, last: int) -> Finding:
    now = f"({short(file.sha256)}) is not in the journal"
    if int(file.number) > last:
        return Finding(
            file.name, f"{now}: when it is final, run make migrate-record", True
        )
    return Finding(
        file.name,
        f"{now}, whose last number is {last:04}: a merge brought it in below; rename "
        f"it to the next number and run make migrate-record",
    )
