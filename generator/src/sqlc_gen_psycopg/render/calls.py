"""How the functions of either kind of connection are spelled."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.python_types import SUPPORT
from sqlc_gen_psycopg.render import layout
from sqlc_gen_psycopg.render.function_source import FunctionSource
from sqlc_gen_psycopg.render.source import Source


class ConnectionKind(NamedTuple):
    """The words that differ between kinds of connections."""

    connection: str
    prefix: str
    keyword: str
    wait: str
    fetched: str
    only: str
    row_count: str
    folder: str

    @property
    def define(self) -> str:
        """The start of a function."""
        return f"{self.keyword}def"

    @property
    def cursor(self) -> str:
        """The cursor's class."""
        return f"{self.prefix}RawCursor"

    @property
    def server_cursor(self) -> str:
        """The class of a cursor that the server keeps."""
        return f"{self.prefix}RawServerCursor"


SYNC = ConnectionKind(
    "Connection", "", "", "", "Callable[[], {}]", "only", "row_count", ""
)
ASYNC = ConnectionKind(
    "AsyncConnection",
    "Async",
    "async ",
    "await ",
    "Callable[[], Awaitable[{}]]",
    "only_async",
    "row_count_async",
    "aio/",
)


def cursor(
    source: Source, kind: ConnectionKind, shared: FunctionSource, factory: str
) -> list[str]:
    """Return the lines that open a cursor."""
    given = [f"row_factory={factory}"] if factory else []
    target = "cur"
    if factory == "scalar_row":
        source.need_from("psycopg.rows", "scalar_row")
        target = f"cur: {kind.cursor}[{shared.row}]"
    opened = layout.call_lines(4, f"{target} = {kind.cursor}", "conn", *given)
    if len(opened[0]) > layout.WIDTH and len(f"    {target} = (") <= layout.WIDTH:
        made = layout.call_lines(8, kind.cursor, "conn", *given)
        opened = [f"    {target} = (", *made, "    )"]
    elif len(opened[0]) > layout.WIDTH:
        opened[:1] = layout.bracketed(f"    {target}", f" = {kind.cursor}(")
    return [*opened, *binary(source, shared, 4)]


def binary(source: Source, shared: FunctionSource, margin: int) -> list[str]:
    """Return the line that asks for results in binary, where the query does."""
    if not shared.function.is_binary:
        return []
    source.need_from("psycopg", "pq")
    return [f"{' ' * margin}cur.format = pq.Format.BINARY"]


def execute(kind: ConnectionKind, shared: FunctionSource, indent: int) -> list[str]:
    """Return the lines that execute a query."""
    items: list[layout.Doc] = [shared.function.constant]
    if shared.function.parameters:
        items.append(shared.sent)
    return layout.call_lines(indent, f"{kind.wait}cur.execute", *items)


def fetch_one(source: Source, kind: ConnectionKind, shared: FunctionSource) -> str:
    """Return the expression that fetches the row of `:one`."""
    if not shared.function.exactly_one:
        return f"{kind.wait}cur.fetchone()"
    return f"{kind.wait}{only(source, kind)}"


def only(source: Source, kind: ConnectionKind) -> str:
    """Return the expression that fetches exactly one row."""
    source.need(SUPPORT)
    return f"support.{kind.only}(cur)"


def row_count(source: Source, kind: ConnectionKind) -> str:
    """Return the expression that counts the rows."""
    source.need(SUPPORT)
    return f"support.{kind.row_count}(cur)"
