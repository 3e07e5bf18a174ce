"""What a row becomes: a table's model, a query's own class, or one value."""

from typing import NamedTuple, TypeAlias

from sqlc_gen_psycopg.ir.python_types import Import, PyType, without_nulls
from sqlc_gen_psycopg.naming.sql_names import Name


class Value(NamedTuple):
    """One value of a row, or of a parameter."""

    type: PyType
    nullable: bool

    @property
    def annotation(self) -> str:
        """The annotation of a result."""
        return optional(self.type.annotation, nullable=self.nullable)

    @property
    def accepted(self) -> str:
        """The annotation of a parameter."""
        return optional(self.type.accepted, nullable=self.nullable)

    @property
    def imports(self) -> tuple[Import, ...]:
        """What the annotation needs."""
        return self.type.imports

    @property
    def width(self) -> int:
        """The number of columns it takes up."""
        return 1

    def unnamed(self) -> "Value":
        """Return it as it is compared with what another query gives."""
        return self._replace(type=self.type.unnamed())

    def as_argument(self) -> "Value":
        """Return it with what a parameter accepts as its annotation."""
        return self._replace(type=self.type._replace(annotation=self.type.accepted))

    @property
    def is_converted(self) -> bool:
        """Whether it is something else than what psycopg gives."""
        return bool(self.type.load) or (
            self.type.dims > 0 and not self.type.has_array_loader
        )

    @property
    def is_registered(self) -> bool:
        """Whether the connection must have registered its type."""
        return self.type.is_registered

    @property
    def is_binary(self) -> bool:
        """Whether psycopg reads it from binary results, too."""
        return self.type.is_binary


class Embed(NamedTuple):
    """``sqlc.embed(table)``: a nested model, None where the join found no row."""

    model: "Model"
    nullable: bool

    @property
    def annotation(self) -> str:
        """The annotation of a result."""
        return optional(f"models.{self.model.name}", nullable=self.nullable)

    def unnamed(self) -> "Embed":
        """Return it as it is: a model is the same in all queries."""
        return self

    @property
    def imports(self) -> tuple[Import, ...]:
        """What the annotation needs."""
        return (Import("@", "models"),)

    @property
    def width(self) -> int:
        """The number of columns it takes up."""
        return len(self.model.fields)

    @property
    def is_registered(self) -> bool:
        """Whether the connection must have registered a type of it."""
        return any(field.value.is_registered for field in self.model.fields)

    @property
    def is_binary(self) -> bool:
        """Whether psycopg reads all of it from binary results, too."""
        return all(field.value.is_binary for field in self.model.fields)


class Field(NamedTuple):
    """A field of a row class, or a parameter, which may be None by default."""

    name: str
    value: Value | Embed
    doc: str = ""
    is_none_by_default: bool = False

    def marked(self, nullable: bool) -> "Field":
        """Return the field as a directive wants it."""
        return self._replace(value=self.value._replace(nullable=nullable))

    @property
    def is_array(self) -> bool:
        """Whether it holds an array."""
        return isinstance(self.value, Value) and self.value.type.dims > 0

    def filled(self) -> "Field":
        """Return an array's field as one whose elements are never NULL."""
        if isinstance(self.value, Embed):
            return self
        made = without_nulls(self.value.type)
        return self._replace(value=self.value._replace(type=made))

    def as_argument(self) -> "Field":
        """Return a parameter as a field of a class of arguments."""
        if isinstance(self.value, Embed):
            return self
        return self._replace(value=self.value.as_argument())


class Row(NamedTuple):
    """A query's own row class, or one that a directive names for several queries."""

    name: str
    fields: tuple[Field, ...]
    doc: str = ""
    is_named: bool = False

    @property
    def columns(self) -> tuple[tuple[str, Value | Embed], ...]:
        """What rows of one class have in common: the documentation need not be.

        Nor need the names of JSON objects, which are those of queries.
        """
        return tuple((field.name, field.value.unnamed()) for field in self.fields)


class Model(NamedTuple):
    """A table's row class."""

    name: str
    fields: tuple[Field, ...]
    doc: str
    table_name: Name


class Scalar(NamedTuple):
    """A result of one column."""

    value: Value


Result: TypeAlias = Model | Row | Scalar


def optional(annotation: str, *, nullable: bool) -> str:
    """Add None to an annotation."""
    return f"{annotation} | None" if nullable else annotation
