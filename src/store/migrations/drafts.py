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
from ..settings import DatabaseSettings
from . import comparison, dumps, files, renames, scratch, statements
from .dumps import Entries
from .files import MigrationFile
from .renames import Rename
from .statements import Statement

__all__ = ["IRREVERSIBLE", "RECREATES", "Draft", "draft", "write"]

IRREVERSIBLE = "-- irreversible: "
"""Begins the line of a down part that says what it does not take back, and why."""

RECREATES = "RECREATES: {}, but not its owner, nor what was granted by hand."
"""Names what is dropped and made anew."""

_REFUSAL = "DO $$BEGIN RAISE EXCEPTION"


@dataclass(frozen=True, slots=True)
class Draft:
    """The migrations that were drafted, and what is to be said of them.

    `texts` has one a file, and none if there is nothing to do. `suffixes` tell them
    apart in their names; the main one's is empty. `losses` says what they destroy, and
    `unsaid` which of it nobody has named to be dropped. `recreated` is what is dropped
    and made anew. `remaining` is what the proof found wrong; then they are of no use.
    `questions` are to be answered first: was something renamed?
    """

    texts: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    recreated: tuple[str, ...] = ()
    remaining: str = ""
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    suffix: str
    up: tuple[Statement, ...]
    down: tuple[Statement, ...]
    irreversible: str = ""

    @property
    def losses(self) -> list[str]:
        return statements.losses(self.up, self.down)


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
        steps = [*_renaming(found.renames), *_steps(start, end, wanted)]
        losses = tuple(loss for step in steps for loss in step.losses)
        return Draft(
            tuple(_text(step) for step in steps),
            tuple(step.suffix for step in steps),
            losses,
            tuple(loss for loss in losses if not _said(loss, dropped)),
            tuple(name for step in steps for name in statements.recreated(step.up)),
            _remaining(migrated, steps, migrations, wanted),
        )


def _said(loss: str, dropped: Collection[str]) -> bool:
    """Tell whether what is dropped is what was named."""
    name = loss.split(" ", 2)[-1]
    return name.removeprefix("public.") in dropped


def write(
    found: Draft, name: str, *, directory: Path = files.DIRECTORY
) -> tuple[Path, ...]:
    """Write the drafts as the next migrations; the main one has the name as given.

    Raises:
        MigrationError: the name is not made of words, or a file cannot be written.
    """
    suffixes = [*found.suffixes]
    if "" not in suffixes:
        suffixes[-1] = ""
    return tuple(
        files.new(f"{name}{suffix}", directory=directory, text=text)
        for suffix, text in zip(suffixes, found.texts, strict=True)
    )


def _renaming(found: Sequence[Rename]) -> list[_Step]:
    """Rename first, in a file of its own, all in the order in which it was tried."""
    if not found:
        return []
    up = statements.split(";\n".join(one.text for one in found))
    down = statements.split(";\n".join(one.undoing for one in reversed(found)))
    return [_Step("_renames", tuple(up), tuple(down))]


def _steps(
    start: DatabaseSettings, end: DatabaseSettings, wanted: Entries
) -> list[_Step]:
    """Find the way; new enum values go ahead, as none can be used before its COMMIT."""
    if not dumps.differences(dumps.taken(start), wanted):
        return []
    try:
        up = comparison.way(start, end, wanted)
    except comparison.FailingError as error:
        return [_Step("", error.statements, _refusal(str(error)), str(error))]
    values = tuple(_repeatable(one) for one in up if one.adds_enum_value)
    if not values:
        return [_step(start, end, up)]
    with scratch.database(start, copy_of=start) as between:
        dumps.run(between, (value.text for value in values))
        rest = tuple(one for one in up if not one.adds_enum_value)
        step = _step(between, end, rest)
    stays = _Step(
        "_values", values, (), "PostgreSQL takes no value out of an enum; they stay."
    )
    return [stays, step] if rest else [stays]


def _repeatable(value: Statement) -> Statement:
    """Let a new value be there already, since no rollback takes it away."""
    return value.with_text(value.text.replace(" VALUE ", " VALUE IF NOT EXISTS ", 1))


def _step(
    start: DatabaseSettings, end: DatabaseSettings, up: tuple[Statement, ...]
) -> _Step:
    try:
        down = comparison.way(end, start, dumps.taken(start))
    except MigrationError as error:
        return _Step("", up, _refusal(str(error)), str(error))
    return _Step("", up, down)


def _refusal(reason: str) -> tuple[Statement, ...]:
    """Keep a rollback from taking the migration for undone."""
    said = reason.replace("'", "''").replace("%", "%%")
    return tuple(statements.split(f"{_REFUSAL} 'irreversible: {said}'; END$$"))


def _text(step: _Step) -> str:
    return "\n".join(
        [
            "-- Drafted from db/schema.sql: read it before it is applied.",
            *(f"-- LOSES: it {loss}." for loss in step.losses),
            *(f"-- {RECREATES.format(one)}" for one in statements.recreated(step.up)),
            "-- migrate:up",
            *(f"\n{statement.text};" for statement in step.up),
            "\n-- migrate:down",
            *([f"\n{IRREVERSIBLE}{step.irreversible}"] if step.irreversible else []),
            *(f"\n{statement.text};" for statement in step.down),
            "",
        ]
    )


def _remaining(
    migrated: DatabaseSettings,
    steps: Sequence[_Step],
    migrations: Sequence[MigrationFile],
    wanted: Entries,
) -> str:
    """Run the drafts up, down and up on a copy, and give what is not as meant."""
    numbers = itertools.count(
        1 + max((int(one.number) for one in migrations), default=0)
    )
    drafted = [
        MigrationFile(Path(f"{number:04}_draft.sql"), _text(step))
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
