"""What CONTRIBUTING.md and docs/keys.md say to do is done here, word for word."""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psycopg
import pytest
from pydantic import SecretStr

from postgres_testing.embedded import Server
from store import errors
from store_testing import chains, factories
from tests.support import stores

ROOT = Path(__file__).parents[2]
RECIPES = (ROOT / "CONTRIBUTING.md").read_text()
COPIED = (
    *("benchmarks", "db", "docs", "examples"),
    *("generator", "src", "tests", "tools"),
)
FILES = ("Makefile", "conftest.py", "pyproject.toml", "requirements.lock", "sqlc.yaml")

TITLES = (
    "Add a column",
    "Change the schema otherwise",
    "Add a query",
    "Add a use case",
)

# Each block with the text before it, whose last path is where the block goes.
_STEP = re.compile(
    r"(?P<text>(?:(?!^ *```)[^\n]*\n)*)"
    r"^(?P<indent> *)```(?P<kind>\w+)\n(?P<block>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+)`")


class Project:
    """A copy of this project that recipes are carried out in."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        for name in COPIED:
            ignored = shutil.ignore_patterns("__pycache__", "golden", ".cache")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in FILES:
            shutil.copy(ROOT / name, folder)
        (folder / ".venv").symlink_to(sys.prefix)
        url = {"TEST_DATABASE_URL": server.url, "PYTHONPATH": str(folder / "src")}
        self._environment = {
            **os.environ,
            **url,
            "MAKEFLAGS": "READY= DEMO_READY=",  # what it has is set up
        }

    def follow(self, title: str) -> None:
        """Do what a section says."""
        _, _, section = RECIPES.partition(f"## {title}\n")
        section, *_ = section.split("\n## ")
        steps = list(_STEP.finditer(section))
        assert len(steps) == len(re.findall(r"^ *```\w", section, re.MULTILINE)) > 0
        path = Path()
        for step in steps:
            if named := _PATH.findall(step["text"]):
                path = self.folder / named[-1]
            block = re.sub(rf"^{step['indent']}", "", step["block"], flags=re.MULTILINE)
            self._do(step["kind"], block, path)

    def _do(self, kind: str, block: str, path: Path) -> None:
        if kind == "sh":
            self.run(block)
        elif kind == "diff":
            path.write_text(changed(path.read_text(), block))
        elif kind == "python" or block.startswith("-- migrate:up"):
            path.write_text(block)
        else:
            path.write_text(f"{path.read_text()}\n{block}")

    def run(self, commands: str) -> None:
        """Run commands; each has to end well."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}{done.stdout}{done.stderr}"


def changed(text: str, diff: str) -> str:
    """Change a text by a diff without line numbers, whose hunks fit one place each."""
    at = 0
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before, at) == 1, before
        start = text.index(before, at)
        text = text[:start] + after + text[start + len(before) :]
        at = start + len(after)
    return text


@pytest.mark.long
def test_the_recipes_work(tmp_path: Path, postgres_server: Server) -> None:
    """One after the other the recipes work, and nothing drifts in the end.

    The use case is about the column.
    """
    project = Project(tmp_path / "project", postgres_server)
    for title in TITLES:
        project.follow(title)
    project.run("make drift migrate-check lint")


def test_every_recipe_is_followed() -> None:
    """A section that shows something to do is among those above, or done elsewhere."""
    sections = re.split(r"^## ", RECIPES, flags=re.MULTILINE)[1:]
    shown = {one.splitlines()[0] for one in sections if "```" in one}
    elsewhere = {"Run one test", "Change the documents"}  # below, and by .ci/run
    assert shown - elsewhere == {*TITLES}


def test_one_test_can_be_run() -> None:
    """The commands that run one file, or some tests of it, find what they run."""
    _, _, section = RECIPES.partition("## Run one test\n")
    section, *_ = section.split("\n## ")
    commands = re.findall(r"^\.venv/bin/python (.+?)(?: #|$)", section, re.MULTILINE)
    assert len(commands) > 3
    for command in commands:
        collects = [sys.executable, *shlex.split(command), "--collect-only"]
        subprocess.run(collects, cwd=ROOT, check=True, capture_output=True)


class Shell:
    """A shell that is told one line after the other."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:  # which closes its input, and waits
            pass

    def run(self, line: str) -> str:
        """Run a line, which has to end well; give the ring as it is then."""
        writing, reading = self._process.stdin, self._process.stdout
        assert writing
        assert reading
        end = 'echo "$? $WALLET_ENCRYPTION_KEYS"'
        print(f"{{ {line}\n}} >&2; {end}", file=writing, flush=True)
        code, ring = reading.readline().split()
        assert code == "0", line
        return ring


def test_wallet_keys_are_changed_as_is_written(
    database_url: str, conn: psycopg.Connection
) -> None:
    """After each step of docs/keys.md the ring, and the one before, do for all keys.

    A process may have either. In the end the first ring is of no use.
    """
    section = (ROOT / "docs/keys.md").read_text().partition("## Change the key")[2]
    lines = section.split("```sh\n")[1].partition("```")[0].splitlines()
    assert len(lines) == 7
    users = [factories.add_user(conn) for _ in range(2)]
    rings = ["0f" * 32] * 2
    made = itertools.count()

    def write_by_each_and_read_by_all() -> None:
        with ExitStack() as stack:
            opened = [
                stack.enter_context(
                    stores.opened(database_url, wallet_encryption_keys=ring)
                )
                for ring in rings[-2:]
            ]
            for user, writer in zip(users, opened, strict=True):
                key = chains.sui_private_key(next(made).to_bytes(32))
                writer.set_sui_private_key(user, SecretStr(key))
            for user, reader in itertools.product(users, opened):
                assert reader.get_sui_private_key(user)

    with Shell(
        PATH=f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}",
        MAKEFLAGS="READY=",
        DATABASE_URL=database_url,
        WALLET_ENCRYPTION_KEYS=rings[0],
    ) as shell:
        for line in lines:
            # Between 2. and 3. old keys are there to be encrypted anew.
            ring = shell.run(line)
            if ring != rings[-1]:
                rings.append(ring)
                write_by_each_and_read_by_all()
    assert len(rings) == 5
    with (
        stores.opened(database_url, wallet_encryption_keys=rings[0]) as before,
        pytest.raises(errors.Undecryptable),
    ):
        before.get_sui_private_key(users[0])
