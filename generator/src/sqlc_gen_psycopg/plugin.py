"""From a request of sqlc's to the files of the output."""

import base64
import json
from collections import Counter
from pathlib import Path

from sqlc_gen_psycopg import (
    names,
    options,
    problems,
    queryfiles,
    request,
    tables,
    typemap,
)
from sqlc_gen_psycopg.ddl import files
from sqlc_gen_psycopg.function import Function
from sqlc_gen_psycopg.inference.analyst import Analyst
from sqlc_gen_psycopg.queries import Resolver
from sqlc_gen_psycopg.render.package import Module, Package

# Modules of the output that a query file may not be called after.
_TAKEN = frozenset({"models", "enums", "json_types", "server_types", "aio", "__init__"})


def answer(data: bytes) -> bytes:
    """Answer sqlc's request: the files, as JSON with base64 contents.

    Raises:
        RefusedError: something cannot be generated correctly.
    """
    texts = generate(request.read(data))
    encoded = [_encoded(name, text) for name, text in sorted(texts.items())]
    return b'{"files": [' + b", ".join(encoded) + b"]}"


def _encoded(name: str, text: str) -> bytes:
    # base64 has nothing to escape, which json.dumps would look for.
    contents = base64.b64encode(text.encode())
    return b'{"name": %s, "contents": "%s"}' % (json.dumps(name).encode(), contents)


def generate(asked: request.Request) -> dict[str, str]:
    """Return the text of each file of the output.

    Raises:
        RefusedError: something cannot be generated correctly.
    """
    found = problems.Problems()
    _check_engine(asked, found)
    known = files.read(asked.schema_paths, asked.default_schema, found)
    is_readable = not found.found
    chosen = options.read(asked.options, found)
    if not is_readable:
        # What queries then seem to lack is not their own fault.
        found.raise_if_any()
    types = typemap.Types(asked, known, chosen, found)
    analyst = Analyst(asked.tables, known)
    models = tables.Models(asked, analyst, types, chosen, found)
    modules = _modules(asked, Resolver(analyst, types, models, chosen, found), found)
    used = models.used() if chosen.omit_unused_models else models.all()
    found.raise_if_any()
    return Package(
        asked.sqlc_version,
        chosen,
        modules,
        tuple(used),
        tuple(types.enums.values()),
        types.learned_types,
    ).files()


def _check_engine(asked: request.Request, found: problems.Problems) -> None:
    if asked.engine != "postgresql":
        found.add(
            "sqlc.yaml: engine",
            f"{asked.engine!r} is not PostgreSQL",
            "use another plugin: psycopg speaks to PostgreSQL only",
        )


def _modules(
    asked: request.Request, resolver: Resolver, found: problems.Problems
) -> tuple[Module, ...]:
    written = queryfiles.read(asked)
    by_file: dict[Path, list[Function]] = {}
    for query in asked.queries:
        source = written.get((query.filename, query.name))
        function = resolver.function(query, source)
        # sqlc passes the file's base name only, which another folder may have, too.
        file = source.file if source else Path(query.filename)
        by_file.setdefault(file, []).append(function)
    for file, functions in by_file.items():
        _check_distinct(file.name, functions, found)
    files = sorted(by_file)
    labels = _labels(files)
    spelled = [names.snake(label.removesuffix(".sql"), _TAKEN) for label in labels]
    return tuple(
        Module(name, label, tuple(by_file[file]))
        for name, label, file in zip(
            names.distinct(spelled), labels, files, strict=True
        )
    )


def _labels(files: list[Path]) -> list[str]:
    """Return the names of files, with their folders' where several have one name."""
    shared = Counter(file.name for file in files)
    return [
        f"{file.parent.name}/{file.name}" if shared[file.name] > 1 else file.name
        for file in files
    ]


def _check_distinct(
    filename: str, functions: list[Function], found: problems.Problems
) -> None:
    seen: dict[str, str] = {}
    for function in functions:
        made = [function.name]
        if function.comment.deferred:
            made.append(f"send_{function.name}")
        if function.comment.stream:
            made.append(f"stream_{function.name}")
        for name in made:
            if name in seen:
                found.add(
                    f"{filename}: {function.query.name}",
                    f"its function {name!r} is also made by {seen[name]}",
                    "rename one of the two queries",
                )
            seen[name] = function.query.name
