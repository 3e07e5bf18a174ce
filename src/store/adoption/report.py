"""What the scripts of adoption tell: the rows that they mend or find, and failures."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.errors import Diagnostic

from ..constraints import RULES
from ..errors import MigrationError
from ..migrations import Progress

__all__ = ["Report", "Row", "explained", "reported"]

_MENDED: Final = "01000"
_BREAKING: Final = "23514"
_LOST: Final = "57P"

_REMEDIES = {
    "55P03": "another session works with the database: stop the old backend first",
    "42501": "run it as the owner of the tables",
}

# What else depends on a column or a table: the detail names it, and no values.
_NAMING = {"0A000", "2BP01"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was mended, or that breaks a rule.

    All that were mended are told, and 100 of those that break one rule: the next `id`
    says "and 7 more".
    """

    table: str
    id: str
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.what} ({self.rule})"


class Report:
    """Takes the messages of the scripts, whose fields say what they are about.

    `progress` gets each as a line.
    """

    def __init__(self, progress: Progress) -> None:
        self.mended: list[Row] = []
        self.breaking: list[Row] = []
        self._progress = progress

    def __call__(self, diag: Diagnostic) -> None:
        """Take a message, as psycopg's handler of notices."""
        if diag.severity_nonlocalized != "INFO":
            return
        what = " ".join((diag.message_primary or "").split())
        if not diag.table_name:
            self._progress(what)
            return
        mended = diag.sqlstate == _MENDED
        rule = diag.constraint_name or ""
        if diag.sqlstate == _BREAKING:
            what = f"{what}: {RULES.get(rule, 'see its definition')}"
        row = Row(diag.table_name, diag.message_detail or "", rule, what)
        (self.mended if mended else self.breaking).append(row)
        self._progress(str(row))


@contextmanager
def reported(conn: psycopg.Connection, report: Report) -> Generator[None]:
    """Report what the server tells; errors say what failed, without a row's values."""
    conn.add_notice_handler(report)
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate.startswith(_LOST):
            raise  # who holds the lock tells what this means
        raise MigrationError(explained(error)) from None


def explained(error: psycopg.Error) -> str:
    """Say it in one line. Messages about data (class 22) may show them."""
    state = error.sqlstate
    if state is None:
        return " ".join(str(error).split())
    message = f"{error.diag.message_primary} ({state})"
    if state.startswith("22"):
        message = f"a value does not fit ({type(error).__name__})"
    elif state in _NAMING and error.diag.message_detail:
        message += f": {' '.join(error.diag.message_detail.split())}"
    if remedy := _REMEDIES.get(state):
        message += f": {remedy}"
    return message
