"""The statements of a project, and the plans that a server makes of them."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg

from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.requests import Part
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sql import query_files, skips, tree

_PLANNED = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}


class Statement(NamedTuple):
    """A query: its file and name, sqlc's command, and what is sent."""

    where: str
    name: str
    command: str
    text: str


class Node(NamedTuple):
    """A node of a plan, with the rows and the cost that are expected of it in all."""

    type: str
    rows: float
    cost: float
    raw: Mapping[str, Any]

    @property
    def relation(self) -> str:
        """The table that it reads, as `shown`; empty if there is none."""
        name: str = self.raw.get("Relation Name", "")
        return name and shown(self.raw["Schema"], name)


def shown(schema: str, name: str) -> str:
    """Return a table's name, with its schema's if that is not `public`."""
    return name if schema == "public" else f"{schema}.{name}"


class Plan(NamedTuple):
    """A plan: what it is expected to cost and to return, and its nodes."""

    cost: float
    rows: float
    nodes: tuple[Node, ...]

    @property
    def paths(self) -> str:
        """How it gets at rows: the indexes, and the tables that are read whole."""
        found = dict.fromkeys(
            node.raw.get("Index Name") or f"all of {node.raw['Relation Name']}"
            for node in self.nodes
            if "Index Name" in node.raw or node.type == "Seq Scan"
        )
        return ", ".join(found)


def statements(
    parts: list[Part], more: Mapping[str, str], found: Problems
) -> list[Statement]:
    """Return the queries of a project that have plans, and further statements."""
    made: dict[Statement, None] = {}
    for part in parts:
        asked = skips.without_skipped(part.request, found)
        written = query_files.read(asked)
        for query in asked.queries:
            source = written.get((query.filename, query.name))
            where = source.file if source else query.filename
            made[Statement(str(where), query.name, query.command, query.text)] = None
    planned = [one for one in made if _kinds(one) <= _PLANNED]
    for name, text in more.items():
        one = Statement("statements", name, ":exec", text)
        if not _kinds(one) <= _PLANNED:
            raise CannotRunError(
                f"statements: {name}: is not planned; write SELECT, INSERT, UPDATE, "
                "DELETE or MERGE, or leave it out"
            )
        planned.append(one)
    return planned


def _kinds(one: Statement) -> set[str]:
    """Give what a statement is.

    Raises:
        CannotRunError: it is none, or several: all but the first would be executed.
    """
    where = f"{one.where}: {one.name}"
    try:
        parsed = tree.parse(one.text)
    except tree.InvalidSqlError as error:
        raise CannotRunError(f"{where}: {error}") from error
    if len(parsed) != 1:
        raise CannotRunError(f"{where}: is {len(parsed)} statements; write one")
    return {tree.only(parsed[0])[0]}


def explained(conn: psycopg.Connection, statement: Statement, page: int) -> Plan:
    """Ask for the plan of a statement whatever its parameters, LIMIT's aside."""
    text = (
        f"EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) {_paged(statement.text, page)}"
    )
    try:
        [[[answer]]] = conn.execute(text.encode()).fetchall()
    except psycopg.Error as error:
        told = " ".join(str(error).split())
        raise CannotRunError(
            f"{statement.where}: {statement.name}: the server does not plan it: {told}"
            "; does the database have the schema of these queries?"
        ) from error
    plan = answer["Plan"]
    return Plan(plan["Total Cost"], plan["Plan Rows"], (*_nodes(plan, 1, 1),))


@functools.cache
def _paged(text: str, page: int) -> str:
    """Write the size of a page for a parameter of LIMIT or OFFSET.

    The planner takes one that it does not know for a tenth of all rows, and a server
    then prefers a plan for the very number, at each call.
    """
    places: set[int] = set()
    for node in tree.walk(tree.parse(text)):
        for key in ("limitCount", "limitOffset"):
            kind, inner = tree.only(node.get(key) or {})
            if kind == "TypeCast":
                kind, inner = tree.only(inner["arg"])
            if kind == "ParamRef":
                places.add(inner.get("location", 0))
    sent = text.encode()
    for place in sorted(places, reverse=True):
        end = place + 1
        while sent[end : end + 1].isdigit():
            end += 1
        sent = sent[:place] + str(page).encode() + sent[end:]
    return sent.decode()


# Their rows are all there, or all asked for, before they give the first.
_BLOCKING = {"Sort", "Hash", "Aggregate", "Materialize", "WindowAgg", "SetOp"}


def _nodes(raw: Mapping[str, Any], fraction: float, loops: float) -> Iterator[Node]:
    """Yield a plan's nodes, of what a LIMIT cuts short only so much."""
    rows = raw["Plan Rows"] * fraction * loops
    yield Node(raw["Node Type"], rows, raw["Total Cost"] * fraction * loops, raw)
    below = 1.0 if raw["Node Type"] in _BLOCKING else fraction
    plans: list[Mapping[str, Any]] = raw.get("Plans", [])
    outer = next((p for p in plans if p["Parent Relationship"] == "Outer"), None)
    for inner in plans:
        match inner["Parent Relationship"]:
            case "Outer" | "Member" | "Subquery":
                part = below
                if raw["Node Type"] == "Limit":
                    part *= min(1, raw["Plan Rows"] / max(1, inner["Plan Rows"]))
                yield from _nodes(inner, part, loops)
            case "Inner" if raw["Node Type"] == "Nested Loop" and outer:
                times = max(1, outer["Plan Rows"] * below) * loops
                # What is kept is read once.
                is_kept = inner["Node Type"] == "Materialize"
                yield from _nodes(inner, 1, loops if is_kept else times)
            case "SubPlan":
                yield from _nodes(inner, 1, max(1, rows))
            case _:
                yield from _nodes(inner, 1, loops)
