"""The module of what generated functions share: checks of numbers, and fetches."""

from sqlc_gen_psycopg.ir.settings import Settings
from sqlc_gen_psycopg.render.calls import ASYNC, SYNC, ConnectionKind
from sqlc_gen_psycopg.render.source import Source

_RANGES = {
    "int2": ("Int2", "-(2**15)", "2**15"),
    "int4": ("Int4", "-(2**31)", "2**31"),
    "int8": ("Int8", "-(2**63)", "2**63"),
    "oid": ("Oid", "0", "2**32"),
}
_CHECKED_INTEGER = '''\
def checked_{name}(value: object) -> int:
    """Refuse what does not fit: psycopg would send its low bits."""
    if isinstance(value, int) and type(value) is not bool and {least} <= value < {end}:
        return value
    raise NumericValueOutOfRange("{name} takes an int from {least} to {end} - 1")'''
_INTEGER = '''\
def {name}(value: object) -> {wrapper}:
    """Say the type of what fits: psycopg would choose one by the value."""
    return {wrapper}(checked_{name}(value))'''
_ARRAY_READER = '''\
def array_reader(
    cursor: AdaptContext, element: str
) -> Callable[[list[Any] | str], list[Any]]:
    """Read arrays of a type that the connection does not know: they come as text."""
    adapter = Transformer.from_context(cursor)
    oid = cursor.adapters.types[element].array_oid
    load = adapter.get_loader(oid, pq.Format.TEXT).load

    def read(value: list[Any] | str) -> list[Any]:
        if isinstance(value, list):
            return value
        elements: list[Any] = load(value.encode(adapter.encoding))
        return elements

    return read'''
_ONLY = '''\
{define} {only}(cur: {cursor}[Row]) -> Row:
    """Fetch the row of a query that gives exactly one."""
    rows = {wait}cur.fetchall()
    if not rows:
        raise NoDataFound("the query gave no row, where it must give exactly one")
    if len(rows) > 1:
        raise TooManyRows("the query gave several rows, where it must give exactly one")
    return rows[0]'''
_ROW_COUNT = '''\
{define} {row_count}(cur: {cursor}[Any]) -> int:
    """Count the rows, of which a pipeline knows only after a fetch."""
    if cur.pgresult is None:
        try:
            {wait}cur.fetchone()
        except ProgrammingError:
            if cur.pgresult is None:
                raise
    return cur.rowcount'''
_IMPORTS = {
    "collections.abc": ("Callable",),
    "typing": ("Any", "TypeVar"),
    "psycopg": ("ProgrammingError", "pq"),
    "psycopg.abc": ("AdaptContext",),
    "psycopg.adapt": ("Transformer",),
    "psycopg.errors": ("NoDataFound", "NumericValueOutOfRange", "TooManyRows"),
    "psycopg.types.numeric": ("Int2", "Int4", "Int8", "Oid"),
}


def add(source: Source, settings: Settings) -> None:
    """Add all of it, for the kinds of connections that there are functions for."""
    source.need_all(_IMPORTS)
    for name, (wrapper, least, end) in _RANGES.items():
        checked = _CHECKED_INTEGER.format(name=name, least=least, end=end)
        source.add(f"checked_{name}", [checked])
        source.add(name, [_INTEGER.format(name=name, wrapper=wrapper)])
    source.add("array_reader", [_ARRAY_READER])
    source.blocks.append('Row = TypeVar("Row")')
    if settings.emit_sync:
        _add_fetches(source, SYNC)
    if settings.emit_async:
        _add_fetches(source, ASYNC)


def _add_fetches(source: Source, kind: ConnectionKind) -> None:
    source.need_from("psycopg", kind.cursor)
    words = kind._asdict() | {"define": kind.define, "cursor": kind.cursor}
    source.add(kind.only, [_ONLY.format(**words)])
    source.add(kind.row_count, [_ROW_COUNT.format(**words)])
