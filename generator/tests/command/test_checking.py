"""`check` finds each way in which a server is otherwise than the schema files say."""

import contextlib
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from generator.tests.command.differences import CUSTOMERS, LIES, ORDERS, SCHEMA
from generator.tests.command_line import contents, run
from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.command import config, connecting, requests
from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.requests import Part


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "queries").mkdir()
    files = {
        "sqlc.yaml": CONFIG,
        "schema.sql": SCHEMA,
        "queries/customers.sql": CUSTOMERS,
        "queries/orders.sql": ORDERS,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


CONFIG = """\
version: "2"
plugins:
  - name: psycopg
    process: {cmd: sqlc-gen-psycopg, format: json}
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries
    codegen:
      - {plugin: psycopg, out: app/db}
      - {plugin: psycopg, out: app/more, options: {emit_async: false}}
"""


@pytest.fixture(scope="module")
def parts(folder: Path) -> list[Part]:
    """Give what sqlc asks for the project."""
    with contextlib.chdir(folder):
        return requests.read(config.read(Path("sqlc.yaml")))


@pytest.fixture(scope="module")
def template(postgres_server: Server) -> Generator[databases.Template]:
    """Give a database with the project's schema."""
    with databases.template(
        postgres_server.url, lambda url: _execute(url, SCHEMA)
    ) as made:
        yield made


def _execute(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in text.split(";") if "'SELECT" not in text else [text]:
            conn.execute(statement.encode())


def _found(folder: Path, parts: list[Part], url: str) -> list[str]:
    with contextlib.chdir(folder):
        return [str(found) for found in connecting.check(url, parts).findings]


def test_a_matching_server_is_as_annotated(
    folder: Path, template: databases.Template
) -> None:
    """The real command counts what it compared, and writes nothing anywhere."""
    before = contents(folder)
    with template.clone() as url:
        ran = run("check", folder=folder, DATABASE_URL=url)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout == "26 queries, 14 parameters, 60 columns: as annotated\n"
    assert contents(folder) == before


@pytest.mark.parametrize("lie", LIES)
def test_each_difference_is_found(
    lie: str, folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """File, query, place, what was generated, what the server has, and a remedy."""
    done, expected = LIES[lie]
    with template.clone() as url:
        _execute(url, done)
        found = _found(folder, parts, url)
    told = "\n".join(found)
    for place, ours, theirs in expected:
        assert f".sql: {place}: {ours}, but the server {theirs}; migrate" in told
    for finding in found:
        assert finding.startswith("queries/")
        assert finding.endswith("correct the schema files and generate again")
    assert len(found) == len({*found})


def test_open_enums_may_lack_labels(
    folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """Labels that the server has more are no finding, in JSON neither; fewer are."""
    options = {"emit_open_enums": True}
    opened = [p._replace(request=p.request._replace(options=options)) for p in parts]
    with template.clone() as url:
        _execute(url, "ALTER TYPE mood ADD VALUE 'glad'")
        assert _found(folder, opened, url) == []
        _execute(url, "ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'")
        assert any("has mood of 'quiet'" in one for one in _found(folder, opened, url))


def test_findings_end_with_1(folder: Path, template: databases.Template) -> None:
    """The real command prints each, and how many there are."""
    with template.clone() as url:
        _execute(url, "DROP TABLE visits")
        ran = run("check", url, folder=folder)
    *found, last = ran.stdout.splitlines()
    assert (ran.returncode, len(found)) == (1, 1)
    assert last == "26 queries, 14 parameters, 60 columns: 1 not as annotated"


def test_the_right_to_read_is_enough(
    folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """A role that may SELECT alone checks all queries, those that write as well."""
    with template.clone() as url:
        _execute(
            url,
            "CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        )
        try:
            assert _found(folder, parts, f"{url}&options=-c%20role%3Dreader") == []
        finally:
            _execute(url, "DROP OWNED BY reader; DROP ROLE reader")


def test_another_search_path_is_followed(
    folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """What the schema files leave unqualified is where the server looks for it."""
    with template.clone() as url:
        _execute(url, "ALTER SCHEMA public RENAME TO shop; CREATE SCHEMA public")
        there = f"{url}&options=-c%20search_path%3Dshop"
        assert _found(folder, parts, there) == []
        _execute(url, "ALTER TABLE shop.orders ALTER placed DROP NOT NULL")
        found = _found(folder, parts, there)
    assert [one.split(":")[1].strip() for one in found] == ["list_orders", "list_due"]


UNREADABLE = (
    "postgresql://me:geh@eim@localhost/x",
    "postgresql//me:geheim@localhost/x",
)


@pytest.mark.parametrize(
    "url", ["", *UNREADABLE, "postgresql://me:geheim@localhost:1/x"]
)
def test_a_server_that_cannot_be_asked(url: str, parts: list[Part]) -> None:
    """One sentence says so, without the password."""
    with pytest.raises(CannotRunError) as raised:
        connecting.check(url, parts)
    assert "\n" not in str(raised.value)
    assert "eim" not in str(raised.value)
