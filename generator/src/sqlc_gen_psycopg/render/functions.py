"""The query functions of one module, for either kind of connection."""

from sqlc_gen_psycopg.ir.commands import Gives
from sqlc_gen_psycopg.render import batches, calls, layout
from sqlc_gen_psycopg.render.calls import ASYNC, SYNC, ConnectionKind
from sqlc_gen_psycopg.render.function_source import FunctionSource
from sqlc_gen_psycopg.render.source import Source, docstring

__all__ = ["ASYNC", "SYNC", "ConnectionKind", "add"]


def add(source: Source, kind: ConnectionKind, shared: FunctionSource) -> None:
    """Add a query's function, and its deferred and streamed ones, if there are any."""
    if shared.function.command.takes_rows:
        batches.add(source, kind, shared)
    else:
        _add_now(source, kind, shared)
    if shared.function.is_deferred:
        _add_deferred(source, kind, shared)
    if shared.function.is_streamed:
        _add_stream(source, kind, shared)


def _add_now(source: Source, kind: ConnectionKind, shared: FunctionSource) -> None:
    function = shared.function
    body = _executed(source, kind, shared)
    match function.command.gives:
        case Gives.ONE:
            body.append(f"    return {calls.fetch_one(source, kind, shared)}")
        case Gives.MANY:
            body.append(f"    return {kind.wait}cur.fetchall()")
        case Gives.COUNT:
            body.append(f"    return {kind.wait}{calls.row_count(source, kind)}")
        case Gives.CURSOR:
            body.append("    return cur")
        case _:
            pass
    head = calls.signature(kind, shared, function.name, _returns(kind, shared))
    source.add(function.name, [*head, *shared.doc, *body])


def _add_deferred(source: Source, kind: ConnectionKind, shared: FunctionSource) -> None:
    source.need_from("collections.abc", "Callable")
    if kind is ASYNC:
        source.need_from("collections.abc", "Awaitable")
    function = shared.function
    returns = kind.fetched.format(_returns(kind, shared))
    body = _executed(source, kind, shared)
    if function.command.gives is Gives.MANY:
        body.append("    return cur.fetchall")
    elif function.exactly_one:
        body.append(f"    return lambda: {calls.only(source, kind)}")
    elif function.command.gives is Gives.ONE:
        body.append("    return cur.fetchone")
    else:
        body.append(f"    return lambda: {calls.row_count(source, kind)}")
    name = f"send_{function.name.strip('_')}"
    head = calls.signature(kind, shared, name, returns)
    text = f"Queue `{function.name}` and return the function that fetches its result."
    source.add(name, [*head, *docstring(text), *body])


def _add_stream(source: Source, kind: ConnectionKind, shared: FunctionSource) -> None:
    function = shared.function
    plain = function.name.strip("_")
    manager = f"{'async' if kind is ASYNC else ''}contextmanager"
    generator = f"{kind.prefix}Generator"
    source.need_from("contextlib", manager)
    source.need_from("collections.abc", generator)
    source.need_from("psycopg", kind.server_cursor)
    source.need_from("uuid", "uuid4")
    rest = "None" if kind is ASYNC else "None, None"
    returns = f"{generator}[{kind.server_cursor}[{shared.row}], {rest}]"
    name = f"stream_{plain}"
    head = calls.signature(kind, shared, name, returns, "fetch_size: int = 1000")
    text = f"Open `{function.name}` on the server, as a cursor of this transaction."
    if shared.factory == "scalar_row":
        source.need_from("psycopg.rows", "scalar_row")
    # A name of its own, so that a later cursor is never taken for this one.
    unique = f'f"{plain}_{{uuid4().hex}}"'
    opened = layout.call_lines(
        4,
        f"{kind.keyword}with {kind.server_cursor}",
        "conn",
        unique,
        f"row_factory={shared.factory}",
        tail=" as cur:",
    )
    body = [
        *opened,
        *calls.binary(source, shared, 8),
        "        cur.itersize = fetch_size",
        *calls.execute(kind, shared, 8),
        "        yield cur",
    ]
    source.add(name, [f"@{manager}", *head, *docstring(text), *body])


def _returns(kind: ConnectionKind, shared: FunctionSource) -> str:
    match shared.function.command.gives:
        case Gives.ONE:
            return shared.one
        case Gives.MANY:
            return f"list[{shared.row}]"
        case Gives.COUNT:
            return "int"
        case Gives.CURSOR:
            return f"{kind.cursor}[{shared.row}]"
        case _:
            return "None"


def _executed(
    source: Source, kind: ConnectionKind, shared: FunctionSource
) -> list[str]:
    opened = calls.cursor(source, kind, shared, shared.factory)
    return [*opened, *calls.execute(kind, shared, 4)]
