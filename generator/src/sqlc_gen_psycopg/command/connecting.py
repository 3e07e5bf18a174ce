"""The connections that a project is checked on, and its queries are planned on."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from sqlc_gen_psycopg.command import checking
from sqlc_gen_psycopg.command.checking import Report
from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.plans import report as planning
from sqlc_gen_psycopg.command.plans.settings import Settings
from sqlc_gen_psycopg.command.requests import Part


def check(url: str, parts: list[Part]) -> Report:
    """Compare a project with the database of that URL.

    Raises:
        CannotRunError: the server cannot be asked.
        RefusedError: something cannot be generated at all.
    """
    _check_url(url, "check")
    try:
        # Poolers keep no prepared statements, and need none of ours.
        with psycopg.connect(
            url, client_encoding="utf8", prepare_threshold=None
        ) as conn:
            conn.read_only = True
            reports = [checking.check(conn, part) for part in parts]
    except psycopg.Error as error:
        told = " ".join(str(error).split())
        raise CannotRunError(f"the server cannot be asked: {told}") from error
    # Two outputs may be of the same queries.
    findings = dict.fromkeys(found for one in reports for found in one.findings)
    warnings = dict.fromkeys(told for one in reports for told in one.warnings)
    return Report(
        [*findings],
        sum(one.queries for one in reports),
        sum(one.parameters for one in reports),
        sum(one.columns for one in reports),
        [*warnings],
    )


def plans(
    url: str, parts: list[Part], settings: Settings
) -> tuple[planning.Report, list[str]]:
    """Plan a project's queries in that database; return what was found, and a table.

    Raises:
        CannotRunError: the server cannot be asked.
        RefusedError: a query file cannot be read.
    """
    _check_url(url, "plans")
    try:
        with psycopg.connect(url, client_encoding="utf8", autocommit=True) as conn:
            made = planning.report(conn, parts, settings)
    except psycopg.Error as error:
        told = " ".join(str(error).split())
        raise CannotRunError(f"the server cannot be asked: {told}") from error
    return made, [*planning.table(made, settings.sizes)]


def _check_url(url: str, command: str) -> None:
    """Refuse what the driver would show in its error, password and all."""
    if not url:
        raise CannotRunError(
            f"no database is named; write its URL behind `{command}`, "
            "or set DATABASE_URL"
        )
    try:
        host = conninfo_to_dict(url).get("host") or ""
    except psycopg.ProgrammingError:
        host = "@"
    if "@" in str(host):
        raise CannotRunError(
            "the database's URL cannot be read; write postgresql://user@host/database, "
            "and in a password %40 for @, %2F for / and %25 for %"
        ) from None
