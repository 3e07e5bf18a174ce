"""A PostgreSQL type, and the signatures of functions and operators."""

from typing import NamedTuple

from sqlc_gen_psycopg.naming.sql_names import Name


class PgType:
    """A type; each is one object, so that types are compared by identity.

    ``kind`` and ``category`` are those of pg_type. An array has its ``element``, a
    composite type its ``attributes``. ``flat`` is the type that a domain stands for,
    and any other type itself. Of a ``foreign`` type nothing is known but its name: it
    is some extension's. The unknown one is a quoted literal's, which takes any on.
    """

    __slots__ = (
        "array",
        "attributes",
        "category",
        "element",
        "flat",
        "is_foreign",
        "is_preferred",
        "is_unknown",
        "kind",
        "name",
    )

    def __init__(
        self,
        name: Name,
        kind: str,
        category: str,
        *,
        base: "PgType | None" = None,
        is_preferred: bool = False,
        is_foreign: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.category = category
        self.is_preferred = is_preferred
        self.is_foreign = is_foreign
        self.is_unknown = kind == "p" and name.name == "unknown"
        self.flat: PgType = base.flat if base else self
        self.element: PgType | None = None
        self.array: PgType | None = None
        self.attributes: tuple[tuple[str, PgType], ...] = ()

    def __repr__(self) -> str:
        return f"{self.name}"


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
        if base in types:
            one.flat = types[base].flat


def add_array(element: PgType) -> PgType:
    """Make the type of the arrays of a type."""
    array = PgType(Name(element.name.schema, f"_{element.name.name}"), "b", "A")
    array.element = element
    element.array = array
    return array


def add_domains(types: dict[str, PgType], domains: dict[str, str]) -> None:
    """Add domains of PostgreSQL's own over other types, by name, and their arrays."""
    for name, base in domains.items():
        category = types[base].category
        types[name] = PgType(Name("", name), "d", category, base=types[base])
        add_array(types[name])


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
