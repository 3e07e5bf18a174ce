"""What stands between the store and its database, looked at: `store doctor`.

It changes nothing, and is made for production, too: each look is one short transaction
that only reads. `variables` reads the environment, `sessions` connects, `server`,
`schema` and `keys` ask, `examination` has the order. Nothing that it tells is a
password, a key or a row.
"""

from .examination import examine
from .findings import Finding, Level

__all__ = ["Finding", "Level", "examine"]
