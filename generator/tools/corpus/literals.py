"""Values of every type as PostgreSQL spells them, few enough to meet each other."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from generator.tools.corpus.catalog import Type

_NUMBERS = ("1", "2", "3", "4")
_ADDRESSES = ("10.0.0.1", "::1", "10.1.2.3/8")
_TIMES = ("04:05:06", "12:30:00.5", "00:00:00")
_STAMPS = ("2024-01-02 03:04:05", "2025-06-07 08:09:10.111213", "1999-12-31 23:59:59")
_TEXTS = ("a", "b", "c", "1", "2", "naïve ü")
_POOLS: dict[str, Sequence[str]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), _NUMBERS),
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name", "unknown"), _TEXTS),
    **dict.fromkeys(("float4", "float8"), ("1", "2.5", "-0.25", "3")),
    **dict.fromkeys(("json", "jsonb"), ('{"a": [1, null, "x"]}', "[1, 2]", '"s"', "3")),
    **dict.fromkeys(("tid",), ("(0,1)", "(0,2)")),
    **dict.fromkeys(("cid", "xid", "xid8"), ("1", "700")),
    "bool": ("true", "false"),
    "box": ("(2,2),(0,0)", "(3,1),(1,0)"),
    "bytea": ("\\x00ff10", "\\x", "\\x61"),
    "char": ("a", "b"),
    "cidr": ("10.0.0.0/8", "::/0", "192.168.1.0/24"),
    "circle": ("<(1,2),3>", "<(0,0),1>"),
    "cube": ("(1,2)", "(1),(2)"),
    "date": ("2024-01-02", "2025-06-07", "1999-12-31"),
    "daterange": ("[2024-01-01,2025-01-01)", "(,2024-01-01)", "empty"),
    "datemultirange": ("{[2024-01-01,2025-01-01)}", "{}"),
    "hstore": ("a=>1, b=>NULL", ""),
    "inet": _ADDRESSES,
    "int4range": ("[1,5)", "(,3)", "empty"),
    "int4multirange": ("{[1,5),[7,9)}", "{}"),
    "int8range": ("[1,5)", "(,3)", "empty"),
    "int8multirange": ("{[1,5),[7,9)}", "{}"),
    "interval": ("1 day", "02:30:00", "1 mon 3 days"),
    "isbn": ("978-0-393-04002-9",),
    "jsonpath": ("$.a", "$"),
    "line": ("{1,2,3}",),
    "lseg": ("[(0,0),(1,1)]",),
    "lquery": ("a.*", "*"),
    "ltree": ("a.b", "a", "a.b.c"),
    "ltxtquery": ("a", "a & b"),
    "macaddr": ("08:00:2b:01:02:03",),
    "macaddr8": ("08:00:2b:01:02:03:04:05",),
    "money": ("1.50", "2"),
    "numeric": ("1", "2.50", "-3", "0.000001"),
    "nummultirange": ("{[1.5,5),[7,9)}", "{}"),
    "numrange": ("[1.5,5)", "(,3)", "empty"),
    "path": ("[(0,0),(1,1)]", "((0,0),(1,1),(2,0))"),
    "pg_lsn": ("0/16B3748",),
    "point": ("(1,2)", "(0,0)"),
    "polygon": ("((0,0),(1,1),(2,0))",),
    "regclass": ("pg_class", "pg_type"),
    "regproc": ("now",),
    "regtype": ("integer", "text"),
    "time": _TIMES,
    "timetz": tuple(f"{time}+02" for time in _TIMES),
    "timestamp": _STAMPS,
    "timestamptz": tuple(f"{stamp}+00" for stamp in _STAMPS),
    "tsmultirange": ("{[2024-01-01,2025-01-01)}", "{}"),
    "tsrange": ("[2024-01-01,2025-01-01)", "(,2024-01-01)", "empty"),
    "tstzmultirange": ("{[2024-01-01,2025-01-01)}", "{}"),
    "tstzrange": ("[2024-01-01,2025-01-01)", "(,2024-01-01)", "empty"),
    "tsquery": ("a & b", "c"),
    "tsvector": ("a:1 b:2", "c"),
    "uuid": (
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
        "00000000-0000-4000-8000-000000000003",
    ),
    "xml": ("<a>1</a>", "text"),
}
_NUMERIC = ("int2", "int4", "int8", "oid", "numeric", "float4", "float8")
_DATED = ("date", "timestamp", "timestamptz")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_BITS = ("bit", "varbit")
_WIDTH_HEADER = 4
_STRINGS = re.compile(r"'((?:[^']|'')*)'")
_INTEGERS = re.compile(r"(?<![\w$.])(\d{1,6})(?![\w.])")
_MINED_AT_MOST = 40
_NULL_ELEMENT, _FROM_TEXT = 0.2, 0.35


class NoLiteralError(Exception):
    """No value of this type is known here."""


@dataclass(frozen=True, slots=True)
class Mined:
    """The literals of a case's own SQL: what its CHECKs and conditions ask for."""

    strings: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Mined":
        """Collect the literals of SQL texts."""
        whole = "\n".join(texts)
        strings = dict.fromkeys(s.replace("''", "'") for s in _STRINGS.findall(whole))
        # What is asked for may be more than the number.
        found = [int(number) for number in _INTEGERS.findall(whole)]
        integers = dict.fromkeys(str(n) for m in found for n in (m, m + 1))
        return cls(tuple(strings)[:_MINED_AT_MOST], tuple(integers)[:_MINED_AT_MOST])


@dataclass(frozen=True, slots=True)
class Drawer:
    """Draws literals; the same seed draws the same."""

    seeded: random.Random
    types: dict[int, Type]
    mined: Mined = Mined()

    def draw(self, oid: int, modifier: int = -1, dims: int = 0) -> str:  # noqa: PLR0911 - one return a kind of type
        """Draw a value of a type.

        Raises:
            NoLiteralError: none is known.
        """
        kind = self.types[oid]
        if kind.element:
            return self._array(kind.element, modifier, max(dims, 1))
        if kind.labels:
            return self.seeded.choice(kind.labels)
        if kind.base:
            return self.draw(kind.base, kind.base_modifier, kind.base_dims)
        if kind.attributes:
            items = ", ".join(_quoted(self.draw(oid)) for oid in kind.attributes)
            return f"({items})"
        if kind.name in _BITS:
            width = modifier if modifier > 0 else 1
            return "".join(self.seeded.choice("01") for _ in range(width))
        if kind.name == "vector":
            return str([float(n) for n in range(max(modifier, 1))])
        return self._fitting(kind.name, modifier)

    def _fitting(self, name: str, modifier: int) -> str:
        if name not in _POOLS:
            raise NoLiteralError(name)
        pool = _POOLS[name]
        mined: Sequence[str] = ()
        if pool is _TEXTS:
            width = modifier - _WIDTH_HEADER if modifier > 0 else 1 << 20
            pool = [text for text in pool if len(text) <= width] or [""]
            mined = [text for text in self.mined.strings if len(text) <= width]
        elif name in _NUMERIC:
            mined = [n for n in self.mined.integers if int(n) < 1 << 15]
        elif name in _DATED:
            mined = [text for text in self.mined.strings if _DATE.match(text)]
        if mined and self.seeded.random() < _FROM_TEXT:
            pool = mined
        return self.seeded.choice(pool)

    def _array(self, element: int, modifier: int, dims: int, length: int = -1) -> str:
        if length < 0:
            # PostgreSQL knows no array of empty arrays.
            length = self.seeded.randint(0 if dims == 1 else 1, 3)
        if dims > 1:
            width = 2
            items = [
                self._array(element, modifier, dims - 1, width) for _ in range(length)
            ]
        else:
            items = [
                "NULL"
                if self.seeded.random() < _NULL_ELEMENT
                else _quoted(self.draw(element, modifier))
                for _ in range(length)
            ]
        separator = ";" if self.types[element].name == "box" else ","
        return f"{{{separator.join(items)}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
