"""From query files to the modules of their functions, some files at a time."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from sqlc_gen_psycopg import names, queryfiles
from sqlc_gen_psycopg.function import Function
from sqlc_gen_psycopg.problems import Problem, Problems
from sqlc_gen_psycopg.queries import Resolver
from sqlc_gen_psycopg.queryfiles import Written
from sqlc_gen_psycopg.render import modules
from sqlc_gen_psycopg.render.modules import Module, Shared
from sqlc_gen_psycopg.render.output import Output
from sqlc_gen_psycopg.request import Name, Query, Request

# Modules of the output that a query file may not be called after.
_TAKEN = frozenset({"models", "enums", "json_types", "server_types", "aio", "__init__"})


class QueryFile(NamedTuple):
    """A file's queries, and the module that they are to be in.

    ``label`` is the file's name as the module has it in its first line.
    """

    module: str
    label: str
    queries: list[tuple[Query, Written | None]]


# A function is as much work as so many characters of its query's text.
_FUNCTION = 300


def work(file: QueryFile) -> int:
    """Return about how much work a file is, in characters of SQL."""
    return sum(_FUNCTION + len(query.text) for query, _ in file.queries)


class Translation(NamedTuple):
    """What query files became, and what the other files must therefore have.

    ``models`` are the tables whose models are used, ``learned`` the types that
    connections must learn; there are no ``texts`` where there are ``problems``.
    """

    texts: dict[str, str]
    shared: Shared
    models: set[Name]
    learned: list[Name]
    problems: list[Problem]


def files(request: Request) -> list[QueryFile]:
    """Return the query files in sqlc's order."""
    written = queryfiles.read(request)
    by_file: dict[Path, list[tuple[Query, Written | None]]] = {}
    for query in request.queries:
        source = written.get((query.filename, query.name))
        # sqlc passes the file's base name only, which another folder may have, too.
        file = source.file if source else Path(query.filename)
        by_file.setdefault(file, []).append((query, source))
    labels = _labels(sorted(by_file))
    spelled = [
        names.snake(label.removesuffix(".sql"), _TAKEN) for label in labels.values()
    ]
    modules_ = dict(zip(labels, names.distinct(spelled), strict=True))
    return [QueryFile(modules_[f], labels[f], by_file[f]) for f in by_file]


def _labels(files: list[Path]) -> dict[Path, str]:
    """Return the names of files, with their folders' where several have one name."""
    shared = Counter(file.name for file in files)
    return {
        file: f"{file.parent.name}/{file.name}" if shared[file.name] > 1 else file.name
        for file in files
    }


def translate(
    files: list[QueryFile], resolver: Resolver, output: Output
) -> Translation:
    """Resolve the files' queries and, if that was without a problem, write them."""
    problems = resolver.problems
    resolved = [
        Module(
            file.module,
            file.label,
            tuple(resolver.function(query, written) for query, written in file.queries),
        )
        for file in files
    ]
    for module in resolved:
        _check_distinct(module.functions, problems)
    texts, shared = modules.write(output, [] if problems.found else resolved)
    return Translation(
        texts,
        shared,
        {*resolver.results.models.used_names},
        [*resolver.types.learned],
        [*problems.found],
    )


def _check_distinct(functions: tuple[Function, ...], problems: Problems) -> None:
    seen: dict[str, str] = {}
    for function in functions:
        made = [function.name]
        if function.comment.deferred:
            made.append(f"send_{function.name}")
        if function.comment.stream:
            made.append(f"stream_{function.name}")
        for name in made:
            if name in seen:
                problems.add(
                    function.query.where,
                    f"its function {name!r} is also made by {seen[name]}",
                    "rename one of the two queries",
                )
            seen[name] = function.query.name
