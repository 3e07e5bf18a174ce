"""A database for each case, from its making to the last check."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg

from generator.tools.corpus import catalog, fill, packages, resolution
from generator.tools.corpus.arguments import Arguments
from generator.tools.corpus.fill import Sample
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.functions import Way
from generator.tools.corpus.generate import Generated
from generator.tools.corpus.literals import Drawer
from generator.tools.corpus.narrowness import Census
from generator.tools.corpus.run import Runner
from postgres_testing import databases

# No query of a case waits for anything longer than that.
_SETTINGS = "&options=-c%20statement_timeout%3D{timeout}"


def check(
    server_url: str, generated: Generated, found: Findings, *, with_values: bool = True
) -> None:
    """Compare a case's types, and run its functions, on a database of its own."""
    with _kept(generated, found), database(server_url) as url:
        if with_values:
            run(url, fill_database(url, generated, found), generated, found)
        else:
            apply_schema(url, generated, found)
            compare_types(url, generated, found)


@contextmanager
def _kept(generated: Generated, found: Findings) -> Generator[None]:
    """Go on after an error: hundreds of cases are still to come."""
    try:
        yield
    except Exception as error:
        found.add(Kind.BROKEN, generated.case.name, "", repr(error))


@contextmanager
def database(server_url: str, *, timeout: str = "2s") -> Generator[str]:
    """Make a database, give its URL, and drop it."""
    with databases.database(server_url) as url:
        yield url + _SETTINGS.format(timeout=timeout)


class Filled(NamedTuple):
    """What a case's database holds: whether its whole schema, and which rows."""

    is_whole: bool
    drawer: Drawer
    samples: list[Sample]


def apply_schema(url: str, generated: Generated, found: Findings) -> bool:
    """Apply a case's schema; tell whether all of it could be."""
    case = generated.case
    with psycopg.connect(url, autocommit=True) as conn:
        failed = fill.apply_schema(conn, case.schema_texts())
    for failure in failed:
        found.add(Kind.SCHEMA, case.name, "", failure)
    return not failed


def compare_types(url: str, generated: Generated, found: Findings) -> None:
    """Compare the types of parameters and columns with those that PREPARE says."""
    with psycopg.connect(url, autocommit=True) as conn:
        resolution.compare(conn, generated, found)


def fill_database(url: str, generated: Generated, found: Findings) -> Filled:
    """Apply a case's schema, and fill its tables."""
    case = generated.case
    is_whole = apply_schema(url, generated, found)
    # Another connection: a schema may set its session's search_path.
    with psycopg.connect(url, autocommit=True) as conn:
        sources = [*case.schema_texts(), *(query.text for query in generated.queries)]
        filler = fill.Filler.of(conn, case.name, sources)
        for reason in filler.fill():
            found.add(Kind.UNFILLED, case.name, "", reason)
        return Filled(is_whole, filler.drawer, filler.samples())


def run(url: str, filled: Filled, generated: Generated, found: Findings) -> None:
    """Run a package's functions on its database, which stays as it is."""
    with _kept(generated, found):
        compare_types(url, generated, found)
        package = packages.load(generated, found)
        arguments = Arguments(filled.drawer, package.names)
        runner = Runner(package, arguments, filled.samples, filled.is_whole, found)
        with psycopg.connect(url, autocommit=True) as conn:
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
