"""PostgreSQL's own types, and some of extensions, as psycopg carries them."""

from sqlc_gen_psycopg.ir.python_types import SUPPORT, Import, PyType, Wrap

_NUMERIC = "psycopg.types.numeric"
_JSON_TYPES = (Import("@", "json_types"),)


def _plain(annotation: str, *imports: Import) -> PyType:
    return PyType(annotation, imports, is_binary=True)


def _number(annotation: str, wrapper: str) -> PyType:
    wrap = Wrap(wrapper, (Import(_NUMERIC, wrapper),), untyped=Wrap(annotation))
    return PyType(annotation, bind=(wrap,), is_binary=True)


def _integer(kind: str) -> PyType:
    # psycopg would send the low bits of what does not fit.
    checked = Wrap(f"support.checked_{kind}", (SUPPORT,))
    wrap = Wrap(f"support.{kind}", (SUPPORT,), untyped=checked)
    return PyType("int", bind=(wrap,), is_binary=True)


def _json(wrapper: str) -> PyType:
    wrap = Wrap(wrapper, (Import("psycopg.types.json", wrapper),))
    return PyType(
        "json_types.JsonValue",
        _JSON_TYPES,
        "json_types.JsonInput",
        bind=(wrap,),
        is_binary=True,
    )


def _address(kind: str) -> PyType:
    version_4, version_6 = f"IPv4{kind}", f"IPv6{kind}"
    imports = (Import("ipaddress", version_4), Import("ipaddress", version_6))
    return _plain(f"{version_4} | {version_6}", *imports)


# In binary psycopg gives the bytes of all but a few that arrive as text.
STR = PyType("str")
_DATETIME = Import("datetime")
_TEXTUAL = """
    xml money bit varbit macaddr macaddr8 tsvector tsquery jsonpath pg_lsn point line
    lseg box path polygon circle regclass regproc regprocedure regoper regoperator
    regtype regrole regnamespace regconfig regdictionary regcollation xid xid8 cid tid
    int2vector oidvector pg_snapshot txid_snapshot pg_node_tree aclitem void cstring
"""
BUILT_IN: dict[str, PyType] = {
    **dict.fromkeys(_TEXTUAL.split(), STR),
    **dict.fromkeys(("text", "varchar", "bpchar", "char", "name"), _plain("str")),
    "bool": _plain("bool"),
    "bytea": _plain("bytes"),
    "cidr": _address("Network"),
    "date": _plain("datetime.date", _DATETIME),
    "float4": _number("float", "Float4"),
    "float8": _number("float", "Float8"),
    "inet": _address("Address"),
    "int2": _integer("int2"),
    "int4": _integer("int4"),
    "int8": _integer("int8"),
    "interval": _plain("datetime.timedelta", _DATETIME),
    "json": _json("Json"),
    "jsonb": _json("Jsonb"),
    "numeric": _plain("Decimal", Import("decimal", "Decimal")),
    "oid": _integer("oid"),
    "time": _plain("datetime.time", _DATETIME),
    "timestamp": _plain("datetime.datetime", _DATETIME),
    "timestamptz": _plain("datetime.datetime", _DATETIME),
    "timetz": _plain("datetime.time", _DATETIME),
    "uuid": _plain("UUID", Import("uuid", "UUID")),
}
_BOUNDS = {
    "date": "date",
    "int4": "int4",
    "int8": "int8",
    "num": "numeric",
    "ts": "timestamp",
    "tstz": "timestamptz",
}


def _spans(wrapper: str, suffix: str) -> dict[str, PyType]:
    """Return the range or multirange types, which psycopg sends as they are."""
    module = f"psycopg.types.{wrapper.lower()}"
    return {
        f"{name}{suffix}": _plain(
            f"{wrapper}[{BUILT_IN[bound].annotation}]",
            Import(module, wrapper),
            *BUILT_IN[bound].imports,
        )
        for name, bound in _BOUNDS.items()
    }


BUILT_IN.update(_spans("Range", "range") | _spans("Multirange", "multirange"))
# Types of extensions that arrive as text, and their arrays as unknown to psycopg.
EXTENSION_TEXT = frozenset(
    """citext cube geography geometry halfvec isbn lquery ltree ltxtquery seg semver
    sparsevec vector""".split()  # noqa: SIM905 - a list of names reads best so
)
# Types whose arrays are not split at commas, as psycopg splits all others.
OTHER_DELIMITERS = ("box", "geometry")
INFORMATION_SCHEMA = {
    "cardinal_number": "int4",
    "character_data": "varchar",
    "sql_identifier": "name",
    "time_stamp": "timestamptz",
    "yes_or_no": "varchar",
}
