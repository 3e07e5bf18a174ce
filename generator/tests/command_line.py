"""The console script, run as a person runs it."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from generator.tests import documents, sqlc

COMMAND = Path(sqlc.SCRIPTS, "sqlc-gen-psycopg")
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}


def run(
    *arguments: str, folder: Path, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, in an environment that holds little else."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**ENVIRONMENT, **variables},
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return what all files below a folder hold."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def environment(folder: Path) -> Path:
    """Make an environment with this one's packages, but no scripts; return its Python.

    Whatever is to stand in for a script, or to be missing, is so there.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder)})
    own = [path for path in sys.path if path.endswith("site-packages")]
    sources = documents.GENERATOR / "src"
    Path(packages, "own.pth").write_text("\n".join([*own, str(sources)]))
    return folder / "bin" / "python"
