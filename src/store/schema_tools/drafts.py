"""Draft migrations: from what the migrations make to what `db/schema.sql` wishes.

Nobody is given a draft that was not proven: run by dbmate on a copy of the migrated
database, it makes the wished schema, and rolled back the one before.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..errors import MigrationError
from ..migrations import files
from ..migrations.files import MigrationFile
from ..settings import DatabaseSettings
from ..sql import statements
from ..sql.statements import Statement
from . import comparison, dumps, lock_safety, renames, scratch
from .draft_steps import IRREVERSIBLE, Step
from .dumps import Entries
from .renames import Rename

__all__ = ["Draft", "draft", "write"]

_REFUSAL = "DO $$BEGIN RAISE EXCEPTION"


@dataclass(frozen=True, slots=True)
class Draft:
    """The migrations that were drafted, and what is to be said of them.

    `texts` has one a file, and none if there is nothing to do. `suffixes` tell them
    apart in their names; the main one's is empty. `losses` says what they destroy, and
    `unsaid` which of it nobody has named to be dropped. `recreated` is what is dropped
    and made anew, `locks` what is locked for long. `remaining` is what the proof found
    wrong; then they are of no use. `questions` are to be answered first: was something
    renamed?
    """

    texts: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    recreated: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    remaining: str = ""
    questions: tuple[str, ...] = ()


def draft(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    schema: Path = dumps.SCHEMA,
    renamed: Collection[str] = (),
    dropped: Collection[str] = (),
) -> Draft:
    """Draft what takes the migrated schema to the wished one, and back.

    `renamed` has renames like `things.name=title`, and `dropped` what is not renamed
    but to be dropped, like `things.name`; without them the draft may have questions.

    Raises:
        MigrationError: the migrations or the schema file fail, or the difference is one
            for which no statements are known.
    """
    migrations = files.load(directory)
    with ExitStack() as stack:
        migrated, wished, start, end = (
            stack.enter_context(scratch.database(settings)) for _ in range(4)
        )
        scratch.migrate(migrated, migrations)
        dumps.load(wished, schema)
        # As both read when they are read back; see `dumps.canonical`.
        dumps.restore(start, dumps.taken(migrated))
        dumps.restore(end, dumps.taken(wished))
        wanted = dumps.taken(end)
        if not dumps.differences(dumps.taken(start), wanted):
            return Draft()
        found = renames.find(start, end, renamed=renamed, dropped=dropped)
        if found.questions:
            return Draft(questions=found.questions)
        renaming = _renaming(found.renames)
        # Cut where it locks tables for long, if that does the same.
        for cuts in (True, False):
            steps = [*renaming, *_steps(start, end, wanted, cuts=cuts)]
            remaining = _remaining(migrated, steps, migrations, wanted)
            if not remaining or len(steps) == 1:
                break
        losses = tuple(loss for step in steps for loss in step.losses)
        return Draft(
            tuple(step.text for step in steps),
            tuple(step.suffix for step in steps),
            losses,
            tuple(loss for loss in losses if not _said(loss, dropped)),
            tuple(name for step in steps for name in statements.recreated(step.up)),
            tuple(lock for step in steps for lock in step.locks),
            remaining,
        )


def _said(loss: str, dropped: Collection[str]) -> bool:
    """Tell whether what is dropped is what was named."""
    name = loss.split(" ", 2)[-1]
    return name.removeprefix("public.") in dropped


def write(
    found: Draft, name: str, *, directory: Path = files.DIRECTORY
) -> tuple[Path, ...]:
    """Write the drafts as the next migrations; the main one has the name as given.

    All are written, or none.

    Raises:
        MigrationError: the name is not made of words, or a file cannot be written.
    """
    suffixes = [*found.suffixes]
    if suffixes and "" not in suffixes:
        suffixes[-1] = ""
    written: list[Path] = []
    try:
        for suffix, text in zip(suffixes, found.texts, strict=True):
            path = files.new(f"{name}{suffix}", directory=directory, text=text)
            written.append(path)
    except MigrationError:
        for path in written:
            path.unlink()
        raise
    return tuple(written)


def _renaming(found: Sequence[Rename]) -> list[Step]:
    """Rename first, in a file of its own, all in the order in which it was tried."""
    if not found:
        return []
    up = statements.split(";\n".join(one.text for one in found))
    down = statements.split(";\n".join(one.undoing for one in reversed(found)))
    return [Step("_renames", tuple(up), tuple(down))]


def _steps(
    start: DatabaseSettings, end: DatabaseSettings, wanted: Entries, *, cuts: bool
) -> list[Step]:
    """Find the way; new enum values go ahead, as none can be used before its COMMIT."""
    if not dumps.differences(dumps.taken(start), wanted):
        return []
    try:
        up = comparison.way(start, end, wanted)
    except comparison.FailingError as error:
        return [Step("", error.statements, _refusal(str(error)), str(error))]
    values = tuple(_repeatable(one) for one in up if one.adds_enum_value)
    if not values:
        return _parts(start, end, up, cuts=cuts)
    stays = Step(
        "_values", values, (), "PostgreSQL takes no value out of an enum; they stay."
    )
    rest = tuple(one for one in up if not one.adds_enum_value)
    if not rest:
        return [stays]
    with scratch.database(start, copy_of=start) as between:
        dumps.run(between, (value.text for value in values))
        return [stays, *_parts(between, end, rest, cuts=cuts)]


def _parts(
    start: DatabaseSettings,
    end: DatabaseSettings,
    up: Sequence[Statement],
    *,
    cuts: bool,
) -> list[Step]:
    """Make files of the statements, which say what they lock for long."""
    main, rest = lock_safety.cut(start, end, up) if cuts else (up, [])
    if not rest:
        return [_step(start, end, up)]
    if not main:
        return rest
    with scratch.database(start, copy_of=start) as after:
        dumps.run(after, (one.text for one in main))
        return [_step(start, after, main), *rest]


def _repeatable(value: Statement) -> Statement:
    """Let a new value be there already, since no rollback takes it away."""
    return value.with_text(value.text.replace(" VALUE ", " VALUE IF NOT EXISTS ", 1))


def _step(
    start: DatabaseSettings, end: DatabaseSettings, up: Sequence[Statement]
) -> Step:
    held = lock_safety.named(start, up)
    try:
        down = comparison.way(end, start, dumps.taken(start))
    except MigrationError as error:
        reason = " ".join(str(error).split())
        return Step("", up, _refusal(reason), reason, held)
    return Step("", up, down, "", held)


def _refusal(reason: str) -> tuple[Statement, ...]:
    """Keep a rollback from taking the migration for undone."""
    said = reason.replace("'", "''").replace("%", "%%")
    return tuple(statements.split(f"{_REFUSAL} 'irreversible: {said}'; END$$"))


def _remaining(
    migrated: DatabaseSettings,
    steps: Sequence[Step],
    migrations: Sequence[MigrationFile],
    wanted: Entries,
) -> str:
    """Run the drafts up, down and up on a copy, and give what is not as meant."""
    numbers = itertools.count(
        1 + max((int(one.number) for one in migrations), default=0)
    )
    drafted = [
        MigrationFile(Path(f"{number:04}_draft.sql"), step.text)
        for number, step in zip(numbers, steps, strict=False)
    ]
    with scratch.database(migrated, copy_of=migrated) as copy:
        try:
            return _proof(copy, [*migrations], drafted, wanted)
        except MigrationError as error:
            return str(error)


def _proof(
    copy: DatabaseSettings,
    migrations: list[MigrationFile],
    drafted: Sequence[MigrationFile],
    wanted: Entries,
) -> str:
    passed: list[Entries] = []
    for file in drafted:
        passed.append(dumps.taken(copy))
        migrations.append(file)
        scratch.migrate(copy, migrations)
    made = dumps.taken(copy)
    found = dumps.differences(dumps.canonical(copy, made), wanted)
    for file in reversed(drafted):
        before = passed.pop()
        if _REFUSAL in file.text:
            return found
        scratch.rollback(copy, file)
        if IRREVERSIBLE not in file.text:
            found = found or dumps.compared(copy, dumps.taken(copy), before)
    if found:
        return found
    scratch.migrate(copy, migrations)
    return dumps.compared(copy, dumps.taken(copy), made)
