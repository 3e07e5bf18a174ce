"""The Python types of shapes: of constants, and of what is inside of JSON."""

from collections.abc import Iterable, Sequence

from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference.facts import (
    Constants,
    Entries,
    Fact,
    Fields,
    Items,
    Scalar,
)
from sqlc_gen_psycopg.ir.python_types import Import, JsonObject, PyType
from sqlc_gen_psycopg.ir.results import Value, optional
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.naming.literals import quoted
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.resolve.builtin_types import BUILT_IN
from sqlc_gen_psycopg.resolve.type_map import Types
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sqlc.request import Request

# What is longer is a text, and no label; nor are so many a choice.
_LONGEST = 40
_MOST = 32
_PLAIN = frozenset({"bool", "int", "str"})
_JSON = BUILT_IN["json"]
_NONE = PyType("None")
_LITERAL = (Import("typing", "Literal"),)
# JSON has no NaN and no infinity, so that they are strings, and 1.0 may become 1.
_NUMBER = PyType("int | float | str")
_FORMS = {
    **{name: PyType("str") for name, found in BUILT_IN.items() if not found.bind},
    "bool": PyType("bool"),
    "citext": PyType("str"),
    "float4": _NUMBER,
    "float8": _NUMBER,
    "hstore": PyType("dict[str, str | None]"),
    "int2": PyType("int"),
    "int4": PyType("int"),
    "int8": PyType("int"),
    "numeric": _NUMBER,
    "oid": PyType("str"),
}
# Arrays, though they are called otherwise.
_VECTORS = ("int2vector", "oidvector")


class Shapes:
    """Narrows Python types to the shapes of values."""

    def __init__(
        self, request: Request, schema: Schema, types: Types, *, has_open_enums: bool
    ) -> None:
        self._schema = schema
        self._tables = request.tables
        # The closed sets, of ENUM types and of domains.
        self._labels = {name: enum.labels for name, enum in types.enums.items()}
        # Of what may have other labels tomorrow, a list of today's is none.
        self._is_open = has_open_enums
        self._required = types.required
        self._taken = {
            f"{identifiers.pascal(query.name)}{end}"
            for query in request.queries
            for end in ("Row", "Params")
        }
        # Of one letter a constant is no different from a class.
        self._taken |= {identifiers.constant(query.name) for query in request.queries}
        casts = schema.casts
        self._with_json_cast = {s.name for s, t, _ in casts if t.name.name == "json"}

    def reserve(self, names: Iterable[str]) -> None:
        """Take names that no class may have."""
        self._taken.update(names)

    def narrowed(self, value: Value, fact: Fact, name: str) -> Value:
        """Return a column's value as its shape has it, unless an override has it.

        ``name`` is that of a class, if it needs one.
        """
        kind, shape = value.type, fact.shape
        if shape is None or kind.load or kind.dims:
            return value
        if isinstance(shape, Constants):
            if kind.annotation not in _PLAIN or not _is_choice(shape.values):
                return value
            found = _literal(shape.values)
        elif kind.annotation == _JSON.annotation:
            found = self._form(fact._replace(not_null=True), name)
        else:
            return value
        return value._replace(
            type=kind._replace(
                annotation=found.annotation,
                imports=found.imports,
                objects=found.objects,
            )
        )

    def _form(self, fact: Fact, name: str, within: tuple[PgType, ...] = ()) -> PyType:
        """Return what a value is in JSON, once it is read, NULL included."""
        found = self._present(fact, name, within)
        if fact.not_null or found in (_JSON, _NONE):
            return found
        return found._replace(annotation=optional(found.annotation, nullable=True))

    def _present(  # noqa: PLR0911 - a shape each
        self, fact: Fact, name: str, within: tuple[PgType, ...]
    ) -> PyType:
        match fact.shape:
            case Constants(()):
                return _NONE
            case Constants(values) if _is_choice(values):
                return _literal(values)
            case Constants((bool(), *_)):
                return _FORMS["bool"]
            case Constants((int(), *_)):
                return _FORMS["int4"]
            case Constants():
                return _FORMS["text"]
            case Fields(fields):
                return self._object(fields, name, within)
            case Items(items):
                return _generic("list[{}]", self._any_of(items, name, within))
            case Entries(values):
                return _generic("dict[str, {}]", self._any_of(values, name, within))
            case Scalar(value):
                return self._form(value, name, within)
            case _:
                pass
        if fact.type is None or fact.type.is_unknown:
            return _JSON
        return self._of_type(fact.type, (fact.dims, fact.is_filled), name, within)

    def _any_of(
        self, facts: Sequence[Fact], name: str, within: tuple[PgType, ...]
    ) -> PyType:
        forms = [self._form(fact, name, within) for fact in facts]
        if not forms or _JSON in forms:
            return _JSON
        arms = dict.fromkeys(arm for f in forms for arm in _arms(f.annotation))
        # None comes last.
        listed = sorted(arms, key="None".__eq__)
        return PyType(
            " | ".join(listed),
            tuple(dict.fromkeys(i for form in forms for i in form.imports)),
            objects=tuple(dict.fromkeys(o for form in forms for o in form.objects)),
        )

    def _object(
        self,
        fields: tuple[tuple[str, Fact], ...],
        name: str,
        within: tuple[PgType, ...],
    ) -> PyType:
        if any(not key for key, _ in fields):
            # Type checkers refuse a TypedDict with such a key.
            return _JSON
        # Of equal keys the last one counts.
        found = tuple(
            (key, self._form(fact, f"{name}_{key}", within))
            for key, fact in dict(fields).items()
        )
        [spelled] = identifiers.distinct([identifiers.pascal(name)], self._taken)
        self._taken.add(spelled)
        inner = [one for _, form in found for one in form.objects]
        made = JsonObject(spelled, found)
        return PyType(spelled, objects=(*dict.fromkeys(inner), made))

    def _of_type(  # noqa: PLR0911 - a kind each
        self,
        found: PgType,
        array: tuple[int, bool],
        name: str,
        within: tuple[PgType, ...],
    ) -> PyType:
        dims, is_filled = array
        element = found.element or found.flat.element
        if element is not None and found.flat.name.name not in _VECTORS:
            made = self._of_type(element, (0, False), name, within)
            if not is_filled and made != _JSON:
                made = made._replace(
                    annotation=optional(made.annotation, nullable=True)
                )
            for _ in range(max(dims, self._domain_dims(found.name), 1)):
                made = _generic("list[{}]", made)
            return made
        base = found.flat
        labels = self._labels.get(found.name) or self._labels.get(base.name)
        if base.name in self._with_json_cast:
            return _JSON
        if labels:
            is_choice = _is_choice(labels) and not self._is_open
            return _literal(labels) if is_choice else PyType("str")
        if base.kind in ("r", "m"):
            return PyType("str")
        if base.kind == "c" and base.attributes and base not in within:
            dims_of = self._attribute_dims(base.name)
            required = self._required(base.name)
            fields = tuple(
                (attribute, Fact(kind, attribute in required, dims=dims_of[attribute]))
                for attribute, kind in base.attributes
            )
            return self._object(fields, name, (*within, base))
        if base.name.schema or base.name.name in _VECTORS:
            return _JSON
        return _FORMS.get(base.name.name, _JSON)

    def _domain_dims(self, name: Name) -> int:
        """Return how many dimensions the arrays have that a domain is over."""
        domains, dims = self._schema.domains, 0
        while name in domains:
            dims = domains[name].base_dims
            name = domains[name].base
        return dims

    def _attribute_dims(self, name: Name) -> dict[str, int]:
        if name in self._schema.composites:
            return {n: dims for n, _, dims in self._schema.composites[name]}
        return {c.name: c.array_dims for c in self._tables[name].columns}


def _is_choice(values: Sequence[str | int | bool]) -> bool:
    """Tell whether constants are worth to be listed."""
    if {*values} == {True, False} and isinstance(values[0], bool):
        return False
    return 0 < len(values) <= _MOST and all(len(str(v)) <= _LONGEST for v in values)


def _literal(values: Sequence[str | int | bool]) -> PyType:
    listed = [quoted(v) if isinstance(v, str) else str(v) for v in values]
    return PyType(f"Literal[{', '.join(listed)}]", _LITERAL)


def _generic(pattern: str, inner: PyType) -> PyType:
    return inner._replace(annotation=pattern.format(inner.annotation))


def _arms(annotation: str) -> list[str]:
    """Take a union apart, as far as no string or bracket may hold a bar, too."""
    plain = annotation.removesuffix(" | None")
    arms = [plain] if "[" in plain else plain.split(" | ")
    return arms if plain == annotation else [*arms, "None"]
