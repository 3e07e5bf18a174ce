"""A PostgreSQL type, and the signatures of functions and operators."""

from typing import NamedTuple

from sqlc_gen_psycopg.naming.sql_names import Name


class PgType:
    """A type; each is one object, so that types are compared by identity.

    ``kind`` and ``category`` are those of pg_type. An array has its ``element``, a
    domain its ``base``, a composite type its ``attributes``. Of a ``foreign`` type
    nothing is known but its name: it is some extension's.
    """

    __slots__ = (
        "array",
        "attributes",
        "base",
        "category",
        "element",
        "is_foreign",
        "is_preferred",
        "kind",
        "name",
    )

    def __init__(
        self,
        name: Name,
        kind: str,
        category: str,
        *,
        is_preferred: bool = False,
        is_foreign: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.category = category
        self.is_preferred = is_preferred
        self.is_foreign = is_foreign
        self.element: PgType | None = None
        self.array: PgType | None = None
        self.base: PgType | None = None
        self.attributes: tuple[tuple[str, PgType], ...] = ()

    def __repr__(self) -> str:
        return f"{self.name}"

    @property
    def flat(self) -> "PgType":
        """The type that a domain stands for, any other type as it is."""
        found = self
        while found.base is not None:
            found = found.base
        return found

    @property
    def is_unknown(self) -> bool:
        """Whether it is that of a quoted literal, which takes any other on."""
        return self.kind == "p" and self.name.name == "unknown"


def add_rows(types: dict[str, PgType], rows: list[list[str]]) -> None:
    """Add the types of a file's rows, which may refer to each other, by name."""
    for name, kind, category, preferred, *_ in rows:
        types[name] = PgType(
            Name("", name), kind, category, is_preferred=preferred == "1"
        )
    for name, _, _, _, element, array, base in rows:
        one = types[name]
        one.element = types.get(element) if element else None
        one.array = types.get(array) if array else None
        one.base = types.get(base) if base else None


class Signature(NamedTuple):
    """A function: what it takes, and what it gives.

    ``kind`` is that of pg_proc. ``arguments`` are what a caller may give, ``columns``
    the OUT and TABLE ones. ``direct`` is an ordered-set or hypothetical-set aggregate's
    kind and number of arguments outside of WITHIN GROUP. ``rank`` is 0 in pg_catalog.
    """

    arguments: tuple[PgType, ...]
    result: PgType
    kind: str = "f"
    is_set: bool = False
    variadic: PgType | None = None
    defaults: int = 0
    names: tuple[str, ...] = ()
    columns: tuple[tuple[str, PgType], ...] = ()
    direct: str = ""
    rank: int = 0
    nullable_result: bool = True


class Operator(NamedTuple):
    """An operator: what it takes, a prefix operator one operand only."""

    operands: tuple[PgType, ...]
    result: PgType
