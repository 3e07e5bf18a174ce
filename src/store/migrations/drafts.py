"""Draft migrations: from what the migrations make to what `db/schema.sql` wishes.

Nobody is given a draft that was not proven: run by dbmate on a copy of the migrated
database, it makes the wished schema, and rolled back the one before.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import comparison, dumps, files, scratch, statements
from .dumps import Entries
from .files import MigrationFile
from .statements import Statement

__all__ = ["IRREVERSIBLE", "Draft", "draft", "write"]

IRREVERSIBLE = "-- irreversible: "
"""Begins the line of a down part that says what it does not take back, and why."""

_REFUSAL = "DO $$BEGIN RAISE EXCEPTION"
_MOST_RENAMES = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """The migrations that were drafted, and what is to be said of them.

    `texts` has one a file, and none if there is nothing to do. `losses` says what they
    destroy. `remaining` is what the proof found wrong; then they are of no use.
    """

    texts: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    remaining: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
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
) -> Draft:
    """Draft what takes the migrated schema to the wished one, and back.

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
        steps = _steps(start, end, wanted)
        return Draft(
            tuple(_text(step) for step in steps),
            tuple(loss for step in steps for loss in step.losses),
            _remaining(migrated, steps, migrations, wanted),
        )


def write(
    found: Draft, name: str, *, directory: Path = files.DIRECTORY
) -> tuple[Path, ...]:
    """Write the drafts as the next migrations; the last has the name that was given.

    Raises:
        MigrationError: the name is not made of words, or a file cannot be written.
    """
    names = [f"{name}_values", name][2 - len(found.texts) :]
    return tuple(
        files.new(one, directory=directory, text=text)
        for one, text in zip(names, found.texts, strict=True)
    )


def _steps(
    start: DatabaseSettings, end: DatabaseSettings, wanted: Entries
) -> list[_Step]:
    """Find the way; new enum values go ahead, as none can be used before its COMMIT."""
    up = comparison.way(start, end, wanted)
    values = tuple(_repeatable(one) for one in up if one.adds_enum_value)
    if not values:
        return [_step(start, end, up)]
    with scratch.database(start, copy_of=start) as between:
        dumps.run(between, (value.text for value in values))
        rest = tuple(one for one in up if not one.adds_enum_value)
        step = _step(between, end, rest)
    stays = _Step(values, (), "PostgreSQL takes no value out of an enum; they stay.")
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
        return _Step(up, _refusal(str(error)), str(error))
    return _Step(up, down)


def _refusal(reason: str) -> tuple[Statement, ...]:
    """Keep a rollback from taking the migration for undone."""
    said = reason.replace("'", "''").replace("%", "%%")
    return tuple(statements.split(f"{_REFUSAL} 'irreversible: {said}'; END$$"))


def _text(step: _Step) -> str:
    return "\n".join(
        [
            "-- Drafted from db/schema.sql: read it before it is applied.",
            *(f"-- LOSES: it {loss}." for loss in step.losses),
            *_hints(step),
            "-- migrate:up",
            *(f"\n{statement.text};" for statement in step.up),
            "\n-- migrate:down",
            *([f"\n{IRREVERSIBLE}{step.irreversible}"] if step.irreversible else []),
            *(f"\n{statement.text};" for statement in step.down),
            "",
        ]
    )


def _hints(step: _Step) -> list[str]:
    renames = statements.renames(step.up)[:_MOST_RENAMES]
    if not renames:
        return []
    return [
        "-- If a column was renamed, say so in place of DROP and ADD, which lose it:",
        *(f"--   {rename}" for rename in renames),
    ]


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
