"""`generate --watch` follows every change, and ends when it is told to."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from generator.tests import command_line
from generator.tests.command.project import CONFIG, DROP, GET, SCHEMA


class Watch:
    """A running `generate --watch`; what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def told(self) -> str:
        """Wait until it waits; return what it said before."""
        assert self.process.stdout
        lines: list[str] = []
        for line in self.process.stdout:
            if line.startswith("waiting"):
                return "".join(lines)
            lines.append(line)
        raise AssertionError("it has ended: " + "".join(lines))


@contextmanager
def _watching(folder: Path) -> Generator[Watch]:
    process = subprocess.Popen(
        [command_line.COMMAND, "generate", "--watch"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=command_line.ENVIRONMENT,
    )
    # What it never says is not waited for.
    limit = threading.Timer(60, process.kill)
    limit.start()
    with process:
        try:
            yield Watch(process)
        finally:
            limit.cancel()
            process.kill()


def test_watching_follows_every_change(folder: Path) -> None:
    """Edited, new and removed files, the configuration, and errors until mended."""
    queries, config = folder / "queries", folder / "sqlc.yaml"
    changes: list[tuple[str, Callable[[], object]]] = [
        (
            "wrote app/db/items.py",
            lambda: (queries / "items.sql").write_text(GET.replace("get", "fetch")),
        ),
        (
            "wrote app/db/new.py",
            lambda: (queries / "more/new.sql").write_text(DROP.replace("all", "new")),
        ),
        ("removed app/db/new.py", (queries / "more/new.sql").unlink),
        (
            "syntax error",
            lambda: (queries / "items.sql").write_text("-- name: a :one\nSELEC;"),
        ),
        ("wrote", lambda: _replace(queries / "items.sql", GET)),
        ("no file is called", lambda: queries.rename(folder / "elsewhere")),
        ("unchanged", lambda: (folder / "elsewhere").rename(queries)),
        ("cannot be read", lambda: config.write_text("version: [")),
        (
            "removed app/db/aio/items.py",
            lambda: config.write_text(
                CONFIG.replace("emit_async: true", "emit_async: false")
            ),
        ),
        (
            "wrote app/db/models.py",
            lambda: (folder / "schema.sql").write_text(SCHEMA.replace("name", "label")),
        ),
    ]
    with _watching(folder) as watch:
        assert "wrote app/db/items.py" in watch.told()
        for expected, change in changes:
            change()
            assert expected in watch.told()


def _replace(file: Path, text: str) -> None:
    """Write a file as many editors do."""
    written = file.with_suffix(".new")
    written.write_text(text)
    written.replace(file)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_watching_ends_by_signals(number: int, code: int, folder: Path) -> None:
    """Ctrl-C and SIGTERM end it at once, with the shell's exit code for them."""
    with _watching(folder) as watch:
        watch.told()
        watch.process.send_signal(number)
        rest, _ = watch.process.communicate()
        assert (watch.process.returncode, rest) == (code, "")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_ended_run_leaves_nothing_behind(
    number: int, code: int, folder: Path, tmp_path: Path
) -> None:
    """Ended while sqlc runs, it ends sqlc, and removes its temporary folder."""
    scripts, temporary = tmp_path / "scripts", tmp_path / "temporary"
    temporary.mkdir()
    python = command_line.environment(scripts)
    started = tmp_path / "started"
    os.mkfifo(started)
    waiting = scripts / "bin" / "sqlc"
    waiting.write_text(f"#!/bin/sh\necho $$ >{started}\nexec sleep 600\n")
    waiting.chmod(0o755)
    process = subprocess.Popen(
        [python, "-m", "sqlc_gen_psycopg", "generate", "--watch"],
        cwd=folder,
        env={**command_line.ENVIRONMENT, "TMPDIR": str(temporary)},
    )
    child = int(started.read_text())
    assert [*temporary.iterdir()]
    process.send_signal(number)
    assert process.wait() == code
    assert [*temporary.iterdir()] == []
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


# The signal comes when sqlc runs, and nobody but subprocess knows of it.
STARTING = """
import os, subprocess, sys
from sqlc_gen_psycopg.command import cli

start = subprocess.Popen._execute_child

def starting(process, *arguments):
    start(process, *arguments)
    print(process.pid, flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))

subprocess.Popen._execute_child = starting
sys.exit(cli.main(["generate"]))
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_run_ended_at_its_beginning_leaves_nothing_behind(
    number: int, code: int, folder: Path, tmp_path: Path
) -> None:
    """Ended at the moment when sqlc is started, it ends sqlc all the same."""
    python = command_line.environment(tmp_path / "scripts")
    waiting = tmp_path / "scripts" / "bin" / "sqlc"
    waiting.write_text("#!/bin/sh\nexec sleep 600\n")
    waiting.chmod(0o755)
    done = subprocess.run(
        [python, "-c", STARTING, str(number)],
        cwd=folder,
        env=command_line.ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == code
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
