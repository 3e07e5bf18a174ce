"""The statements that make one schema of another.

`pgmig` finds them. It is not trusted: what it forgets, and a dump shows as a statement
of its own (a comment on a view's column), is appended, and `drafts` proves the whole.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import dumps, scratch, statements
from .dumps import Entries
from .statements import Statement

__all__ = ["way"]


def way(
    start: DatabaseSettings, end: DatabaseSettings, wanted: Entries
) -> tuple[Statement, ...]:
    """Find the statements from one database's schema to another's, whose dump is known.

    Nobody may be connected to the first.

    Raises:
        MigrationError: pgmig knows none, or what it says fails.
    """
    found = _folded(map(_mended, statements.split(_compared(start, end))))
    with scratch.database(start, copy_of=start) as copy:
        _try(copy, found)
        missed = _missed(dumps.taken(copy), wanted)
    return (*found, *statements.split(missed))


def _compared(start: DatabaseSettings, end: DatabaseSettings) -> str:
    try:
        pgmig = importlib.import_module("pgmig")
    except ModuleNotFoundError:
        raise MigrationError(
            "this compares schemas with pgmig: pip install pgmig"
        ) from None
    try:
        sql: str = pgmig.generate(
            source=start.database_url_direct.get_secret_value(),
            target=end.database_url_direct.get_secret_value(),
        )
    except pgmig.PgmigError as error:
        raise MigrationError(str(error)) from None
    return sql


def _try(settings: DatabaseSettings, found: Sequence[Statement]) -> None:
    try:
        dumps.run(settings, (one.text for one in found))
    except MigrationError as error:
        raise MigrationError(
            f"what pgmig drafts does not run ({error}): write this migration by hand, "
            "beginning with `make migration name=what_it_does`"
        ) from None


def _mended(statement: Statement) -> Statement:
    """Let views be filled, as reading one without data fails, and no text be cut off.

    Without a USING, a value that is too long for its column's new type is an error.
    """
    text = statement.text
    if statement.kind == "CreateTableAsStmt":
        text = text.removesuffix(" WITH NO DATA")
    if statement.shortens_text:
        text = text.rpartition(" USING ")[0]
    return statement.with_text(text)


def _folded(found: Iterable[Statement]) -> list[Statement]:
    """Give a new domain its rules where it is made: added later, they lock tables."""
    folded: list[Statement] = []
    for statement in found:
        last = folded[-1] if folded else None
        if last and last.new_domain and last.new_domain == statement.ruled_domain:
            rule = statement.text.partition(" ADD ")[2]
            folded[-1] = last.with_text(f"{last.text}\n    {rule}")
        else:
            folded.append(statement)
    return folded


def _missed(there: Entries, wanted: Entries) -> str:
    """Give the statements that one dump has and the other lacks."""
    lacking = [
        text
        for title, text in wanted.items()
        if title not in there or (_comments(title) and there[title] != text)
    ]
    needless = [
        text.partition(" IS '")[0] + " IS NULL;"
        for title, text in there.items()
        if title not in wanted and _comments(title)
    ]
    return "\n".join(lacking + needless)


def _comments(title: str) -> bool:
    return title.startswith("COMMENT ")
