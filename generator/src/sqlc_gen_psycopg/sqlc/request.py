"""The part of sqlc's CodeGenRequest that this plugin reads, typed."""

import base64
import json
import re
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.problems import Problem, RefusedError

Json: TypeAlias = dict[str, Any]


class Column(NamedTuple):
    """A column of a table or of a result, or what a parameter stands for.

    ``sources`` are those that a view's column comes from, which sqlc does not tell.
    """

    name: str
    original_name: str
    type: Name
    not_null: bool
    array_dims: int
    table: Name | None
    embed: Name | None
    is_slice: bool
    comment: str
    sources: tuple[tuple[Name, str], ...] = ()


class Parameter(NamedTuple):
    """``$number`` and the column that sqlc inferred for it."""

    number: int
    column: Column


class Table(NamedTuple):
    """A relation of sqlc's catalog."""

    name: Name
    columns: tuple[Column, ...]
    comment: str


class Enum(NamedTuple):
    """A PostgreSQL ENUM type and its labels."""

    name: Name
    labels: tuple[str, ...]
    comment: str


class Query(NamedTuple):
    """One annotated query."""

    name: str
    command: str
    text: str
    filename: str
    columns: tuple[Column, ...]
    parameters: tuple[Parameter, ...]
    comments: tuple[str, ...]
    insert_into: Name | None

    @property
    def where(self) -> str:
        """The place a problem with this query is reported at."""
        return f"{self.filename}: {self.name}"


class Request(NamedTuple):
    """All that sqlc tells a plugin."""

    engine: str
    sqlc_version: str
    default_schema: str
    out: str
    schema_paths: tuple[str, ...]
    query_paths: tuple[str, ...]
    options: Json
    tables: dict[Name, Table]
    enums: dict[Name, Enum]
    composites: frozenset[Name]
    queries: tuple[Query, ...]


def read(data: bytes) -> Request:
    """Read a request as sqlc sends it with ``format: json``.

    Raises:
        RefusedError: the input is no such request.
    """
    try:
        raw = json.loads(data)
    except ValueError as error:
        raise RefusedError([_NOT_JSON]) from error
    try:
        return _request(raw)
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError([_NOT_A_REQUEST]) from error


# What sqlc sends otherwise is protobuf.
_NOT_JSON = Problem(
    "sqlc.yaml: plugins",
    "what sqlc sent is no JSON",
    "write `format: json` beside `cmd: sqlc-gen-psycopg`, for sqlc 1.30 or newer",
)
_NOT_A_REQUEST = Problem(
    "request",
    "what arrived on stdin is no request of sqlc's",
    "run `sqlc generate`, or `sqlc-gen-psycopg generate`",
)


def _request(raw: Json) -> Request:
    default = raw["catalog"]["default_schema"]
    read = _Reader(default)
    schemas: list[Json] = raw["catalog"]["schemas"] or []
    mentioned = _mentioned([query["text"] for query in raw["queries"] or ()])
    options = base64.b64decode(raw.get("plugin_options") or "") or b"{}"
    settings = raw["settings"]
    return Request(
        engine=settings["engine"],
        sqlc_version=raw["sqlc_version"],
        default_schema=default,
        out=settings["codegen"]["out"],
        schema_paths=tuple(settings["schema"] or ()),
        query_paths=tuple(settings["queries"] or ()),
        options=json.loads(options) or {},
        tables={t.name: t for s in schemas for t in read.tables(s, mentioned)},
        enums={e.name: e for s in schemas for e in read.enums(s)},
        composites=frozenset(n for s in schemas for n in read.composites(s)),
        queries=tuple(read.query(q) for q in raw["queries"] or ()),
    )


_INFORMATION_SCHEMA = "information_schema"
CATALOGS = ("pg_catalog", _INFORMATION_SCHEMA, "pg_temp")
_CATALOG_TABLE = re.compile(r"pg_\w+")


def _mentioned(texts: list[str]) -> set[str]:
    """Return what queries may read of the catalogs, which come with every request."""
    text = "\n".join(texts).lower()
    found = {*_CATALOG_TABLE.findall(text)} - {"pg_catalog"}
    return found | {_INFORMATION_SCHEMA} if _INFORMATION_SCHEMA in text else found


# One type has several spellings; this is the one that pg_type uses.
_SPELLINGS = {
    "bigint": "int8",
    "bigserial": "int8",
    "bit varying": "varbit",
    # Of SQLite, which projects for both databases write and sqlc knows here, too.
    "blob": "bytea",
    "boolean": "bool",
    "character": "bpchar",
    "character varying": "varchar",
    "decimal": "numeric",
    "double precision": "float8",
    "float": "float8",
    "int": "int4",
    "integer": "int4",
    "real": "float4",
    "serial": "int4",
    "serial2": "int2",
    "serial4": "int4",
    "serial8": "int8",
    "smallint": "int2",
    "smallserial": "int2",
    "string": "text",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}


class _Reader(NamedTuple):
    default_schema: str

    def name(self, raw: Json) -> Name:
        return _name(self.default_schema, raw.get("schema") or "", raw["name"])

    def column(self, raw: Json) -> Column:
        kind = raw["type"] or {"name": ""}
        table, embed = raw.get("table"), raw.get("embed_table")
        return Column(
            raw["name"],
            raw.get("original_name") or "",
            type_name(self.default_schema, kind.get("schema") or "", kind["name"]),
            raw.get("not_null") or False,
            raw.get("array_dims") or int(raw.get("is_array") or 0),
            self.name(table) if table else None,
            self.name(embed) if embed else None,
            raw.get("is_sqlc_slice") or False,
            raw.get("comment") or "",
        )

    def columns(self, raws: list[Json] | None) -> tuple[Column, ...]:
        return tuple([self.column(raw) for raw in raws or ()])

    def tables(self, schema: Json, mentioned: set[str]) -> list[Table]:
        is_whole = schema["name"] not in CATALOGS or schema["name"] in mentioned
        return [
            Table(
                # The catalog's tables name no schema when it is their own.
                self.name({**raw["rel"], "schema": schema["name"]}),
                self.columns(raw["columns"]),
                raw.get("comment") or "",
            )
            for raw in schema["tables"] or ()
            if is_whole or raw["rel"]["name"] in mentioned
        ]

    def enums(self, schema: Json) -> list[Enum]:
        return [
            Enum(
                self.name({"schema": schema["name"], "name": raw["name"]}),
                tuple(raw["vals"] or ()),
                raw.get("comment") or "",
            )
            for raw in schema.get("enums") or ()
        ]

    def composites(self, schema: Json) -> list[Name]:
        return [
            self.name({"schema": schema["name"], "name": raw["name"]})
            for raw in schema.get("composite_types") or ()
        ]

    def query(self, raw: Json) -> Query:
        target = raw.get("insert_into_table")
        return Query(
            name=raw["name"],
            command=raw["cmd"],
            text=raw["text"].lstrip("\n"),
            filename=raw["filename"],
            columns=self.columns(raw["columns"]),
            parameters=tuple(
                [
                    Parameter(p["number"], self.column(p["column"]))
                    for p in raw["params"] or ()
                ]
            ),
            comments=tuple(raw.get("comments") or ()),
            insert_into=self.name(target) if target else None,
        )


@cache
def _name(default_schema: str, schema: str, name: str) -> Name:
    return Name("" if schema == default_schema else schema, name)


@cache
def type_name(default_schema: str, schema: str, name: str) -> Name:
    """Bring the spellings of one type to one: built-in types carry no schema."""
    if not schema and "." in name:
        schema, name = name.rsplit(".", 1)
    if schema in ("", "pg_catalog"):
        return Name("", _SPELLINGS.get(name, name))
    return Name("" if schema == default_schema else schema, name)
