"""What a server's refusal to connect is told as, by its text alone."""

import psycopg
import pytest

from store import constraints, errors

# From PostgreSQL's source: what a session is told that is not let in, or not yet, while
# the server starts, ends or has crashed (postgres.c, postmaster.c, postinit.c).
PASSING = [
    "the database system is starting up",
    "the database system is in recovery mode",
    "the database system is shutting down",
    "terminating connection due to administrator command",
    "terminating connection due to unexpected postmaster exit",
    "terminating connection because of crash of another server process",
    "canceling authentication due to timeout",
    "sorry, too many clients already",
    "remaining connection slots are reserved for roles with the SUPERUSER attribute",
]


@pytest.mark.parametrize("text", PASSING)
def test_what_passes_is_no_refusal_of_the_user(text: str) -> None:
    """A server that starts, ends or is full is not ready; no user is refused."""
    error = psycopg.OperationalError(f"connection to server failed: FATAL:  {text}")
    assert type(constraints.refused(error)) is errors.ServerNotReady
