"""Whose fault an error is: the generated code's, or the drawn data's."""

import psycopg

# Classes of SQLSTATE that values, the rows that are there, or the transaction around a
# statement bring about.
_OF_DATA = frozenset(
    {
        "0A",  # not supported by this server's build
        "21",  # more than one row in a subselect
        "22",  # division by zero, out of range
        "23",  # constraints
        "25",  # not within a transaction
        "2F",
        "38",
        "40",
        "42501",  # no permission
        "42601",  # in what a function parses, such as a tsquery
        "42P10",  # no constraint for an ON CONFLICT
        "42P07",  # exists already
        "44",  # WITH CHECK OPTION
        "53",
        "54",
        "55",  # a sequence that was not called, a lock
        "57",  # the statement's timeout
        "P0",  # RAISE
    }
)
# Of these classes, but a matter of how values are sent.
_OF_SENDING = frozenset(
    {
        "22P03",  # malformed binary
        "22023",  # e.g. a parameter of another type than its function takes
    }
)


def is_ours(error: Exception) -> bool:
    """Tell whether the generated code is to blame.

    What the client raises before or after the server's part is: arguments that are
    drawn to fit the annotations can be sent, and what comes back can be read.
    """
    if not isinstance(error, psycopg.Error) or not error.sqlstate:
        return True
    state = error.sqlstate
    if state in _OF_SENDING:
        return True
    return state not in _OF_DATA and state[:2] not in _OF_DATA


def told(error: Exception) -> str:
    """Say what happened, in one line."""
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return f"{error.sqlstate} {error.diag.message_primary}"
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__qualname__}: {first}"
