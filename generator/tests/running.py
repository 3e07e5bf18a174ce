"""Projects that are generated, imported and run on a database of their own."""

import importlib
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import psycopg

from generator.tests import sqlc

_FUNCTION = re.compile(
    r"^def ([a-z]\w*)\((.*?)\) -> (.*?):\n", re.DOTALL | re.MULTILINE
)


@contextmanager
def importable(folder: Path, name: str) -> Generator[str]:
    """Let a package in a folder be imported, and forget it at the end."""
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        yield name
    finally:
        sys.path.remove(str(folder))
        for loaded in [m for m in sys.modules if m.split(".")[0] == name]:
            del sys.modules[loaded]


@contextmanager
def imported(folder: Path, name: str) -> Generator[ModuleType]:
    """Import a project's output under a name of its own, and forget it at the end."""
    (folder / "out").rename(folder / name)
    with importable(folder, name):
        yield importlib.import_module(f"{name}.queries")


@contextmanager
def project(
    folder: Path, name: str, schema: str, queries: str
) -> Generator[tuple[ModuleType, dict[str, str]]]:
    """Generate a project; give its module of queries, and its signatures."""
    texts = sqlc.Project.write(folder, schema, queries, "{}").generated()
    with imported(folder, name) as module:
        yield module, signatures(texts["queries.py"])


def signatures(text: str) -> dict[str, str]:
    """Return what each function of a module takes, its connection aside, and gives."""
    found: dict[str, str] = {}
    for name, parameters, returns in _FUNCTION.findall(text):
        if name.endswith("_row"):
            continue
        listed = " ".join(parameters.split()).rstrip(",")
        _, _, given = listed.partition(", *, ")
        found[name] = f"({given}) -> {returns}"
    return found


def fill(conn: psycopg.Connection, schema: str, rows: str) -> None:
    """Let a database hold a schema and its rows, and nothing else."""
    conn.execute("DROP SCHEMA public CASCADE")
    conn.execute("CREATE SCHEMA public")
    conn.execute(schema.encode())
    if rows:
        conn.execute(rows.encode())
