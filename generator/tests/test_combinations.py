"""Options, directives and kinds of results together, as no other test has them."""

import itertools
import json
import random
from collections.abc import Generator
from contextlib import chdir
from pathlib import Path
from typing import Any

import psycopg
import pytest

from generator.tests import sqlc
from generator.tests.calls import call_functions
from generator.tests.combined import CHOICES, QUERIES, ROWS, SCHEMA, TITLES, Made
from generator.tools.corpus import static
from generator.tools.corpus.findings import Findings
from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg import plugin
from sqlc_gen_psycopg.problems import Problems


def _combinations() -> list[tuple[int, ...]]:
    """Return few combinations that have all pairs of choices."""
    drawn = random.Random(1)  # noqa: S311 - the same ones each time
    sizes = [len(of) for of in CHOICES]
    missing = {
        ((a, i), (b, j))
        for a, b in itertools.combinations(range(len(sizes)), 2)
        for i, j in itertools.product(range(sizes[a]), range(sizes[b]))
    }
    found: list[tuple[int, ...]] = []
    while missing:
        tried = [tuple(map(drawn.randrange, sizes)) for _ in range(300)]
        best = max(tried, key=lambda one: len(missing & _pairs(one)))
        missing -= _pairs(best)
        found.append(best)
    return found


def _pairs(chosen: tuple[int, ...]) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    return {*itertools.combinations(enumerate(chosen), 2)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a project that sqlc has read."""
    folder = tmp_path_factory.mktemp("combinations")
    sqlc.Project.write(folder, SCHEMA, QUERIES, "{}")
    (folder / "titles.py").write_text(TITLES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(folder: Path) -> list[Made]:
    """Give the packages of all combinations, in the folder."""
    found: list[Made] = []
    for number, chosen in enumerate(_combinations()):
        picked = [of[place] for of, place in zip(CHOICES, chosen, strict=True)]
        options: dict[str, Any] = dict(itertools.chain(*(p.items() for p in picked)))
        name = base = f"made_{number}"
        if "models_package" in options:
            base = options["models_package"] = f"base_{number}"
            own = {"omit_unused_models": False, "models_package": ""}
            _generate(folder, base, options | own)
        _generate(folder, name, options)
        found.append(Made(name, base, options))
    return found


def _generate(folder: Path, package: str, options: dict[str, Any]) -> None:
    [request] = sqlc.requests(folder)
    with chdir(folder):
        asked = request._replace(options=json.loads(json.dumps(options)))
        texts = plugin.generate(asked, Problems())
    for name, text in texts.items():
        file = folder / package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.mark.long
def test_all_pairs_of_options_are_typed_and_clean(
    folder: Path, made: list[Made]
) -> None:
    """Type checkers and ruff find nothing in any combination."""
    assert made
    found = Findings()
    static.check(folder, found)
    assert [*found.found] == []


@pytest.fixture(scope="module")
def template(postgres_server: Server) -> Generator[databases.Template]:
    """Give a database with the schema and a row of each table."""

    def fill(url: str) -> None:
        with psycopg.connect(url) as conn:
            conn.execute((SCHEMA + ROWS).encode())

    with databases.template(postgres_server.url, fill) as template:
        yield template


def test_all_pairs_of_options_do_as_annotated(
    folder: Path, made: list[Made], template: databases.Template
) -> None:
    """Each function gives what its annotation promises, and so does each method."""
    with template.clone() as url:
        assert sum(call_functions(folder, one, url) for one in made) > 40 * len(made)


def test_open_enums_are_open_in_arrays_and_json(
    folder: Path, made: list[Made], template: databases.Template
) -> None:
    """A label that is new keeps all promises wherever it comes."""
    opened = [one for one in made if "emit_open_enums" in one.options]
    with template.clone() as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("ALTER TYPE mood ADD VALUE 'glad'")
            conn.execute("UPDATE users SET moods = '{glad}'")
            conn.execute(
                "UPDATE shop.lines "
                "SET spots = ARRAY[('there', '{glad}', 'glad')]::spot[]"
            )
        assert sum(call_functions(folder, one, url) for one in opened) > 40 * len(
            opened
        )
