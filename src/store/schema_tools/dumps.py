"""The schema as text: `db/schema.sql`, and what two databases differ in.

What is the cluster's business is left out: owners, tablespaces, access methods,
subscriptions and user mappings, of which the last two may hold passwords. So is
dbmate's ledger, and what a server or an extension says by itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg

from ..errors import MigrationError
from ..migrations import connections, dbmate, files, outside
from ..settings import DatabaseSettings
from ..sql import cluster, statements
from . import programs, scratch

__all__ = [
    "SCHEMA",
    "Entries",
    "canonical",
    "compared",
    "differences",
    "load",
    "restore",
    "run",
    "taken",
    "text_of",
    "update",
    "without_private_options",
    "without_privileges",
]

SCHEMA = Path("db/schema.sql")

Entries = Mapping[str, str]
"""The statements of a dump, by what each is about: `TABLE public.users`."""

_HEAD = """\
-- The schema that db/migrations make, written by `make schema-dump`. To change it,
-- edit it and run `make migrate-draft name=what_it_does`, or write a migration by hand.
"""

_HEADER = re.compile(
    r"^--\n-- Name: (?P<name>.*); Type: (?P<type>.*); Schema: (?P<schema>.*); Owner: .*"
    r"\n--\n",
    re.MULTILINE,
)
_QUIET = (
    "--no-psqlrc",
    "--quiet",
    "--output=/dev/null",
    "--set=ON_ERROR_STOP=1",
    "--set=VERBOSITY=terse",
)
# What pg_dump frames its output with, against such commands in names.
_GUARD = re.compile(r"^\\(?:un)?restrict [A-Za-z0-9]+$", re.MULTILINE)
_TAIL = "--\n-- PostgreSQL database dump complete\n--\n"

# The options of a relation, or of one of its columns, where pg_dump writes them.
_OPTION = r"[\w.]+=(?:'[^']*'|[^',()\s]+)"
_OPTIONS = re.compile(
    r"(?:(?P<head>^CREATE (?:VIEW [^()]*|(?:UNIQUE )?INDEX .*)) WITH|\nWITH"
    r"|(?P<column>^ALTER .* ALTER COLUMN .* SET)) "
    rf"\((?P<options>{_OPTION}(?:, {_OPTION})*)\)(?(column);\n?)",
    re.MULTILINE,
)
# All that ALTER TABLE … ALTER COLUMN … SET takes, by PostgreSQL's documentation.
_COLUMN_OPTIONS = frozenset({"n_distinct", "n_distinct_inherited"})

# 18 gives each NOT NULL a name, which it keeps where its column or table is renamed.
# Older servers have none, nor a statement that could mend it.
_NOT_NULL_NAME = re.compile(
    r' CONSTRAINT (?:\w+|"(?:[^"]|"")+")'
    r"(?= NOT NULL(?: NO INHERIT)?(?:[,;]?$| DEFAULT ))",
    re.MULTILINE,
)

# Written where the schema `public` was made anew, or has another owner: usual, and no
# change that a statement could take back.
_OWN_PUBLIC = {
    "-- *not* creating schema, since initdb creates it",
    "COMMENT ON SCHEMA public IS '';",
}
# What it says is its version's, and only its owner, often the host, may change it.
_EXTENSION = "EXTENSION "


def taken(settings: DatabaseSettings, *, seconds: float | None = None) -> Entries:
    """Dump a database's schema, within so many seconds.

    Raises:
        MigrationError: the database cannot be reached or read, or not in time.
    """
    dumped = programs.run(
        "pg_dump",
        settings,
        "--schema-only",
        "--no-owner",
        "--no-tablespaces",
        "--no-table-access-method",
        # Their connection strings have passwords; and a database that was loaded with
        # one cannot be dropped.
        "--no-subscriptions",
        f"--exclude-table={dbmate.LEDGER}",
        f"--exclude-table={outside.UNFINISHED}",
        seconds=seconds,
    )
    # The head sets parameters, some of which older servers do not know.
    _head, *parts = _HEADER.split(dumped.rpartition(_TAIL)[0])
    entries: dict[str, str] = {}
    names, types, schemas, texts = (parts[n::4] for n in range(4))
    for name, kind, schema, text in zip(names, types, schemas, texts, strict=True):
        title = f"{kind} {schema}.{name}"
        if (
            kind == "USER MAPPING"
            or text.strip() in _OWN_PUBLIC
            or (kind == "COMMENT" and name.startswith(_EXTENSION))
        ):
            continue
        if kind in {"TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "VIEW", "INDEX"}:
            text = without_private_options(text)  # noqa: PLW2901 - the same
        if kind in {"TABLE", "FOREIGN TABLE", "DOMAIN"}:
            text = _NOT_NULL_NAME.sub("", text)  # noqa: PLW2901 - the same
        if kind == "DEFAULT ACL":
            text = text.replace(f" FOR ROLE {_user(settings)}", "")  # noqa: PLW2901 - the same
        entries[title] = "\n\n".join(filter(None, [entries.get(title), text.strip()]))
    return entries


def _user(settings: DatabaseSettings) -> str:
    """Name who runs this, whose default privileges are the default."""
    return programs.run(
        "psql", settings, "-XAtc", "SELECT quote_ident(current_user)"
    ).strip()


def without_privileges(entries: Entries) -> Entries:
    """Leave out who may do what."""
    return {
        title: text
        for title, text in entries.items()
        if not title.startswith(("ACL ", "DEFAULT ACL "))
    }


def without_private_options(text: str) -> str:
    """Leave out what a server keeps for itself among the options of its relations.

    PostgreSQL 15.20 has a `pg_attver` in each column's, new at each change, which its
    own pg_dump hides and one of another version prints.
    """

    def public(found: re.Match[str]) -> str:
        options = found["options"].split(", ")
        kept = [
            option
            for option in options
            if (
                option.partition("=")[0] in _COLUMN_OPTIONS
                if found["column"]
                else not option.startswith("pg_")
            )
        ]
        if not kept:
            return found["head"] or ""
        return found[0].replace(found["options"], ", ".join(kept))

    return _OPTIONS.sub(public, text)


def text_of(entries: Entries) -> str:
    """Make one file of a dump, to be read, edited and loaded."""
    return "\n".join([_HEAD, *(f"{text}\n" for text in entries.values())])


def load(settings: DatabaseSettings, file: Path) -> None:
    r"""Run a schema file on an empty database, each statement by itself.

    psql is not asked: what it reads as a command (`\connect`, `\!`) would be run with
    its user's rights. Of these the file may have `\restrict` alone, as pg_dump writes.

    Raises:
        MigrationError: names file and line, and what is wrong there, or is not of the
            database but of the cluster; then nothing was run.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"cannot read {file}: {error}") from None
    found = statements.split(_GUARD.sub("", text), file=file)
    cluster.refuse(found, file)
    with connections.connected(settings, "store schema file", programs.OPTIONS) as conn:
        for statement in found:
            try:
                # With the result in binary form it is sent as one statement: what the
                # server took for a second one would be refused.
                conn.execute(statement.text.encode(), binary=True)
            except psycopg.Error as error:
                unknown = isinstance(error, psycopg.errors.UndefinedObject)
                if unknown and statement.kind == "VariableSetStmt":
                    # pg_dump sets what its own version has, for its session alone.
                    continue
                what = error.diag.message_primary or error
                place = f"{file}:{statement.line}"
                raise MigrationError(f"{place}: ERROR:  {what}") from None


def run(settings: DatabaseSettings, found: Iterable[str]) -> None:
    """Run statements, which end without a semicolon.

    Raises:
        MigrationError: what is wrong with the first that fails.
    """
    script = "".join(f"{statement};\n" for statement in found)
    programs.run("psql", settings, *_QUIET, "--file=-", script=script)


def canonical(settings: DatabaseSettings, entries: Entries) -> Entries:
    """Give a dump as it reads after it was loaded, on a server for trying things.

    PostgreSQL shows what it stored, which reads otherwise once it is read back: a list
    in a CHECK (`x IN ('a', 'b')`) gets its casts elsewhere. From then on it is stable.
    What that server refuses, as it lacks an extension or a role, stays as it is.
    """
    with scratch.database(settings) as copy:
        refused: dict[str, str] = {}
        with connections.connected(copy, options=programs.OPTIONS) as conn:
            for title, text in entries.items():
                try:
                    # All of an entry or nothing: together they are one transaction.
                    conn.execute(text.encode())
                except psycopg.DatabaseError:
                    refused[title] = text
        return {**refused, **taken(copy)}


def compared(settings: DatabaseSettings, there: Entries, wanted: Entries) -> str:
    """Give the differences that remain when both are read back, if there are any."""
    if not differences(there, wanted):
        return ""
    return differences(canonical(settings, there), canonical(settings, wanted))


def restore(settings: DatabaseSettings, entries: Entries) -> None:
    """Make the schema of a dump in an empty database."""
    programs.run("psql", settings, *_QUIET, "--file=-", script=text_of(entries))


def differences(there: Entries, wanted: Entries) -> str:
    """Give what differs in the form of `diff`, or nothing.

    The order of a table's columns, or of privileges, does not count: PostgreSQL appends
    new ones.
    """
    changed = [
        line
        for title in sorted(there.keys() | wanted.keys())
        for line in difflib.unified_diff(
            _lines(title, there.get(title, "")),
            _lines(title, wanted.get(title, "")),
            lineterm="",
            n=0,
        )
        if not line.startswith(("---", "+++", "@@"))
    ]
    return "\n".join(changed)


def _lines(title: str, text: str) -> list[str]:
    lines = text.splitlines()
    if title.startswith(("ACL ", "DEFAULT ACL ")):
        return sorted(lines)
    if not (lines and title.startswith("TABLE ")):
        return lines
    head, *columns = lines
    return [head, *sorted(column.removesuffix(",") for column in columns)]


def update(
    settings: DatabaseSettings,
    *,
    directory: Path = files.DIRECTORY,
    file: Path = SCHEMA,
    check: bool,
) -> str:
    """Write the schema that the migrations make, or `check` it, and give the diff.

    Raises:
        MigrationError: the server is not of the version that the bytes depend on.
    """
    with scratch.database(settings) as database:
        _pinned(database)
        scratch.migrate(database, files.load(directory))
        text = text_of(taken(database))
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if not check:
        file.write_text(text, encoding="utf-8", newline="\n")
    lines = difflib.unified_diff(
        before.splitlines(), text.splitlines(), str(file), str(directory), lineterm=""
    )
    return "\n".join(lines)


def _pinned(settings: DatabaseSettings) -> None:
    shown = programs.run("psql", settings, "-XAtc", "SHOW server_version").split()[0]
    if shown != programs.version():
        raise MigrationError(
            f"this server is {shown}, and others than {programs.version()} may write "
            "the schema otherwise: run `make schema-dump`, which starts one"
        )
