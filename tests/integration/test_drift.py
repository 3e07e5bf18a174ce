"""Committed output is compared with what would be generated, both ways."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS: dict[str, tuple[str, str]] = {
    "generate": (f"{sysconfig.get_path('scripts')}/sqlc-gen-psycopg", "generate"),
    "make_sync": (sys.executable, "tools/make_sync.py"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of what is generated from, and of what is generated."""
    for folder in ("db", "tools", "src"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "sqlc.yaml", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _run(folder: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TOOLS[tool], *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("tool", ["generate", "make_sync"])
def test_what_is_committed_is_what_would_be_generated(tool: str, copy: Path) -> None:
    """Nothing is reported while output and source agree."""
    done = _run(copy, tool, "--check")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("tool", "path"),
    [
        ("generate", "src/generated/carts.py"),
        ("generate", "src/generated/aio/carts.py"),
        ("make_sync", "src/store/_sync/checkout.py"),
    ],
)
def test_an_edited_file_is_found_and_mended(tool: str, path: str, copy: Path) -> None:
    """A generated file that was edited is reported, and written anew on demand."""
    file = copy / path
    text = file.read_text()
    file.write_text(text + "# by hand\n")
    done = _run(copy, tool, "--check")
    assert (done.returncode, path in done.stdout) == (1, True)
    assert _run(copy, tool).returncode == 0
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("tool", "path"),
    [
        ("generate", "src/generated/aio/invoices.py"),
        ("make_sync", "src/store/_sync/invoices.py"),
    ],
)
def test_a_stale_file_is_found_and_removed(tool: str, path: str, copy: Path) -> None:
    """A file whose source is gone is reported, and removed on demand."""
    # The header says who made it: what others wrote stays.
    made, _, _ = (copy / path).with_name("carts.py").read_text().partition("\n")
    (copy / path).write_text(f"{made}\n")
    done = _run(copy, tool, "--check")
    assert (done.returncode, path in done.stdout) == (1, True)
    assert _run(copy, tool).returncode == 0
    assert not (copy / path).exists()


@pytest.fixture
def project(copy: Path) -> Path:
    """Give a copy in which make has what it needs."""
    (copy / "docs").mkdir()
    shutil.copy(ROOT / "docs/schema.md", copy / "docs")
    shutil.copy(ROOT / "Makefile", copy)
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


def _make(project: Path, target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "READY=", target],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("generate", "src/generated/carts.py"),
        ("sync", "src/store/_sync/checkout.py"),
    ],
)
def test_make_mends_what_was_edited_or_deleted(
    target: str, path: str, project: Path
) -> None:
    """An output is written anew though no source is newer than it."""
    text = (project / path).read_text()
    assert _make(project, target).returncode == 0
    (project / path).write_text(text + "# by hand\n")
    assert _make(project, target).returncode == 0
    assert (project / path).read_text() == text
    (project / path).unlink()
    assert _make(project, target).returncode == 0
    assert (project / path).read_text() == text


# What is generated, and the one command that mends it.
MENDED_BY = {
    "src/generated/carts.py": "make generate",
    "src/store/_sync/checkout.py": "make sync",
    "db/schema.sql": "make schema-dump",
    "docs/schema.md": "make schema-diagram",
}


@pytest.mark.long
def test_drift_names_the_command_that_mends_it(project: Path) -> None:
    """All that drifted is told in one run, and the commands named there mend it."""
    for path in MENDED_BY:
        with (project / path).open("a") as file:
            file.write("-- by hand\n")
    drift = _make(project, "drift")
    named = re.findall(r"run:? (make [a-z-]+)", drift.stdout)
    assert (drift.returncode, sorted(named)) == (2, sorted(MENDED_BY.values()))
    for command in named:
        assert _make(project, command.removeprefix("make ")).returncode == 0
    for path in MENDED_BY:
        assert (project / path).read_text() == (ROOT / path).read_text()
    assert _make(project, "drift").returncode == 0


def test_a_refused_query_changes_nothing(copy: Path) -> None:
    """A run that sqlc refuses leaves the committed output as it was."""
    (copy / "db/queries/carts.sql").write_text("-- name: f :one\nSELECT nothing;\n")
    done = _run(copy, "generate")
    assert done.returncode == 2
    assert "carts.sql" in done.stderr
    text = (ROOT / "src/generated/carts.py").read_text()
    assert (copy / "src/generated/carts.py").read_text() == text


def test_an_unused_substitution_is_an_error(copy: Path) -> None:
    """A substitution that no longer finds its words stops the run."""
    tool = copy / "tools/make_sync.py"
    tool.write_text(
        tool.read_text().replace(
            "SUBSTITUTIONS = [", 'SUBSTITUTIONS = [("no-such", ""),'
        )
    )
    done = _run(copy, "make_sync", "--check")
    assert (done.returncode, "no-such" in done.stderr) == (2, True)
