"""Drafts that lock no large table for long: cut into files, and told what they lock.

A transaction keeps each lock until its end. So what reads a whole table (a rule that is
validated, an index that is built) comes after the file that changes the table, in files
of their own that let everybody read and write. What cannot be cut is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ..migrations import connections
from ..settings import DatabaseSettings
from ..sql import statements
from ..sql.statements import Statement
from . import scratch
from .draft_steps import Step

__all__ = ["cut", "named"]

_LOCKED_BACK = (
    "LOCKS: {} for readers and writers on the way back, while an index of all its rows "
    "is built."
)

_IGNORES_NOT_NULL = "-- squawk-ignore adding-not-nullable-field\n"
_IGNORES_DROP = "-- squawk-ignore ban-drop-constraint\n"
# Nobody knows the name that goes, and the rule is validated in a file of its own.
_IGNORES_RENAME = "-- squawk-ignore renaming-object\n"
_IGNORES_DOMAIN = "-- squawk-ignore ban-alter-domain-with-add-constraint\n"

# Indexes of tables that have no partitions: others cannot be made CONCURRENTLY.
_INDEXES = """
SELECT
    nspname || '.' || i.relname AS place, nspname AS schema, i.relname AS name,
    substr(definition, strpos(definition, quoted) + length(quoted)) AS target,
    indisunique AS is_unique, obj_description(i.oid, 'pg_class') AS comment
FROM pg_index
JOIN pg_class AS i ON i.oid = indexrelid
JOIN pg_class AS t ON t.oid = indrelid
JOIN pg_namespace ON pg_namespace.oid = i.relnamespace,
    pg_get_indexdef(indexrelid) AS definition,
    format('%I ON ', i.relname) AS quoted
WHERE nspname <> 'pg_catalog' AND nspname !~ '^pg_toast'
    AND i.relkind = 'i' AND NOT i.relispartition
"""
# So that every definition has its schemas.
_QUALIFIED = "SET search_path = ''"

_CONSTRAINTS = """
SELECT
    nspname || '.' || relname || '.' || conname,
    pg_get_constraintdef(pg_constraint.oid),
    obj_description(pg_constraint.oid, 'pg_constraint')
FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
"""
_PARTITIONED = """
SELECT nspname || '.' || relname
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'p'
"""
_NULLABLE = """
SELECT nspname || '.' || relname || '.' || attname
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE attnum > 0 AND NOT attisdropped AND NOT attnotnull AND relkind = 'r'
"""
# A scan is counted and a rewrite is a new file, also where a table has no rows.
_WORK = """
SELECT
    pg_class.oid::regclass::text AS name, pg_relation_filenode(pg_class.oid) AS file,
    coalesce(seq_scan, 0) AS scans, (
        SELECT bool_or(mode = 'AccessExclusiveLock') FROM pg_locks
        WHERE pid = pg_backend_pid() AND relation = pg_class.oid AND granted
    ) AS is_read_locked
FROM pg_class
LEFT JOIN pg_stat_xact_user_tables ON relid = pg_class.oid
WHERE relkind IN ('r', 'm') AND pg_class.oid >= 16384
"""


@dataclass(frozen=True, slots=True)
class _Index:
    place: str
    schema: str
    name: str
    target: str
    is_unique: bool
    comment: str | None

    def making(self, name: str, *, concurrently: bool) -> Statement:
        kind = "UNIQUE INDEX" if self.is_unique else "INDEX"
        how = " CONCURRENTLY" if concurrently else ""
        return _parsed(f"CREATE {kind}{how} {_quoted(name)} ON {self.target}")

    def renaming(self, name: str = "", *, to: str = "") -> str:
        where = _quoted(self.schema, name or self.name)
        return f"ALTER INDEX {where} RENAME TO {_quoted(to or self.name)}"

    def dropping(self, name: str) -> Statement:
        return _parsed(f"DROP INDEX CONCURRENTLY {_quoted(self.schema, name)}")


@dataclass(slots=True)
class _Group:
    up: list[Statement] = field(default_factory=list[Statement])
    down: list[Statement] = field(default_factory=list[Statement])

    def add(self, up: str, *down: str) -> None:
        """Add a statement, and what takes it back before all that was added earlier."""
        self.up.append(_parsed(up))
        self.down[:0] = map(_parsed, down)


def cut(
    start: DatabaseSettings, end: DatabaseSettings, up: Sequence[Statement]
) -> tuple[list[Statement], list[Step]]:
    """Cut what makes one database of the other where it would lock tables for long.

    Gives the statements of the first file, whose way back is to be found, and the other
    files.
    """
    with connections.opened(start) as before, connections.opened(end) as after:
        for conn in (before, after):
            conn.execute(_QUALIFIED)
        cutter = _Cutter(
            {one.place: one for one in _indexes(before)},
            {one.place: one for one in _indexes(after)},
            {place: rest for place, *rest in before.execute(_CONSTRAINTS)},
            up,
            partitioned={place for (place,) in before.execute(_PARTITIONED)},
            nullable={place for (place,) in before.execute(_NULLABLE)},
        )
    for statement in up:
        cutter.take(statement)
    return cutter.done()


def named(start: DatabaseSettings, up: Sequence[Statement]) -> list[str]:
    """Say which tables the statements of a transaction lock while they are read whole.

    They are run on a copy, whose server tells.
    """
    found: dict[str, str] = {}
    with (
        scratch.database(start, copy_of=start) as copy,
        connections.opened(copy) as conn,
        conn.transaction(force_rollback=True),
    ):
        conn.execute(_QUALIFIED)
        conn.execute("SET LOCAL check_function_bodies = off")
        old = {name for name, *_ in conn.execute(_WORK)}
        for statement in up:
            was = {name: work for name, *work in conn.execute(_WORK)}
            conn.execute(statement.text.encode())
            for name, file, scans, is_read_locked in conn.execute(_WORK):
                if name not in old & was.keys() or [file, scans] == was[name][:2]:
                    continue
                whom = "readers and writers" if is_read_locked else "writers"
                does = "written anew" if file != was[name][0] else "read"
                # The worse of two: a table that is written anew is read, too.
                if "anew" not in found.get(name, ""):
                    found[name] = (
                        f"LOCKS: {name} for {whom}, while all its rows are {does}."
                    )
    return [*found.values()]


class _Cutter:
    def __init__(
        self,
        before: dict[str, _Index],
        after: dict[str, _Index],
        constraints: dict[str, list[Any]],
        up: Sequence[Statement],
        *,
        partitioned: set[str],
        nullable: set[str],
    ) -> None:
        self._before = before
        self._after = after
        self._constraints = constraints
        self._partitioned = partitioned
        self._nullable = nullable
        self._new = {one.new_relation for one in up}
        # An index that a table's own option names has to be there with it.
        text = "\n".join(one.text for one in up if one.kind == "AlterTableStmt")
        self._wanted_at_once = {*re.findall(r"(?:USING INDEX|CLUSTER ON) (\S+)", text)}
        self._keys_by_place = {
            f"{one.table}.{rule['conname']}": rule
            for one in up
            if (rule := one.added_rule)
            and rule["contype"] in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"}
            and one.table not in self._new
            and f"{one.table.partition('.')[0]}.{rule['conname']}" in after
        }
        self._has_new_keys = bool(self._keys_by_place) or any(
            one.kind == "IndexStmt" and one.node.get("unique") for one in up
        )
        self._late: set[str] = set()
        self._main: list[Statement] = []
        self._creates: list[Step] = []
        self._keys = _Group()
        self._locked_back: dict[str, None] = {}
        self._drops: list[Step] = []
        self._validations: list[Statement] = []
        # What another index is renamed to has to be dropped before.
        self._renamed = {one.node.get("newname") for one in up}
        self._invalidations: list[Statement] = []
        self._last = _Group()

    def take(self, one: Statement) -> None:
        """Put a statement where it belongs."""
        match one.kind:
            case "IndexStmt" if self._can_wait(one):
                index = self._after[one.new_index]
                name = self._index(index)
                if name != index.name:
                    self._last.add(
                        f"{_IGNORES_RENAME}{index.renaming(name)}",
                        index.renaming(to=name),
                    )
            case "DropStmt" if self._can_go_later(one):
                self._drop(self._before[one.dropped_index])
            case "AlterTableStmt" if one.table not in self._new:
                self._alter(one)
            case "AlterDomainStmt" if one.ruled_domain:
                rule = _quoted(one.node["def"]["Constraint"]["conname"])
                domain = _quoted(*one.ruled_domain.split("."))
                self._main.append(_parsed(f"{_IGNORES_DOMAIN}{one.text} NOT VALID"))
                self._validate(f"ALTER DOMAIN {domain}", rule, f"{one.text} NOT VALID")
            case "CommentStmt" if one.commented in self._late:
                self._last.add(one.text, f"{one.text.partition(' IS ')[0]} IS NULL")
            case _:
                self._main.append(one)

    def _can_go_later(self, one: Statement) -> bool:
        place = one.dropped_index
        return place in self._before and place.partition(".")[2] not in self._renamed

    def _can_wait(self, one: Statement) -> bool:
        name = one.node.get("idxname", "")
        return (
            one.new_index in self._after
            and one.table not in self._new
            and not self._wanted_at_once & {name, _quoted(name)}
        )

    def _index(self, index: _Index) -> str:
        """Make an index, and give its name until the other of that name is dropped."""
        name = index.name
        if index.place in self._before:
            name = f"{index.name[:59]}_new"
        self._late.add(index.place)
        making = index.making(name, concurrently=True)
        self._creates.append(
            Step("_index", [making], [index.dropping(name)], in_transaction=False)
        )
        return name

    def _drop(self, index: _Index) -> None:
        where = _quoted(index.schema, index.name)
        if index.comment:
            # So that the way back gives it again, which the index alone does not.
            self._main.append(_parsed(f"COMMENT ON INDEX {where} IS NULL"))
        self._drops.append(
            Step(
                "_drop_index",
                [index.dropping(index.name)],
                [index.making(index.name, concurrently=True)],
                in_transaction=False,
            )
        )

    def _alter(self, one: Statement) -> None:
        table = _quoted(*one.table.split(".", 1))
        rule = one.added_rule
        if rule and rule["contype"] in {"CONSTR_CHECK", "CONSTR_FOREIGN"}:
            self._validated_later(one, table, rule)
        elif rule and f"{one.table}.{rule['conname']}" in self._keys_by_place:
            self._key(one, table, rule)
        elif (
            name := one.dropped_rule
        ) and f"{one.table}.{name}" in self._keys_by_place:
            place = f"{one.table}.{name}"
            definition, comment = self._constraints[place]
            constraint = f"{_quoted(name)} ON {table}"
            if comment:
                self._main.append(
                    _parsed(f"COMMENT ON CONSTRAINT {constraint} IS NULL")
                )
            again = f"ALTER TABLE {table} ADD CONSTRAINT {_quoted(name)} {definition}"
            self._locked_back[one.table] = None
            self._keys.add(f"{_IGNORES_DROP}{one.text}", again)
        elif column := one.column_of("AT_SetNotNull"):
            self._not_null(one, table, column)
        elif (column := one.column_of("AT_DropNotNull")) and self._keys.up:
            back = f"ALTER TABLE {table} ALTER COLUMN {_quoted(column)} SET NOT NULL"
            self._keys.add(one.text, back)
        else:
            self._main.append(one)

    def _validated_later(
        self, one: Statement, table: str, rule: dict[str, Any]
    ) -> None:
        is_reference = rule["contype"] == "CONSTR_FOREIGN"
        # PostgreSQL 15 to 17 have no such references of tables with partitions.
        if rule.get("skip_validation") or (
            is_reference and one.table in self._partitioned
        ):
            self._main.append(one)
            return
        name = _quoted(rule["conname"])
        text = f"{one.text} NOT VALID"
        if is_reference and self._has_new_keys:
            self._keys.add(text, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        else:
            self._main.append(_parsed(text))
        self._late.add(f"{one.table}.{rule['conname']}")
        self._validate(f"ALTER TABLE {table}", name, text)

    def _validate(self, altering: str, name: str, adding: str) -> None:
        self._validations.append(_parsed(f"{altering} VALIDATE CONSTRAINT {name}"))
        self._invalidations += statements.split(
            f"{altering} DROP CONSTRAINT {name}; {adding}"
        )

    def _key(self, one: Statement, table: str, rule: dict[str, Any]) -> None:
        index = self._after[f"{one.table.partition('.')[0]}.{rule['conname']}"]
        name = self._index(index)
        self._late.add(f"{one.table}.{rule['conname']}")
        what = "UNIQUE" if rule["contype"] == "CONSTR_UNIQUE" else "PRIMARY KEY"
        deferred = " DEFERRABLE" if rule.get("deferrable") else ""
        deferred += " INITIALLY DEFERRED" if rule.get("initdeferred") else ""
        # A primary key that goes leaves its columns NOT NULL.
        columns = [key["String"]["sval"] for key in rule["keys"]]
        left = [
            f"ALTER TABLE {table} ALTER COLUMN {_quoted(column)} DROP NOT NULL"
            for column in columns
            if what == "PRIMARY KEY" and f"{one.table}.{column}" in self._nullable
        ]
        self._locked_back[one.table] = None
        self._keys.add(
            f"ALTER TABLE {table} ADD CONSTRAINT {_quoted(rule['conname'])} {what} "
            f"USING INDEX {_quoted(name)}{deferred}",
            f"ALTER TABLE {table} DROP CONSTRAINT {_quoted(rule['conname'])}",
            *left,
            index.making(name, concurrently=False).text,
        )

    def _not_null(self, one: Statement, table: str, column: str) -> None:
        name = _quoted(f"{one.table.partition('.')[2]}_{column}"[:56] + "_is_set")
        check = (
            f"ALTER TABLE {table} ADD CONSTRAINT {name} "
            f"CHECK ({_quoted(column)} IS NOT NULL) NOT VALID"
        )
        self._main.append(_parsed(check))
        self._validations.append(
            _parsed(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        )
        self._last.add(
            f"{_IGNORES_NOT_NULL}{one.text}",
            f"ALTER TABLE {table} ALTER COLUMN {_quoted(column)} DROP NOT NULL",
        )
        self._last.add(
            f"{_IGNORES_DROP}ALTER TABLE {table} DROP CONSTRAINT {name}", check
        )

    def done(self) -> tuple[list[Statement], list[Step]]:
        """Give the files in their order."""
        up = [*self._validations, *self._last.up]
        if not (self._drops or self._validations):
            self._keys.up += up
            self._keys.down[:0] = self._last.down
            up = []
        steps = [*self._creates]
        if self._keys.up:
            # One transaction, so that no moment is without a key, either way.
            locks = [_LOCKED_BACK.format(table) for table in self._locked_back]
            steps.append(Step("_keys", self._keys.up, self._keys.down, locks=locks))
        steps += self._drops
        if up:
            down = [*self._last.down, *self._invalidations]
            steps.append(Step("_validate", up, down))
        return self._main, steps


def _parsed(text: str) -> Statement:
    [statement] = statements.split(text)
    return statement.with_text(text)


def _quoted(*names: str) -> str:
    return sql.Identifier(*names).as_string(None)


def _indexes(conn: psycopg.Connection) -> list[_Index]:
    with conn.cursor(row_factory=class_row(_Index)) as cursor:
        return cursor.execute(_INDEXES).fetchall()
