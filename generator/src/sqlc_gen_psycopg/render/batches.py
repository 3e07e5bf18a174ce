"""Functions that take many rows of arguments at once: batches and COPY."""

from sqlc_gen_psycopg.ir.commands import Gives
from sqlc_gen_psycopg.ir.copy import Copy
from sqlc_gen_psycopg.naming.literals import quoted
from sqlc_gen_psycopg.render import calls, layout
from sqlc_gen_psycopg.render.calls import ConnectionKind
from sqlc_gen_psycopg.render.function_source import FunctionSource
from sqlc_gen_psycopg.render.layout import Comprehension
from sqlc_gen_psycopg.render.source import Source


def body(source: Source, kind: ConnectionKind, shared: FunctionSource) -> list[str]:
    """Return the lines of a query's function, its head aside."""
    command = shared.function.command
    if command.copies:
        return _copied(source, kind, shared)
    if command.gives is Gives.NOTHING:
        return _executed(source, kind, shared)
    return _fetched(source, kind, shared)


def _executed(
    source: Source, kind: ConnectionKind, shared: FunctionSource
) -> list[str]:
    rows = Comprehension(shared.sent, "for row in rows")
    constant = shared.function.constant
    executed = layout.call_lines(4, f"{kind.wait}cur.executemany", constant, rows)
    opened = calls.cursor(source, kind, shared, "")
    return [*opened, *executed]


def _fetched(source: Source, kind: ConnectionKind, shared: FunctionSource) -> list[str]:
    function = shared.function
    if function.command.gives is Gives.ONE:
        fetched = shared.one
        fetch = calls.fetch_one(source, kind, shared)
    else:
        fetched = f"list[{shared.row}]"
        fetch = f"{kind.wait}cur.fetchall()"
    rows = Comprehension(shared.sent, "for row in rows", head="arguments = ")
    executed = layout.call_lines(
        4,
        f"{kind.wait}cur.executemany",
        function.constant,
        "arguments",
        "returning=True",
    )
    results = layout.Brackets("results: list[", (fetched,), "] = []")
    return [
        *layout.lines(rows, 4),
        *calls.cursor(source, kind, shared, shared.factory),
        *executed,
        *layout.lines(results, 4),
        "    for _ in arguments:",
        f"        results.append({fetch})",
        "        cur.nextset()",
        "    return results",
    ]


def _copied(source: Source, kind: ConnectionKind, shared: FunctionSource) -> list[str]:
    function = shared.function
    assert function.copy  # noqa: S101 - the command's own
    types = tuple(f'"{name}"' for name in function.copy.types)
    typed = layout.call_lines(8, "copy.set_types", layout.tuple_of(types))
    zones = {"timestamp", "timestamptz"} & {*function.copy.types}
    written = layout.call_lines(
        16 if zones else 12, f"{kind.wait}copy.write_row", shared.sent
    )
    return [
        *calls.cursor(source, kind, shared, ""),
        f"    {kind.keyword}with cur.copy({function.constant}) as copy:",
        *(typed if types else ()),
        "        for row in rows:",
        *(_explained(source, function.copy, written) if zones else written),
        "    return cur.rowcount",
    ]


def _explained(source: Source, copy: Copy, written: list[str]) -> list[str]:
    """Name the columns where a datetime of the other kind makes psycopg fail.

    In binary it takes a datetime with a time zone for `timestamptz` only, and one
    without for `timestamp`.
    """
    source.need_from("psycopg", "DataError")
    wanted = [
        f"{column} takes datetimes {_ZONES[kind]} a time zone"
        for column, kind in zip(copy.columns, copy.types, strict=True)
        if kind in _ZONES
    ]
    raised = layout.call_lines(
        16, "raise DataError", quoted("; ".join(wanted)), tail=" from None"
    )
    return [
        "            try:",
        *written,
        "            except TypeError:",
        *raised,
    ]


_ZONES = {"timestamp": "without", "timestamptz": "with"}
