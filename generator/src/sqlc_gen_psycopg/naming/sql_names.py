"""A name of SQL's."""

from typing import NamedTuple


class Name(NamedTuple):
    """A name that may carry a schema; the default schema is spelled ``""``."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name
