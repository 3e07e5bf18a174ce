"""Migrations: plain SQL, applied by dbmate, with the guards that it lacks.

`files` reads them, `journal` knows their hashes, `ledger` what a database has applied;
`sessions` holds the lock, `steps` takes one file after the other, `dbmate` runs the
binary, `outside` what needs no transaction, `indexes` finds what is broken, `runs` goes
up and down, and `commands` is the command line.
"""

from .dbmate import Progress
from .files import DIRECTORY, new
from .journal import record
from .runs import Status, rollback, status, up

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
