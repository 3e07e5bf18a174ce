"""A COPY of many rows."""

from typing import NamedTuple


class Copy(NamedTuple):
    """A COPY: its text, which parameter goes where, and the types of a binary one.

    Without types the values go out as text, each as psycopg spells it.
    """

    text: str
    order: tuple[int, ...]
    types: tuple[str, ...]
    columns: tuple[str, ...]
