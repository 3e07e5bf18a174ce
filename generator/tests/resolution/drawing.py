"""Statements drawn from PostgreSQL's catalog: nested operators, functions and casts.

Operands are columns, typed NULLs, literals and parameters; often of the types that a
row of the catalog names, now and then of others.
"""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlc_gen_psycopg.catalog import rows

DDL = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN state AS varchar(10) CHECK (value IN ('open', 'done'));
CREATE DOMAIN cents AS integer CHECK (value >= 0);
CREATE DOMAIN stock AS cents;
CREATE DOMAIN tags AS text [];
CREATE DOMAIN moment AS timestamptz;
CREATE TYPE spot AS (x integer, y cents, label text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * n';
CREATE FUNCTION twice(words text) RETURNS text LANGUAGE sql AS 'SELECT words || words';
CREATE FUNCTION names_of(ids integer []) RETURNS text [] LANGUAGE sql
AS $$ SELECT '{}'::text[] $$;
CREATE FUNCTION longest(VARIADIC words text []) RETURNS text LANGUAGE sql
AS 'SELECT max(w) FROM unnest(words) AS w';
CREATE FUNCTION padded(words text, width integer DEFAULT 8, fill text DEFAULT ' ')
RETURNS text LANGUAGE sql AS 'SELECT lpad(words, width, fill)';
CREATE FUNCTION doubled(n integer, OUT double integer) LANGUAGE sql AS 'SELECT 2 * n';
CREATE FUNCTION first_of(xs anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT xs[1]';
CREATE FUNCTION worth(price cents) RETURNS cents LANGUAGE sql AS 'SELECT price';
CREATE TABLE t (
    id integer PRIMARY KEY, small smallint, big bigint, num numeric, f4 real,
    f8 double precision, b boolean, txt text, vc varchar(20), c char(3), n name,
    q "char", by bytea, j json, jb jsonb, u uuid, d date, tm time, tz timetz,
    ts timestamp, at timestamptz, iv interval, ip inet, ci cidr, o oid, r int4range,
    nr numrange, tr tstzrange, mr int4multirange, bt bit(3), vb varbit, m macaddr,
    p point, bx box, pl polygon, ci2 circle, tv tsvector, tq tsquery, jp jsonpath,
    mon money, xm xml, mood mood, state state, price cents, units stock,
    seen moment, spot spot, span span, ids integer [], names text [], nums numeric [],
    moods mood [], states state [], prices cents [], labels tags, jbs jsonb [],
    days date [], spots spot []
);
"""
# What the columns of the table are, by type.
COLUMNS = {
    "int4": ["id"], "int2": ["small"], "int8": ["big"], "numeric": ["num"],
    "float4": ["f4"], "float8": ["f8"], "bool": ["b"], "text": ["txt"],
    "varchar": ["vc"], "bpchar": ["c"], "name": ["n"], "char": ["q"], "bytea": ["by"],
    "json": ["j"], "jsonb": ["jb"], "uuid": ["u"], "date": ["d"], "time": ["tm"],
    "timetz": ["tz"], "timestamp": ["ts"], "timestamptz": ["at"], "interval": ["iv"],
    "inet": ["ip"], "cidr": ["ci"], "oid": ["o"], "int4range": ["r"],
    "numrange": ["nr"], "tstzrange": ["tr"], "int4multirange": ["mr"], "bit": ["bt"],
    "varbit": ["vb"], "macaddr": ["m"], "point": ["p"], "box": ["bx"],
    "polygon": ["pl"], "circle": ["ci2"], "tsvector": ["tv"], "tsquery": ["tq"],
    "jsonpath": ["jp"], "money": ["mon"], "xml": ["xm"], "mood": ["mood"],
    "state": ["state"], "cents": ["price"], "stock": ["units"], "moment": ["seen"],
    "spot": ["spot"], "span": ["span"], "_int4": ["ids"], "_text": ["names"],
    "_numeric": ["nums"], "_mood": ["moods"], "_state": ["states"],
    "_cents": ["prices"], "tags": ["labels"], "_jsonb": ["jbs"], "_date": ["days"],
    "_spot": ["spots"],
}  # fmt: skip
_ANY = {
    "anyelement": ["int4", "text", "numeric", "jsonb", "cents", "mood", "date"],
    "anynonarray": ["int4", "text", "state", "timestamptz"],
    "anyenum": ["mood"],
    "anyarray": ["_int4", "_text", "_mood", "_cents", "tags", "_state", "_numeric"],
    "anyrange": ["int4range", "numrange", "tstzrange", "span"],
    "anymultirange": ["int4multirange"],
    "anycompatible": ["int4", "numeric", "text", "date", "float8"],
    "anycompatiblearray": ["_int4", "_numeric", "_text", "_date"],
    "anycompatiblenonarray": ["int4", "numeric", "text"],
    "anycompatiblerange": ["int4range", "numrange"],
    "anycompatiblemultirange": ["int4multirange"],
    "any": ["int4", "text", "jsonb"],
    "record": ["spot"],
}
# Pseudo-types, and internals that nobody has a value of.
_NOT_DRAWN = frozenset(
    """internal cstring trigger event_trigger language_handler fdw_handler
    index_am_handler tsm_handler table_am_handler void pg_ddl_command pg_ndistinct
    pg_dependencies pg_mcv_list pg_brin_bloom_summary pg_brin_minmax_multi_summary
    _record _cstring""".split()  # noqa: SIM905 - a list of names reads best so
)
LITERALS = [
    "'1'",
    "'x'",
    "'2024-01-01'",
    "'{}'",
    "'[]'",
    "'1 day'",
    "'t'",
    "'10.0.0.1'",
]
CONSTANTS = ["1", "2.5", "99999999999", "true", "B'101'"]
TARGETS = [name for name in COLUMNS if not name.startswith("_")]


class Row(NamedTuple):
    """An operator or a function: what it takes."""

    name: str
    takes: tuple[str, ...]
    kind: str = ""
    is_variadic: bool = False


def operators() -> list[Row]:
    """Return the catalog's operators."""
    return [
        Row(name, (left, right) if left else (right,))
        for name, left, right, _ in rows.all_of(rows.BUILT_IN, "o")
    ]


def functions() -> list[Row]:
    """Return the catalog's functions that a query can call."""
    found: list[Row] = []
    for fields in rows.all_of(rows.BUILT_IN, "f"):
        name, kind, _, variadic, _, arguments, result, *_, direct = fields
        takes = tuple(arguments.split())
        if {*takes, result} & _NOT_DRAWN or direct[:1] in ("o", "h"):
            continue
        found.append(Row(name, takes, kind, bool(variadic)))
    return found


class Drawing:
    """Draws expressions; each parameter has a number of its own, or one twice."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - nothing is secret here
        self.parameters = 0
        self.casts = 0
        self._operators = operators()
        self._functions = [f for f in functions() if f.kind == "f"]
        self._forms: list[Callable[[int], str]] = [
            self._case, self._coalesce, self._in, self._between, self._array,
            self._like, self._zone, self._nullif, self._cast, self._any, self._rows,
            self._subscript, self._null_test, self._distinct, self._json,
        ]  # fmt: skip

    def start(self) -> None:
        """Begin a statement."""
        self.parameters = 0
        self.casts = 0

    def parameter(self) -> str:
        """Draw a parameter, now and then one that there was before."""
        if self.parameters and self.random.random() < 0.15:
            return f"${self.random.randint(1, self.parameters)}"
        self.parameters += 1
        return f"${self.parameters}"

    def operand(self, kind: str, depth: int = 0) -> str:
        """Draw an operand of a type, or something else."""
        chance = self.random.random()
        if chance < 0.3:
            return self.parameter()
        if chance < 0.33:
            return self.random.choice([*LITERALS, "NULL", "NULL"])
        if chance < 0.36:
            return self.random.choice(CONSTANTS)
        if chance < 0.40:
            kind = self.random.choice([*COLUMNS])
        if depth > 0 and chance > 0.9:
            return f"({self.expression(depth - 1)})"
        return self.typed(kind)

    def typed(self, kind: str) -> str:
        """Draw a column or a NULL of a type."""
        kind = self.random.choice(_ANY.get(kind, [kind]))
        if kind in COLUMNS and self.random.random() < 0.8:
            return self.random.choice(COLUMNS[kind])
        return f"NULL::{spelled(kind)}"

    def expression(self, depth: int) -> str:
        """Draw an expression."""
        chance = self.random.random()
        if chance < 0.4:
            return self.operation(self.random.choice(self._operators), depth)
        if chance < 0.65:
            return self.call(self.random.choice(self._functions), depth)
        return self.random.choice(self._forms)(depth)

    def operation(self, row: Row, depth: int) -> str:
        """Draw an operation."""
        operands = [self.operand(kind, depth) for kind in row.takes]
        if len(operands) == 1:
            return f"{row.name} {operands[0]}"
        return f"{operands[0]} {row.name} {operands[1]}"

    def call(self, row: Row, depth: int) -> str:
        """Draw a call."""
        given = [self.operand(kind, depth) for kind in row.takes]
        return f'"{row.name}"({", ".join(given)})'

    def each(self, what: str) -> Iterator[str]:
        """Draw a statement for each operator, or function, of the catalog."""
        for row in operators() if what == "operators" else functions():
            self.start()
            if what == "operators":
                drawn = self.operation(row, 0)
            else:
                window = " OVER ()" if row.kind == "w" else ""
                drawn = self.call(row, 0) + window
            yield f"SELECT {drawn} AS x FROM t"  # noqa: S608

    def _some(self, depth: int) -> tuple[str, list[str]]:
        kind = self.random.choice([*COLUMNS])
        count = self.random.randint(2, 3)
        return kind, [self.operand(kind, depth) for _ in range(count)]

    def _case(self, depth: int) -> str:
        kind, values = self._some(depth)
        otherwise = f" ELSE {self.operand(kind)}" if self.random.random() < 0.7 else ""
        if self.random.random() < 0.5:
            tested, other = self.operand(kind, depth), self.operand(kind)
            return f"CASE {tested} WHEN {other} THEN {values[0]}{otherwise} END"
        condition = self._condition(depth)
        return f"CASE WHEN {condition} THEN {values[0]}{otherwise} END"

    def _condition(self, depth: int) -> str:
        kind = self.random.choice(["int4", "text", "timestamptz", "mood", "numeric"])
        return f"{self.operand(kind, depth)} = {self.operand(kind)}"

    def _coalesce(self, depth: int) -> str:
        name = self.random.choice(["coalesce", "greatest", "least"])
        return f"{name}({', '.join(self._some(depth)[1])})"

    def _in(self, depth: int) -> str:
        kind, values = self._some(depth)
        word = self.random.choice(["IN", "NOT IN"])
        return f"{self.operand(kind)} {word} ({', '.join(values)})"

    def _between(self, depth: int) -> str:
        kind, values = self._some(depth)
        return f"{self.operand(kind)} BETWEEN {values[0]} AND {values[1]}"

    def _array(self, depth: int) -> str:
        return f"ARRAY[{', '.join(self._some(depth)[1])}]"

    def _like(self, depth: int) -> str:
        word = self.random.choice(["LIKE", "ILIKE", "NOT LIKE", "SIMILAR TO"])
        tested = self.operand(self.random.choice(["text", "varchar", "bytea"]), depth)
        escape = ""
        if self.random.random() < 0.4:
            escape = f" ESCAPE {self.operand('text')}"
        return f"{tested} {word} {self.operand('text')}{escape}"

    def _zone(self, depth: int) -> str:
        kind = self.random.choice(["timestamptz", "timestamp", "timetz", "time"])
        return f"{self.operand(kind, depth)} AT TIME ZONE {self.operand('text')}"

    def _nullif(self, depth: int) -> str:
        _, values = self._some(depth)
        return f"nullif({values[0]}, {values[1]})"

    def _cast(self, depth: int) -> str:
        self.casts += 1
        kind = spelled(self.random.choice(TARGETS))
        return f"({self.operand('text', depth)})::{kind}"

    def _any(self, depth: int) -> str:
        array = self.random.choice(["_int4", "_text", "_mood", "_numeric", "_date"])
        word = self.random.choice(["ANY", "ALL"])
        name = self.random.choice(
            ["=", "<>", "<", "LIKE"] if array == "_text" else ["=", "<"]
        )
        left = self.operand(array.removeprefix("_"), depth)
        return f"{left} {name} {word} ({self.operand(array)})"

    def _rows(self, depth: int) -> str:
        kinds = [self.random.choice(["int4", "text", "timestamptz"]) for _ in range(2)]
        left = ", ".join(self.operand(kind, depth) for kind in kinds)
        right = ", ".join(self.operand(kind) for kind in kinds)
        return f"({left}) {self.random.choice(['=', '<', '<>'])} ({right})"

    def _subscript(self, _: int) -> str:
        name = self.random.choice(["ids", "names", "moods", "prices", "labels", "jb"])
        index = self.operand("text" if name == "jb" else "int4")
        if name != "jb" and self.random.random() < 0.3:
            return f"{name}[{index}:{self.operand('int4')}]"
        return f"{name}[{index}]"

    def _null_test(self, depth: int) -> str:
        return f"{self.operand(self.random.choice([*COLUMNS]), depth)} IS NOT NULL"

    def _distinct(self, depth: int) -> str:
        _, values = self._some(depth)
        return f"{values[0]} IS DISTINCT FROM {values[1]}"

    def _json(self, depth: int) -> str:
        key = self.random.choice(["->", "->>", "#>", "#>>", "@>", "?"])
        return f"jb {key} {self.operand('text', depth)}"

    def predicate(self) -> str:
        """Draw a statement whose WHERE is drawn."""
        self.start()
        kind = self.random.random()
        if kind < 0.6:
            return f"SELECT {self.expression(2)} AS x FROM t"  # noqa: S608
        left, right = self.expression(1), self.operand(self.random.choice([*COLUMNS]))
        if kind < 0.8:
            return f"SELECT id FROM t WHERE ({left}) = {right}"  # noqa: S608
        word = self.random.choice(["AND", "OR"])
        both = f"{self._condition(1)} {word} ({left}) = {right}"
        return f"SELECT id FROM t WHERE {both}"  # noqa: S608


def spelled(kind: str) -> str:
    """Return a type of the catalog as a cast has it, none being narrowed."""
    suffix = "[]" if kind.startswith("_") else ""
    name = kind.removeprefix("_")
    return f'"{name}"{suffix}' if name in ("char", "bit") else f"{name}{suffix}"
