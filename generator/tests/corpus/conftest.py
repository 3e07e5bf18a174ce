"""Packages of two cases, and what is found where flaws are put into them."""

import contextlib
import copy
import dataclasses
import shutil
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from generator.tests.corpus.cases import BULK, QUERIES, Flawed, generated_of
from generator.tools.corpus import databases
from generator.tools.corpus.findings import Findings
from generator.tools.corpus.generate import Generated
from postgres_testing.embedded import Server


class Original(NamedTuple):
    """A case's package without a flaw, and a database that its tables are filled in."""

    generated: Generated
    url: str
    filled: databases.Filled
    found: Findings


@pytest.fixture(scope="module")
def originals(
    postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Generator[dict[str, Original]]:
    """Give the packages of the two cases that flaws are put into."""
    with contextlib.ExitStack() as stack:
        made: dict[str, Original] = {}
        # The names are the seeds: with these each flaw is met in a few runs.
        for name, queries in (("shelf", QUERIES), ("crate", BULK)):
            generated = generated_of(tmp_path_factory.mktemp(name), queries)
            url = stack.enter_context(databases.database(postgres_server.url))
            found = Findings()
            filled = databases.fill_database(url, generated, found)
            made[queries] = Original(generated, url, filled, found)
        yield made


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Generated]:
    """Give a maker of a small case's package; its name is the test's own."""

    def made_of(queries: str) -> Generated:
        made = generated_of(tmp_path, queries)
        monkeypatch.setattr(sys, "path", [str(made.package.parent), *sys.path])
        return made

    return made_of


@pytest.fixture
def found_with(
    originals: dict[str, Original], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Flawed:
    """Give a function that runs a package in which texts are replaced by others."""

    def run(
        *changes: tuple[str, str], queries: str = QUERIES, file: str = "query.py"
    ) -> Findings:
        original = originals[queries]
        package = tmp_path / f"flawed_{tmp_path.name}"
        shutil.copytree(original.generated.package, package)
        generated = dataclasses.replace(original.generated, package=package)
        module = package / file
        text = module.read_text()
        for right, wrong in changes:
            assert right in text
            text = text.replace(right, wrong)
        module.write_text(text)
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        found = copy.deepcopy(original.found)
        # Each test draws the same.
        filled = copy.deepcopy(original.filled)
        databases.run(original.url, filled, generated, found)
        return found

    return run
