"""Statements that are drawn to be run: joins, groups, subqueries, set operations.

What a column holds is told by its type only, so that NULLs come from everywhere.
"""

# ruff: noqa: ISC004, S608 - statements are long, and run on a server of the test's own
import random
from collections.abc import Callable
from typing import NamedTuple

from sqlc_gen_psycopg.catalog import rows
from sqlc_gen_psycopg.inference import null_propagation

DDL = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN cents AS integer CHECK (value >= 0);
CREATE TABLE a (
    id integer PRIMARY KEY, n integer, s text NOT NULL, m text, b boolean NOT NULL,
    ints integer [] NOT NULL, more integer [], j jsonb NOT NULL, nj jsonb, d date,
    r int4range NOT NULL, mood mood, cents cents NOT NULL, x numeric NOT NULL
);
CREATE TABLE b (
    id integer PRIMARY KEY, a_id integer, s text NOT NULL, x numeric, b boolean,
    at timestamptz NOT NULL, f float8
);
CREATE TABLE c (id integer NOT NULL, m text, e text [] NOT NULL, iv interval);
CREATE VIEW v AS
SELECT a.id, b.s, count(b.id) AS n, max(b.x) AS x
FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.id, b.s;
CREATE FUNCTION strictly(n integer) RETURNS integer STRICT LANGUAGE sql
AS 'SELECT n + 1';
CREATE FUNCTION loosely(n integer) RETURNS text LANGUAGE sql AS 'SELECT n::text';
"""
# What the tables hold: all are empty, then one, then none.
FILLS = (
    "",
    """INSERT INTO a VALUES
    (1, 1, 'x', NULL, true, '{1,NULL}', NULL, '{"a": null, "b": [1]}', NULL, NULL,
     'empty', NULL, 0, 'NaN'),
    (2, NULL, '', 'y', false, '{}', '{2}', 'null', '[]', '2024-01-01', '(,5)', 'ok', 7,
     1.5)""",
    """INSERT INTO a VALUES
    (1, NULL, 'x', 'x', true, '{}', '{NULL}', '1', 'null', 'infinity', '[1,3)', 'sad',
     1, 0), (3, 3, '3', NULL, true, '{3}', NULL, '"s"', '{}', NULL, '(,)', NULL, 3, -1);
    INSERT INTO b VALUES (1, 1, 'x', NULL, NULL, 'infinity', 'NaN'),
    (2, NULL, 'z', 2, true, '2024-01-01', NULL), (3, 1, '', 0, false, 'epoch', 0);
    INSERT INTO c VALUES (1, NULL, '{x,NULL}', NULL), (1, 'x', '{}', '1 day'),
    (4, '', '{""}', '-1 mon')""",
)
_TABLES = {
    "a": {"id": "int4", "n": "int4", "s": "text", "m": "text", "b": "bool",
          "ints": "_int4", "more": "_int4", "j": "jsonb", "nj": "jsonb", "d": "date",
          "r": "int4range", "mood": "mood", "cents": "int4", "x": "numeric"},
    "b": {"id": "int4", "a_id": "int4", "s": "text", "x": "numeric", "b": "bool",
          "at": "timestamptz", "f": "float8"},
    "c": {"id": "int4", "m": "text", "e": "_text", "iv": "interval"},
    "v": {"id": "int4", "s": "text", "n": "int8", "x": "numeric"},
}  # fmt: skip
# Values of each type, odd ones among them.
VALUES = {
    "int4": ["0", "1", "3"], "int8": ["0", "2"], "int2": ["1", "2"],
    "text": ["''", "'x'", "'a,b'", "'1'"], "bool": ["true", "false"],
    "numeric": ["0", "1.5", "'NaN'"], "float8": ["0", "2.5", "'NaN'", "'-Infinity'"],
    "float4": ["1", "0.5"],
    "jsonb": ["'null'", "'{\"a\": 1}'", "'[1, null]'", "'\"x\"'"],
    "json": ["'null'", "'[1]'", "'{}'"], "_int4": ["'{}'", "'{1,NULL}'", "'{2,1}'"],
    "_text": ["'{}'", "'{x,NULL}'"], "date": ["'2024-02-29'", "'infinity'"],
    "timestamptz": ["'2024-01-01 12:00+00'", "'infinity'", "'-infinity'"],
    "timestamp": ["'2024-01-01 12:00'", "'infinity'"], "time": ["'01:00'"],
    "timetz": ["'01:00+01'"], "interval": ["'1 day'", "'-1 mon'"],
    "int4range": ["'empty'", "'(,)'", "'[1,3)'"], "numrange": ["'empty'", "'[1,)'"],
    "int4multirange": ["'{}'", "'{[1,2),[5,7)}'"], "mood": ["'sad'", "'ok'"],
    "uuid": ["'00000000-0000-0000-0000-000000000001'"], "bytea": [r"'\x00ff'", "''"],
    "inet": ["'10.0.0.1/8'", "'::1'"], "cidr": ["'10.0.0.0/8'"], "bit": ["B'101'"],
    "varbit": ["B''", "B'1'"], "tsvector": ["'a:1 b:2'", "''"], "tsquery": ["'a & b'"],
    "money": ["'1.50'"], "point": ["'(0,0)'", "'(1,2)'"], "box": ["'(1,1),(0,0)'"],
    "circle": ["'<(0,0),1>'"], "lseg": ["'[(0,0),(1,1)]'"], "path": ["'[(0,0),(1,1)]'"],
    "polygon": ["'((0,0),(1,1),(1,0))'"], "line": ["'{1,2,3}'"], "name": ["'n'"],
    "bpchar": ["'c'"], "varchar": ["'v'", "''"], "oid": ["1"], "jsonpath": ["'$.a'"],
    "macaddr": ["'00:00:00:00:00:01'"], "xml": ["'<a/>'"], "char": ["'q'"],
}  # fmt: skip
_SAMPLES = {
    "anyelement": ["int4", "text"], "anynonarray": ["int4"], "anyenum": ["mood"],
    "anyarray": ["_int4"], "anyrange": ["int4range"],
    "anymultirange": ["int4multirange"], "anycompatible": ["int4", "text"],
    "anycompatiblearray": ["_int4"], "anycompatiblenonarray": ["int4"],
    "anycompatiblerange": ["int4range"], "any": ["int4", "text", "jsonb"],
}  # fmt: skip
# Of these a call takes time, or ends the session.
_NOT_CALLED = frozenset({"pg_terminate_backend", "nextval", "repeat", "lpad", "rpad"})


def spelled(kind: str) -> str:
    """Return a type as a cast has it."""
    name = f"{kind.removeprefix('_')}[]" if kind.startswith("_") else kind
    return f'"{name}"' if name in ("char", "bit") else name


def value(kind: str, seeded: random.Random, null: float = 0) -> str:
    """Draw a value of a type, or NULL."""
    drawn = "NULL" if seeded.random() < null else seeded.choice(VALUES[kind])
    return f"{drawn}::{spelled(kind)}"


class Claim(NamedTuple):
    """What is said never to make NULL: a function or an operator, and what it takes."""

    name: str
    takes: tuple[str, ...]
    is_operator: bool = False

    def drawn(self, seeded: random.Random) -> str | None:
        """Draw a call with values; None if there are none of a type that it takes."""
        same = [seeded.choice(_SAMPLES.get(kind, [kind])) for kind in self.takes]
        if not all(kind in VALUES for kind in same):
            return None
        given = [value(kind, seeded) for kind in same]
        if not self.is_operator:
            return f'"{self.name}"({", ".join(given)})'
        return f"({' '.join([*given[:-1], self.name, given[-1]])})"


def claims() -> list[Claim]:
    """Return every overload of what is said to make no NULL of its own."""
    never = null_propagation.ALWAYS | null_propagation.STRICT
    functions = [
        Claim(fields[0], tuple(fields[5].split()))
        for fields in rows.all_of(rows.BUILT_IN, "f")
        if fields[0] in never - _NOT_CALLED and fields[1] == "f"
    ]
    operators = [
        Claim(name, (left, right) if left else (right,), is_operator=True)
        for name, left, right, _ in rows.all_of(rows.BUILT_IN, "o")
        if name in null_propagation.OPERATORS
    ]
    return [*functions, *operators]


class Column(NamedTuple):
    """A column that an expression can see."""

    text: str
    kind: str


_KINDS = ("int4", "text", "bool", "numeric", "jsonb", "_int4", "date", "int8")


class Statements:
    """Draws statements over the tables."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - nothing is secret here
        self._aliases = 0

    def statement(self) -> str:
        """Draw a statement."""
        self._aliases = 0
        return self._pick(
            self._select, self._select, self._grouped, self._whole, self._united,
            self._with, self._windowed, self._written, self._of_sets,
        )()  # fmt: skip

    def _pick(self, *choices: Callable[..., str]) -> Callable[..., str]:
        return self.random.choice(choices)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _alias(self) -> str:
        self._aliases += 1
        return f"r{self._aliases}"

    def _kind(self) -> str:
        return self.random.choice(_KINDS)

    # FROM

    def _table(self) -> tuple[str, list[Column]]:
        alias = self._alias()
        if self._chance(0.2):
            kind = self._kind()
            inner, seen = self._from(1)
            drawn = self.expression(kind, seen, 1)
            limit = self.random.choice(["", " LIMIT 1", f" WHERE {self._test(seen)}"])
            text = f"(SELECT {drawn} AS w FROM {inner}{limit}) AS {alias}"
            return text, [Column(f"{alias}.w", kind)]
        if self._chance(0.1):
            kind = self._kind()
            given = f"({value(kind, self.random)}), ({value(kind, self.random, 0.5)})"
            return f"(VALUES {given}) AS {alias} (w)", [Column(f"{alias}.w", kind)]
        name = self.random.choice([*_TABLES])
        columns = [Column(f"{alias}.{c}", k) for c, k in _TABLES[name].items()]
        return f"{name} AS {alias}", columns

    def _from(self, most: int = 3) -> tuple[str, list[Column]]:
        text, columns = self._table()
        for _ in range(self.random.randint(0, most - 1)):
            other, more = self._table()
            join = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
            if self._chance(0.15):
                text, columns = f"{text} CROSS JOIN {other}", columns + more
                continue
            on = f"{self.random.choice(columns).text}::text"
            on += f" = {self.random.choice(more).text}::text"
            text, columns = f"{text} {join} {other} ON {on}", columns + more
        return text, columns

    # Expressions

    def expression(self, kind: str, seen: list[Column], depth: int = 2) -> str:
        """Draw an expression of a type."""
        fitting = [column.text for column in seen if column.kind == kind]
        if fitting and self._chance(0.4):
            return self.random.choice(fitting)
        if depth <= 0 or self._chance(0.15):
            return value(kind, self.random, 0.3)
        general = [self._case, self._coalesce, self._nullif, self._sublink, self._least]
        own = getattr(self, f"_of_{kind.removeprefix('_')}", None)
        forms = [*general, *[own] * 4] if own else general
        return self.random.choice(forms)(kind, seen, depth - 1)

    def _test(self, seen: list[Column], depth: int = 1) -> str:
        return self.expression("bool", seen, depth)

    def _case(self, kind: str, seen: list[Column], depth: int) -> str:
        given = self.expression(kind, seen, depth)
        end = f" ELSE {self.expression(kind, seen, depth)}" * self._chance(0.6)
        return f"CASE WHEN {self._test(seen, depth)} THEN {given}{end} END"

    def _coalesce(self, kind: str, seen: list[Column], depth: int) -> str:
        given = [self.expression(kind, seen, depth) for _ in range(2)]
        return f"coalesce({', '.join(given)})"

    def _least(self, kind: str, seen: list[Column], depth: int) -> str:
        given = [self.expression(kind, seen, depth) for _ in range(2)]
        return f"{self.random.choice(['greatest', 'least'])}({', '.join(given)})"

    def _nullif(self, kind: str, seen: list[Column], depth: int) -> str:
        given = [self.expression(kind, seen, depth) for _ in range(2)]
        return f"nullif({', '.join(given)})"

    def _sublink(self, kind: str, seen: list[Column], depth: int) -> str:
        inner, more = self._from(2)
        shown = self.expression(kind, [*more, *seen], depth)
        if self._chance(0.3):
            return f"(SELECT {shown})"
        if self._chance(0.3) and kind in ("int4", "numeric", "date", "text"):
            return f"(SELECT max({shown}) FROM {inner})"
        where = f" WHERE {self._test([*more, *seen], depth)}" * self._chance(0.5)
        return f"(SELECT {shown} FROM {inner}{where} LIMIT 1)"

    def _of_int4(self, kind: str, seen: list[Column], depth: int) -> str:
        one, two = (self.expression("int4", seen, depth) for _ in range(2))
        text = self.expression("text", seen, depth)
        array = self.expression("_int4", seen, depth)
        if kind == "_int4":
            return self.random.choice(
                [f"({array} || {two})", f"ARRAY[{one}, {two}]",
                 f"array_append({array}, {one})",
                 f"(ARRAY[{one}] || {array})", f"array_remove({array}, {one})",
                 f"ARRAY(SELECT {one})", f"{array}[1:2]", f"array_cat({array}, NULL)"]
            )  # fmt: skip
        return self.random.choice(
            [f"({one} + {two})", f"({one} - {two})", f"abs({one})", f"length({text})",
             f"{array}[1]", f"array_length({array}, 1)", f"cardinality({array})",
             f"strictly({one})", f"({one} # {two})", f"(- {one})", f"num_nulls({one})",
             f"array_position({array}, {one})", "extract(day FROM now())::int"]
        )  # fmt: skip

    def _of_int8(self, _: str, seen: list[Column], depth: int) -> str:
        one = self.expression("int4", seen, depth)
        inner, more = self._from(2)
        return self.random.choice(
            [f"{one}::int8", f"({one} + 1::int8)",
             f"(SELECT count(*) FROM {inner}"
             f" WHERE {self._test([*more, *seen], depth)})"]
        )  # fmt: skip

    def _of_text(self, _: str, seen: list[Column], depth: int) -> str:
        one, two = (self.expression("text", seen, depth) for _ in range(2))
        number = self.expression("int4", seen, depth)
        document = self.expression("jsonb", seen, depth)
        return self.random.choice(
            [f"({one} || {two})", f"concat({one}, {two})", f"upper({one})",
             f"concat_ws(',', {one}, {two})", f"substring({one} FROM 'x(.)')",
             f"substring({one} FROM 1)", f"({document} ->> 'a')", f"loosely({number})",
             f"({document} #>> '{{a}}')", f"{number}::text",
             f"split_part({one}, 'x', 1)",
             f"format('%s', {one})", f"regexp_replace({one}, 'x', 'y')",
             f"jsonb_typeof({document})", f"quote_nullable({one})", f"trim({one})",
             f"array_to_string(ARRAY[{one}], ',')", "current_setting('no.such', true)"]
        )  # fmt: skip

    def _of_bool(self, _: str, seen: list[Column], depth: int) -> str:
        kind = self.random.choice(["int4", "text", "numeric", "date"])
        one, two = (self.expression(kind, seen, depth) for _ in range(2))
        left, right = (self.expression("bool", seen, depth) for _ in range(2))
        document = self.expression("jsonb", seen, depth)
        inner, more = self._from(2)
        other = self.expression(kind, more, depth)
        return self.random.choice(
            [f"({one} = {two})", f"({one} < {two})", f"({left} AND {right})",
             f"({left} OR {right})", f"(NOT {left})", f"({one} IS NULL)",
             f"({one} IS DISTINCT FROM {two})", f"({left} IS TRUE)",
             f"({one} IN ({two}, {one}))",
             f"({one} IN (SELECT {other} FROM {inner}))",
             f"({one} NOT IN (SELECT {other} FROM {inner}))",
             f"EXISTS (SELECT {other} FROM {inner})", f"({document} ? 'a')",
             f"({one} = ANY (SELECT {other} FROM {inner}))",
             f"({one} = ANY (ARRAY[{two}]))", f"({one} BETWEEN {two} AND {one})",
             f"(({one}, {two}) = ({two}, {one}))", f"({document} @> '{{}}')",
             f"({document} @@ '$.a > 0')", f"(ROW({one}, {two}) IS NOT NULL)",
             f"({document} @? '$.a')", f"starts_with({one}::text, 'x')"]
        )  # fmt: skip

    def _of_numeric(self, _: str, seen: list[Column], depth: int) -> str:
        one, two = (self.expression("numeric", seen, depth) for _ in range(2))
        number = self.expression("int4", seen, depth)
        return self.random.choice(
            [f"({one} * {two})", f"({one} + {number})", f"round({one}, 1)",
             f"{number}::numeric", f"trunc({one})", f"(- {one})", f"sign({one})"]
        )  # fmt: skip

    def _of_jsonb(self, _: str, seen: list[Column], depth: int) -> str:
        one = self.expression("jsonb", seen, depth)
        number = self.expression("int4", seen, depth)
        return self.random.choice(
            [f"({one} -> 'a')", f"({one} || '[]'::jsonb)", f"to_jsonb({number})",
             f"jsonb_build_object('k', {number})", f"jsonb_set({one}, '{{a}}', '1')",
             f"({one} #> '{{b}}')", f"jsonb_strip_nulls({one})", f"{one}['a']",
             f"jsonb_path_query_first({one}, '$.a')", f"jsonb_build_array({number})"]
        )  # fmt: skip

    def _of_date(self, _: str, seen: list[Column], depth: int) -> str:
        one = self.expression("date", seen, depth)
        number = self.expression("int4", seen, depth)
        return self.random.choice(
            [f"({one} + {number})", "current_date", f"date_trunc('day', {one})::date",
             "make_date(2024, 1, 1)", f"lower(daterange({one}, {one}))"]
        )  # fmt: skip

    # Statements

    def _listed(self, seen: list[Column]) -> str:
        kinds = [self._kind() for _ in range(self.random.randint(1, 3))]
        shown = [self.expression(kind, seen) for kind in kinds]
        return ", ".join(f"{text} AS c{n}" for n, text in enumerate(shown))

    def _select(self) -> str:
        inner, seen = self._from()
        where = f" WHERE {self._test(seen)}" * self._chance(0.4)
        return f"SELECT {self._listed(seen)} FROM {inner}{where}"

    def _aggregate(self, seen: list[Column]) -> str:
        number, text = (
            self.expression("int4", seen, 1),
            self.expression("text", seen, 1),
        )
        drawn = self.random.choice(
            [f"sum({number})", f"max({text})", "count(*)", f"count({number})",
             f"avg({number})", f"array_agg({number})", f"string_agg({text}, ',')",
             f"bool_and({self._test(seen)})", f"jsonb_agg({number})", f"min({number})",
             f"jsonb_object_agg('k', {number})", f"stddev({number})",
             f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {number})",
             f"mode() WITHIN GROUP (ORDER BY {text})",
             f"regr_count({number}, {number})",
             f"array_agg(DISTINCT {text})", f"bit_or({number})"]
        )  # fmt: skip
        test = f" FILTER (WHERE {self._test(seen)})" * self._chance(0.25)
        wrapped = f"{drawn}{test}"
        return f"coalesce({wrapped}, NULL)" if self._chance(0.1) else wrapped

    def _grouped(self) -> str:
        inner, seen = self._from()
        key = self.random.choice(seen)
        by = self.random.choice([key.text, f"ROLLUP ({key.text})", f"({key.text})",
                                 f"GROUPING SETS (({key.text}), ())"])  # fmt: skip
        shown = f"{key.text} AS k, {self._aggregate(seen)} AS g"
        where = f" WHERE {self._test(seen)}" * self._chance(0.3)
        having = " HAVING count(*) > 1" * self._chance(0.2)
        return f"SELECT {shown} FROM {inner}{where} GROUP BY {by}{having}"

    def _whole(self) -> str:
        inner, seen = self._from()
        where = f" WHERE {self._test(seen)}" * self._chance(0.3)
        drawn = [self._aggregate(seen), self._aggregate(seen)]
        return f"SELECT {', '.join(drawn)} FROM {inner}{where}"

    def _united(self) -> str:
        kind = self._kind()
        arms: list[str] = []
        for _ in range(self.random.randint(2, 3)):
            inner, seen = self._from(2)
            arms.append(f"SELECT {self.expression(kind, seen)} AS u FROM {inner}")
        word = self.random.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
        return f" {word} ".join(arms)

    def _with(self) -> str:
        inner, seen = self._from()
        kind = self._kind()
        drawn = self.expression(kind, seen)
        other, more = self._table()
        join = self.random.choice(["LEFT JOIN", "RIGHT JOIN", "JOIN", "FULL JOIN"])
        on = f"q.w::text = {self.random.choice(more).text}::text"
        listed = self._listed([Column("q.w", kind), *more])
        made = f"WITH q AS (SELECT {drawn} AS w FROM {inner})"
        return f"{made} SELECT {listed} FROM q {join} {other} ON {on}"

    def _windowed(self) -> str:
        inner, seen = self._from(2)
        number = self.expression("int4", seen, 1)
        call = self.random.choice(
            [f"lag({number})", f"lead({number}, 1, 0)", f"first_value({number})",
             "row_number()", f"sum({number})", f"nth_value({number}, 2)", "rank()",
             f"last_value({number})", "ntile(2)", f"max({number})", "cume_dist()"]
        )  # fmt: skip
        frame = self.random.choice(
            ["", "", " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
             " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW"]
        )  # fmt: skip
        order = f"ORDER BY {self.random.choice(seen).text}::text{frame}"
        return f"SELECT {call} OVER ({order}) AS w FROM {inner}"

    def _written(self) -> str:
        seen = [Column(f"b.{name}", kind) for name, kind in _TABLES["b"].items()]
        listed = self._listed(seen)
        number = self.expression("int4", seen, 1)
        return self.random.choice(
            [f"UPDATE b SET a_id = {number} RETURNING {listed}",
             f"DELETE FROM b WHERE {self._test(seen)} RETURNING {listed}",
             f"UPDATE b SET x = 1 FROM a LEFT JOIN c ON c.id = a.id WHERE a.id = b.a_id"
             f" RETURNING c.m, c.id, a.n, {listed}",
             "INSERT INTO b (id, s, at) SELECT id + 100, s, now() FROM a"
             f" RETURNING {listed}"]
        )  # fmt: skip

    def _of_sets(self) -> str:
        array = self.expression("_int4", [], 1)
        document = self.expression("jsonb", [], 1)
        inner, seen = self._from(1)
        return self.random.choice(
            [f"SELECT unnest({array}) AS u",
             f"SELECT u FROM unnest({array}) AS u",
             "SELECT a.id, u FROM a LEFT JOIN LATERAL unnest(a.ints) AS u ON true",
             f"SELECT u.o, u.w FROM unnest({array}) WITH ORDINALITY AS u (w, o)",
             f"SELECT generate_series(1, 2) AS g, unnest({array}) AS u",
             f"SELECT g FROM generate_series(1, {self.expression('int4', [], 1)}) AS g",
             "SELECT e.key, e.value FROM a, jsonb_each(CASE jsonb_typeof(a.j)"
             " WHEN 'object' THEN a.j ELSE '{}' END) AS e",
             f"SELECT x.p, x.q FROM jsonb_to_record({document}) AS x (p int, q text)",
             f"SELECT s.* FROM {inner}, LATERAL (SELECT {self._listed(seen)}) AS s",
             f"SELECT z.u, z.w FROM"
             f" ROWS FROM (unnest({array}), unnest('{{1,2,3}}'::int[])) AS z (u, w)"]
        )  # fmt: skip
