"""What the functions of both kinds of connections share: all but how they wait."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.function import Function
from sqlc_gen_psycopg.ir.python_types import Import
from sqlc_gen_psycopg.ir.results import (
    Field,
    Model,
    Row,
    Scalar,
    Value,
    optional,
)
from sqlc_gen_psycopg.render import layout, values
from sqlc_gen_psycopg.render.layout import Comprehension, Doc
from sqlc_gen_psycopg.render.source import Needs

# Where the deepest line of a generated function starts.
_DEEPEST = 16


class FunctionSource(NamedTuple):
    """A function's parameters, what it sends, and a row's annotation, spelled.

    ``factory`` is the row factory; ``annotations`` are the imports that the signature
    needs, ``imports`` those of the body as well.
    """

    function: Function
    factory: str
    parameters: list[Doc]
    sent: Doc
    row: str
    doc: str
    annotations: set[Import]
    imports: set[Import]

    @property
    def names(self) -> list[str]:
        """The names of the parameters."""
        if self.function.takes_rows:
            return ["rows"]
        if self.function.arguments:
            return ["arg"]
        return [parameter.name for parameter in self.function.parameters]

    @property
    def one(self) -> str:
        """The annotation of what `:one` gives."""
        if self.function.exactly_one or self.row.endswith(" | None"):
            return self.row
        return f"{self.row} | None"


def spell(function: Function, factory: str, within: str = "") -> FunctionSource:
    """Spell a function's parts; ``within`` stands before its module's own classes."""
    annotations, needs = Needs(), Needs()
    parameters = _parameters(annotations, function, within)
    row = _row(annotations, function, within)
    return FunctionSource(
        function,
        factory,
        parameters,
        layout.settled(_sent(needs, function), _DEEPEST),
        row,
        function.doc,
        annotations.imports,
        needs.imports | annotations.imports,
    )


def _parameters(needs: Needs, function: Function, within: str) -> list[Doc]:
    if function.takes_rows:
        needs.need_from("collections.abc", "Iterable")
        if function.arguments:
            row = f"{within}{function.arguments.name}"
        else:
            [only] = function.parameters
            row = _accepted(needs, only)
        return [layout.Annotated("rows", f"Iterable[{row}]")]
    if function.arguments:
        return [layout.Annotated("arg", f"{within}{function.arguments.name}")]
    return [_parameter(needs, parameter) for parameter in function.parameters]


def _parameter(needs: Needs, parameter: Field) -> Doc:
    default = " = None" if parameter.is_none_by_default else ""
    annotation = _accepted(needs, parameter)
    spelled = layout.Annotated(parameter.name, annotation, default=default)
    return layout.settled(spelled, layout.INDENT)


def _accepted(needs: Needs, parameter: Field) -> str:
    value = _value(parameter)
    needs.need(*value.imports)
    accepted = value.accepted
    if "Sequence[" in accepted:
        needs.need_from("collections.abc", "Sequence")
    return accepted


def _value(parameter: Field) -> Value:
    assert isinstance(parameter.value, Value)  # noqa: S101 - parameters embed nothing
    return parameter.value


def _row(needs: Needs, function: Function, within: str) -> str:
    match function.result:
        case Model() as model:
            needs.need(Import("@", "models"))
            return f"models.{model.name}"
        case Row() as row:
            return f"{within}{row.name}"
        case Scalar() as scalar:
            value = scalar.value
            needs.need(*value.imports)
            own = {made.name: f"{within}{made.name}" for made in value.type.objects}
            spelled = value.type.with_names(own)
            return optional(spelled, nullable=value.nullable)
        case None:
            return "Any"


def _sent(needs: Needs, function: Function) -> Doc:
    fields = function.parameters
    if function.copy:
        fields = tuple(fields[number - 1] for number in function.copy.order)
    if function.arguments:
        prefix = "row." if function.takes_rows else "arg."
        names = [f"{prefix}{field.name}" for field in fields]
    else:
        names = ["row" if function.takes_rows else field.name for field in fields]
    is_typed = bool(function.copy and function.copy.types)
    bound = [
        values.bound(needs, _value(field), name, is_typed=is_typed)
        for field, name in zip(fields, names, strict=True)
    ]
    if function.is_unnested:
        bound = [Comprehension(each, "for row in rows") for each in bound]
    return layout.tuple_of(tuple(bound))
