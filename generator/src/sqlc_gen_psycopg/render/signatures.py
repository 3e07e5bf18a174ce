"""What the functions of a query are called, take and give."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.commands import Gives
from sqlc_gen_psycopg.ir.python_types import Import
from sqlc_gen_psycopg.render import layout
from sqlc_gen_psycopg.render.calls import ASYNC, ConnectionKind
from sqlc_gen_psycopg.render.function_source import FunctionSource
from sqlc_gen_psycopg.render.layout import Doc


class Signature(NamedTuple):
    """A function's signature, its connection aside, and its docstring.

    ``names`` are those of its parameters, ``imports`` what ``returns`` needs besides
    what the query's function does. What opens a context is no coroutine.
    """

    name: str
    parameters: list[Doc]
    names: list[str]
    returns: str
    doc: str
    imports: tuple[Import, ...] = ()
    opens_context: bool = False

    def head(self, indent: int, define: str, first: str, end: str = ":") -> list[str]:
        """Return the function's head; ``first`` is its positional parameter."""
        items: list[Doc] = [first]
        if self.parameters:
            items += ["*", *self.parameters]
        tail = f" -> {self.returns}{end}"
        lines = layout.call_lines(indent, f"{define} {self.name}", *items, tail=tail)
        return layout.head(lines, end)


def now(kind: ConnectionKind, shared: FunctionSource) -> Signature:
    """Return the signature of a query's function."""
    function, returns = shared.function, _returns(kind, shared)
    given = (shared.parameters, shared.names)
    gives_cursor = function.command.gives is Gives.CURSOR
    imports = (Import("psycopg", kind.cursor),) if gives_cursor else ()
    return Signature(function.name, *given, returns, shared.doc, imports)


def deferred(kind: ConnectionKind, shared: FunctionSource) -> Signature:
    """Return the signature of the function that queues a query."""
    imports = [Import("collections.abc", "Callable")]
    if kind is ASYNC:
        imports.append(Import("collections.abc", "Awaitable"))
    name = shared.function.name
    return Signature(
        f"send_{name.strip('_')}",
        shared.parameters,
        shared.names,
        kind.fetched.format(_returns(kind, shared)),
        f"Queue `{name}` and return the function that fetches its result.",
        tuple(imports),
    )


def streamed(
    kind: ConnectionKind, shared: FunctionSource, returns: str, *imports: Import
) -> Signature:
    """Return the signature of what opens a query on the server.

    ``returns`` is a format, of the cursor that it gives.
    """
    name = shared.function.name
    return Signature(
        f"stream_{name.strip('_')}",
        [*shared.parameters, "fetch_size: int = 1000"],
        [*shared.names, "fetch_size"],
        returns.format(f"{kind.server_cursor}[{shared.row}]"),
        f"Open `{name}` on the server, as a cursor of this transaction.",
        (Import("psycopg", kind.server_cursor), *imports),
        opens_context=True,
    )


def _returns(kind: ConnectionKind, shared: FunctionSource) -> str:
    command = shared.function.command
    match command.gives:
        case Gives.ONE:
            each = shared.one
        case Gives.MANY:
            each = f"list[{shared.row}]"
        case Gives.COUNT:
            return "int"
        case Gives.CURSOR:
            return f"{kind.cursor}[{shared.row}]"
        case Gives.NOTHING:
            return "None"
    return f"list[{each}]" if command.takes_rows else each
