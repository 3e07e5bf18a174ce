"""A database for each case, from its making to the last check."""

from typing import Any

import psycopg
from psycopg import sql

from devserver import databases
from generator.tools.corpus import catalog, fill, packages
from generator.tools.corpus.arguments import Arguments
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.functions import Way
from generator.tools.corpus.generate import Generated
from generator.tools.corpus.narrowness import Census
from generator.tools.corpus.run import Runner

# No query of a case waits for anything longer than that.
_SETTINGS = "&options=-c%20statement_timeout%3D2s"


def check(server_url: str, generated: Generated, found: Findings) -> None:
    """Run a package's functions on a database of its own, filled with rows."""
    name = sql.Identifier(generated.case.name[:63])
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        try:
            url = databases.url_of(server_url, generated.case.name[:63])
            _check(url + _SETTINGS, generated, found)
        except Exception as error:
            # Hundreds of cases are still to come; the report will say so.
            found.add(Kind.BROKEN, generated.case.name, "", repr(error))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _check(url: str, generated: Generated, found: Findings) -> None:
    case = generated.case
    texts = case.schema_texts()
    with psycopg.connect(url, autocommit=True) as conn:
        failed = fill.apply_schema(conn, texts)
    for failure in failed:
        found.add(Kind.SCHEMA, case.name, "", failure)
    # Another connection: a schema may set its session's search_path.
    with psycopg.connect(url, autocommit=True) as conn:
        sources = [*texts, *(query.text for query in generated.queries)]
        filler = fill.Filler.of(conn, case.name, sources)
        for reason in filler.fill():
            found.add(Kind.UNFILLED, case.name, "", reason)
        package = packages.load(generated, found)
        arguments = Arguments(filler.drawer, package.names)
        runner = Runner(package, arguments, filler.samples(), not failed, found)
        runner.prepare(conn)
        _narrowness(conn, runner, found)
    runner.run(url)


def _narrowness(conn: psycopg.Connection[Any], runner: Runner, found: Findings) -> None:
    package = runner.package
    case = package.generated.case.name
    census = Census(case, catalog.not_null(conn), package.names, found)
    for function in package.functions:
        if function.way is Way.NOW and not function.is_async:
            census.take(function, runner.prepared.get(function.query))
