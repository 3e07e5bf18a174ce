"""The query functions of one module, for either kind of connection."""

from sqlc_gen_psycopg.ir.commands import Gives
from sqlc_gen_psycopg.ir.python_types import Import
from sqlc_gen_psycopg.render import batches, calls, layout, signatures
from sqlc_gen_psycopg.render.calls import ASYNC, ConnectionKind
from sqlc_gen_psycopg.render.function_source import FunctionSource
from sqlc_gen_psycopg.render.signatures import Signature
from sqlc_gen_psycopg.render.source import Source, docstring


def add(source: Source, kind: ConnectionKind, shared: FunctionSource) -> None:
    """Add a query's function, and its deferred and streamed ones, if there are any."""
    made = batches.body if shared.function.command.takes_rows else _body
    _add(source, kind, signatures.now(kind, shared), made(source, kind, shared))
    if shared.function.is_deferred:
        _add_deferred(source, kind, shared)
    if shared.function.is_streamed:
        _add_stream(source, kind, shared)


def _body(source: Source, kind: ConnectionKind, shared: FunctionSource) -> list[str]:
    body = _executed(source, kind, shared)
    match shared.function.command.gives:
        case Gives.ONE:
            body.append(f"    return {calls.fetch_one(source, kind, shared)}")
        case Gives.MANY:
            body.append(f"    return {kind.wait}cur.fetchall()")
        case Gives.COUNT:
            body.append(f"    return {kind.wait}{calls.row_count(source, kind)}")
        case Gives.CURSOR:
            body.append("    return cur")
        case Gives.NOTHING:
            pass
    return body


def _add_deferred(source: Source, kind: ConnectionKind, shared: FunctionSource) -> None:
    function = shared.function
    body = _executed(source, kind, shared)
    if function.command.gives is Gives.MANY:
        body.append("    return cur.fetchall")
    elif function.exactly_one:
        body.append(f"    return lambda: {calls.only(source, kind)}")
    elif function.command.gives is Gives.ONE:
        body.append("    return cur.fetchone")
    else:
        body.append(f"    return lambda: {calls.row_count(source, kind)}")
    _add(source, kind, signatures.deferred(kind, shared), body)


def _add_stream(source: Source, kind: ConnectionKind, shared: FunctionSource) -> None:
    function = shared.function
    manager = f"{'async' if kind is ASYNC else ''}contextmanager"
    generator = f"{kind.prefix}Generator"
    source.need_from("contextlib", manager)
    source.need_from("uuid", "uuid4")
    returns = f"{generator}[{{}}, {'None' if kind is ASYNC else 'None, None'}]"
    needed = Import("collections.abc", generator)
    signature = signatures.streamed(kind, shared, returns, needed)
    if shared.factory == "scalar_row":
        source.need_from("psycopg.rows", "scalar_row")
    # A name of its own, so that a later cursor is never taken for this one.
    unique = f'f"{function.name.strip("_")}_{{uuid4().hex}}"'
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
    _add(source, kind, signature, body, f"@{manager}")


def _add(
    source: Source,
    kind: ConnectionKind,
    signature: Signature,
    body: list[str],
    *decorators: str,
) -> None:
    source.need(*signature.imports)
    head = signature.head(0, kind.define, f"conn: {kind.connection}[Any]")
    source.add(signature.name, [*decorators, *head, *docstring(signature.doc), *body])


def _executed(
    source: Source, kind: ConnectionKind, shared: FunctionSource
) -> list[str]:
    opened = calls.cursor(source, kind, shared, shared.factory)
    if shared.function.is_unnested and shared.function.arguments:
        # They are gone through once for each parameter.
        opened.insert(0, "    rows = [*rows]")
    return [*opened, *calls.execute(kind, shared, 4)]
