"""What a server says: its types, its schema, and of each statement that it prepares."""

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from psycopg import pq

from sqlc_gen_psycopg.inference.facts import SqlType
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema import statements
from sqlc_gen_psycopg.schema.model import Attributes, Domain, Schema
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sqlc.request import Column, Enum, Table, type_name

_TYPES = """
SELECT
    t.oid, n.nspname, pg_type_is_visible(t.oid),
    coalesce(e.typname, t.typname), (e.oid IS NOT NULL)::int
FROM pg_type AS t
LEFT JOIN pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
ORDER BY pg_type_is_visible(t.oid) DESC
"""
_RELATIONS = """
SELECT
    c.oid, n.nspname, pg_table_is_visible(c.oid), c.relname, c.relkind::text,
    a.attname, a.atttypid, a.attndims, a.attnotnull
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped
AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY pg_table_is_visible(c.oid) DESC, c.oid, a.attnum
"""
_ENUMS = """
SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder)
FROM pg_enum GROUP BY 1
"""
_DOMAINS = "SELECT oid, typbasetype, typndims FROM pg_type WHERE typtype = 'd'"
_CHECKS = """
SELECT contypid, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE contypid <> 0 AND contype = 'c'
"""
_VIEWS = """
SELECT
    n.nspname, pg_table_is_visible(c.oid), c.relname, pg_get_viewdef(c.oid)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm')
AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY pg_table_is_visible(c.oid)
"""
# Of which an UPDATE may change more than it writes.
_COMPUTED = """
SELECT n.nspname, pg_table_is_visible(c.oid), c.relname
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid)
OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN')
OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attgenerated <> '')
"""


class Types:
    """The OIDs of a database's types, by name and back."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.oids: dict[SqlType, int] = {}
        domains = conn.execute(_DOMAINS).fetchall()
        self.domains = {oid: (base, dims) for oid, base, dims in domains}
        # What is found without its schema's name has none, wherever it is.
        self.names: dict[int, SqlType] = {}
        self.spellings: dict[int, list[Name]] = {}
        for oid, namespace, is_visible, name, is_array in conn.execute(_TYPES):
            spellings = _spellings(namespace, name, is_visible=is_visible)
            for spelled in spellings:
                self.oids.setdefault(SqlType(spelled, is_array), oid)
            self.names[oid] = SqlType(spellings[0], is_array)
            self.spellings[oid] = spellings

    def oid(self, found: SqlType | None) -> int:
        """Return a type's OID, 0 if there is none."""
        if found is None:
            return 0
        return self.oids.get(SqlType(found.name, min(found.dims, 1)), 0)

    def base(self, oid: int) -> int:
        """Return the type that a domain stands for."""
        while oid in self.domains:
            oid, _ = self.domains[oid]
        return oid

    def shown(self, oid: int) -> str:
        """Return a type's name."""
        found = self.names.get(oid)
        return f"{found.name}{'[]' * found.dims}" if found else str(oid)


def _spellings(namespace: str, name: str, *, is_visible: bool) -> list[Name]:
    """Return what statements may call something, the shortest first.

    Of two of one name the visible one has it: callers look at that one first, or,
    where the last one counts, last.
    """
    whole = type_name("public", namespace, name)
    return [Name("", name), whole] if is_visible and whole.schema else [whole]


class Relations(NamedTuple):
    """A database's tables and views, and the attributes of its composite types."""

    tables: dict[Name, Table]
    composites: dict[Name, Attributes]


def relations(conn: psycopg.Connection, types: Types) -> Relations:
    """Read a database's relations."""
    tables: dict[Name, list[Column]] = {}
    composites: dict[Name, list[tuple[str, Name, int]]] = {}
    owners: dict[Name, int] = {}
    for row in conn.execute(_RELATIONS):
        table, namespace, is_visible, name, kind, column, oid, attndims, not_null = row
        names = [
            spelled
            for spelled in _spellings(namespace, name, is_visible=is_visible)
            if owners.setdefault(spelled, table) == table
        ]
        found, is_array = types.names[oid]
        # A table made from another's columns, or restored, tells no dimensions.
        dims = max(attndims, 1) if is_array else 0
        for relation in names:
            if kind == "c":
                composites.setdefault(relation, []).append((column, found, dims))
                continue
            tables.setdefault(relation, []).append(
                Column(column, column, found, not_null, dims, None, None, False, "")
            )
    return Relations(
        {name: Table(name, tuple(of), "") for name, of in tables.items()},
        {name: tuple(of) for name, of in composites.items()},
    )


def enums(conn: psycopg.Connection, types: Types) -> dict[Name, Enum]:
    """Read a database's ENUM types."""
    labels = {
        name: of for oid, of in conn.execute(_ENUMS) for name in types.spellings[oid]
    }
    return {name: Enum(name, tuple(of), "") for name, of in labels.items()}


def schema(
    conn: psycopg.Connection, types: Types, known: Relations, written: Schema
) -> Schema:
    """Return what the schema files say, with what the database says instead.

    Functions, operators and casts are as in the files: how they differ shows in what
    the server makes of the statements that use them.
    """
    made = Schema(written.default)
    made.functions, made.operators = written.functions, written.operators
    made.casts, made.ranges = written.casts, written.ranges
    made.extensions = written.extensions
    made.composites = known.composites
    made.required = {
        (name, column.name)
        for name, table in known.tables.items()
        for column in table.columns
        if column.not_null
    }
    made.computed = {
        spelled
        for namespace, is_visible, name in conn.execute(_COMPUTED)
        for spelled in _spellings(namespace, name, is_visible=is_visible)
    }
    for oid, (base, dims) in types.domains.items():
        found, is_array = types.names[base]
        domain = Domain(found, max(dims, 1) if is_array else 0)
        made.domains |= dict.fromkeys(types.spellings[oid], domain)
    for statement in [*_checks(conn, types), *_views(conn)]:
        try:
            [parsed] = tree.parse(statement)
        except tree.InvalidSqlError:
            # Of a newer server than the parser.
            continue
        statements.note(made, parsed)
    return made


def _checks(conn: psycopg.Connection, types: Types) -> Iterator[str]:
    for oid, name, definition in conn.execute(_CHECKS):
        domain, check = _quoted(types.names[oid].name), _quoted(Name("", name))
        yield f"ALTER DOMAIN {domain} ADD CONSTRAINT {check} {definition}"


def _views(conn: psycopg.Connection) -> Iterator[str]:
    # As a query here would be written: an extension's functions may be anywhere.
    for namespace, is_visible, name, text in conn.execute(_VIEWS):
        for spelled in _spellings(namespace, name, is_visible=is_visible):
            yield f"CREATE VIEW {_quoted(spelled)} AS {text}"


def _quoted(name: Name) -> str:
    parts = [part.replace('"', '""') for part in name if part]
    return ".".join(f'"{part}"' for part in parts)


# Classes of errors: of resources, locks, and the operator's intervention.
_NOT_THE_SQL = ("08", "53", "55", "57", "58", "XX")


class Refused(NamedTuple):
    """What the server says of a statement that it does not prepare.

    ``position`` counts the text's characters, from 1; 0 if it is about no place.
    """

    sqlstate: str
    message: str
    position: int


class Described(NamedTuple):
    """The types of a statement's parameters, and its columns' names and types."""

    parameters: tuple[int, ...]
    columns: tuple[tuple[str, int], ...]


def described(conn: psycopg.Connection, texts: list[str]) -> list[Described | Refused]:
    """Prepare statements, all in one flight; within a transaction, which goes on."""
    pgconn = conn.pgconn
    # Of what waits for a migration's lock nothing can be said.
    conn.execute("SET LOCAL lock_timeout = '5s'")
    conn.execute("SAVEPOINT described")
    pgconn.enter_pipeline_mode()
    for text in texts:
        # What follows one that is refused would be refused as well.
        pgconn.send_query_params(b"ROLLBACK TO described", None)
        pgconn.send_prepare(b"", text.encode())
        pgconn.send_describe_prepared(b"")
        pgconn.pipeline_sync()
    found = [_description(pgconn) for _ in texts]
    pgconn.exit_pipeline_mode()
    conn.execute("ROLLBACK TO described")
    return found


def _description(pgconn: pq.abc.PGconn) -> Described | Refused:
    """Read the results of a statement's four messages."""
    refused: Refused | None = None
    found = Described((), ())
    for _ in range(3):
        result = pgconn.get_result()
        if result is None:
            break
        if result.status == pq.ExecStatus.FATAL_ERROR:
            if _field(result, pq.DiagnosticField.SQLSTATE)[:2] in _NOT_THE_SQL:
                raise psycopg.OperationalError(
                    _field(result, pq.DiagnosticField.MESSAGE_PRIMARY)
                )
            refused = Refused(
                _field(result, pq.DiagnosticField.SQLSTATE),
                _field(result, pq.DiagnosticField.MESSAGE_PRIMARY),
                int(_field(result, pq.DiagnosticField.STATEMENT_POSITION) or 0),
            )
        elif result.nparams or result.nfields:
            found = Described(
                tuple(map(result.param_type, range(result.nparams))),
                tuple(
                    ((result.fname(i) or b"").decode(), result.ftype(i))
                    for i in range(result.nfields)
                ),
            )
        # Each message's results end with None, but the synchronisation's.
        pgconn.get_result()
    pgconn.get_result()
    return refused or found


def _field(result: pq.abc.PGresult, name: pq.DiagnosticField) -> str:
    return (result.error_field(name) or b"").decode()
