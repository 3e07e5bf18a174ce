"""Python names out of SQL names: always valid, always predictable."""

import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache

# A name that an annotation or a body needs must not be shadowed. Fields and
# parameters are lower case, so the capitalised imports are out of their way.
_BUILTINS = frozenset(
    {"bool", "bytes", "dict", "float", "int", "list", "object", "str"}
)
MODULES = frozenset(
    {"datetime", "enums", "ipaddress", "json_types", "models", "server_types"}
)
FIELDS = _BUILTINS | MODULES
# What every model of pydantic's has already.
_PYDANTIC = frozenset(
    """construct copy dict from_orm json model_computed_fields model_config
    model_construct model_copy model_dump model_dump_json model_extra model_fields
    model_fields_set model_json_schema model_parametrized_name model_post_init
    model_rebuild model_validate model_validate_json model_validate_strings parse_file
    parse_obj parse_raw schema schema_json update_forward_refs validate""".split()  # noqa: SIM905 - a list of names reads best so
)
PYDANTIC_FIELDS = FIELDS | _PYDANTIC
PARAMETERS = FIELDS | {"conn", "cur", "self", "support"}
# What the functions of a module call by these names.
FUNCTIONS = FIELDS | {
    "_conn",
    "aio",
    "any",
    "asynccontextmanager",
    "cast",
    "contextmanager",
    "dataclass",
    "isinstance",
    "len",
    "pq",
    "scalar_row",
    "support",
    "type",
    "uuid4",
}
CLASSES = frozenset(
    {
        "AdaptContext",
        "Any",
        "AsyncConnection",
        "AsyncGenerator",
        "AsyncRawCursor",
        "AsyncRawServerCursor",
        "Awaitable",
        "BaseModel",
        "Callable",
        "CompositeInfo",
        "ConfigDict",
        "Connection",
        "Decimal",
        "False",
        "Final",
        "Float4",
        "Float8",
        "Generator",
        "IPv4Address",
        "IPv4Network",
        "IPv6Address",
        "IPv6Network",
        "Iterable",
        "Json",
        "JsonInput",
        "JsonValue",
        "Jsonb",
        "Literal",
        "Multirange",
        "MultirangeBinaryLoader",
        "MultirangeDumper",
        "MultirangeLoader",
        "None",
        "OpenEnum",
        "Range",
        "RangeBinaryLoader",
        "RangeDumper",
        "RangeLoader",
        "RawCursor",
        "RawServerCursor",
        "RowMaker",
        "Self",
        "Sequence",
        "StrEnum",
        "True",
        "TypeInfo",
        "TypedDict",
        "UUID",
    }
)


_CASE_CHANGE = re.compile(
    # `byIDs` is by_ids: the s of a plural belongs to the capitals before it.
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])"
)


@cache
def words(name: str) -> tuple[str, ...]:
    """Split a SQL name into words, at case changes and odd characters."""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
    if not name.islower():
        name = _CASE_CHANGE.sub("_", name)
    spelled = name
    if not f"a{name}".isidentifier():
        spelled = "".join(c if _fits(c) else "_" for c in name)
    return tuple(word for word in spelled.split("_") if word)


def _fits(character: str) -> bool:
    return f"a{character}".isidentifier()


@cache
def snake(name: str, reserved: frozenset[str] = frozenset()) -> str:
    """Return a snake_case identifier that is neither a keyword nor reserved."""
    leading = "_" if name.startswith("_") and words(name) else ""
    spelled = leading + "_".join(words(name)).lower() or "value"
    if not spelled.isidentifier():
        spelled = f"n{spelled}"
    return (
        f"{spelled}_" if keyword.iskeyword(spelled) or spelled in reserved else spelled
    )


def pascal(name: str) -> str:
    """Return a PascalCase identifier that no import of the output is called."""
    spelled = "".join(word[:1].upper() + word[1:] for word in words(name)) or "Value"
    if not spelled.isidentifier():
        spelled = f"N{spelled}"
    return f"{spelled}_" if spelled in CLASSES else spelled


def constant(name: str) -> str:
    """Return the name of a query's SQL constant."""
    spelled = snake(name).upper()
    return f"{spelled}_" if spelled in CLASSES else spelled


_SIGNS = {"+": "plus", "-": "minus"}


def member(label: str) -> str:
    """Return the name of an enum's member; symbols go by their Unicode names."""
    found = words(label) or tuple(map(_spell, label)) or ("EMPTY",)
    # `+1` and `-1` differ in their signs only.
    if label[0:1] in _SIGNS and words(label):
        found = (_SIGNS[label[0]], *found)
    spelled = "_".join(found).upper()
    return spelled if spelled.isidentifier() else f"VALUE_{spelled}"


def _spell(character: str) -> str:
    name = unicodedata.name(character, f"U{ord(character):04X}")
    return re.sub(r"\W+", "_", name)


def distinct(names: Iterable[str], taken: Collection[str] = ()) -> list[str]:
    """Tell equal names apart: the second ``id`` becomes ``id_2``."""
    result: list[str] = []
    seen = set(taken)
    for name in names:
        candidate, count = name, 1
        while candidate in seen:
            count += 1
            candidate = f"{name.rstrip('_')}_{count}"
        seen.add(candidate)
        result.append(candidate)
    return result
