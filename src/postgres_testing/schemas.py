"""What a database to test on holds: how it is made, and a key that changes with it."""

import hashlib
import os
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Schema", "apply_migrations", "migrated"]

TEMPLATES_KEPT = 3
"""How many templates a server or the cache keeps: those that were used last."""


@dataclass(frozen=True, slots=True)
class Schema:
    """How to make an empty database into one to test on.

    `build` is called with the URL of an empty database. What it does must depend on
    nothing but what `key` was computed from: a template is used again, in this run or
    in another, as long as the key stays. The key is hexadecimal, of 12 digits or more.

    Example::

        text = Path("schema.sql").read_bytes()
        Schema(hashlib.sha256(text).hexdigest(), lambda url: load(url, text))
    """

    key: str
    build: Callable[[str], object] = field(repr=False, compare=False)


def migrated(migrations: Path) -> Schema:
    """Give the schema that dbmate makes of a folder of migrations.

    Its key is the hash of their names and contents.
    """
    folder = migrations.absolute()
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.sql")):
        content = hashlib.sha256(file.read_bytes()).digest()
        digest.update(file.name.encode() + b"\0" + content)
    return Schema(digest.hexdigest(), lambda url: apply_migrations(url, folder))


def apply_migrations(url: str, migrations: Path) -> None:
    """Run all migrations of a folder on a database, with dbmate alone.

    Raises RuntimeError with dbmate's words where one fails.
    """
    folder = migrations.absolute()
    dbmate = Path(sysconfig.get_path("scripts"), "dbmate")
    options = ["--url", url, f"--migrations-dir={folder}", "--no-dump-schema"]
    migrated = subprocess.run(
        [dbmate, *options, "up"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,  # away from any .env, which dbmate would load
        env={"PATH": os.defpath},
    )
    if migrated.returncode != 0:
        raise RuntimeError(f"dbmate failed on {folder}:\n{migrated.stderr.strip()}")
