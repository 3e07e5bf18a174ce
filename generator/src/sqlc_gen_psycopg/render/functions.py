"""The query functions of one module, for either kind of connection."""

from sqlc_gen_psycopg import commands
from sqlc_gen_psycopg.render import calls, layout, masses
from sqlc_gen_psycopg.render.calls import ASYNC, SYNC, Face
from sqlc_gen_psycopg.render.parts import Parts
from sqlc_gen_psycopg.render.source import Source, docstring

__all__ = ["ASYNC", "SYNC", "Face", "add"]

_ROW_COUNT = '''\
{define} _row_count(cur: {cursor}[Any]) -> int:
    """Count the rows, of which a pipeline knows only after a fetch."""
    if cur.pgresult is None:
        try:
            {wait}cur.fetchone()
        except ProgrammingError:
            if cur.pgresult is None:
                raise
    return cur.rowcount'''


def add(source: Source, face: Face, parts: Parts) -> None:
    """Add a query's function and its twins, if there are any."""
    if commands.takes_rows(parts.function.query):
        masses.add(source, face, parts)
    else:
        _add_now(source, face, parts)
    if parts.function.comment.deferred:
        _add_deferred(source, face, parts)
    if parts.function.comment.stream:
        _add_stream(source, face, parts)


def _add_now(source: Source, face: Face, parts: Parts) -> None:
    function = parts.function
    body = _executed(source, face, parts)
    match function.query.command:
        case ":one":
            body.append(f"    return {calls.fetch_one(source, face, parts)}")
        case ":many":
            body.append(f"    return {face.wait}cur.fetchall()")
        case ":execrows":
            _add_row_count(source, face)
            body.append(f"    return {face.wait}_row_count(cur)")
        case ":execresult":
            body.append("    return cur")
        case _:
            pass
    head = calls.signature(face, parts, function.name, _returns(face, parts))
    source.add(function.name, [*head, *parts.doc, *body])


def _add_deferred(source: Source, face: Face, parts: Parts) -> None:
    source.need_from("collections.abc", "Callable")
    if face is ASYNC:
        source.need_from("collections.abc", "Awaitable")
    function = parts.function
    returns = face.fetched.format(_returns(face, parts))
    body = _executed(source, face, parts)
    if function.query.command == ":many":
        body.append("    return cur.fetchall")
    elif function.exactly_one:
        calls.add_only(source, face)
        body.append("    return lambda: _only(cur)")
    elif function.query.command == ":one":
        body.append("    return cur.fetchone")
    else:
        _add_row_count(source, face)
        body.append("    return lambda: _row_count(cur)")
    name = f"send_{function.name.strip('_')}"
    head = calls.signature(face, parts, name, returns)
    text = f"Queue `{function.name}` and return the function that fetches its result."
    source.add(name, [*head, *docstring(text), *body])


def _add_stream(source: Source, face: Face, parts: Parts) -> None:
    function = parts.function
    plain = function.name.strip("_")
    manager = f"{'async' if face is ASYNC else ''}contextmanager"
    generator = f"{face.prefix}Generator"
    source.need_from("contextlib", manager)
    source.need_from("collections.abc", generator)
    source.need_from("psycopg", face.server_cursor)
    source.need_from("uuid", "uuid4")
    rest = "None" if face is ASYNC else "None, None"
    returns = f"{generator}[{face.server_cursor}[{parts.row}], {rest}]"
    name = f"stream_{plain}"
    head = calls.signature(face, parts, name, returns, "fetch_size: int = 1000")
    text = f"Open `{function.name}` on the server, as a cursor of this transaction."
    if parts.factory == "scalar_row":
        source.need_from("psycopg.rows", "scalar_row")
    # A name of its own, so that a later cursor is never taken for this one.
    unique = f'f"{plain}_{{uuid4().hex}}"'
    opened = layout.call_lines(
        4,
        f"{face.keyword}with {face.server_cursor}",
        "conn",
        unique,
        f"row_factory={parts.factory}",
        tail=" as cur:",
    )
    body = [
        *opened,
        *calls.binary(source, parts, 8),
        "        cur.itersize = fetch_size",
        *calls.execute(face, parts, 8),
        "        yield cur",
    ]
    source.add(name, [f"@{manager}", *head, *docstring(text), *body])


def _returns(face: Face, parts: Parts) -> str:
    match parts.function.query.command:
        case ":one":
            return parts.one
        case ":many":
            return f"list[{parts.row}]"
        case ":execrows":
            return "int"
        case ":execresult":
            return f"{face.cursor}[{parts.row}]"
        case _:
            return "None"


def _executed(source: Source, face: Face, parts: Parts) -> list[str]:
    opened = calls.cursor(source, face, parts, parts.factory)
    return [*opened, *calls.execute(face, parts, 4)]


def _add_row_count(source: Source, face: Face) -> None:
    source.need_from("psycopg", "ProgrammingError")
    source.help(
        _ROW_COUNT.format(define=face.define, cursor=face.cursor, wait=face.wait)
    )
