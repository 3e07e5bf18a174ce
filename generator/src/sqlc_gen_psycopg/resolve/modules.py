"""From query files to the modules of their functions."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from sqlc_gen_psycopg.ir.function import Function
from sqlc_gen_psycopg.ir.module import Module
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.resolve import shared_rows
from sqlc_gen_psycopg.resolve.queries import Resolver
from sqlc_gen_psycopg.sql import query_files
from sqlc_gen_psycopg.sql.query_files import Written
from sqlc_gen_psycopg.sqlc.options import Options
from sqlc_gen_psycopg.sqlc.request import Query, Request

# Modules of the output that a query file may not be called after.
_TAKEN = frozenset(
    {"models", "enums", "json_types", "server_types", "support", "aio", "__init__"}
)


class QueryFile(NamedTuple):
    """A file's queries, and the module that they are to be in.

    ``label`` is the file's name as the module has it in its first line.
    """

    module: str
    label: str
    queries: list[tuple[Query, Written | None]]


def files(request: Request, options: Options) -> list[QueryFile]:
    """Return the query files in sqlc's order."""
    taken = _TAKEN | {"querier"} if options.emit_querier else _TAKEN
    written = query_files.read(request)
    by_file: dict[Path, list[tuple[Query, Written | None]]] = {}
    for query in request.queries:
        source = written.get((query.filename, query.name))
        # sqlc passes the file's base name only, which another folder may have, too.
        file = source.file if source else Path(query.filename)
        by_file.setdefault(file, []).append((query, source))
    labels = _labels(sorted(by_file))
    spelled = [
        identifiers.snake(label.removesuffix(".sql"), taken)
        for label in labels.values()
    ]
    modules_ = dict(zip(labels, identifiers.distinct(spelled), strict=True))
    return [QueryFile(modules_[f], labels[f], by_file[f]) for f in by_file]


def _labels(files: list[Path]) -> dict[Path, str]:
    """Return the names of files, with their folders' where several have one name."""
    shared = Counter(file.name for file in files)
    return {
        file: f"{file.parent.name}/{file.name}" if shared[file.name] > 1 else file.name
        for file in files
    }


def resolve(files: list[QueryFile], resolver: Resolver) -> list[Module]:
    """Resolve the files' queries; what cannot be is a problem."""
    resolved = [Module(f.module, f.label, _functions(f, resolver)) for f in files]
    seen: dict[str, str] = {}
    for module in resolved:
        # One class has the functions of all modules.
        seen = seen if resolver.options.emit_querier else {}
        _check_distinct(module.functions, seen, resolver.problems)
    return resolved


def _functions(file: QueryFile, resolver: Resolver) -> tuple[Function, ...]:
    found = tuple(resolver.function(query, written) for query, written in file.queries)
    all_equal = resolver.options.emit_shared_rows
    return shared_rows.resolve(found, resolver.problems, all_equal=all_equal)


def _check_distinct(
    functions: tuple[Function, ...], seen: dict[str, str], problems: Problems
) -> None:
    """Note the functions that others are called like; ``seen`` says where they are."""
    for function in functions:
        made = [function.name]
        if function.is_deferred:
            made.append(f"send_{function.name}")
        if function.is_streamed:
            made.append(f"stream_{function.name}")
        for name in made:
            if name in seen:
                problems.add(
                    function.where,
                    f"its function {name!r} is also made by {seen[name]}",
                    "rename one of the two queries",
                )
            seen[name] = function.where
