"""Committed output is compared with what would be generated, both ways."""

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
