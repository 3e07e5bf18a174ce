"""What was renamed: a comparison sees only that one thing is gone and another is new.

Where both readings make the same database, a rename is taken for granted. Where a drop
would lose rows, values or a sequence's state, somebody has to say which it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ..errors import MigrationError
from ..migrations import connections
from ..settings import DatabaseSettings

__all__ = ["Found", "Rename", "find"]

# What can be renamed, in the order in which names depend on each other. `definition`
# says what a thing is, apart from its name; `owned` is one that belongs to a column.
_THINGS = r"""
WITH schemas AS (
    SELECT oid, nspname::text AS schema FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), extended AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS (
    SELECT c.oid, c.relname::text AS name, schema, relkind, reloptions, reltype
    FROM pg_class AS c JOIN schemas ON schemas.oid = relnamespace
    WHERE ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extended)
), types AS (
    SELECT t.*, typname::text AS name, schema
    FROM pg_type AS t JOIN schemas ON schemas.oid = typnamespace
    WHERE ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extended)
), columns AS (
    SELECT
        attrelid, attname::text AS name, attinhcount,
        format_type(atttypid, atttypmod) AS type
    FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
)

SELECT
    0 AS rank, 'TYPE' AS kind, ARRAY[schema] AS parent, name, '' AS arguments,
    concat('enum ', (
        SELECT array_agg(enumlabel ORDER BY enumsortorder)
        FROM pg_enum WHERE enumtypid = types.oid
    )) AS definition, false AS owned
FROM types WHERE typtype = 'e'
UNION ALL
SELECT 0, 'TYPE', ARRAY[schema], relations.name, '', concat('composite ', (
    SELECT array_agg(concat(columns.name, ' ', type) ORDER BY columns.name)
    FROM columns WHERE attrelid = relations.oid
)), false
FROM relations WHERE relkind = 'c'
UNION ALL
SELECT
    0, 'DOMAIN', ARRAY[schema], name, '', concat_ws(
        ' ', format_type(typbasetype, typtypmod), typnotnull, typdefault, (
            SELECT array_agg(definition ORDER BY definition)
            FROM pg_constraint, pg_get_constraintdef(pg_constraint.oid) AS definition
            WHERE contypid = types.oid AND contype = 'c'
        )
    ), false
FROM types WHERE typtype = 'd'
UNION ALL
SELECT 1, 'VALUE', ARRAY[schema, name], enumlabel::text, '', '', false
FROM types JOIN pg_enum ON enumtypid = types.oid
UNION ALL
SELECT 2, 'TABLE', ARRAY[schema], relations.name, '', (
    SELECT coalesce(string_agg(concat(columns.name, ' ', type), E'\n'), '')
    FROM columns WHERE attrelid = relations.oid
), false
FROM relations WHERE relkind IN ('r', 'p')
UNION ALL
SELECT 3, 'COLUMN', ARRAY[schema, relations.name], columns.name, '', type, false
FROM relations JOIN columns ON attrelid = relations.oid
WHERE relkind IN ('r', 'p') AND attinhcount = 0
UNION ALL
SELECT
    4, 'SEQUENCE', ARRAY[schema], relations.name, '', concat_ws(
        ' ', format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax,
        seqcycle, seqcache, refobjid::regclass, columns.name
    ), refobjid IS NOT NULL
FROM relations
JOIN pg_sequence ON seqrelid = relations.oid
LEFT JOIN pg_depend
    ON classid = 'pg_class'::regclass AND objid = relations.oid
    AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
LEFT JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
LEFT JOIN columns ON columns.attrelid = refobjid AND columns.name = attname
UNION ALL
SELECT
    5, CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END,
    ARRAY[schema], name, '', concat(reloptions, pg_get_viewdef(oid)), false
FROM relations WHERE relkind IN ('v', 'm')
UNION ALL
SELECT
    6, 'ROUTINE', ARRAY[schema], proname::text,
    pg_get_function_identity_arguments(p.oid),
    substr(definition, strpos(definition, quoted) + length(quoted)), false
FROM pg_proc AS p
JOIN schemas ON schemas.oid = pronamespace,
    format('%I.%I(', schema, proname) AS quoted,
    -- An aggregate has no such definition.
    LATERAL (
        SELECT CASE WHEN prokind IN ('f', 'p', 'w') THEN pg_get_functiondef(p.oid) END
    ) AS defined (definition)
WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM extended)
    AND prokind <> 'a'
UNION ALL
SELECT
    7, 'CONSTRAINT', ARRAY[schema, name], conname::text, '',
    pg_get_constraintdef(pg_constraint.oid), false
FROM relations JOIN pg_constraint ON conrelid = relations.oid
WHERE coninhcount = 0 AND contype NOT IN ('n', 't')
UNION ALL
SELECT
    7, 'DOMAIN CONSTRAINT', ARRAY[schema, name], conname::text, '',
    pg_get_constraintdef(pg_constraint.oid), false
FROM types JOIN pg_constraint ON contypid = types.oid
WHERE contype = 'c'
UNION ALL
SELECT
    8, 'INDEX', ARRAY[schema], name, '', concat(
        indisunique, substr(definition, strpos(definition, quoted) + length(quoted))
    ), false
FROM relations JOIN pg_index ON indexrelid = relations.oid,
    pg_get_indexdef(relations.oid) AS definition,
    format('%I ON', name) AS quoted
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = relations.oid)
    AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = relations.oid)
ORDER BY rank, parent, name, arguments
"""

_ASKED = {
    "TABLE": "its rows",
    "COLUMN": "its values",
    "VALUE": "what has it",
    "SEQUENCE": "its state",
}

_WAYS = {
    "COLUMN": "ALTER TABLE {parent} RENAME COLUMN {old} TO {new}",
    "CONSTRAINT": "ALTER TABLE {parent} RENAME CONSTRAINT {old} TO {new}",
    "DOMAIN CONSTRAINT": "ALTER DOMAIN {parent} RENAME CONSTRAINT {old} TO {new}",
    "VALUE": "ALTER TYPE {parent} RENAME VALUE {old_text} TO {new_text}",
}


@dataclass(frozen=True, slots=True)
class _Thing:
    rank: int
    kind: str
    parent: list[str]
    name: str
    arguments: str
    definition: str
    owned: bool

    @property
    def key(self) -> tuple[str, ...]:
        return (self.kind, *self.parent, self.name, self.arguments)

    @property
    def address(self) -> str:
        """Say where it is as one writes it, without the schema that is the default."""
        dotted = ".".join([*self.parent, self.name]).removeprefix("public.")
        return dotted + (f"({self.arguments})" if self.kind == "ROUTINE" else "")

    @property
    def asked(self) -> bool:
        """Tell whether something is lost with it."""
        return self.kind in _ASKED and not self.owned

    def may_become(self, other: _Thing) -> bool:
        """Tell whether the other can be this one under another name."""
        return (self.kind, self.parent) == (other.kind, other.parent)

    def looks_like(self, other: _Thing) -> bool:
        if self.kind != "TABLE":
            return self.definition == other.definition
        mine, others = (set(one.definition.splitlines()) for one in (self, other))
        return 2 * len(mine & others) >= max(len(mine), len(others))


@dataclass(frozen=True, slots=True)
class Rename:
    """The statement of a rename without its semicolon, and the one that undoes it."""

    text: str
    undoing: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was renamed, in order, and `questions` that only somebody can answer."""

    renames: tuple[Rename, ...]
    questions: tuple[str, ...]


def find(
    start: DatabaseSettings,
    end: DatabaseSettings,
    *,
    renamed: Iterable[str] = (),
    dropped: Collection[str] = (),
) -> Found:
    """Rename in the first database what the second has by another name.

    `renamed` has renames like `things.name=title`, and `dropped` the things, like
    `things.name`, that are no renames.

    Raises:
        MigrationError: what is said names nothing that is gone, or new.
    """
    answers = [*map(_answer, renamed)]
    renames: list[Rename] = []
    with connections.opened(start) as conn, connections.opened(end) as goal:
        wanted = _things(goal)
        _known(_apart(_things(conn), wanted)[0], dropped)
        while True:
            gone, new = _apart(_things(conn), wanted)
            gone = [one for one in gone if one.address not in dropped]
            pairs = [(a, b) for a in gone for b in new if a.may_become(b)]
            chosen = _told(pairs, answers) or _certain(pairs)
            if not chosen:
                break
            renames.append(_rename(conn, *chosen))
            conn.execute(renames[-1].text.encode())
    if answers:
        old, name = answers[0]
        raise MigrationError(
            f"--rename {old}={name}: nothing of one kind that is called {old} is gone "
            f"and {name} new; gone: {_listed(gone)}; new: {_listed(new)}"
        )
    return Found(
        tuple(renames),
        tuple(_question(a, b) for a, b in pairs if a.asked and a.looks_like(b)),
    )


def _answer(renamed: str) -> tuple[str, str]:
    old, equals, name = renamed.partition("=")
    if not (old and equals and name):
        raise MigrationError(
            f"--rename {renamed}: say what was renamed and its new name, like "
            "things.name=title"
        )
    return old.removeprefix("public."), name


def _known(gone: Sequence[_Thing], dropped: Iterable[str]) -> None:
    for name in dropped:
        if name not in {one.address for one in gone}:
            raise MigrationError(
                f"--drop {name}: nothing that is called so is gone; gone: "
                f"{_listed(gone)}"
            )


def _listed(things: Sequence[_Thing]) -> str:
    return ", ".join(one.address for one in things) or "nothing"


def _things(conn: psycopg.Connection) -> list[_Thing]:
    # So that each definition has its schemas, whatever the search path.
    conn.execute("SET search_path = ''")
    with conn.cursor(row_factory=class_row(_Thing)) as cursor:
        return cursor.execute(_THINGS).fetchall()


def _apart(
    there: Sequence[_Thing], wanted: Sequence[_Thing]
) -> tuple[list[_Thing], list[_Thing]]:
    """Give what only the first has, and what only the second."""
    had, has = ({one.key for one in side} for side in (there, wanted))
    return (
        [one for one in there if one.key not in has],
        [one for one in wanted if one.key not in had],
    )


_Pair = tuple[_Thing, _Thing]


def _told(pairs: Sequence[_Pair], answers: list[tuple[str, str]]) -> _Pair | None:
    """Take the first pair that an answer means, and the answer from the list."""
    for answer in answers:
        for gone, new in pairs:
            if answer[0] == gone.address and answer[1] in {new.name, new.address}:
                answers.remove(answer)
                return gone, new
    return None


def _certain(pairs: Sequence[_Pair]) -> _Pair | None:
    """Take a pair that is the same, each with no other, and loses nothing."""
    alike = [(a, b) for a, b in pairs if not a.asked and a.looks_like(b)]
    for gone, new in alike:
        if sum(gone == a or new == b for a, b in alike) == 1:
            return gone, new
    return None


def _rename(conn: psycopg.Connection, gone: _Thing, new: _Thing) -> Rename:
    return Rename(_renaming(conn, gone, new.name), _renaming(conn, new, gone.name))


def _renaming(conn: psycopg.Connection, thing: _Thing, name: str) -> str:
    way = _WAYS.get(thing.kind, f"ALTER {thing.kind} {{here}} RENAME TO {{new}}")
    here = sql.Identifier(*thing.parent, thing.name).as_string(conn)
    return way.format(
        parent=sql.Identifier(*thing.parent).as_string(conn),
        here=f"{here}({thing.arguments})" if thing.kind == "ROUTINE" else here,
        old=sql.Identifier(thing.name).as_string(conn),
        new=sql.Identifier(name).as_string(conn),
        old_text=sql.Literal(thing.name).as_string(conn),
        new_text=sql.Literal(name).as_string(conn),
    )


def _question(gone: _Thing, new: _Thing) -> str:
    kept = _ASKED[gone.kind]
    return (
        f"{gone.kind.lower()} {gone.address} is gone and {new.address} new: was it "
        f"renamed (--rename {gone.address}={new.name}), which keeps {kept}, or is it "
        f"dropped (--drop {gone.address}), which does not?"
    )
