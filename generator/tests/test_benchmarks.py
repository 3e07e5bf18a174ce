"""The benchmarks of the generator, in small."""

import os
import re
import subprocess
import sys
from pathlib import Path

from generator.benchmarks import project
from postgres_testing.embedded import Server

ROOT = Path(__file__).parents[2]


def test_project_has_as_many_queries_as_asked_for(tmp_path: Path) -> None:
    """The project has so many queries, each under a name of its own."""
    project.write(tmp_path, 150)
    texts = [file.read_text() for file in (tmp_path / "queries").iterdir()]
    names = [
        name for t in texts for name in re.findall(r"^-- name: (\S+)", t, re.MULTILINE)
    ]
    assert len(names) == len(set(names)) == 150


def test_benchmark_measures_all_contenders() -> None:
    """Sqlc accepts the project, and so do its own Go code and this plugin."""
    ran = subprocess.run(
        [sys.executable, "-m", "generator.benchmarks", "--queries=104", "--rounds=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "sqlc, its own Go code" in ran.stdout


def test_benchmark_measures_all_ways_of_many_rows(postgres_server: Server) -> None:
    """Each way brings all rows to the server, which is left as it was."""
    ran = subprocess.run(
        [sys.executable, "-m", "generator.benchmarks.rows", "--rows=3", "--rounds=1"],
        cwd=ROOT,
        env={**os.environ, "TEST_DATABASE_URL": postgres_server.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for way in ("@unnest", ":batchexec", ":copyfrom"):
        assert way in ran.stdout
