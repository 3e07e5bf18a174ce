"""What the commands tell as JSON: one document on stdout, for other programs.

`VERSION` rises when a key goes or changes its meaning; new keys may come without.
docs/migrations.md lists them.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any, TypeAlias

from .. import signals
from ..errors import MigrationError, StoreError
from ..migrations.checks import Finding
from ..migrations.preview import Planned, Preview
from ..migrations.runner import Status
from ..migrations.stopwatch import Stopwatch

__all__ = ["VERSION", "Document", "applied", "check", "document", "preview", "status"]

VERSION = 1

Document: TypeAlias = dict[str, Any]


@contextmanager
def document(command: str, *, wanted: bool) -> Generator[Document]:
    """Give the document of a command to be filled in; if it is wanted, write it after.

    It tells the error, too, with which the block ends, be it a signal.
    """
    found: Document = {"version": VERSION, "command": command, "error": None}
    try:
        yield found
    except (StoreError, signals.Ended) as error:
        sqlstate = error.sqlstate if isinstance(error, MigrationError) else None
        found["error"] = {"message": str(error), "sqlstate": sqlstate}
        _write(found, wanted=wanted)
        raise
    _write(found, wanted=wanted)


def _write(found: Document, *, wanted: bool) -> None:
    if wanted:
        print(json.dumps(found, indent=2), flush=True)  # noqa: T201 - it was asked for


def applied(watch: Stopwatch) -> Document:
    """Tell what a run has applied, in its order."""
    return {
        "applied": [
            {"file": file, "seconds": round(lap.seconds, 6)}
            for file, lap in watch.laps.items()
        ]
    }


def preview(found: Preview) -> Document:
    """Tell what a run would do."""
    return {
        "dry_run": True,
        "creates_database": found.creates,
        "lock_timeout": found.lock_timeout,
        "pending": [
            {
                "file": file.file,
                "in_transaction": file.in_transaction,
                "statements": [_planned(one) for one in file.statements],
            }
            for file in found.files
        ],
    }


def _planned(statement: Planned) -> Document:
    return {
        "line": statement.line,
        "sql": statement.sql,
        "known": statement.known,
        "note": statement.note,
        "tables": [
            {
                "table": one.effect.table,
                "lock": str(one.effect.lock),
                "blocks_reads": one.effect.lock.blocks_reads,
                "blocks_writes": one.effect.lock.blocks_writes,
                "work": str(one.effect.work),
                "present": one.present,
                "bytes": one.size,
                "rows": one.rows,
            }
            for one in statement.touched
        ],
    }


def status(found: Status) -> Document:
    """Tell what is applied, pending and wrong, and what is no fault."""
    return {
        "applied": [
            {
                "file": file,
                "applied_at": known.applied_at
                and known.applied_at.astimezone(UTC).isoformat(),
                "seconds": known.seconds,
            }
            for file in found.applied
            for known in [found.ledger[file[:4]]]
        ],
        "pending": [{"file": file} for file in found.pending],
        "findings": [{"message": finding} for finding in found.findings],
        "notices": [{"message": notice} for notice in found.notices],
    }


def check(found: Sequence[Finding]) -> Document:
    """Tell what is wrong with the files."""
    return {
        "findings": [
            {
                "file": str(one.path),
                "line": one.line,
                "rule": one.rule,
                "message": one.problem,
            }
            for one in found
        ]
    }
