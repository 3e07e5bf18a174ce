"""The Python types of values: how they are annotated, sent and read."""

from typing import NamedTuple

from sqlc_gen_psycopg import names
from sqlc_gen_psycopg.request import Name


class Import(NamedTuple):
    """``from module import name``, or ``import module``; ``@`` is the output's root."""

    module: str
    name: str = ""


class Wrap(NamedTuple):
    """A callable that a value passes through on its way, and where it comes from."""

    call: str
    imports: tuple[Import, ...] = ()


class PyType(NamedTuple):
    """A Python type: how to annotate it, how to send and how to read its values."""

    annotation: str
    imports: tuple[Import, ...] = ()
    parameter: str = ""
    bind: tuple[Wrap, ...] = ()
    load: tuple[Wrap, ...] = ()
    # The type's own array type, unless psycopg does not know it: then the base
    # type's, under which the array's text can be read.
    array_of: str = ""
    known_array: bool = True
    dims: int = 0
    is_learned: bool = False
    # Whether psycopg reads it from a binary result as well as from a text one.
    is_binary: bool = False

    @property
    def accepted(self) -> str:
        """The annotation of a parameter."""
        return self.parameter or self.annotation


ENUMS = (Import("@", "enums"),)
SERVER_TYPES = (Import("@", "server_types"),)


class EnumType(NamedTuple):
    """An enum of the output: from an ENUM type or from a domain's closed set."""

    class_name: str
    source: Name
    labels: tuple[str, ...]
    comment: str

    @property
    def py_type(self) -> PyType:
        """The Python type of its values, which psycopg gives as strings."""
        annotation = f"enums.{self.class_name}"
        made = Wrap(annotation, ENUMS)
        return PyType(
            annotation, ENUMS, load=(made,), array_of="text", known_array=False
        )


class LearnedType(NamedTuple):
    """A type that each connection must learn from the server.

    A composite has a class of its own and attributes; ``hstore`` has none.
    """

    source: Name
    class_name: str = ""
    attributes: tuple[tuple[str, PyType], ...] = ()

    @property
    def function(self) -> str:
        """The end of the names of its functions."""
        return names.snake(self.class_name or self.source.name)

    @property
    def py_type(self) -> PyType:
        """The Python type of its values: what psycopg gives once it has learned."""
        annotation = "dict[str, str | None]"
        if self.class_name:
            annotation = f"server_types.{self.class_name}"
        check = Wrap(f"server_types.known_{self.function}", SERVER_TYPES)
        needed = SERVER_TYPES if self.class_name else ()
        return PyType(annotation, needed, load=(check,), is_learned=True)


def array(element: PyType, dims: int) -> PyType:
    """Return the type of an array; any element may be NULL."""
    result = element
    for _ in range(dims):
        none = " | None"
        optional = "" if result.dims else none
        accepted = result.accepted
        result = result._replace(
            annotation=f"list[{result.annotation}{optional}]",
            parameter=f"Sequence[{accepted}{optional}]",
            imports=result.imports,
            dims=result.dims + 1,
            is_binary=result.is_binary and result.known_array,
        )
    return result
