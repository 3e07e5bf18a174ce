"""Functions that take many rows of arguments at once: batches and COPY."""

from sqlc_gen_psycopg.function import Function
from sqlc_gen_psycopg.render import calls, layout
from sqlc_gen_psycopg.render.calls import Face
from sqlc_gen_psycopg.render.layout import Comprehension
from sqlc_gen_psycopg.render.source import Source, docstring


def add(source: Source, face: Face, function: Function, factory: str) -> None:
    """Add a query's function."""
    match function.query.command:
        case ":copyfrom":
            returns, body = "int", _copied(source, face, function)
        case ":batchexec":
            returns, body = "None", _executed(source, face, function)
        case _:
            returns, body = _fetched(source, face, function, factory)
    head = calls.signature(source, face, function, function.name, returns)
    source.add(function.name, [*head, *docstring(function.doc), *body])


def _executed(source: Source, face: Face, function: Function) -> list[str]:
    rows = Comprehension(calls.arguments(source, function), "for row in rows")
    executed = layout.call(f"{face.wait}cur.executemany", function.constant, rows)
    opened = calls.cursor(source, face, function, "")
    return [*opened, *layout.lines(executed, 4)]


def _fetched(
    source: Source, face: Face, function: Function, factory: str
) -> tuple[str, list[str]]:
    sent = calls.arguments(source, function)
    if function.query.command == ":batchone":
        fetched = calls.one_annotation(source, function)
        fetch = calls.fetch_one(source, face, function)
    else:
        fetched = f"list[{calls.result_annotation(source, function)}]"
        fetch = f"{face.wait}cur.fetchall()"
    rows = Comprehension(sent, "for row in rows", head="arguments = ")
    executed = layout.call(
        f"{face.wait}cur.executemany", function.constant, "arguments", "returning=True"
    )
    results = layout.Brackets("results: list[", (fetched,), "] = []")
    return f"list[{fetched}]", [
        *layout.lines(rows, 4),
        *calls.cursor(source, face, function, factory),
        *layout.lines(executed, 4),
        *layout.lines(results, 4),
        "    for _ in arguments:",
        f"        results.append({fetch})",
        "        cur.nextset()",
        "    return results",
    ]


def _copied(source: Source, face: Face, function: Function) -> list[str]:
    assert function.copy  # noqa: S101 - the command's own
    types = tuple(f'"{name}"' for name in function.copy.types)
    typed = layout.call("copy.set_types", layout.tuple_of(types))
    written = layout.call(
        f"{face.wait}copy.write_row", calls.arguments(source, function)
    )
    return [
        *calls.cursor(source, face, function, ""),
        f"    {face.keyword}with cur.copy({function.constant}) as copy:",
        *(layout.lines(typed, 8) if types else ()),
        "        for row in rows:",
        *layout.lines(written, 12),
        "    return cur.rowcount",
    ]
