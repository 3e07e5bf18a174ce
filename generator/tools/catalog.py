"""Write down PostgreSQL's catalog: types, casts, operators and functions.

    python -m generator.tools.catalog postgresql://…/postgres [postgresql://…]

writes `postgresql.txt`, and a file for each extension, into the package `catalog`.
The first is the newest PostgreSQL that there is: functions are only ever added.
Extensions are those of `EXTENSIONS` that a server has, each from the first server that
has it. All is read in transactions that are rolled back.

A line is a row, its fields separated by tabs; the first field says of what:

    t  name  typtype  category  is preferred  element (of an array)  array  base
    r  range  subtype  multirange
    c  source  target  context  method
    o  name  left  right  result
    f  name  kind  returns a set  variadic element  defaults  argument types
       result  argument names  columns (name:type)  is strict  direct arguments
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

TARGET = Path(__file__).parents[1] / "src/sqlc_gen_psycopg/catalog"
EXTENSIONS = (
    "citext",
    "cube",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "seg",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
    "vector",
)

# Each asks for the rows of one catalog that `chosen` names.
_ROWS = (
    """
    SELECT concat_ws(
        E'\\t', 't', t.typname, t.typtype, t.typcategory, t.typispreferred::int,
        CASE WHEN t.typsubscript::text = 'array_subscript_handler'
             THEN e.typname ELSE '' END,
        coalesce(a.typname, ''), coalesce(b.typname, '')
    )
    FROM pg_type AS t
    LEFT JOIN pg_type AS e ON e.oid = t.typelem
    LEFT JOIN pg_type AS a ON a.oid = t.typarray
    LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
    INNER JOIN chosen ON chosen.objid = t.oid AND chosen.classid = 'pg_type'::regclass
    WHERE t.typtype <> 'c' AND coalesce(e.typtype, '') <> 'c'
    """,
    """
    SELECT concat_ws(E'\\t', 'r', t.typname, s.typname, m.typname)
    FROM pg_range AS r
    INNER JOIN pg_type AS t ON t.oid = r.rngtypid
    INNER JOIN pg_type AS s ON s.oid = r.rngsubtype
    INNER JOIN pg_type AS m ON m.oid = r.rngmultitypid
    INNER JOIN chosen ON chosen.objid = t.oid AND chosen.classid = 'pg_type'::regclass
    """,
    """
    SELECT concat_ws(E'\\t', 'c', s.typname, t.typname, c.castcontext, c.castmethod)
    FROM pg_cast AS c
    INNER JOIN pg_type AS s ON s.oid = c.castsource
    INNER JOIN pg_type AS t ON t.oid = c.casttarget
    INNER JOIN chosen ON chosen.objid = c.oid AND chosen.classid = 'pg_cast'::regclass
    """,
    """
    SELECT concat_ws(
        E'\\t', 'o', o.oprname, coalesce(l.typname, ''), r.typname, t.typname
    )
    FROM pg_operator AS o
    LEFT JOIN pg_type AS l ON l.oid = o.oprleft
    INNER JOIN pg_type AS r ON r.oid = o.oprright
    INNER JOIN pg_type AS t ON t.oid = o.oprresult
    INNER JOIN chosen
        ON chosen.objid = o.oid AND chosen.classid = 'pg_operator'::regclass
    """,
    """
    SELECT concat_ws(
        E'\\t', 'f', p.proname, p.prokind, p.proretset::int,
        coalesce(v.typname, ''), p.pronargdefaults,
        coalesce((
            SELECT string_agg(t.typname, ' ' ORDER BY a.position)
            FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, position)
            INNER JOIN pg_type AS t ON t.oid = a.type
        ), ''),
        r.typname,
        coalesce((
            SELECT string_agg(coalesce(a.name, ''), ' ' ORDER BY a.position)
            FROM unnest(p.proargnames) WITH ORDINALITY AS a (name, position)
            WHERE coalesce(p.proargmodes[a.position], 'i') IN ('i', 'b', 'v')
        ), ''),
        coalesce((
            SELECT string_agg(
                coalesce(p.proargnames[a.position], '') || ':' || t.typname, ' '
                ORDER BY a.position
            )
            FROM unnest(p.proallargtypes) WITH ORDINALITY AS a (type, position)
            INNER JOIN pg_type AS t ON t.oid = a.type
            WHERE p.proargmodes[a.position] IN ('o', 'b', 't')
        ), ''),
        p.proisstrict::int,
        coalesce((
            SELECT g.aggkind || g.aggnumdirectargs
            FROM pg_aggregate AS g WHERE g.aggfnoid = p.oid
        ), '')
    )
    FROM pg_proc AS p
    INNER JOIN pg_type AS r ON r.oid = p.prorettype
    LEFT JOIN pg_type AS v ON v.oid = p.provariadic
    INNER JOIN chosen ON chosen.objid = p.oid AND chosen.classid = 'pg_proc'::regclass
    WHERE p.prokind IN ('f', 'a', 'w')
    AND r.typname NOT IN ('trigger', 'event_trigger')
    AND r.typname NOT LIKE '%%handler'
    """,
)
_BUILT_IN = """
WITH chosen AS (
    SELECT oid AS objid, 'pg_type'::regclass::oid AS classid FROM pg_type
    WHERE typnamespace = 'pg_catalog'::regnamespace
    UNION ALL
    SELECT oid, 'pg_cast'::regclass FROM pg_cast WHERE oid < 16384
    UNION ALL
    SELECT oid, 'pg_proc'::regclass FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace
    UNION ALL
    SELECT oid, 'pg_operator'::regclass FROM pg_operator
    WHERE oprnamespace = 'pg_catalog'::regnamespace
)
"""
_OF_EXTENSION = """
WITH members AS (
    SELECT d.objid, d.classid FROM pg_depend AS d
    INNER JOIN pg_extension AS e ON e.oid = d.refobjid AND d.deptype = 'e'
    WHERE e.extname = %s AND d.refclassid = 'pg_extension'::regclass
),
chosen AS (
    SELECT * FROM members
    UNION
    SELECT t.typarray, 'pg_type'::regclass FROM pg_type AS t
    INNER JOIN members AS m ON m.objid = t.oid AND m.classid = 'pg_type'::regclass
)
"""


def built_in(conn: psycopg.Connection) -> list[str]:
    """Ask a server for the rows of PostgreSQL itself."""
    return [*_lines(conn, _BUILT_IN, ())]


def of_extension(conn: psycopg.Connection, name: str) -> list[str]:
    """Ask a server for the rows of an extension."""
    create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE")
    conn.execute(create.format(sql.Identifier(name)))
    return [*_lines(conn, _OF_EXTENSION, (name,))]


def _lines(
    conn: psycopg.Connection, chosen: str, parameters: tuple[str, ...]
) -> Iterator[str]:
    for rows in _ROWS:
        query = chosen + (rows if parameters else rows.replace("%%", "%"))
        found = conn.execute(query.encode(), parameters or None)
        yield from sorted(str(line) for (line,) in found)


def _write(name: str, lines: list[str]) -> None:
    file = TARGET / f"{name}.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(urls: list[str]) -> None:
    """Write the files."""
    missing = [*EXTENSIONS]
    for number, url in enumerate(urls):
        with psycopg.connect(url) as conn:
            if number == 0:
                _write("postgresql", built_in(conn))
            names = conn.execute("SELECT name FROM pg_available_extensions").fetchall()
            for name in [name for name in missing if (name,) in names]:
                _write(f"extensions/{name}", of_extension(conn, name))
                missing.remove(name)
                conn.rollback()
    if missing:
        sys.exit(f"no server has {', '.join(missing)}")


if __name__ == "__main__":
    main(sys.argv[1:])
