"""A generated function, before it is spelled."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.commands import Command
from sqlc_gen_psycopg.ir.copy import Copy
from sqlc_gen_psycopg.ir.results import Field, Model, Row, Scalar

_NEEDED = "Needs a connection that `server_types.register_types` has seen."


class Function(NamedTuple):
    """One generated function.

    ``text`` is what is sent, ``comment`` the query's own; ``arguments`` the class of a
    row of arguments, if the function takes such. ``where`` is the place a problem with
    it is reported at, ``query_name`` what the query is called there. One that
    ``is_unnested`` sends its rows as an array for each parameter.
    """

    where: str
    query_name: str
    name: str
    constant: str
    command: Command
    comment: str
    text: str
    parameters: tuple[Field, ...]
    result: Model | Row | Scalar | None
    arguments: Row | None = None
    copy: Copy | None = None
    exactly_one: bool = False
    is_binary: bool = False
    is_deferred: bool = False
    is_streamed: bool = False
    is_unnested: bool = False

    @property
    def takes_rows(self) -> bool:
        """Whether it is called with many rows of arguments at once."""
        return self.command.takes_rows or self.is_unnested

    @property
    def doc(self) -> str:
        """The docstring: the comment, what must be registered, and the parameters."""
        values = [field.value for field in self.parameters]
        match self.result:
            case Row() | Model() as row:
                values += [field.value for field in row.fields]
            case Scalar() as scalar:
                values.append(scalar.value)
            case None:
                pass
        needed = _NEEDED if any(value.is_registered for value in values) else ""
        said = [part for part in (self.comment, needed) if part]
        arguments = self._explained()
        if arguments:
            listed = "\n".join(["Args:", *arguments])
            said = [*(said or [f"Run `{self.name}`."]), listed]
        return "\n\n".join(said)

    def _explained(self) -> list[str]:
        """Return a line for each parameter that something is known of."""
        if self.arguments:
            # Its fields have it.
            return []
        return [
            f"    {'rows' if self.takes_rows else parameter.name}: {doc}"
            for parameter in self.parameters
            if (doc := " ".join(parameter.doc.split()))
        ]
