"""Migrations: plain SQL, applied by dbmate, with the guards that it lacks.

`files` reads them, `dbmate` runs the binary, `runs` goes up and down, and `commands` is
the command line.
"""

from .dbmate import Progress
from .files import DIRECTORY, new
from .runs import Status, rollback, status, up

__all__ = ["DIRECTORY", "Progress", "Status", "new", "rollback", "status", "up"]
