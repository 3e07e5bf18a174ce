"""JSON that is drawn from a table with columns of every type."""

# ruff: noqa: S608 - statements run on a server of the test's own
import random
from collections.abc import Callable

from generator.tests.resolution import results

# Not every server has XML.
_KINDS = [kind for kind in results.VALUES if kind[0] != "_" and kind != "xml"]
# Of some types there are no arrays that can be annotated.
_ARRAYS = [kind for kind in _KINDS if kind != "box"]
_OWN = {
    "mood": ["'sad'", "'ok'"],
    "state": ["'open'", "'done'"],
    "cents": ["0", "7"],
    "deep": ["'{{1,NULL},{3,4}}'", "'{}'"],
    "pair": ["'(1,open,\"{{1,2}}\")'", "'(,,)'"],
    "hstore": ["'a=>1,b=>NULL'", "''"],
    "citext": ["'X'"],
}
VALUES = {
    **{kind: results.VALUES[kind] for kind in _KINDS},
    **_OWN,
    "numeric": ["0", "1.50", "1e20", "12345678901234567890.5", "'NaN'", "'-Infinity'"],
    "float8": ["0", "2.5", "1e300", "'NaN'", "'Infinity'"],
}
_NUMBERED = [(n, kind, results.spelled(kind)) for n, kind in enumerate(VALUES)]
_ARRAY_KINDS = {*_ARRAYS, "state", "cents", "hstore", "citext"}
_COLUMNS = ", ".join(
    f"v{n} {kind} NOT NULL, n{n} {kind}"
    + (f", a{n} {kind}[] NOT NULL" if name in _ARRAY_KINDS else "")
    for n, name, kind in _NUMBERED
)
SCHEMA = f"""
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN state AS text CHECK (value IN ('open', 'done'));
CREATE DOMAIN cents AS integer CHECK (value >= 0);
CREATE DOMAIN deep AS integer [] [];
CREATE TYPE pair AS (x integer, s state, more integer [] []);
CREATE TABLE things (id integer PRIMARY KEY, {_COLUMNS});
CREATE VIEW listed AS
SELECT t.id, json_agg(o) AS os, jsonb_build_object('t', to_jsonb(t), 'k', 'x') AS o,
    CASE WHEN t.id > 1 THEN 'big' ELSE 'small' END AS size
FROM things AS t LEFT JOIN things AS o ON o.id = t.id + 1 GROUP BY t.id;
"""


def rows(seeded: random.Random, count: int) -> str:
    """Draw the statement that fills the table."""
    made: list[str] = []
    for number in range(count):
        values = [str(number)]
        for _, name, kind in _NUMBERED:
            one, other = (seeded.choice(VALUES[name]) for _ in range(2))
            values += [
                f"{one}::{kind}",
                f"{other}::{kind}" if seeded.random() < 0.5 else "NULL",
            ]
            if name in _ARRAY_KINDS:
                drawn = f"ARRAY[{one}, NULL]::{kind}[]"
                values.append(drawn if seeded.random() < 0.5 else "'{}'")
        made.append(f"({', '.join(values)})")
    return f"INSERT INTO things VALUES {', '.join(made)}"


_KEYS = ["a", "b", "a", "na-me", "class", "it''s", "int", "__x", "", "Ä", '"', "json"]


class Statements:
    """Draws queries of one column that is JSON."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing is secret here
        self._kind = "json"

    def statement(self) -> str:
        """Draw a query."""
        self._kind = self._random.choice(["json", "jsonb"])
        return self._pick(
            self._plain, self._grouped, self._with, self._lateral, self._united,
            self._of_view,
        )()  # fmt: skip

    def _pick(self, *choices: Callable[..., str]) -> Callable[..., str]:
        return self._random.choice(choices)

    # `o` may be missing.
    _from = "things AS t LEFT JOIN things AS o ON o.id = t.id + 1"

    def _plain(self) -> str:
        return f"SELECT {self.json(3)} AS x FROM {self._from}"

    def _grouped(self) -> str:
        condition = self._random.choice(["", " FILTER (WHERE t.id > 1)"])
        group = self._random.choice(["", " GROUP BY t.id"])
        strict = self._random.choice(["", "_strict"])
        call = f"{self._kind}_agg{strict}({self.value(2)}){condition}"
        if self._random.random() < 0.5:
            call = f"coalesce({call}, '[]')"
        return f"SELECT {call} AS x FROM {self._from}{group}"

    def _with(self) -> str:
        shown = f"t.id, {self.json(2)} AS e, {self.scalar()} AS s"
        made = self._random.choice(
            [f"{self._kind}_agg(w)", "to_jsonb(w)", "row_to_json(w)", "w.e",
             f"{self._kind}_agg(w.e)", f"{self._kind}_build_object('w', w)"]
        )  # fmt: skip
        return f"WITH w AS (SELECT {shown} FROM {self._from}) SELECT {made} AS x FROM w"

    def _lateral(self) -> str:
        inner = f"SELECT {self._kind}_agg(i.*) AS l FROM things AS i WHERE i.id > t.id"
        if self._random.random() < 0.6:
            listed = f"{self._kind}_build_array(i.id, i.n1, {self.value(1)})"
            inner = f"SELECT {self._kind}_agg({listed}) AS l FROM things AS i, things o"
        return (
            f"SELECT {self._kind}_build_object('l', l.l, 'v', {self.value(1)}) AS x "
            f"FROM {self._from} LEFT JOIN LATERAL ({inner}) AS l ON t.id > 0"
        )

    def _united(self) -> str:
        arms = [f"SELECT {self.json(2)} AS x FROM {self._from}" for _ in range(2)]
        arms[1] = self._random.choice([arms[0], arms[1], "SELECT NULL"])
        words = ["UNION ALL"]
        if self._kind == "jsonb":
            words += ["UNION", "INTERSECT", "EXCEPT"]
        return f" {self._random.choice(words)} ".join(arms)

    def _of_view(self) -> str:
        return self._random.choice(
            ["SELECT os AS x FROM listed", "SELECT o AS x FROM listed",
             "SELECT to_json(listed) AS x FROM listed",
             "SELECT json_agg(l) AS x FROM listed AS l",
             "SELECT jsonb_build_array(size, o) AS x FROM listed"]
        )  # fmt: skip

    def scalar(self) -> str:
        """Draw a value that is no JSON."""
        number, name, kind = self._random.choice(_NUMBERED)
        letters = "vna" if name in _ARRAY_KINDS else "vn"
        column = f"{self._random.choice('to')}.{self._random.choice(letters)}{number}"
        return self._random.choice(
            [column, column, column, f"{self._random.choice(VALUES[name])}::{kind}",
             f"NULL::{kind}", "'x'", "'it''s'::text", "7", "true", "NULL",
             "CASE WHEN t.id > 1 THEN 'a' END", "t.id + 1", "o.id"]
        )  # fmt: skip

    def value(self, depth: int) -> str:
        """Draw what may stand in JSON."""
        if depth > 0 and self._random.random() < 0.5:
            return self.json(depth - 1)
        drawn = self.scalar()
        # Aggregates and to_json take no literal without a type.
        return f"{drawn}::text" if drawn in ("'x'", "NULL") else drawn

    def json(self, depth: int) -> str:
        """Draw JSON."""
        return self._pick(
            self._object, self._object, self._array, self._whole, self._choice,
            self._subselect, self._entries, self._standard,
        )(max(depth, 0))  # fmt: skip

    def _object(self, depth: int) -> str:
        pairs = [
            f"'{self._random.choice(_KEYS)}', {self.value(depth)}"
            for _ in range(self._random.randint(0, 3))
        ]
        return f"{self._kind}_build_object({', '.join(pairs)})"

    def _array(self, depth: int) -> str:
        items = [self.value(depth) for _ in range(self._random.randint(0, 3))]
        return f"{self._kind}_build_array({', '.join(items)})"

    def _whole(self, depth: int) -> str:
        given = self._random.choice(
            [
                "t",
                "o",
                "t.*",
                "ROW(o.*)",
                "ARRAY[t, o]",
                self.value(depth),
                f"ROW({self.value(depth)}, 1)",
            ]
        )
        made = "to_json" if self._kind == "json" else "to_jsonb"
        return f"{made}({given})"

    def _choice(self, depth: int) -> str:
        if depth == 0:
            return f"'{self._random.choice(['[]', '{}', 'null', '1'])}'::{self._kind}"
        one, other = self.json(depth - 1), self.json(depth - 1)
        return self._random.choice(
            [f"coalesce({one}, {other})", f"CASE WHEN t.id > 1 THEN {one} END",
             f"CASE WHEN t.id > 1 THEN {one} ELSE {other} END",
             f"coalesce({one}, '[]')", f"({one})::{self._kind}"]
        )  # fmt: skip

    def _subselect(self, depth: int) -> str:
        listed = self.value(depth - 1)
        condition = self._random.choice(["true", "false", "i.id > t.id"])
        inner = f"SELECT {self._kind}_agg({listed}) FROM things AS i WHERE {condition}"
        return f"({inner})"

    def _entries(self, depth: int) -> str:
        made = self._random.choice(["object_agg", "object_agg_unique_strict"])
        return (
            f"(SELECT {self._kind}_{made}(i.id, {self.value(depth - 1)}) "
            "FROM things AS i)"
        )

    def _standard(self, depth: int) -> str:
        absent = self._random.choice([" NULL ON NULL", " ABSENT ON NULL", ""])
        key, value = self._random.choice("xyz"), self.value(depth - 1)
        made = self._random.choice(
            [f"JSON_OBJECT('{key}': {value}, 'k': 1{absent}",
             f"JSON_ARRAY({value}, 1{absent}",
             f"JSON_ARRAY(SELECT i.n2 FROM things AS i{' ' * len(absent)}"]
        )  # fmt: skip
        return f"{made} RETURNING {self._kind})"
