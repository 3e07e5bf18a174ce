"""What is known of an expression or of a column."""

import re
from collections.abc import Collection
from typing import NamedTuple, TypeAlias

from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.naming.sql_names import Name


class SqlType(NamedTuple):
    """A type by its name; ``dims`` counts the dimensions of an array."""

    name: Name
    dims: int = 0

    @property
    def as_cast(self) -> str:
        """The type as a cast spells it."""
        schema, name = self.name
        if schema or name in _QUOTED or not re.fullmatch("[a-z_][a-z0-9_]*", name):
            name = ".".join(f'"{part}"' for part in (schema, name) if part)
        return name + "[]" * min(self.dims, 1)


# What a cast would read as something narrower than the type of that name.
_QUOTED = frozenset({"bit", "char"})


class Origin(NamedTuple):
    """The table's column that a value was read from unchanged.

    A view's column has a ``source``, if it is another one unchanged.
    """

    table: Name
    column: str
    source: "Origin | None" = None

    @property
    def sources(self) -> tuple[tuple[Name, str], ...]:
        """The columns that it comes from in turn, the nearest first."""
        if self.source is None:
            return ()
        return (self.source[:2], *self.source.sources)


# Each shape has a kind, as named tuples of different classes may be equal.
class Constants(NamedTuple):
    """The constants that a value is one of, NULL aside; none if it is always NULL."""

    values: tuple[str | int | bool, ...]
    kind: str = "constants"


class Scalar(NamedTuple):
    """The JSON of one SQL value."""

    value: "Fact"
    kind: str = "scalar"


class Fields(NamedTuple):
    """The columns of a row, or what a JSON object has under each of its keys."""

    fields: tuple[tuple[str, "Fact"], ...]
    kind: str = "fields"


class Items(NamedTuple):
    """What the elements of an array, of JSON or of SQL, may be."""

    items: tuple["Fact", ...]
    kind: str = "items"


class Entries(NamedTuple):
    """What a JSON object may have under keys that are not known."""

    values: tuple["Fact", ...]
    kind: str = "entries"


# What is known of a value beyond its type. What JSON holds is told as SQL values.
Shape: TypeAlias = Constants | Scalar | Fields | Items | Entries


class Fact(NamedTuple):
    """What is known: nothing, unless said otherwise.

    ``dims`` are an array's dimensions where they are known to be several, and it is
    ``is_filled`` if all of its elements are known to be NOT NULL; ``absent``
    tells that the whole row may be missing: an outer join's other side. ``parameter``
    is the number of the parameter that it is, or holds, unchanged, and ``use`` the
    place in the list of its uses that it was made at. ``shape`` is what is known of the
    value itself.
    """

    type: PgType | None = None
    not_null: bool = False
    origin: Origin | None = None
    absent: bool = False
    parameter: int = 0
    use: int = -1
    dims: int = 0
    is_filled: bool = False
    shape: Shape | None = None

    @property
    def sql_type(self) -> SqlType | None:
        """The type by its name."""
        return named(self.type, self.dims) if self.type else None

    def nullable(self) -> "Fact":
        """Forget that it is NOT NULL."""
        return self._replace(not_null=False) if self.not_null else self

    def missing(self) -> "Fact":
        """Read it from the nullable side of an outer join."""
        return self._replace(not_null=False, absent=True)


UNKNOWN = Fact()


def named(found: PgType, dims: int = 0) -> SqlType:
    """Return a type by its name."""
    if found.element is not None and found.element.array is found:
        return SqlType(found.element.name, max(dims, 1))
    return SqlType(found.name)


class Relation(NamedTuple):
    """Something in FROM: its alias, and its columns by name in order.

    ``row`` is its row type, ``is_one_row`` whether it gives exactly one row, and
    ``is_scalar`` whether its rows are plain values: a function's. ``may_lack`` tells
    that a row of it may be missing as a whole, ``whole`` what it is if it is there.
    """

    alias: str
    columns: tuple[tuple[str, Fact], ...]
    row: PgType | None = None
    is_one_row: bool = False
    is_scalar: bool = False
    may_lack: bool = False
    whole: "Relation | None" = None

    def find(self, column: str) -> Fact | None:
        """Return the first column of that name."""
        for name, fact in self.columns:
            if name == column:
                return fact
        return None

    def nullable(self) -> "Relation":
        """Return it as the nullable side of an outer join."""
        columns = tuple((name, fact.missing()) for name, fact in self.columns)
        whole = self.whole or self
        return self._replace(columns=columns, may_lack=True, whole=whole)

    def narrowed(self, names: Collection[str]) -> "Relation":
        """Return it where columns of it are not NULL, so that its row is there."""
        there = self.whole or self
        columns = tuple(
            (name, fact._replace(not_null=True) if name in names else fact)
            for name, fact in there.columns
        )
        return there._replace(alias=self.alias, columns=columns)

    def renamed(self, alias: str, names: list[str]) -> "Relation":
        """Return it under an alias, its first columns renamed."""
        if not names:
            return self._replace(alias=alias)
        old = [name for name, _ in self.columns]
        spelled = [*names, *old[len(names) :]]
        facts = [fact for _, fact in self.columns]
        columns = tuple(zip(spelled, facts, strict=False))
        return self._replace(alias=alias, columns=columns, whole=None)
