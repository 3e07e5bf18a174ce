"""A generated function, before it is spelled."""

from typing import NamedTuple

from sqlc_gen_psycopg.comments import Comment
from sqlc_gen_psycopg.copying import Copy
from sqlc_gen_psycopg.request import Query
from sqlc_gen_psycopg.rows import Field, Model, Row, Scalar

_NEEDED = "Needs a connection that `server_types.register_types` has seen."


class Function(NamedTuple):
    """One generated function.

    ``text`` is what is sent; ``arguments`` the class of a row of arguments, if the
    function takes such.
    """

    query: Query
    name: str
    constant: str
    comment: Comment
    text: str
    parameters: tuple[Field, ...]
    result: Model | Row | Scalar | None
    arguments: Row | None = None
    copy: Copy | None = None
    exactly_one: bool = False

    @property
    def doc(self) -> str:
        """The docstring: the comment, and what the connection must have learned."""
        values = [field.value for field in self.parameters]
        match self.result:
            case Row() | Model() as row:
                values += [field.value for field in row.fields]
            case Scalar() as scalar:
                values.append(scalar.value)
            case None:
                pass
        needed = _NEEDED if any(value.is_learned for value in values) else ""
        return "\n\n".join(part for part in (self.comment.text, needed) if part)
