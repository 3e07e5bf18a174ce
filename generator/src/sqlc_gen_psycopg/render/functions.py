"""The query functions of one module, for either kind of connection."""

from dataclasses import dataclass

from sqlc_gen_psycopg.pytypes import Import
from sqlc_gen_psycopg.queries import Function
from sqlc_gen_psycopg.render import layout, rows
from sqlc_gen_psycopg.render.source import Source, docstring
from sqlc_gen_psycopg.rows import Field, Model, Row, Scalar, Value

_FETCH = {":one": "fetchone", ":many": "fetchall"}


@dataclass(frozen=True, slots=True)
class Face:
    """How the functions of one kind of connection are spelled."""

    connection: str
    cursor: str
    define: str
    wait: str
    fetched: str


SYNC = Face("Connection", "RawCursor", "def", "", "Callable[[], {}]")
ASYNC = Face(
    "AsyncConnection",
    "AsyncRawCursor",
    "async def",
    "await ",
    "Callable[[], Awaitable[{}]]",
)

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


def add(source: Source, face: Face, function: Function, factory: str) -> None:
    """Add a query's function, and its deferred twin if there is one."""
    source.need_from("typing", "Any")
    source.need_from("psycopg", face.connection, face.cursor)
    for parameter in function.parameters:
        source.need(*parameter.value.imports)
    _add_now(source, face, function, factory)
    if function.comment.deferred:
        _add_deferred(source, face, function, factory)


def _add_now(source: Source, face: Face, function: Function, factory: str) -> None:
    returns = _returns(source, function)
    body = _executed(source, face, function, factory)
    command = function.query.command
    if command in _FETCH:
        body.append(f"    return {face.wait}cur.{_FETCH[command]}()")
    elif command == ":execrows":
        _add_row_count(source, face)
        body.append(f"    return {face.wait}_row_count(cur)")
    head = _signature(source, face, function, function.name, returns)
    source.add(function.name, [*head, *docstring(function.comment.text), *body])


def _add_deferred(source: Source, face: Face, function: Function, factory: str) -> None:
    source.need_from("collections.abc", "Callable")
    if face is ASYNC:
        source.need_from("collections.abc", "Awaitable")
    returns = face.fetched.format(_returns(source, function))
    body = _executed(source, face, function, factory)
    command = function.query.command
    if command in _FETCH:
        body.append(f"    return cur.{_FETCH[command]}")
    else:
        _add_row_count(source, face)
        body.append("    return lambda: _row_count(cur)")
    name = f"send_{function.name.strip('_')}"
    head = _signature(source, face, function, name, returns)
    text = f"Queue `{function.name}` and return the function that fetches its result."
    source.add(name, [*head, *docstring(text), *body])


def _signature(
    source: Source, face: Face, function: Function, name: str, returns: str
) -> list[str]:
    items: list[layout.Doc] = [f"conn: {face.connection}[Any]"]
    if function.parameters:
        items += ["*", *(_parameter(source, p) for p in function.parameters)]
    head = layout.call(f"{face.define} {name}", *items, tail=f" -> {returns}:")
    return layout.lines(head, 0)


def _parameter(source: Source, parameter: Field) -> layout.Doc:
    value = parameter.value
    assert isinstance(value, Value)  # noqa: S101 - parameters embed nothing
    if "Sequence[" in value.accepted:
        source.need_from("collections.abc", "Sequence")
    return layout.Annotated(parameter.name, value.accepted)


def _returns(source: Source, function: Function) -> str:
    command = function.query.command
    if command == ":exec":
        return "None"
    if command == ":execrows":
        return "int"
    result = result_annotation(source, function)
    if command == ":many":
        return f"list[{result}]"
    return result if result.endswith(" | None") else f"{result} | None"


def result_annotation(source: Source, function: Function) -> str:
    """Return the annotation of one row."""
    match function.result:
        case Model() as model:
            source.need(Import("@", "models"))
            return f"models.{model.name}"
        case Row() as row:
            return row.name
        case Scalar() as scalar:
            source.need(*scalar.value.imports)
            return scalar.value.annotation
        case None:
            return "None"


def _executed(
    source: Source, face: Face, function: Function, factory: str
) -> list[str]:
    items: list[layout.Doc] = [function.constant]
    if function.parameters:
        sent = tuple(rows.bound(source, p) for p in function.parameters)
        items.append(layout.tuple_of(sent))
    if factory:
        cursor = layout.call(face.cursor, "conn", f"row_factory={factory}")
    else:
        cursor = layout.call(face.cursor, "conn")
    target = "cur"
    if factory == "scalar_row":
        source.need_from("psycopg.rows", "scalar_row")
        target = f"cur: {face.cursor}[{result_annotation(source, function)}]"
    opened = layout.Brackets(f"{target} = {cursor.head}", cursor.items, cursor.tail)
    executed = layout.call(f"{face.wait}cur.execute", *items)
    return [*layout.lines(opened, 4), *layout.lines(executed, 4)]


def _add_row_count(source: Source, face: Face) -> None:
    source.need_from("psycopg", "ProgrammingError")
    source.help(
        _ROW_COUNT.format(define=face.define, cursor=face.cursor, wait=face.wait)
    )
