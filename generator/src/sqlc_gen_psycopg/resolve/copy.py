"""`:copyfrom`: the INSERT of one row, turned into a COPY of many."""

from sqlc_gen_psycopg.inference.analyzer import Analyzer
from sqlc_gen_psycopg.ir.copy import Copy
from sqlc_gen_psycopg.ir.python_types import array, without_nulls
from sqlc_gen_psycopg.ir.results import Field, Value
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve.type_map import Types, UnknownTypeError
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import Query

# The types that psycopg sends as PostgreSQL's binary format has them.
_BINARY = frozenset(
    """bool bytea cidr date float4 float8 inet int2 int4 int8 interval json
    jsonb numeric oid text time timestamp timestamptz timetz uuid varchar""".split()  # noqa: SIM905 - a list of names reads best so
)
# Those that have the binary format of `text`, unless within an array.
_TEXTS = ("bpchar", "citext")


def _read(query: Query, insert: Node, problems: Problems) -> tuple[str, list[int]]:
    """Return the COPY's target, and the numbers of the parameters by column."""
    columns = [column["ResTarget"] for column in tree.children(insert, "cols")]
    select: Node = insert.get("selectStmt", {}).get("SelectStmt", {})
    values = [v for row in tree.children(select, "valuesLists") for v in _items(row)]
    numbers = [v.get("ParamRef", {}).get("number", 0) for v in values]
    what = _obstacle(insert, columns, numbers)
    if what:
        problems.add(query.where, f":copyfrom {what[0]}", what[1])
    relation: Node = insert.get("relation", {})
    path = [relation[key] for key in ("schemaname", "relname") if key in relation]
    table = ".".join(map(_quoted, path))
    listed = ", ".join(_quoted(column["name"]) for column in columns)
    return f"{table} ({listed})", numbers


def _items(row: Node) -> list[Node]:
    return tree.children(row["List"], "items")


def _obstacle(
    insert: Node, columns: list[Node], numbers: list[int]
) -> tuple[str, str] | None:
    if any("indirection" in column for column in columns):
        return "writes to a part of a column", "write to whole columns"
    if 0 in numbers:
        return (
            "sends parameters as they are, without casts",
            "remove the cast, or use :batchexec",
        )
    if len(set(numbers)) < len(numbers):
        return "has a parameter for two columns", "name each one differently"
    if insert.get("override") == "OVERRIDING_USER_VALUE":
        return "cannot override user values", "leave the column out"
    return None


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def resolve(
    query: Query,
    insert: Node,
    parameters: tuple[Field, ...],
    knowledge: tuple[Analyzer, Types],
    problems: Problems,
) -> Copy:
    """Resolve the COPY of a query; what COPY cannot do is a problem."""
    analyzer, types = knowledge
    target, numbers = _read(query, insert, problems)
    if query.insert_into in analyzer.schema.derived:
        problems.add(
            query.where,
            f":copyfrom into {query.insert_into}, a view",
            "name its table, or use :batchexec",
        )
    sent = {p.number: p.column for p in query.parameters}
    found = [
        _binary(sent[number].type, sent[number].array_dims, analyzer.schema, types)
        if _is_plain(parameters[number - 1], sent[number].type, types)
        else None
        for number in numbers
        if number in sent
    ]
    types_sent = tuple(name for name in found if name)
    is_binary = len(types_sent) == len(found)
    options = "FORMAT binary" if is_binary else "FORMAT text"
    return Copy(
        f"COPY {target} FROM STDIN ({options})",
        tuple(numbers),
        types_sent if is_binary else (),
        tuple(c["ResTarget"]["name"] for c in tree.children(insert, "cols")),
    )


def _is_plain(parameter: Field, name: Name, types: Types) -> bool:
    """Tell whether no override sends something else than the type's own."""
    value = parameter.value
    if not isinstance(value, Value):
        return False
    try:
        own = array(types.of_name(name), value.type.dims)
        if not value.type.has_nulls:
            own = without_nulls(own)
    except UnknownTypeError:
        return False
    return own.accepted == value.type.accepted


def _binary(name: Name, dims: int, schema: Schema, types: Types) -> str | None:
    """Return psycopg's name of a type that it can send in binary, else None."""
    if name in schema.domains:
        domain = schema.domains[name]
        # An array's elements are checked for their own type, which is the domain.
        return None if dims else _binary(domain.base, domain.base_dims, schema, types)
    if not dims and (name in types.enums or name.name in _TEXTS):
        return "text"
    if name.schema or name.name not in _BINARY:
        return None
    return f"{name.name}[]" if dims else name.name
