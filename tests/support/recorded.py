"""Our migrations as if each were final already, for what refuses those that are not.

A migration is tested before it is recorded: a new one must break no test by that alone.
"""

import atexit
import shutil
import tempfile
from pathlib import Path

from store import migrations
from store.migrations import journal
from store_testing import schema

__all__ = ["MIGRATIONS"]


def _recorded() -> Path:
    ours = schema.MIGRATIONS
    recorded = {entry.name for entry in journal.read(ours)}
    if recorded >= {path.name for path in ours.glob("*.sql")}:
        return ours
    folder = Path(tempfile.mkdtemp(prefix="store-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(ours, folder, dirs_exist_ok=True)
    migrations.record(folder)
    return folder


MIGRATIONS = _recorded()
