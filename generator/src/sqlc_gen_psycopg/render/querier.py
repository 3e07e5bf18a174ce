"""All queries as the methods of one class, and the protocol that it follows."""

from collections.abc import Iterator

from sqlc_gen_psycopg.ir.module import Module
from sqlc_gen_psycopg.ir.python_types import Import
from sqlc_gen_psycopg.naming import identifiers
from sqlc_gen_psycopg.render import function_source, layout, signatures
from sqlc_gen_psycopg.render.calls import ASYNC, ConnectionKind
from sqlc_gen_psycopg.render.function_source import FunctionSource
from sqlc_gen_psycopg.render.signatures import Signature
from sqlc_gen_psycopg.render.source import Source, docstring

_PROTOCOL = "What `Queries` does, for whatever stands in for it."
_QUERIES = "The queries of all modules, on one connection."


def add(source: Source, kind: ConnectionKind, modules: list[Module]) -> None:
    """Add the class of one kind of connection, and its protocol."""
    source.need_from("typing", "Any", "Protocol")
    source.need_from("psycopg", kind.connection)
    named = _names(modules)
    methods: list[tuple[str, Signature]] = []
    for module in modules:
        name = named[module.name]
        needed = name if name == module.name else f"{module.name} as {name}"
        source.need_from("@aio" if kind is ASYNC else "@", needed)
        for function in module.functions:
            shared = function_source.spell(function, "", f"{name}.")
            source.imports |= shared.annotations
            methods += ((name, made) for made in _signatures(kind, shared))
    protocol = ["class Querier(Protocol):", *docstring(_PROTOCOL)]
    made = [
        "class Queries(Querier):",
        *docstring(_QUERIES),
        "",
        f"    def __init__(self, conn: {kind.connection}[Any]) -> None:",
        "        self._conn = conn",
    ]
    for module_name, method in methods:
        source.need(*method.imports)
        define = "def" if method.opens_context else kind.define
        body = [*docstring(method.doc, 8), "        ..."] if method.doc else []
        end = ":" if body else ": ..."
        protocol += ["", *method.head(4, define, "self", end), *body]
        called = _call(kind, f"{module_name}.{method.name}", method)
        made += ["", *method.head(4, define, "self"), *called]
    source.add("Querier", protocol)
    source.add("Queries", made)


def _names(modules: list[Module]) -> dict[str, str]:
    """Return what each module is called where no method or parameter is called so."""
    taken = {"arg", "fetch_size", "rows", *identifiers.MODULES}
    for function in (each for module in modules for each in module.functions):
        taken.update(parameter.name for parameter in function.parameters)
        plain = function.name.strip("_")
        taken |= {function.name, f"send_{plain}", f"stream_{plain}"}
    named: dict[str, str] = {}
    for module in modules:
        name = module.name
        while name in taken:
            name += "_"
        named[module.name] = name
        taken.add(name)
    return named


def _signatures(kind: ConnectionKind, shared: FunctionSource) -> Iterator[Signature]:
    yield signatures.now(kind, shared)
    if shared.function.is_deferred:
        yield signatures.deferred(kind, shared)
    if shared.function.is_streamed:
        manager = f"Abstract{kind.prefix}ContextManager"
        needed = Import("contextlib", manager)
        yield signatures.streamed(kind, shared, f"{manager}[{{}}]", needed)


def _call(kind: ConnectionKind, function: str, signature: Signature) -> list[str]:
    """Return the lines that pass a method's arguments on."""
    wait = "" if signature.opens_context else kind.wait
    gives = "" if signature.returns == "None" else "return "
    given = [f"{name}={name}" for name in signature.names]
    return layout.call_lines(8, f"{gives}{wait}{function}", "self._conn", *given)
