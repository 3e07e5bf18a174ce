"""What statements do, by PostgreSQL's own parser."""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import MigrationError

__all__ = ["Statement", "losses", "parse_block", "recreated", "shortened", "split"]

# The casts that keep every value. A timestamp with or without a zone is read by the
# session's, so neither is here.
_WIDER = {
    "int2": {"int4", "int8", "numeric"},
    "int4": {"int8", "numeric", "float8"},
    "int8": {"numeric"},
    "float4": {"float8"},
    "varchar": {"text"},
    "date": {"timestamp"},
}
_ABOVE = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_COMMITTING = {"CallStmt", "DoStmt", "VacuumStmt"}
_SIZED = {"varchar", "bpchar"}
_LOST = {
    # Its tables and types are not listed: they go with it.
    "OBJECT_EXTENSION": "extension",
    "OBJECT_TABLE": "table",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_SCHEMA": "schema",
}
_ANEW = {
    "OBJECT_FUNCTION": "function",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_PROCEDURE": "function",
    "OBJECT_VIEW": "view",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement without its semicolon, and its parse tree's `kind` and node.

    `line` is where it begins in the SQL that it was taken from, counted from 1.
    """

    text: str
    kind: str
    node: dict[str, Any]
    line: int = 1

    @property
    def concurrent(self) -> bool:
        """Tell CONCURRENTLY, which waits for older transactions, and blocks nobody."""
        options = (one["DefElem"] for one in self.node.get("params", ()))
        return (
            self.node.get("concurrent", False)
            # With a value (false) it is rather taken for none.
            or any(o["defname"] == "concurrently" and "arg" not in o for o in options)
            or any(
                command["def"]["PartitionCmd"].get("concurrent", False)
                for command in self.commands("AT_DetachPartition")
            )
        )

    @property
    def atomic(self) -> bool:
        """Tell what is undone where it fails: nothing of it commits in between."""
        return not self.concurrent and self.kind not in _COMMITTING

    @property
    def repeatable(self) -> bool:
        """Tell what was cut off and may run again: it changes no row."""
        return self.kind == "VacuumStmt" or self.concurrent

    @property
    def table(self) -> str:
        """Name the table of an ALTER TABLE or CREATE INDEX, with its schema."""
        return _relation(self.node["relation"])

    @property
    def added_rule(self) -> dict[str, Any]:
        """Give the constraint of an ALTER TABLE that does nothing but add it."""
        command = self._only_command("AT_AddConstraint")
        rule: dict[str, Any] = command["def"]["Constraint"] if command else {}
        return rule

    @property
    def dropped_rule(self) -> str:
        """Name the constraint of an ALTER TABLE that does nothing but drop it."""
        return self.column_of("AT_DropConstraint")

    def column_of(self, subtype: str) -> str:
        """Name what an ALTER TABLE is about that does nothing but this."""
        return str(self._only_command(subtype).get("name", ""))

    def _only_command(self, subtype: str) -> dict[str, Any]:
        found = [*self.commands(subtype)]
        return found[0] if len(found) == len(self.node.get("cmds", ())) == 1 else {}

    @property
    def new_index(self) -> str:
        """Name the index of a CREATE INDEX with its schema, which is its table's."""
        return f"{self.table.partition('.')[0]}.{self.node.get('idxname', '')}"

    @property
    def dropped_index(self) -> str:
        """Name the index of a DROP INDEX with its schema."""
        if self.node.get("removeType") != "OBJECT_INDEX":
            return ""
        return _named(self.node["objects"][0])

    @property
    def commented(self) -> str:
        """Name the index or the table's constraint of a COMMENT, with its schema."""
        if self.node.get("objtype") not in {"OBJECT_INDEX", "OBJECT_TABCONSTRAINT"}:
            return ""
        return _named(self.node["object"])

    @property
    def new_relation(self) -> str:
        """Name the table or materialized view that this makes, if it makes one."""
        match self.kind:
            case "CreateStmt":
                return self.table
            case "CreateTableAsStmt":
                return _relation(self.node["into"]["rel"])
            case _:
                return ""

    @property
    def adds_enum_value(self) -> bool:
        """Tell an ALTER TYPE … ADD VALUE, which cannot be used before its COMMIT."""
        return self.kind == "AlterEnumStmt" and "oldVal" not in self.node

    @property
    def new_domain(self) -> str:
        """Name the domain that this makes, if it makes one."""
        return _dotted(self.node.get("domainname", ()))

    @property
    def ruled_domain(self) -> str:
        """Name the domain that this adds a rule to, if it does."""
        adds = self.kind == "AlterDomainStmt" and self.node["subtype"] == "C"
        return _dotted(self.node["typeName"]) if adds else ""

    @property
    def shortens_text(self) -> bool:
        """Tell an ALTER COLUMN … TYPE with a length, to which USING cuts values."""
        kinds = (kind for _, kind in self.retyped())
        return any(kind.name in _SIZED and kind.modifiers for kind in kinds)

    def retyped(self) -> Iterator[tuple[tuple[str, str], _Type]]:
        """Go through the columns (table, name) that get another type."""
        for command in self.commands("AT_AlterColumnType"):
            kind = _Type.of(command["def"]["ColumnDef"]["typeName"])
            yield (self.table, command["name"]), kind

    def with_text(self, text: str) -> Statement:
        """Say the same in other words."""
        return Statement(text, self.kind, self.node, self.line)

    def commands(self, subtype: str) -> Iterator[dict[str, Any]]:
        """Go through the commands of that kind, where this is an ALTER TABLE."""
        for command in (
            self.node.get("cmds", ()) if self.kind == "AlterTableStmt" else ()
        ):
            if command["AlterTableCmd"]["subtype"] == subtype:
                yield command["AlterTableCmd"]


@dataclass(frozen=True, slots=True)
class _Type:
    name: str
    modifiers: tuple[int, ...]
    is_array: bool

    @classmethod
    def of(cls, node: dict[str, Any]) -> _Type:
        return cls(
            _dotted(node["names"]).removeprefix("pg_catalog."),
            tuple(
                int(one["A_Const"].get("ival", {}).get("ival", 0))
                for one in node.get("typmods", ())
            ),
            "arrayBounds" in node,
        )

    def holds_all_of(self, other: _Type) -> bool:
        if self.is_array != other.is_array:
            return False
        if self.name != other.name:
            return self.name in _WIDER.get(other.name, ()) and not self.modifiers
        if not self.modifiers or self.modifiers == other.modifiers:
            return True
        if self.name == "numeric" and other.modifiers:
            (digits, *scale), (least, *places) = self.modifiers, other.modifiers
            more = sum(scale) - sum(places)
            return more >= 0 and digits - least >= more
        return len(other.modifiers) == 1 and self.modifiers > other.modifiers


def split(sql: str, *, file: object = None) -> list[Statement]:
    """Take SQL apart; errors name the file that it is all of, if it is given.

    Raises:
        MigrationError: it is no SQL of the grammar that sqlc, too, reads migrations by.
    """
    pgparse = _parser()
    if "\0" in sql:
        # Parser and server would stop there, and take the rest for a comment.
        raise MigrationError(
            "a migration has a zero byte: make migrate-check says which, and where"
        )
    try:
        encoded = sql.encode()
        parsed: list[dict[str, Any]] = pgparse.parse(sql)
    except UnicodeEncodeError:
        raise MigrationError(
            "a migration is not UTF-8: make migrate-check says which, and where"
        ) from None
    except pgparse.PGQueryError as error:
        if file:
            line = sql.count("\n", 0, error.position - 1) + 1
            raise MigrationError(f"{file}:{line}: ERROR:  {error.message}") from None
        raise MigrationError(
            f"PostgreSQL 17's grammar, which is sqlc's, does not have this: {error}"
        ) from None
    return [_statement(encoded, one) for one in parsed]


def parse_block(do: str) -> object:
    """Parse a DO statement's body; nothing where it is not PL/pgSQL that parses."""
    pgparse = _parser()
    try:
        return pgparse.parse_pgsql(do)
    except pgparse.PGQueryError:
        return None


def _statement(encoded: bytes, parsed: dict[str, Any]) -> Statement:
    start = parsed.get("stmt_location", 0)
    end = start + parsed["stmt_len"] if "stmt_len" in parsed else len(encoded)
    [(kind, node)] = parsed["stmt"].items()
    text = encoded[start:end].decode()
    above = _ABOVE.match(text)
    line = encoded.count(b"\n", 0, start) + (above[0].count("\n") if above else 0) + 1
    return Statement(text.strip().rstrip(";"), kind, node, line)


def _parser() -> Any:  # noqa: ANN401 - an extension module without types
    try:
        return importlib.import_module("pgparse")
    except ModuleNotFoundError:
        raise MigrationError(
            "this needs PostgreSQL's parser: pip install pgparse"
        ) from None


def shortened(text: str) -> str:
    """Give a statement's first words, up to what may be a value."""
    code = text.removeprefix(above[0]) if (above := _ABOVE.match(text)) else text
    words = itertools.takewhile(_WORD.fullmatch, code.split())
    return " ".join([*words][:8])


def losses(up: Sequence[Statement], down: Sequence[Statement]) -> list[str]:
    """Say which statements lose rows or values.

    `down` tells the types that columns had: it takes the changes back.
    """
    had = {place: kind for one in down for place, kind in one.retyped()}
    computed = {name for one in up for name in _computed(one)}
    return [
        *(loss for one in up for loss in _dropped(one, computed)),
        *(
            f"changes the type of column {'.'.join(place)}, and may not hold all values"
            for one in up
            for place, kind in one.retyped()
            if place not in had or not kind.holds_all_of(had[place])
        ),
    ]


def _computed(statement: Statement) -> Iterator[str]:
    """Name the generated columns that are added."""
    for command in statement.commands("AT_AddColumn"):
        column = command["def"]["ColumnDef"]
        rules = (one["Constraint"]["contype"] for one in column.get("constraints", ()))
        if "CONSTR_GENERATED" in rules:
            yield f"{statement.table}.{column['colname']}"


def _dropped(statement: Statement, computed: Collection[str]) -> Iterator[str]:
    for command in statement.commands("AT_DropColumn"):
        name = f"{statement.table}.{command['name']}"
        if name not in computed:
            yield f"drops column {name}"
    what = _LOST.get(statement.node.get("removeType", ""))
    if statement.kind == "DropStmt" and what:
        for dropped in statement.node["objects"]:
            yield f"drops {what} {_named(dropped)}"


def recreated(up: Sequence[Statement]) -> list[str]:
    """List what is dropped and made anew: `view public.v`."""
    made = {name for one in up for name in _made(one)}
    dropped = [
        f"{_ANEW[one.node['removeType']]} {_named(name)}"
        for one in up
        if one.kind == "DropStmt" and one.node["removeType"] in _ANEW
        for name in one.node["objects"]
    ]
    return [name for name in dropped if name in made]


def _made(statement: Statement) -> Iterator[str]:
    node = statement.node
    match statement.kind:
        case "ViewStmt":
            yield f"view {_relation(node['view'])}"
        case "CreateTableAsStmt":
            yield f"materialized view {_relation(node['into']['rel'])}"
        case "CreateFunctionStmt":
            yield f"function {_dotted(node['funcname'])}"
        case _:
            pass


def _relation(node: dict[str, Any]) -> str:
    return f"{node.get('schemaname', 'public')}.{node['relname']}"


def _named(node: dict[str, Any]) -> str:
    """Name an object of a DROP; a routine without its arguments."""
    node = node.get("ObjectWithArgs", node)
    parts = node["List"]["items"] if "List" in node else node.get("objname", [node])
    return _dotted(parts)


def _dotted(names: Iterable[dict[str, Any]]) -> str:
    return ".".join(name["String"]["sval"] for name in names)
