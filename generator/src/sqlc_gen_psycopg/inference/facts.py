"""What is known of an expression or of a column."""

from functools import cache
from typing import NamedTuple

from sqlc_gen_psycopg.request import Name


class SqlType(NamedTuple):
    """A PostgreSQL type; ``dims`` counts the dimensions of an array."""

    name: Name
    dims: int = 0

    @property
    def element(self) -> "SqlType":
        """The type of an array's elements."""
        return SqlType(self.name, max(self.dims - 1, 0))

    @property
    def array(self) -> "SqlType":
        """The type of arrays of it."""
        return SqlType(self.name, self.dims + 1)


class Origin(NamedTuple):
    """The table's column that a value was read from unchanged."""

    table: Name
    column: str


class Fact(NamedTuple):
    """What is proven: nothing, unless said otherwise.

    ``absent`` tells that the whole row may be missing: an outer join's other side;
    ``is_doubtful`` that not even sqlc can know the type; ``parameter`` is the number of
    the parameter that it is, or holds, unchanged.
    """

    type: SqlType | None = None
    not_null: bool = False
    origin: Origin | None = None
    absent: bool = False
    is_doubtful: bool = False
    parameter: int = 0

    def nullable(self) -> "Fact":
        """Forget that it is NOT NULL."""
        return self._replace(not_null=False)

    def missing(self) -> "Fact":
        """Read it from the nullable side of an outer join."""
        return self._replace(not_null=False, absent=True)


UNKNOWN = Fact()
BOOL = SqlType(Name("", "bool"))


def boolean(*, not_null: bool) -> Fact:
    """Return a fact of a boolean."""
    return _TRUTH if not_null else _PERHAPS


_TRUTH, _PERHAPS = Fact(BOOL, not_null=True), Fact(BOOL)


@cache
def of(name: str, *, not_null: bool = False) -> Fact:
    """Return a fact of a built-in type."""
    return Fact(SqlType(Name("", name)), not_null)


class Relation(NamedTuple):
    """Something in FROM: its alias, and its columns by name in order."""

    alias: str
    columns: tuple[tuple[str, Fact], ...]

    def find(self, column: str) -> Fact | None:
        """Return the first column of that name."""
        for name, fact in self.columns:
            if name == column:
                return fact
        return None

    def nullable(self) -> "Relation":
        """Return it as the nullable side of an outer join."""
        columns = tuple((name, fact.missing()) for name, fact in self.columns)
        return Relation(self.alias, columns)

    def renamed(self, alias: str, names: list[str]) -> "Relation":
        """Return it under an alias, its first columns renamed."""
        if not names:
            return Relation(alias, self.columns)
        old = [name for name, _ in self.columns]
        spelled = [*names, *old[len(names) :]]
        facts = [fact for _, fact in self.columns]
        return Relation(alias, tuple(zip(spelled, facts, strict=False)))
