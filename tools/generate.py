"""Write `src/generated` with sqlc, or check that it is what sqlc would write.

Generates into a temporary folder first: sqlc itself leaves behind the files of queries
that are gone, and a failed run must change nothing. Usage: generate.py [--check]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from folders import mirror

TARGET = Path("src/generated")


def main() -> int:
    """Write, or report with exit code 1 what differs; 2 if sqlc fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy("sqlc.yaml", folder)
        (folder / "db").symlink_to(Path("db").resolve())
        if subprocess.run(["sqlc", "generate"], cwd=folder, check=False).returncode:
            return 2
        output = folder / TARGET
        files = {
            path.relative_to(output).as_posix(): path.read_text()
            for path in output.rglob("*.py")
        }
    check = "--check" in sys.argv[1:]
    return mirror(files, TARGET, check=check, remedy="run `make generate`")


if __name__ == "__main__":
    sys.exit(main())
