"""The files that the modules of the queries share."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.python_types import SUPPORT, EnumType, Import, RegisteredType
from sqlc_gen_psycopg.ir.results import Model
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.naming.literals import quoted
from sqlc_gen_psycopg.render import layout, rows, server_types, support
from sqlc_gen_psycopg.render.calls import ASYNC, SYNC
from sqlc_gen_psycopg.render.modules import Shared
from sqlc_gen_psycopg.render.output import Output
from sqlc_gen_psycopg.render.source import Source, docstring

_JSON_TYPES = """\
if TYPE_CHECKING:
    JsonValue: TypeAlias = (
        dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None
    )
    _T_co = TypeVar("_T_co", covariant=True)

    # `json.dumps` takes no Mapping but dict, and no Sequence but list and tuple. The
    # protocols fit these alone, and take a `list[str]`, which is no `list[JsonInput]`.
    class _Dict(Protocol[_T_co]):
        def popitem(self) -> tuple[str, _T_co]: ...
        def __reversed__(self) -> Iterator[str]: ...

    class _List(Protocol[_T_co]):
        def pop(self, index: SupportsIndex = -1, /) -> _T_co: ...
        def __iter__(self) -> Iterator[_T_co]: ...

    JsonInput: TypeAlias = (
        _Dict["JsonInput"]
        | _List["JsonInput"]
        | tuple["JsonInput", ...]
        | str
        | int
        | float
        | bool
        | None
    )
else:
    # What is evaluated at run time cannot refer to itself.
    JsonValue = dict[str, object] | list[object] | str | int | float | bool | None
    JsonInput = (
        dict[str, object]
        | list[object]
        | tuple[object, ...]
        | str
        | int
        | float
        | bool
        | None
    )"""


_OPEN_ENUM = '''\
class OpenEnum(StrEnum):
    """A closed set to which the database may add before this code knows of it."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        # No member is called so, as this is no identifier.
        unknown._name_ = repr(value)
        unknown._value_ = value
        return unknown

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[str]]:
        # By its value: Python before 3.11.4 looks its name up among the members.
        return type(self), (self.value,)

    @property
    def is_known(self) -> bool:
        """Whether it is a member, and not a label that was added since."""
        return self.name in type(self).__members__'''


_MEMBERS = """\
class _Members(dict[str, _Member]):
    # Looks a value up in a fraction of the time that calling the class takes.

    def __init__(self, kind: type[_Member]) -> None:
        super().__init__((str(member), member) for member in kind)
        self._kind = kind

    def __missing__(self, value: str) -> _Member:
        return self._kind(value)


def _reader(kind: type[_Member]) -> Callable[[str], _Member]:
    return _Members(kind).__getitem__"""


class Package(NamedTuple):
    """The classes that the modules of the queries share."""

    output: Output
    models: list[Model]
    enums: list[EnumType]
    registered: list[RegisteredType]

    def files(self, shared: Shared) -> dict[str, str]:
        """Return the text of each file, given what the modules need of them."""
        result: dict[str, str] = {}
        settings = self.output.settings
        if settings.emit_init_file:
            result["__init__.py"] = self.output.open("the schema").text()
            if settings.emit_async:
                result["aio/__init__.py"] = self.output.open("the queries").text()
        if not settings.models_package:
            result |= self._classes(shared)
        if SUPPORT in shared.imports:
            result["support.py"] = self._support()
        return result

    def _classes(self, shared: Shared) -> dict[str, str]:
        """Return the modules of classes."""
        result: dict[str, str] = {}
        if self.models:
            with_models = self._models(shared)
            result["models.py"] = with_models.text()
            shared.add_source(with_models)
        if self.registered:
            types = self._shared_types()
            result |= self._server_types(types)
            shared.add_source(types)
        if Import("@", "enums") in shared.imports:
            result["enums.py"] = self._enums(shared)
        if Import("@", "json_types") in shared.imports:
            result["json_types.py"] = self._json_types()
        return result

    def _models(self, shared: Shared) -> Source:
        source = self.output.open("the schema")
        for model in self.models:
            rows.add_class(source, model, within="models.")
        for model in self.models:
            if model.table_name in shared.rows:
                name = rows.factory_name(model)
                rows.add_factory(source, name, model.name, model)
        return source

    def _enums(self, shared: Shared) -> str:
        source = self.output.open("the schema")
        source.need_from("enum", "StrEnum")
        base = "StrEnum"
        if self.output.settings.has_open_enums:
            source.need_from("typing", "Self")
            base = "OpenEnum"
            source.add(base, [_OPEN_ENUM])
        omitted = self.output.settings.omit_unused_models
        chosen = [e for e in self.enums if not omitted or e.class_name in shared.enums]
        for enum in chosen:
            source.add(enum.class_name, _enum_lines(enum, base))
        source.need_from("typing", "TypeVar")
        source.need_from("collections.abc", "Callable")
        variable = '_Member = TypeVar("_Member", bound=StrEnum)'
        readers = [
            line
            for enum in chosen
            for line in layout.call_lines(
                0, f"{enum.reader} = _reader", enum.class_name
            )
        ]
        source.blocks += [variable, _MEMBERS, "\n".join(readers)]
        return source.text()

    def _shared_types(self) -> Source:
        # Whatever rows are, psycopg makes composites by calling a class.
        is_frozen = self.output.settings.is_frozen
        source = Source(self.output.header("the schema"), is_frozen=is_frozen)
        server_types.add_types(source, self.registered)
        if self.output.settings.emit_sync:
            server_types.add_register(source, SYNC, self.registered)
        return source

    def _server_types(self, shared: Source) -> dict[str, str]:
        result = {"server_types.py": shared.text()}
        if self.output.settings.emit_async:
            source = Source(self.output.header("the schema"), depth=1)
            server_types.add_register(source, ASYNC, self.registered)
            result["aio/server_types.py"] = source.text()
        return result

    def _support(self) -> str:
        source = self.output.open("the queries")
        support.add(source, self.output.settings)
        return source.text()

    def _json_types(self) -> str:
        source = self.output.open("the schema")
        typing = ("TYPE_CHECKING", "Protocol", "SupportsIndex", "TypeAlias", "TypeVar")
        source.need_from("typing", *typing)
        source.need_from("collections.abc", "Iterator")
        source.exports += ["JsonInput", "JsonValue"]
        source.blocks.append(_JSON_TYPES)
        return source.text()


def _enum_lines(enum: EnumType, base: str) -> list[str]:
    doc = docstring(enum.comment)
    members = identifiers.distinct(identifiers.member(label) for label in enum.labels)
    return [
        f"class {enum.class_name}({base}):",
        *doc,
        *([""] if doc else []),
        *(
            line
            for name, label in zip(members, enum.labels, strict=True)
            for line in layout.string(name, quoted(label), 4)
        ),
    ]
