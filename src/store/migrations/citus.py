"""A schema on Citus, which keeps a whole schema on one of its nodes.

Citus' own switch, citus.enable_schema_based_sharding, says whether the schemas that a
session makes are to be distributed. Where it is on, `up` applies the files to a plain
schema and distributes that at its end: into one that is distributed Citus (13.2) takes
neither a function's SET … FROM CURRENT nor ADD CONSTRAINT beside other subcommands.
What is applied later, Citus passes on to that node.

The ledger's comment says of a plain schema that it is to be distributed. It is made
with the schema and goes as that is distributed, each in one transaction: so the next
run goes on where one was cut off, and a schema that was plain all along stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from psycopg import Connection, conninfo, sql
from psycopg.rows import class_row
from pydantic import SecretStr

from ..errors import MigrationError
from ..settings import DatabaseSettings
from ..sql import statements
from . import ledger, urls
from .dbmate import Progress
from .files import MigrationFile, Section

__all__ = ["Place", "distribute", "look", "prepare", "reached", "singly"]

_IS_CITUS = "SELECT FROM pg_extension WHERE extname = 'citus'"

# A node of its own is group 0, and so is the coordinator of others.
_LOOK = """
SELECT
    schema,
    EXISTS (
        SELECT FROM pg_dist_schema WHERE schemaid = to_regnamespace(schema)::oid
    ) AS is_distributed,
    current_setting('citus.enable_schema_based_sharding')::boolean AS is_wanted,
    obj_description(to_regclass('schema_migrations'), 'pg_class')
    IS NOT DISTINCT FROM %(comment)s AS is_due,
    CASE
        WHEN (SELECT groupid FROM pg_dist_local_group) > 0
        THEN (SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid = 0)
    END AS coordinator
FROM (VALUES (%(schema)s)) AS given (schema)"""

_COMMENT = "to be distributed by Citus"
_SECTIONS: tuple[Section, ...] = ("up", "down")
_LOCALLY = "enable_ddl_propagation=off"

# A node refuses a query within a function that a statement calls, lest its rows are on
# another node. Here all are on that one.
_FUNCTIONS_THAT_READ = """
SELECT pg_proc.oid::regprocedure::text
FROM pg_proc
WHERE
    pronamespace = to_regnamespace(%(schema)s)
    AND prokind IN ('f', 'p')
    AND provolatile <> 'i'
    AND prorettype <> 'trigger'::regtype
    AND NOT coalesce(
        'citus.allow_nested_distributed_execution=on' = ANY(proconfig), false
    )"""
_LET_READ = "ALTER ROUTINE {} SET citus.allow_nested_distributed_execution = on"

# A table takes along what it needs; what only statements call stays behind.
_DISTRIBUTE_FUNCTIONS = """
SELECT create_distributed_function(pg_proc.oid::regprocedure)
FROM pg_proc
WHERE
    pronamespace = to_regnamespace(%(schema)s)
    AND prokind IN ('f', 'p')
    AND NOT EXISTS (
        SELECT FROM pg_dist_object
        WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
    )"""


class Place(NamedTuple):
    """A schema of a database that has Citus.

    `is_wanted` says that what is new is to be distributed, `is_due` that this one is.
    `coordinator` has its address where a worker was asked.
    """

    schema: str
    is_distributed: bool
    is_wanted: bool
    is_due: bool
    coordinator: str | None


def look(conn: Connection[Any], schema: str | None) -> Place | None:
    """Look at a schema, which need not be there; give None where there is no Citus.

    Raises:
        MigrationError: the connection leads to a worker, whose locks are its own.
    """
    if not (schema and conn.execute(_IS_CITUS).rowcount):
        return None
    with conn.cursor(row_factory=class_row(Place)) as cursor:
        cursor.execute(_LOOK, {"schema": schema, "comment": _COMMENT})
        [place] = cursor
    if place.coordinator:
        raise MigrationError(
            "DATABASE_URL_DIRECT (else DATABASE_URL) leads to a worker of Citus, whose "
            "migration lock is its own: set DATABASE_URL_DIRECT to the coordinator, "
            f"which the worker knows as {place.coordinator}"
        )
    return place


def prepare(conn: Connection[Any], place: Place) -> Place:
    """Make the schema plain, if it is new, and note what is to become of it."""
    if place.is_due or ledger.read(conn):
        return place
    with conn.transaction():
        if place.is_distributed:
            conn.execute("SELECT citus_schema_undistribute(%s)", [place.schema])
        conn.execute("SET LOCAL citus.enable_ddl_propagation = off")
        ledger.make_schema(conn, place.schema)
        due = place.is_distributed or place.is_wanted
        if due:
            ledger.make(conn)
            conn.execute(f"COMMENT ON TABLE schema_migrations IS '{_COMMENT}'")
    return place._replace(is_distributed=False, is_due=due)


def reached(settings: DatabaseSettings, place: Place | None) -> DatabaseSettings:
    """Have the URL's sessions tell the other nodes what they change, or not."""
    if place is None:
        return settings
    option = "enable_unsafe_triggers=on" if place.is_distributed else _LOCALLY
    url = settings.database_url_direct.get_secret_value()
    parts = conninfo.conninfo_to_dict(url)
    parts["options"] = urls.options(url, f"-c citus.{option}")
    given = SecretStr(urls.made_of(parts))
    return settings.model_copy(
        update={"database_url": given, "database_url_direct": given}
    )


def singly(
    migrations: Sequence[MigrationFile], place: Place | None
) -> Sequence[MigrationFile]:
    """Have each statement be a query of its own, for a schema that is distributed.

    Citus passes on the text of a query as it came, and a node takes one statement of it
    ("cannot insert multiple commands into a prepared statement").
    """
    if place is None or not place.is_distributed:
        return migrations
    return [_singly(file) for file in migrations]


def _singly(file: MigrationFile) -> MigrationFile:
    lines = file.text.split("\n")
    parts = [part for name in _SECTIONS if (part := file.part(name))]
    # From the end, so that the lines of the other part keep their numbers.
    for part in sorted(parts, key=lambda part: part.line, reverse=True):
        if part.in_transaction:
            end = part.line + part.sql.count("\n")
            lines[part.line : end] = [
                f"DO {_quoted(f'BEGIN EXECUTE {_quoted(each.text)}; END')};"
                for each in statements.split(part.sql)
            ]
    return replace(file, text="\n".join(lines))


def _quoted(text: str) -> str:
    return sql.Literal(text).as_string()


def distribute(conn: Connection[Any], place: Place | None, progress: Progress) -> None:
    """Distribute a schema that is due, and the functions that stayed behind."""
    if place is None or not (place.is_due or place.is_distributed):
        return
    with conn.transaction():
        if place.is_due:
            progress(f"Distributing: the schema {place.schema}, by Citus")
            # Its triggers touch the schema's own rows, which are all on that node.
            conn.execute("SET LOCAL citus.enable_unsafe_triggers = on")
            conn.execute("SELECT citus_schema_distribute(%s)", [place.schema])
            conn.execute("COMMENT ON TABLE schema_migrations IS NULL")
        schema = {"schema": place.schema}
        for (signature,) in conn.execute(_FUNCTIONS_THAT_READ, schema).fetchall():
            # Quoted by the server, where that is needed.
            conn.execute(_LET_READ.format(signature).encode())
        conn.execute(_DISTRIBUTE_FUNCTIONS, schema)
