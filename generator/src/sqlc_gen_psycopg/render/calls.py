"""How the functions of either kind of connection are spelled."""

from typing import NamedTuple

from sqlc_gen_psycopg import commands
from sqlc_gen_psycopg.function import Function
from sqlc_gen_psycopg.pytypes import Import
from sqlc_gen_psycopg.render import layout, values
from sqlc_gen_psycopg.render.source import Source
from sqlc_gen_psycopg.rows import Field, Model, Row, Scalar, Value


class Face(NamedTuple):
    """The words that differ between kinds of connections."""

    connection: str
    prefix: str
    keyword: str
    wait: str
    fetched: str

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


SYNC = Face("Connection", "", "", "", "Callable[[], {}]")
ASYNC = Face(
    "AsyncConnection", "Async", "async ", "await ", "Callable[[], Awaitable[{}]]"
)


def signature(
    source: Source,
    face: Face,
    function: Function,
    name: str,
    returns: str,
    *more: str,
) -> list[str]:
    """Return a function's head; ``more`` are parameters of its own."""
    source.need_from("typing", "Any")
    source.need_from("psycopg", face.connection)
    items: list[layout.Doc] = [f"conn: {face.connection}[Any]"]
    given = [*_parameters(source, function), *more]
    if given:
        items += ["*", *given]
    head = layout.call(f"{face.define} {name}", *items, tail=f" -> {returns}:")
    return layout.lines(head, 0)


def _parameters(source: Source, function: Function) -> list[layout.Doc]:
    if commands.takes_rows(function.query):
        source.need_from("collections.abc", "Iterable")
        if function.arguments:
            return [layout.Annotated("rows", f"Iterable[{function.arguments.name}]")]
        [only] = [_parameter(source, p) for p in function.parameters]
        return [layout.Annotated("rows", f"Iterable[{only.annotation}]")]
    if function.arguments:
        return [layout.Annotated("arg", function.arguments.name)]
    return [_parameter(source, p) for p in function.parameters]


def _parameter(source: Source, parameter: Field) -> layout.Annotated:
    value = parameter.value
    assert isinstance(value, Value)  # noqa: S101 - parameters embed nothing
    source.need(*value.imports)
    if "Sequence[" in value.accepted:
        source.need_from("collections.abc", "Sequence")
    return layout.Annotated(parameter.name, value.accepted)


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
            return "Any"


def one_annotation(source: Source, function: Function) -> str:
    """Return the annotation of what `:one` gives."""
    result = result_annotation(source, function)
    if function.exactly_one or result.endswith(" | None"):
        return result
    return f"{result} | None"


def arguments(source: Source, function: Function) -> layout.Doc:
    """Return the tuple of what is sent."""
    where = ""
    if commands.takes_rows(function.query):
        where = "row." if function.arguments else "row"
    elif function.arguments:
        where = "arg."
    fields = list(function.parameters)
    if function.copy:
        fields = [fields[number - 1] for number in function.copy.order]
    named = [
        field._replace(name=f"{where}{field.name}" if where != "row" else where)
        for field in fields
    ]
    return layout.tuple_of(tuple(values.bound(source, field) for field in named))


def cursor(source: Source, face: Face, function: Function, factory: str) -> list[str]:
    """Return the lines that open a cursor."""
    source.need_from("psycopg", face.cursor)
    given = [f"row_factory={factory}"] if factory else []
    target = "cur"
    if factory == "scalar_row":
        source.need_from("psycopg.rows", "scalar_row")
        target = f"cur: {face.cursor}[{result_annotation(source, function)}]"
    opened = layout.call(f"{target} = {face.cursor}", "conn", *given)
    return [*layout.lines(opened, 4), *binary(source, function, 4)]


def binary(source: Source, function: Function, margin: int) -> list[str]:
    """Return the line that asks for results in binary, where the query does."""
    if not function.comment.binary:
        return []
    source.need_from("psycopg", "pq")
    return [f"{' ' * margin}cur.format = pq.Format.BINARY"]


def execute(source: Source, face: Face, function: Function) -> layout.Brackets:
    """Return the call that executes a query."""
    items: list[layout.Doc] = [function.constant]
    if function.parameters:
        items.append(arguments(source, function))
    return layout.call(f"{face.wait}cur.execute", *items)


_ONLY = '''\
_Row = TypeVar("_Row")


{define} _only(cur: {cursor}[_Row]) -> _Row:
    """Fetch the row of a query that gives exactly one."""
    rows = {wait}cur.fetchall()
    if not rows:
        raise NoDataFound("the query gave no row, where it must give exactly one")
    if len(rows) > 1:
        raise TooManyRows("the query gave several rows, where it must give exactly one")
    return rows[0]'''


def fetch_one(source: Source, face: Face, function: Function) -> str:
    """Return the expression that fetches the row of `:one`."""
    if not function.exactly_one:
        return f"{face.wait}cur.fetchone()"
    add_only(source, face)
    return f"{face.wait}_only(cur)"


def add_only(source: Source, face: Face) -> None:
    """Add the helper that fetches exactly one row."""
    source.need_from("typing", "TypeVar")
    source.need_from("psycopg.errors", "NoDataFound", "TooManyRows")
    source.help(_ONLY.format(define=face.define, cursor=face.cursor, wait=face.wait))
