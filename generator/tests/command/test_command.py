"""The command, as people run it: what it writes, tells and refuses."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from generator.tests import command_line, sqlc
from generator.tests.command.project import CONFIG, DROP, GET, SCHEMA
from generator.tests.command_line import contents, run
from sqlc_gen_psycopg import __version__


def test_it_tells_its_version(tmp_path: Path) -> None:
    """The version is the distribution's."""
    ran = run("--version", folder=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, f"sqlc-gen-psycopg {__version__}\n")


def test_it_does_not_wait_for_a_person(tmp_path: Path) -> None:
    """At a terminal, or with nothing on stdin, it says that sqlc is to call it."""
    _, terminal = pty.openpty()
    at_terminal = subprocess.run(
        [command_line.COMMAND],
        cwd=tmp_path,
        stdin=terminal,
        capture_output=True,
        text=True,
        check=False,
    )
    for ran in (at_terminal, run(folder=tmp_path)):
        assert ran.returncode == 2
        [line] = ran.stderr.splitlines()
        assert "run `sqlc-gen-psycopg generate`" in line


def test_sqlc_does_not_wait_for_it() -> None:
    """What sqlc starts imports nothing of the command's."""
    listed = "import sys, sqlc_gen_psycopg.__main__; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", listed], capture_output=True, text=True, check=True
    )
    roots = {name.removeprefix("sqlc_gen_psycopg.") for name in ran.stdout.split()}
    assert "plugin" in roots
    assert not roots & {"command", "yaml", "argparse", "psycopg", "subprocess"}


def test_a_begun_project_generates(tmp_path: Path) -> None:
    """What `init` writes is right as it is, and a second `init` writes nothing."""
    assert run("init", "shop", folder=tmp_path).returncode == 0
    folder = tmp_path / "shop"
    ran = run("generate", folder=folder)
    assert (ran.returncode, ran.stderr) == (0, "")
    before = contents(tmp_path)
    again = run("init", folder=folder)
    assert (again.returncode, again.stdout) == (2, "")
    assert "has sqlc.yaml, schema.sql, queries already, so nothing was" in again.stderr
    assert contents(tmp_path) == before


def test_a_project_is_begun_on_migrations(tmp_path: Path) -> None:
    """Where there are migrations, they are the schema."""
    migrations = tmp_path / "db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "1_items.sql").write_text(SCHEMA)
    assert run("init", folder=tmp_path).returncode == 0
    assert not (tmp_path / "schema.sql").exists()
    (tmp_path / "queries/items.sql").write_text(GET)
    assert "wrote app/db/items.py" in run("generate", folder=tmp_path).stdout


@pytest.mark.parametrize("name", ["sqlc.json", "queries", "schema.sql"])
def test_nothing_is_written_over(name: str, tmp_path: Path) -> None:
    """`init` says what is there, and writes no file at all."""
    (tmp_path / name).write_text("mine")
    ran = run("init", folder=tmp_path)
    assert ran.returncode == 2
    assert f"has {name} already, so nothing was written" in ran.stderr
    assert contents(tmp_path) == {name: b"mine"}


def test_a_skipped_query_is_told(folder: Path) -> None:
    """It has no function, whatever is wrong with it; the reason is told."""
    broken = "-- name: broken :execlastid\n-- @skip no such thing\n-- @streem\nDELETE"
    (folder / "queries/items.sql").write_text(f"{GET}\n{broken} FROM items;")
    ran = run("generate", folder=folder)
    assert ran.returncode == 0
    assert ran.stderr == "queries/items.sql: broken: skipped: no such thing\n"
    assert "broken" not in (folder / "app/db/items.py").read_text()
    assert "def get(" in (folder / "app/db/items.py").read_text()


def test_a_skip_needs_a_reason(folder: Path) -> None:
    """Without one it is a problem like others."""
    skipped = GET.replace(":one\n", ":one\n-- @skip\n")
    (folder / "queries/items.sql").write_text(skipped)
    ran = run("generate", folder=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "items.sql: get: @skip without a reason; write it behind" in ran.stderr


def test_it_writes_what_sqlc_would(folder: Path) -> None:
    """Several entries, lists of paths, other plugins: ours are as sqlc makes them."""
    ran = run("generate", folder=folder)
    assert (ran.returncode, ran.stderr) == (0, "")
    made = contents(folder / "app")
    assert {"db/drops.py", "db/aio/items.py", "db/inner/steps.py"} <= made.keys()
    assert not (folder / "elsewhere").exists()
    assert not (folder / "go").exists()
    raw = yaml.safe_load(CONFIG)
    raw["plugins"].pop()
    raw["sql"].pop()
    raw["sql"][0]["codegen"].pop(0)
    (folder / "sqlc.yaml").write_text(yaml.safe_dump(raw))
    sqlc.generate(folder)
    assert contents(folder / "app") == made


def test_it_reads_json_and_other_names(folder: Path) -> None:
    """A sqlc.json is found, and with --file any file, from any folder."""
    expected = run("generate", folder=folder).stdout
    shutil.rmtree(folder / "app")
    (folder / "sqlc.yaml").unlink()
    (folder / "sqlc.json").write_text(json.dumps(yaml.safe_load(CONFIG)))
    assert run("generate", folder=folder).stdout == expected
    (folder / "sqlc.json").rename(folder / "other.json")
    shutil.rmtree(folder / "app")
    ran = run("generate", "--file", "project/other.json", folder=folder.parent)
    assert ran.stdout == expected


def test_it_writes_what_changed_only(folder: Path) -> None:
    """A file that would be the same is not touched."""
    run("generate", folder=folder)
    before = {path: path.stat().st_ino for path in folder.rglob("*.py")}
    (folder / "queries/more/drops.sql").write_text(DROP.replace("drop_all", "clear"))
    ran = run("generate", folder=folder)
    assert ran.stdout.splitlines()[:2] == [
        "wrote app/db/aio/drops.py",
        "wrote app/db/drops.py",
    ]
    touched = {p.name for p in folder.rglob("*.py") if p.stat().st_ino != before[p]}
    assert touched == {"drops.py"}


def test_it_removes_what_it_made_and_nothing_else(folder: Path) -> None:
    """A module whose queries are gone goes; a person's file beside it stays."""
    run("generate", folder=folder)
    own = folder / "app/db/drops_of_mine.py"
    own.write_text("# Code generated by nobody.\n")
    deep = folder / "app/db/other/models.py"
    deep.parent.mkdir()
    shutil.copy(folder / "app/db/models.py", deep)
    (folder / "queries/more/drops.sql").unlink()
    ran = run("generate", folder=folder)
    assert "removed app/db/drops.py\n" in ran.stdout
    assert not (folder / "app/db/aio/drops.py").exists()
    assert own.exists()
    assert deep.exists()
    assert (folder / "app/db/inner/steps.py").exists()


BROKEN = {
    "SQL": ("queries/items.sql", "-- name: get :one\nSELEC 1;"),
    "a refusal": ("queries/inner/steps.sql", "-- name: a :one\nSELECT FROM items;"),
    "YAML": ("sqlc.yaml", "version: ["),
    "a file in the way": ("app/db/drops.py", "mine = 1\n"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_failed_run_changes_nothing(what: str, folder: Path) -> None:
    """Whatever fails, no file of the project is written or removed; exit 2."""
    run("generate", folder=folder)
    (folder / "queries/more/drops.sql").write_text(DROP.replace("drop_all", "clear"))
    name, text = BROKEN[what]
    (folder / name).write_text(text)
    before = contents(folder)
    ran = run("generate", folder=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert Path(name).name in ran.stderr
    assert contents(folder) == before


def test_a_reader_may_stop(folder: Path) -> None:
    """A closed pipe ends the command without a word, as does `head`."""
    reads, writes = os.pipe()
    os.close(reads)
    ran = subprocess.run(
        [command_line.COMMAND, "generate"],
        cwd=folder,
        stdout=writes,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=command_line.ENVIRONMENT,
    )
    os.close(writes)
    assert (ran.returncode, ran.stderr) == (141, "")


def test_any_terminal_will_do(tmp_path: Path) -> None:
    """What its encoding lacks is spelled, and nothing fails."""
    ran = run("--help", folder=tmp_path, PYTHONIOENCODING="latin-1")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert r"postgresql://\u2026" in ran.stdout


def test_checking_tells_what_differs(folder: Path) -> None:
    """--check lists missing, differing and left over files, and writes nothing."""
    run("generate", folder=folder)
    assert run("generate", "--check", folder=folder).returncode == 0
    (folder / "queries/more/drops.sql").rename(folder / "queries/more/clears.sql")
    (folder / "queries/items.sql").write_text(GET.replace("get", "fetch"))
    before = contents(folder)
    ran = run("generate", "--check", folder=folder)
    assert ran.returncode == 1
    assert "app/db/clears.py is missing" in ran.stdout
    assert "app/db/items.py differs" in ran.stdout
    assert "app/db/drops.py is left over" in ran.stdout
    assert contents(folder) == before
