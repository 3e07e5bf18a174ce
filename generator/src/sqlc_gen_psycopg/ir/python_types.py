"""The Python types of values: how they are annotated, sent and read."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.naming.sql_names import Name

# The module that stands for the enums' one: what is imported of it is used.
USED_ENUMS = "#"
# A string of a Literal is not a name.
_WORD = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\w+""")


class Import(NamedTuple):
    """``from module import name``, or ``import module``; ``@`` is the output's root."""

    module: str
    name: str = ""


class Wrap(NamedTuple):
    """A callable that a value passes through on its way, and where it comes from.

    ``untyped`` converts and refuses the same, but does not say the type, for where that
    is said otherwise: it takes a fraction of the time.
    """

    call: str
    imports: tuple[Import, ...] = ()
    untyped: "Wrap | None" = None


class JsonObject(NamedTuple):
    """A ``TypedDict`` of the output: what a JSON object has under each key."""

    name: str
    fields: tuple[tuple[str, "PyType"], ...]


class PyType(NamedTuple):
    """A Python type: how to annotate it, how to send and how to read its values.

    ``objects`` are the classes that its annotation names and that must be written with
    it, those that others need first.
    """

    annotation: str
    imports: tuple[Import, ...] = ()
    parameter: str = ""
    bind: tuple[Wrap, ...] = ()
    load: tuple[Wrap, ...] = ()
    # The type itself if psycopg has a loader for its arrays, else the base type, as
    # arrays of which the text can be read.
    array_of: str = ""
    has_array_loader: bool = True
    dims: int = 0
    # Whether the elements of an array may be None.
    has_nulls: bool = True
    is_registered: bool = False
    # Whether psycopg reads it from a binary result as well as from a text one.
    is_binary: bool = False
    objects: tuple[JsonObject, ...] = ()

    @property
    def accepted(self) -> str:
        """The annotation of a parameter."""
        return self.parameter or self.annotation

    def with_names(self, names: Mapping[str, str]) -> str:
        """Return the annotation with other names for its JSON objects."""
        return _WORD.sub(lambda word: names.get(word[0], word[0]), self.annotation)

    def unnamed(self) -> "PyType":
        """Return it with numbers for the names of JSON objects, to compare it."""
        names = {made.name: f"#{number}" for number, made in enumerate(self.objects)}
        return self._replace(
            annotation=self.with_names(names),
            objects=tuple(
                JsonObject(
                    names[made.name],
                    tuple(
                        (key, PyType(kind.with_names(names), kind.imports))
                        for key, kind in made.fields
                    ),
                )
                for made in self.objects
            ),
        )


ENUMS = (Import("@", "enums"),)
SUPPORT = Import("@", "support")
# The modules of classes, which another package may have.
SHARED = frozenset({"enums", "json_types", "models", "server_types"})
SERVER_TYPES = (Import("@", "server_types"),)


class EnumType(NamedTuple):
    """An enum of the output: from an ENUM type or from a domain's closed set.

    ``reader`` is the function that gives the member of a value.
    """

    class_name: str
    reader: str
    source: Name
    labels: tuple[str, ...]
    comment: str

    @property
    def py_type(self) -> PyType:
        """The Python type of its values, which psycopg gives as strings."""
        annotation = f"enums.{self.class_name}"
        needed = (*ENUMS, Import(USED_ENUMS, self.class_name))
        made = Wrap(f"enums.{self.reader}", needed)
        return PyType(
            annotation, needed, load=(made,), array_of="text", has_array_loader=False
        )


class RegisteredType(NamedTuple):
    """A type that is registered on each connection, as the server has it.

    A composite has a class of its own and attributes, a range or a multirange a class
    to be sent as; ``hstore`` has none.
    """

    source: Name
    class_name: str = ""
    attributes: tuple[tuple[str, PyType], ...] = ()
    # The attributes that psycopg has no loader for, by place: what each is read as, and
    # whether as an array of such.
    read_as: tuple[tuple[int, str, bool], ...] = ()
    # The attributes that are never NULL.
    required: frozenset[str] = frozenset()
    # Of a range or a multirange: what its bounds are.
    bound: PyType | None = None
    is_multirange: bool = False

    @property
    def is_composite(self) -> bool:
        """Whether its class has attributes."""
        return bool(self.class_name) and self.bound is None

    @property
    def span(self) -> str:
        """The class that psycopg reads a range, or a multirange, as."""
        return "Multirange" if self.is_multirange else "Range"

    @property
    def span_module(self) -> str:
        """The module of psycopg's that has the class."""
        return f"psycopg.types.{self.span.lower()}"

    @property
    def function(self) -> str:
        """The end of the names of its functions."""
        return identifiers.snake(self.class_name or self.source.name)

    @property
    def py_type(self) -> PyType:
        """The Python type of its values: what psycopg gives once it has registered."""
        if self.bound:
            return self._span_type(self.bound)
        annotation = "dict[str, str | None]"
        if self.class_name:
            annotation = f"server_types.{self.class_name}"
        check = Wrap(f"server_types.registered_{self.function}", SERVER_TYPES)
        needed = SERVER_TYPES if self.class_name else ()
        return PyType(annotation, needed, load=(check,), is_registered=True)

    def _span_type(self, bound: PyType) -> PyType:
        # psycopg knows a range's type by its class, if it is none of PostgreSQL's own.
        sent = Wrap(f"server_types.as_{self.function}", SERVER_TYPES)
        check = Wrap(f"server_types.registered_{self.function}", SERVER_TYPES)
        return PyType(
            f"{self.span}[{bound.annotation}]",
            (Import(self.span_module, self.span), *bound.imports),
            bind=(sent,),
            load=(check,),
            is_registered=True,
        )


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
            is_binary=result.is_binary and result.has_array_loader,
        )
    return result


def without_nulls(found: PyType) -> PyType:
    """Return the type of an array of which no element is NULL."""
    end = "]" * found.dims
    optional_end = f" | None{end}"
    return found._replace(
        annotation=f"{found.annotation.removesuffix(optional_end)}{end}",
        parameter=f"{found.parameter.removesuffix(optional_end)}{end}",
        has_nulls=False,
    )
