"""Migrations: plain SQL, applied by dbmate, with the guards that it lacks.

`files` reads them, `journal` knows their hashes, `ledger` what a database has applied;
`lock` is held while `runner` goes up and down, `steps` takes one file after the other,
`dbmate` runs the binary, `outside` what needs no transaction, `indexes` finds what is
broken. `checks` needs no database, and `preview` changes none.
"""

from .dbmate import Progress
from .files import DIRECTORY, new
from .journal import record
from .runner import Status, rollback, status, up

__all__ = [
    "DIRECTORY",
    "Progress",
    "Status",
    "new",
    "record",
    "rollback",
    "status",
    "up",
]
