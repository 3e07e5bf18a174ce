"""Write down PostgreSQL's built-in functions and operators, and pgvector's.

    python -m generator.tools.builtins postgresql://…/postgres

writes `builtins.txt` beside the inference: a line for each function (name, kind,
whether it returns a set, number of defaults, whether variadic, argument types, result
type) and for each operator (name, operand types, result type). Take the newest
PostgreSQL there is; functions are only ever added. sqlc knows the functions of the
extensions that come with PostgreSQL, but none of pgvector's.
"""

import sys
from pathlib import Path

import psycopg

TARGET = Path(__file__).parents[1] / "src/sqlc_gen_psycopg/inference/builtins.txt"

_QUERY = """
WITH known AS (
    SELECT d.objid, d.classid FROM pg_depend AS d
    INNER JOIN pg_extension AS e ON e.oid = d.refobjid AND d.deptype = 'e'
    WHERE e.extname = 'vector'
    UNION ALL
    SELECT p.oid, 'pg_proc'::regclass FROM pg_proc AS p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
    UNION ALL
    SELECT o.oid, 'pg_operator'::regclass FROM pg_operator AS o
    WHERE o.oprnamespace = 'pg_catalog'::regnamespace
)
SELECT concat_ws(
    E'\\t', 'f', p.proname, p.prokind, p.proretset::int, p.pronargdefaults,
    (p.provariadic <> 0)::int,
    coalesce((
        SELECT string_agg(t.typname, ' ' ORDER BY a.position)
        FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, position)
        INNER JOIN pg_type AS t ON t.oid = a.type
    ), ''),
    r.typname
) AS line
FROM pg_proc AS p
INNER JOIN pg_type AS r ON r.oid = p.prorettype
INNER JOIN known ON known.objid = p.oid AND known.classid = 'pg_proc'::regclass
WHERE p.prokind IN ('f', 'a', 'w')
AND r.typname NOT IN ('internal', 'trigger', 'event_trigger', 'cstring')
AND r.typname NOT LIKE '%handler'
AND NOT 'internal'::regtype = ANY(p.proargtypes::oid [])
AND NOT 'cstring'::regtype = ANY(p.proargtypes::oid [])
UNION ALL
SELECT concat_ws(
    E'\\t', 'o', o.oprname, coalesce(l.typname, ''), r.typname, t.typname
)
FROM pg_operator AS o
LEFT JOIN pg_type AS l ON l.oid = o.oprleft
INNER JOIN pg_type AS r ON r.oid = o.oprright
INNER JOIN pg_type AS t ON t.oid = o.oprresult
INNER JOIN known ON known.objid = o.oid AND known.classid = 'pg_operator'::regclass
"""


def lines(url: str) -> list[str]:
    """Ask a server for its functions and operators."""
    with psycopg.connect(url) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
        found = sorted(line for (line,) in conn.execute(_QUERY))
        conn.rollback()
    return found


if __name__ == "__main__":
    TARGET.write_text("\n".join(lines(sys.argv[1])) + "\n", encoding="utf-8")
