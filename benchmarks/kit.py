"""Measure the test kit beside pytest-postgresql: sixty tests with a database each.

    python -m benchmarks.kit [ROUNDS]

Both have the same server, which runs already, the same tests and the same migrations,
which pytest-postgresql loads into its template once a run. They take turns. What is
shown is pytest's own time, from the first collected test to the last dropped database.
pytest-postgresql is installed into a folder of its own for that time.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from postgres_testing import embedded
from store_testing.schema import MIGRATIONS

PEER = ["pytest-postgresql==10.0.0", "mirakuru==3.1.0", "port-for==1.1.1"]

_TESTS = """
@pytest.mark.parametrize("number", range(60))
def test_it({conn}, number):
    assert {conn}.execute("SELECT count(*) FROM users").fetchone() == (0,)
"""
_OURS = "import pytest\n" + _TESTS.format(conn="conn")
_THEIRS = f"""
import pytest
from pathlib import Path
from postgres_testing.schemas import apply_migrations
from pytest_postgresql import factories

URL = "postgresql://{{user}}:{{password}}@{{host}}:{{port}}/{{dbname}}?sslmode=disable"

def load(**place):
    apply_migrations(URL.format(**place), Path({str(MIGRATIONS)!r}))

server = factories.postgresql_noproc(load=[load])
database = factories.postgresql("server")
""" + _TESTS.format(conn="database")


def main(rounds: str = "5") -> int:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as made, embedded.start() as server:
        folder = Path(made)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--target", folder / "peer", *PEER], check=True)
        (folder / "test_ours.py").write_text(_OURS)
        (folder / "test_theirs.py").write_text(_THEIRS)
        place = urlsplit(server.url)
        ours = ["-p", "postgres_testing.plugin", "-p", "store_testing.plugin"]
        theirs = [
            *("-p", "pytest_postgresql.plugin"),
            f"--postgresql-host={place.hostname}",
            f"--postgresql-port={place.port}",
            f"--postgresql-password={place.password}",
        ]
        times: dict[str, list[float]] = {
            "the kit": [],
            "the kit, with its embedded server": [],
            "pytest-postgresql": [],
        }
        kit, alone, peer = times.values()
        for _ in range(int(rounds)):
            kit.append(_run(folder, "test_ours.py", *ours, url=server.url))
            peer.append(_run(folder, "test_theirs.py", *theirs))
            alone.append(_run(folder, "test_ours.py", *ours))
    table = Table("60 tests", "median", "fastest", "beside pytest-postgresql")
    for name, taken in times.items():
        median = statistics.median(taken)
        table.add_row(
            name,
            f"{median:.2f} s",
            f"{min(taken):.2f} s",
            f"{median / statistics.median(peer):.2f}",
        )
    Console().print(table)
    return 0


def _run(folder: Path, file: str, *options: str, url: str = "") -> float:
    """Run the tests of a file; give the seconds that pytest says it took."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "peer"),
        # No more plugins than each needs.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TEST_DATABASE_URL": url,
        "DOCKER_HOST": "unix:///nowhere.sock",
    }
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *options,
            file,
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )
    took = re.search(r"^60 passed in ([\d.]+)s", ran.stdout, re.MULTILINE)
    if not took:
        raise RuntimeError(ran.stdout + ran.stderr)
    return float(took[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
