"""What can be said of the migrations with a database: do they go up, and back?

Each runs up, down and up again, in a database of its own, with rows in every table. The
database that the settings name is only looked at: has it what the files make of it?
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import MigrationError
from ..migrations import connections, dbmate, files, indexes, journal, ledger, runner
from ..migrations.dbmate import Progress
from ..migrations.files import MigrationFile
from ..settings import DatabaseSettings
from . import draft_steps, dumps, scratch
from .dumps import Entries
from .sample_rows import Filler

__all__ = ["verify"]

_SET_THERE = """
SELECT name FROM pg_settings WHERE source IN ('database', 'user', 'database user')
ORDER BY name
"""


def verify(
    settings: DatabaseSettings,
    *,
    server: DatabaseSettings | None = None,
    directory: Path = files.DIRECTORY,
    progress: Progress = dbmate.silent,
) -> list[str]:
    """List what is wrong with the migrations, or with the database that is named.

    They are tried on `server`, by default on the same as that database's.

    Raises:
        MigrationError: the server cannot be reached, or this user may make no database.
    """
    migrations = files.load(directory)
    server = server or settings
    with scratch.database(server) as database:
        walk = _Walk(database, progress)
        for count in range(1, len(migrations) + 1):
            if not walk.step(migrations[:count]):
                return walk.findings
        return [*walk.findings, *_drift(settings, server, directory, walk.passed)]


@dataclass(frozen=True, slots=True)
class _Walk:
    """A database on its way up; `passed` has its schema after each migration."""

    database: DatabaseSettings
    progress: Progress
    findings: list[str] = field(default_factory=list[str])
    passed: list[Entries] = field(default_factory=list[Entries])
    filler: Filler = field(default_factory=Filler)

    def step(self, migrations: Sequence[MigrationFile]) -> bool:
        """Run the last of the migrations up, down and up; tell whether it can go on."""
        file = migrations[-1]
        before = self.passed[-1] if self.passed else dumps.taken(self.database)
        self.progress(f"Verifying: {file.name}")
        try:
            scratch.migrate(self.database, migrations)
            after = self._filled()
            if self._down(file, before):
                scratch.migrate(self.database, migrations)
                self._compare(file, "up, down and up", self._filled(), after)
        except MigrationError as error:
            self._find(f"with rows in the tables: {error}")
            return False
        self.passed.append(after)
        return True

    def _down(self, file: MigrationFile, before: Entries) -> bool:
        """Take the last migration back, unless it says that it cannot be."""
        irreversible = draft_steps.IRREVERSIBLE in file.text
        try:
            scratch.rollback(self.database, file)
        except MigrationError:
            if not irreversible:
                raise
            return False
        there = self._filled()
        if not irreversible:
            self._compare(file, "up and down", there, before)
        return True

    def _compare(
        self, file: MigrationFile, path: str, there: Entries, wanted: Entries
    ) -> None:
        if found := dumps.compared(self.database, there, wanted):
            self._find(f"{file.path}: {path}, the schema is another:\n{found}")

    def _filled(self) -> Entries:
        """Fill the tables and give the schema, dumped at the same time: that is slow.

        The thread ends before the next step: it would take what `signals.held` holds.
        """
        with ThreadPoolExecutor(1) as beside:
            dumping = beside.submit(dumps.taken, self.database)
            with connections.opened(self.database) as conn:
                empty = self.filler.fill(conn)
                self._find(*map(str, indexes.invalid(conn)))
            there = dumping.result()
        for table, reason in empty.items():
            self._find(f"{table} can be given no row ({reason}), so it was not tried")
        return there

    def _find(self, *findings: str) -> None:
        self.findings.extend(one for one in findings if one not in self.findings)


def _drift(
    settings: DatabaseSettings,
    server: DatabaseSettings,
    directory: Path,
    passed: Sequence[Entries],
) -> list[str]:
    """List how the named database differs from the files, and from what they make."""
    state = runner.status(settings, directory=directory)
    migrations = files.load(directory)
    compared = journal.compare(migrations, journal.read(directory))
    new = {one.name: str(one) for one in compared if one.is_notice}
    findings = [
        *(one for one in state.findings if one not in new.values()),
        *(f"{file} is pending" for file in state.pending if file not in new),
        *state.notices,
    ]
    # Of a database that is newer than the files these do not tell the schema, and with
    # DATABASE_SCHEMA all names differ.
    if ledger.newer(migrations, state.ledger) or not state.applied:
        return findings
    if settings.database_schema:
        return findings
    # Who may do what there is also said by hand, and by the host's defaults.
    there, wanted = (
        dumps.without_privileges(entries)
        for entries in (dumps.taken(settings), passed[len(state.applied) - 1])
    )
    drift = dumps.compared(server, there, wanted)
    if drift:
        findings.append(
            f"the database is not what its migrations make:\n{drift}{_aside(settings)}"
        )
    return findings


def _aside(settings: DatabaseSettings) -> str:
    """Name what the database or the role sets, as `search_path`: the trial has it not.

    Their values stay where they are: some keep secrets in settings of their own.
    """
    with connections.opened(settings) as conn:
        names = ", ".join(name for (name,) in conn.execute(_SET_THERE))
    return f"\n(the database, or this role, sets there: {names})" if names else ""
