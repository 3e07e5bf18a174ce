"""What docs/deploying.md shows: a wheel, installed where there is nothing else."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from store_testing.schema import MIGRATIONS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/deploying.md").read_text()
OPENS = """\
from store import Settings, Store
with Store(Settings.load()) as store:
    store.ping()
"""


def workflow() -> dict[str, Any]:
    """Give the jobs that the page shows."""
    [text] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return jobs


def commands(job: str) -> list[str]:
    """Give what a job runs."""
    return [step["run"] for step in workflow()[job]["steps"] if "run" in step]


def deploy(
    folder: Path, url: str, environment: Path, *, installs: bool
) -> list[tuple[str, int]]:
    """Run the deployment until a step fails; give the steps with their exit codes."""
    done: list[tuple[str, int]] = []
    for command in commands("deploy"):
        if done and done[-1][1]:
            break
        if command.startswith("pip ") and not installs:
            continue
        code = subprocess.call(
            ["bash", "-ec", "true" if command == "./deploy" else command],
            cwd=folder,
            env={
                "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
                "DATABASE_URL": url,
                "DATABASE_URL_DIRECT": url,
            },
        )
        done.append((command, code))
    return done


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with dist/ in it, as the job before the deployment leaves it."""
    assert workflow()["deploy"]["needs"] == "test"
    *checks, build = commands("test")
    assert checks == ["make test"]
    folder = tmp_path_factory.mktemp("deployment")
    built = [*build.split(), f"DIST={folder / 'dist'}"]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an environment with pip alone in it."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    return environment


def said(environment: Path, *command: str, url: str = "") -> tuple[int, str]:
    """Run the installed command away from any checkout; give code and all it said."""
    done = subprocess.run(
        [environment / "bin" / command[0], *command[1:]],
        cwd=environment,
        env={"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_wheel_has_the_migrations(dist: Path) -> None:
    """Each file and the journal are in it, byte by byte."""
    [wheel] = (dist / "dist").glob("*.whl")
    files = [path for path in MIGRATIONS.rglob("*") if path.is_file()]
    assert len(files) > 10
    with zipfile.ZipFile(wheel) as archive:
        for path in files:
            place = f"store/db/migrations/{path.relative_to(MIGRATIONS)}"
            assert archive.read(place) == path.read_bytes()


def test_the_deployment_stops_where_it_cannot_migrate(database_url: str) -> None:
    """A database that is not as the files say stops the deployment."""
    with psycopg.connect(database_url) as conn:
        conn.execute("INSERT INTO schema_migrations VALUES ('0000')")
    done = deploy(ROOT, database_url, Path(sys.prefix), installs=False)
    assert done == [("store migrate up", 2)]


@pytest.mark.long
def test_the_recipe_works_in_an_empty_environment(
    dist: Path, bare: Path, missing: str
) -> None:
    """The wheel alone migrates an empty server, and the store opens on it.

    What needs more says so in one sentence, a binary that is gone, too.
    """
    steps = [(command, 0) for command in commands("deploy")]
    assert deploy(dist, missing, bare, installs=True) == steps
    code, version = said(bare, "store", "--version")
    assert (code, version) == (0, "chat-commerce-store 0.1.0\n")
    assert said(bare, "python", "-c", OPENS, url=missing) == (0, "")
    for command in (
        *("schema dump", "migrate draft x", "migrate verify", "migrate new x"),
        "studio --no-open",
    ):
        code, text = said(bare, "store", *command.split(), url=missing)
        assert (code, text.count("\n")) == (2, 1), text
    (bare / "bin/dbmate").unlink()
    code, text = said(bare, "store", "migrate", "rollback", url=missing)
    assert (code, text.count("\n")) == (2, 1), text
    assert "chat-commerce-store[migrate]" in text


@pytest.mark.parametrize("arguments", [[], ["migrate"], ["migrate", "up"]])
def test_help_shows_no_colours_where_none_are_wanted(arguments: list[str]) -> None:
    """With NO_COLOR no word has an escape sequence, on any terminal."""
    helped = subprocess.run(
        [Path(sys.prefix, "bin/store"), *arguments, "--help"],
        env={"NO_COLOR": "1", "TERM": "xterm-256color", "FORCE_COLOR": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage: store" in helped.stdout
    assert "\x1b" not in helped.stdout


def test_completions_know_the_words() -> None:
    """What completes in bash is a script that bash reads, with the commands in it."""
    script = subprocess.run(
        [Path(sys.prefix, "bin/store"), "completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "--allow-pooler" in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
