"""A case: a schema and its queries, each with its signature and calls."""

from typing import Any, NamedTuple, TypeAlias

# The arguments of a call, and what it gives.
Call: TypeAlias = tuple[dict[str, Any], object]


class Case(NamedTuple):
    """A schema with rows, and queries: by name its text, signature and calls."""

    schema: str
    rows: str
    queries: dict[str, tuple[str, str, list[Call]]]


MOODS = "CREATE TYPE mood AS ENUM ('a', 'b');"
