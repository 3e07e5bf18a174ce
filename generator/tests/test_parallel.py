"""Large projects are translated in several processes, as if it were one."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.tests import sqlc
from sqlc_gen_psycopg import parallel

# Every query is worth a process, and there is a core for each of three.
EAGER = f"""#!{sys.executable}
import os, sys
from sqlc_gen_psycopg import __main__, parallel, plugin
plugin._WORTH_A_PROCESS = 1
parallel.cores = lambda: 3
started = parallel._fork
def fork(*given):
    print("forked", file=sys.stderr)
    return started(*given)
parallel._fork = fork
sys.exit(__main__.main())
"""
# Python 3.12 warns where there are threads, as those of the tests' own processes.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9), max_size=12),
    least=st.integers(1, 20),
    cores=st.integers(1, 4),
)
def test_the_parts_are_the_list(sizes: list[int], least: int, cores: int) -> None:
    """Nothing is lost, doubled or moved, and there are no more parts than allowed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "cores", lambda: cores)
        parts = parallel.spread(list, [*enumerate(sizes)], lambda item: item[1], least)
    assert [item for part in parts for item in part] == [*enumerate(sizes)]
    assert len(parts) <= max(1, min(cores, sum(sizes) // least))


def test_a_process_that_fails_fails_the_work(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The error is raised in the parent, and the child's traceback is on stderr."""
    monkeypatch.setattr(parallel, "cores", lambda: 2)

    def work(part: list[int]) -> float:
        return 1 / (part[0] - 2)

    with pytest.raises(RuntimeError, match="ended with 1"):
        parallel.spread(work, [1, 2], lambda _: 1, 1)
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    """Give the folder of a plugin that forks whenever it can, and of sqlc."""
    folder = tmp_path / "bin"
    folder.mkdir()
    made = folder / "sqlc-gen-psycopg"
    made.write_text(EAGER, encoding="utf-8")
    made.chmod(0o755)
    (folder / "sqlc").symlink_to(Path(sqlc.SCRIPTS, "sqlc"))
    return str(folder)


SCHEMA = """
CREATE TYPE spot AS (x int, y int);
CREATE TYPE far AS (x int, z int);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE a (id int NOT NULL, name text);
CREATE TABLE b (id int NOT NULL, at spot, felt mood, told jsonb);
CREATE TABLE c (id int NOT NULL, at spot);
"""
QUERIES = {
    "a": "SELECT id FROM a WHERE name = $1",
    "b": "SELECT * FROM b WHERE id = $1",
    "c": "SELECT sqlc.embed(c) FROM c JOIN a ON a.id = c.id",
    "d": "SELECT $1::far AS at",
}


def write(project: Path, queries: dict[str, str], options: str = "{}") -> Path:
    """Write a project with a file for each query."""
    project.mkdir()
    sqlc.Project.write(project, SCHEMA, "", options)
    (project / "queries.sql").unlink()
    (project / "queries").mkdir()
    for name, text in queries.items():
        query = f"-- name: Get{name.upper()} :many\n{text};\n"
        (project / "queries" / f"{name}.sql").write_text(query)
    config = project / "sqlc.yaml"
    config.write_text(config.read_text().replace("queries.sql", "queries"))
    return project


def test_the_output_is_the_same(plugin: str, tmp_path: Path) -> None:
    """Models, enums and learned types are there, whichever process met them."""
    alone, together = (write(tmp_path / name, QUERIES) for name in ("x", "y"))
    sqlc.generate(alone)
    sqlc.generate(together, scripts=plugin)
    assert sqlc.files(together) == sqlc.files(alone)
    assert {"out/b.py", "out/models.py", "out/server_types.py", "out/enums.py"} <= {
        *sqlc.files(together)
    }


def test_all_problems_are_reported_once(plugin: str, tmp_path: Path) -> None:
    """Those of each process, and those that all have met but once."""
    queries = dict.fromkeys("abc", "SELECT @n::unheard_of")
    project = write(tmp_path / "project", queries, "{emit_snyc: true}")
    with pytest.raises(sqlc.SqlcError) as refused:
        sqlc.generate(project, scripts=plugin)
    said = str(refused.value)
    assert said.count("forked") == len("bc")
    assert said.count("emit_snyc") == 1
    refusals = [said.count(f"{n}.sql: Get{n.upper()}: parameter") for n in "abc"]
    assert refusals == [1, 1, 1]
