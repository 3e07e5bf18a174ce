"""Values of every type, drawn by hypothesis."""

import datetime
import ipaddress
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

_FROM, _TO = datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)
_UTC = st.just(datetime.UTC)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
DATES = st.dates(_FROM.date(), _TO.date())
NAIVE = st.datetimes(_FROM, _TO)
AWARE = st.datetimes(_FROM, _TO, timezones=_UTC)
NUMBERS = st.decimals(-9999, 9999, places=3)
SMALL = st.integers(-(2**15), 2**15 - 1)
MIDDLE = st.integers(-(2**31), 2**31 - 1)
LARGE = st.integers(-(2**63), 2**63 - 1)
JSON = st.recursive(
    st.booleans() | SMALL | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2)
    ),
    max_leaves=4,
)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def _spans(bounds: SearchStrategy[Any], step: Any) -> SearchStrategy[Range[Any]]:  # noqa: ANN401 - what is added to any bound
    """Draw ranges in PostgreSQL's canonical form, so that they come back equal."""
    return st.one_of(
        bounds.map(lambda low: Range[Any](low, low + step)),
        st.just(Range[Any](empty=True)),
        st.just(Range[Any](None, None)),
        bounds.map(lambda low: Range[Any](low, None)),
        bounds.map(lambda high: Range[Any](None, high)),
    )


def _multi(ranges: SearchStrategy[Range[Any]]) -> SearchStrategy[Multirange[Any]]:
    # An empty range is not in it.
    found = st.lists(ranges, max_size=1)
    return found.map(lambda all_: Multirange[Any](one for one in all_ if one))


_DAY = datetime.timedelta(days=1)
_NARROW = st.integers(-(2**30), 2**30)
_RANGES = {
    "int4": _spans(_NARROW, 5),
    "int8": _spans(st.integers(-(2**60), 2**60), 2**40),
    "num": _spans(NUMBERS, Decimal("0.5")),
    "date": _spans(DATES, _DAY),
    "ts": _spans(NAIVE, _DAY),
    "tstz": _spans(AWARE, _DAY),
}

# What psycopg reads from text only, itself and in arrays; in binary it gives bytes.
TEXT_ONLY = frozenset(
    """citext macaddr bit(3) varbit money tsvector point box circle mood hstore
    pair""".split()  # noqa: SIM905 - a list of names reads best so
)
# Domains arrive as their base types, but their arrays as arrays of their own.
TEXT_ONLY_IN_ARRAYS = TEXT_ONLY | {"state", "cents"}

# Each PostgreSQL type, and values that come back as they went in.
TYPES: dict[str, SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "smallint": SMALL,
    "integer": MIDDLE,
    "bigint": LARGE,
    "oid": st.integers(0, 2**32 - 1),
    # Arrives as the shortest decimal that is the same float4.
    "real": st.integers(-(2**12), 2**12).map(lambda eighths: eighths / 8),
    "double precision": _FLOATS,
    "numeric": NUMBERS,
    "text": TEXTS,
    "varchar(20)": TEXTS,
    "citext": TEXTS,
    "bytea": st.binary(max_size=8),
    "uuid": st.uuids(),
    "date": DATES,
    "time": st.times(),
    "timetz": st.times(timezones=_UTC),
    "timestamp": NAIVE,
    "timestamptz": AWARE,
    "interval": st.timedeltas(-1000 * _DAY, 1000 * _DAY),
    "json": JSON,
    "jsonb": JSON,
    "inet": st.ip_addresses(),
    "cidr": st.ip_addresses().map(ipaddress.ip_network),
    "macaddr": st.just("08:00:2b:01:02:03"),
    "bit(3)": st.sampled_from(["000", "101"]),
    "varbit": st.sampled_from(["", "1", "0101"]),
    "money": st.sampled_from(["$1.50", "-$2.00"]),
    "tsvector": st.just("'a' 'b'"),
    "point": st.sampled_from(["(1,2)", "(0,-3.5)"]),
    "box": st.just("(3,4),(1,2)"),
    "circle": st.just("<(1,2),3>"),
    "mood": st.sampled_from(["sad", 'it\'s, "ok"']),
    "state": st.sampled_from(["open", "done"]),
    "cents": st.integers(0, 2**31 - 1),
    "hstore": st.dictionaries(TEXTS, TEXTS | st.none(), max_size=2),
    "pair": st.tuples(MIDDLE | st.none(), st.sampled_from(["open", None]), JSON),
    **{f"{name}range": drawn for name, drawn in _RANGES.items()},
    **{f"{name}multirange": _multi(drawn) for name, drawn in _RANGES.items()},
}
