"""Functions that take many rows of arguments at once: batches and COPY."""

from sqlc_gen_psycopg.render import calls, layout
from sqlc_gen_psycopg.render.calls import Face
from sqlc_gen_psycopg.render.layout import Comprehension
from sqlc_gen_psycopg.render.parts import Parts
from sqlc_gen_psycopg.render.source import Source


def add(source: Source, face: Face, parts: Parts) -> None:
    """Add a query's function."""
    function = parts.function
    match function.query.command:
        case ":copyfrom":
            returns, body = "int", _copied(source, face, parts)
        case ":batchexec":
            returns, body = "None", _executed(source, face, parts)
        case _:
            returns, body = _fetched(source, face, parts)
    head = calls.signature(face, parts, function.name, returns)
    source.add(function.name, [*head, *parts.doc, *body])


def _executed(source: Source, face: Face, parts: Parts) -> list[str]:
    rows = Comprehension(parts.sent, "for row in rows")
    constant = parts.function.constant
    executed = layout.call_lines(4, f"{face.wait}cur.executemany", constant, rows)
    opened = calls.cursor(source, face, parts, "")
    return [*opened, *executed]


def _fetched(source: Source, face: Face, parts: Parts) -> tuple[str, list[str]]:
    function = parts.function
    if function.query.command == ":batchone":
        fetched = parts.one
        fetch = calls.fetch_one(source, face, parts)
    else:
        fetched = f"list[{parts.row}]"
        fetch = f"{face.wait}cur.fetchall()"
    rows = Comprehension(parts.sent, "for row in rows", head="arguments = ")
    executed = layout.call_lines(
        4,
        f"{face.wait}cur.executemany",
        function.constant,
        "arguments",
        "returning=True",
    )
    results = layout.Brackets("results: list[", (fetched,), "] = []")
    return f"list[{fetched}]", [
        *layout.lines(rows, 4),
        *calls.cursor(source, face, parts, parts.factory),
        *executed,
        *layout.lines(results, 4),
        "    for _ in arguments:",
        f"        results.append({fetch})",
        "        cur.nextset()",
        "    return results",
    ]


def _copied(source: Source, face: Face, parts: Parts) -> list[str]:
    function = parts.function
    assert function.copy  # noqa: S101 - the command's own
    types = tuple(f'"{name}"' for name in function.copy.types)
    typed = layout.call_lines(8, "copy.set_types", layout.tuple_of(types))
    written = layout.call_lines(12, f"{face.wait}copy.write_row", parts.sent)
    return [
        *calls.cursor(source, face, parts, ""),
        f"    {face.keyword}with cur.copy({function.constant}) as copy:",
        *(typed if types else ()),
        "        for row in rows:",
        *written,
        "    return cur.rowcount",
    ]
