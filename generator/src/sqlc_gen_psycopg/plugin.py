"""From a request of sqlc's to the files of the output."""

import base64
import json
from functools import partial

from sqlc_gen_psycopg import (
    options,
    parallel,
    problems,
    request,
    tables,
    translation,
    typemap,
)
from sqlc_gen_psycopg.ddl import files
from sqlc_gen_psycopg.inference.analyst import Analyst
from sqlc_gen_psycopg.queries import Resolver
from sqlc_gen_psycopg.render.modules import Shared
from sqlc_gen_psycopg.render.output import Output
from sqlc_gen_psycopg.render.package import Package
from sqlc_gen_psycopg.results import Results
from sqlc_gen_psycopg.translation import Translation

# In characters of SQL: less is done before another process could start on it.
_WORTH_A_PROCESS = 100_000


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
    results = Results(types, models, chosen, found)
    resolver = Resolver(analyst, types, results, chosen, found)
    output = Output(asked.sqlc_version, chosen)
    translated = parallel.spread(
        partial(translation.translate, resolver=resolver, output=output),
        translation.files(asked),
        translation.work,
        _WORTH_A_PROCESS,
    )
    return _whole(translated, resolver, output)


def _check_engine(asked: request.Request, found: problems.Problems) -> None:
    if asked.engine != "postgresql":
        found.add(
            "sqlc.yaml: engine",
            f"{asked.engine!r} is not PostgreSQL",
            "use another plugin: psycopg speaks to PostgreSQL only",
        )


def _whole(
    translated: list[Translation], resolver: Resolver, output: Output
) -> dict[str, str]:
    """Put the modules of all query files together, and add what they share."""
    texts: dict[str, str] = {}
    shared = Shared(set(), set(), set())
    _, types, (_, models, *_), chosen, found = resolver
    for part in translated:
        texts |= part.texts
        shared.add(part.shared)
        # A part may come from another process, of which nothing else is known here.
        for problem in part.problems:
            found.add(*problem)
        for table in part.models:
            models.get(table)
        for name in part.learned:
            types.of_name(name)
    used = models.used() if chosen.omit_unused_models else models.all()
    found.raise_if_any()
    enums = [*types.enums.values()]
    learned = [*types.learned.values()]
    return texts | Package(output, used, enums, learned).files(shared)
