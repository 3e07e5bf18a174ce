"""The schema that the store's migrations make."""

from pathlib import Path

from postgres_testing import schemas
from store import migrations

__all__ = ["MIGRATIONS", "SCHEMA"]

# An installed wheel's own, which is absolute already, or else the checkout's.
MIGRATIONS = Path(__file__).parents[2] / migrations.DIRECTORY

SCHEMA = schemas.migrated(MIGRATIONS)
"""What a template of the store's holds: the migrations, and an empty ledger's rest.

dbmate alone applies them; `store migrate up` finds nothing pending there.
"""
