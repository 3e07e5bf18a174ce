"""Which result columns are NOT NULL columns of a table, by the server's own analysis.

The server writes the analysed tree of a statement to its log, and to the client who
asks for it: there each column says where it comes from and which outer joins may make
it NULL (`varnullingrels`, PostgreSQL 16 and newer).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import psycopg
from psycopg import pq

# A node is a dictionary with its kind under "", a list a list, anything else text.
Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str"
Origin: TypeAlias = tuple[int, int]

_TOKEN = re.compile(r"[(){}\[\]]|(?:\\.|[^\s(){}\[\]\\])+")
_SELECT = "1"
# Kinds of entries of a range table.
_TABLE, _SUBQUERY, _JOIN, _CTE, _GROUP = "0", "1", "2", "6", "9"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared statement's parameters' types, and its columns' origins."""

    parameters: list[int]
    width: int
    origins: list[Origin | None]


class PrepareError(Exception):
    """The server does not take the statement: `sqlstate`, and why."""

    def __init__(self, sqlstate: str, reason: str) -> None:
        self.sqlstate = sqlstate
        super().__init__(f"{sqlstate} {reason}")


def prepare(conn: psycopg.Connection[Any], text: str) -> Prepared:
    """Prepare a statement with `$n` placeholders, without running it.

    Raises:
        PrepareError: the server refuses it.
    """
    trees: list[str] = []

    def keep(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.message_primary == "parse tree:":
            trees.append(diagnostic.message_detail or "")

    conn.execute("SET client_min_messages = log")
    conn.execute("SET debug_pretty_print = off")
    conn.execute("SET debug_print_parse = on")
    conn.add_notice_handler(keep)
    try:
        _check(conn.pgconn.prepare(b"", text.encode()))
    finally:
        conn.remove_notice_handler(keep)
    told = _check(conn.pgconn.describe_prepared(b""))
    parameters = [told.param_type(n) for n in range(told.nparams)]
    # Utility statements have no tree.
    origins = _origins(trees[-1]) if trees else []
    return Prepared(parameters, told.nfields, origins)


def _check(result: "pq.abc.PGresult") -> "pq.abc.PGresult":
    if result.status != pq.ExecStatus.COMMAND_OK:
        sqlstate = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
        reason = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b""
        raise PrepareError(sqlstate.decode(), reason.decode())
    return result


def _origins(text: str) -> list[Origin | None]:
    query = read(text)
    return [
        _origin(entry["expr"], [query]) for entry in _targets(query) if _is_shown(entry)
    ]


def _is_shown(entry: dict[str, Tree]) -> bool:
    return entry["resjunk"] != "true"


def _targets(query: dict[str, Tree]) -> list[dict[str, Tree]]:
    if query["setOperations"] != "<>":
        return []
    name = "targetList" if query["commandType"] == _SELECT else "returningList"
    return _nodes(query[name])


def _origin(  # noqa: PLR0911 - one return a kind of entry
    expression: Tree, scopes: list[dict[str, Tree]]
) -> Origin | None:
    """Follow a column to its table; None if it is more, or a join may make it NULL.

    `scopes` are the queries around it, the innermost last.
    """
    if not isinstance(expression, dict) or expression[""] != "VAR":
        return None
    if expression["varlevelsup"] != "0" or expression["varnullingrels"] != ["b"]:
        return None
    entry: dict[str, Any] = _nodes(scopes[-1]["rtable"])[
        _number(expression["varno"]) - 1
    ]
    number = _number(expression["varattno"])
    kind = entry["rtekind"]
    if kind == _TABLE:
        return _number(entry["relid"]), number
    if kind == _SUBQUERY:
        inner = cast("dict[str, Tree]", entry["subquery"])
        return _of_target(inner, number, [*scopes, inner])
    if kind == _CTE:
        return _of_cte(entry, number, scopes)
    if kind in (_JOIN, _GROUP):
        merged = entry["joinaliasvars" if kind == _JOIN else "groupexprs"]
        return _origin(merged[number - 1], scopes)
    return None


def _of_cte(
    entry: dict[str, Tree], number: int, scopes: list[dict[str, Tree]]
) -> Origin | None:
    up = _number(entry["ctelevelsup"])
    around = scopes[: len(scopes) - up]
    for cte in _nodes(around[-1]["cteList"]):
        if cte["ctename"] == entry["ctename"] and cte["cterecursive"] != "true":
            inner = cast("dict[str, Tree]", cte["ctequery"])
            return _of_target(inner, number, [*around, inner])
    return None


def _of_target(
    query: dict[str, Tree], number: int, scopes: list[dict[str, Tree]]
) -> Origin | None:
    for entry in _targets(query):
        if entry["resno"] == str(number):
            return _origin(entry["expr"], scopes)
    return None


def _nodes(tree: Tree) -> list[dict[str, Tree]]:
    return cast("list[dict[str, Tree]]", tree) if isinstance(tree, list) else []


def _number(tree: Tree) -> int:
    return int(cast("str", tree))


def read(text: str) -> dict[str, Tree]:
    """Read a node as PostgreSQL writes it: `{KIND :field value …}`."""
    reader = _Reader(_TOKEN.findall(text))
    return cast("dict[str, Tree]", reader.value())


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    place: int = field(default=0)

    def value(self) -> Tree:
        first = self._next()
        if first == "{":
            return self._node()
        if first in "([":
            return list(self._until(")" if first == "(" else "]"))
        return first

    def _node(self) -> dict[str, Tree]:
        node: dict[str, Tree] = {"": self._next()}
        while (name := self._next()) != "}":
            values: list[Tree] = []
            while not self.tokens[self.place].startswith((":", "}")):
                values.append(self.value())
            # A constant is its length and its bytes; all else is one value.
            node[name[1:]] = values[0] if len(values) == 1 else values
        return node

    def _until(self, end: str) -> Iterator[Tree]:
        while self.tokens[self.place] != end:
            yield self.value()
        self.place += 1

    def _next(self) -> str:
        token = self.tokens[self.place]
        self.place += 1
        return token
