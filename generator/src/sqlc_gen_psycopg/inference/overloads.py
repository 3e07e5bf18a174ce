"""Which overload of a function or an operator is meant, and what it gives."""

from functools import cache

from sqlc_gen_psycopg.inference import builtins, polymorphic
from sqlc_gen_psycopg.inference.builtins import Signature
from sqlc_gen_psycopg.inference.facts import SqlType

_EXACT, _SAME, _IMPLICIT = 4, 3, 1
_IMPLICIT_CASTS = {
    "int2": ("int4", "int8", "numeric", "float4", "float8", "oid"),
    "int4": ("int8", "numeric", "float4", "float8", "oid"),
    "int8": ("numeric", "float4", "float8", "oid"),
    "numeric": ("float4", "float8"),
    "float4": ("float8",),
    "varchar": ("text", "bpchar"),
    "bpchar": ("text", "varchar"),
    "name": ("text",),
    "char": ("text",),
    "date": ("timestamp", "timestamptz"),
    "timestamp": ("timestamptz",),
    "time": ("interval", "timetz"),
    "cidr": ("inet",),
    "bit": ("varbit",),
    "macaddr": ("macaddr8",),
    "oid": ("regclass", "regtype", "regproc"),
    "regclass": ("oid",),
    "regtype": ("oid",),
    "regproc": ("oid",),
}
_SAME_BYTES = {("varchar", "text"), ("cidr", "inet"), ("bit", "varbit")}
_PREFERRED = {"bool", "float8", "inet", "interval", "oid", "text", "timestamptz"}


@cache
def function(
    name: str,
    arguments: tuple[SqlType | None, ...],
    given: tuple[SqlType | None, ...],
) -> SqlType | None:
    """Return a call's result type, None if it cannot be told, as unknown types are.

    ``arguments`` are base types, ``given`` may be domains: `any…` keeps them.
    """
    found = _resolve(builtins.overloads(name), arguments, given)
    return found or _resolve(builtins.overloads(name), arguments)


@cache
def only_result(name: str) -> SqlType | None:
    """Return what all overloads of a name give, None if they differ.

    Where arguments are named, their places do not tell which one is meant.
    """
    results = {
        polymorphic.result(signature.result, (), ())
        for signature in builtins.overloads(name)
    }
    return results.pop() if len(results) == 1 else None


@cache
def operator(name: str, operands: tuple[SqlType | None, ...]) -> SqlType | None:
    """Return an operation's result type, None if it cannot be told."""
    signatures = builtins.operators(name)
    found = _resolve(signatures, _alike(operands), exact=True)
    return found or _resolve(signatures, operands)


def _alike(operands: tuple[SqlType | None, ...]) -> tuple[SqlType | None, ...]:
    """Return operands of which PostgreSQL first takes an untyped one as the other."""
    known = next((found for found in operands if found), None)
    return tuple(found or known for found in operands)


@cache
def operands(
    name: str, given: tuple[SqlType | None, ...]
) -> tuple[SqlType | None, ...]:
    """Return the types that an operator takes, () if they cannot be told."""
    signatures = builtins.operators(name)
    found = _wanted(signatures, _alike(given), exact=True)
    return found or _wanted(signatures, given)


@cache
def arguments(
    name: str, given: tuple[SqlType | None, ...]
) -> tuple[SqlType | None, ...]:
    """Return the types that a call takes, () if they cannot be told.

    None stands for `any…`.
    """
    return _wanted(builtins.overloads(name), given)


@cache
def polymorphic_arguments(
    name: str, arguments: tuple[SqlType | None, ...]
) -> tuple[SqlType | None, ...]:
    """Return what `any…` stands for where a call has untyped arguments.

    None stands for what is taken for a type of its own, or cannot be told.
    """
    found = {
        tuple(_stands_for(parameter, wanted, arguments) for parameter in wanted)
        for signature in builtins.overloads(name)
        if (wanted := signature.takes(len(arguments)))
        and _score(wanted, arguments) is not None
        and polymorphic.is_consistent(wanted, arguments)
    }
    return found.pop() if len(found) == 1 else ()


def _stands_for(
    parameter: str, wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> SqlType | None:
    if parameter == "any" or parameter not in polymorphic.TYPES:
        return None
    return polymorphic.result(parameter, wanted, arguments)


def _resolve(
    signatures: list[Signature],
    arguments: tuple[SqlType | None, ...],
    given: tuple[SqlType | None, ...] | None = None,
    *,
    exact: bool = False,
) -> SqlType | None:
    results = {
        polymorphic.result(signature.result, wanted, given or arguments)
        for signature, wanted in _best(signatures, arguments, exact=exact)
    }
    return results.pop() if len(results) == 1 else None


def _wanted(
    signatures: list[Signature],
    arguments: tuple[SqlType | None, ...],
    *,
    exact: bool = False,
) -> tuple[SqlType | None, ...]:
    found = {wanted for _, wanted in _best(signatures, arguments, exact=exact)}
    if len(found) != 1:
        return ()
    return tuple(
        None
        if parameter in polymorphic.TYPES
        else polymorphic.result(parameter, (), ())
        for parameter in found.pop()
    )


def _best(
    signatures: list[Signature],
    arguments: tuple[SqlType | None, ...],
    *,
    exact: bool,
) -> list[tuple[Signature, tuple[str, ...]]]:
    """Return the overloads that fit best, each with the types that it takes."""
    best, found = 0, list[tuple[Signature, tuple[str, ...]]]()
    for signature in signatures:
        wanted = signature.takes(len(arguments))
        if wanted is None:
            continue
        score = _score(wanted, arguments)
        if score is None or not polymorphic.is_consistent(wanted, arguments):
            continue
        if exact and score < _EXACT * len(arguments):
            continue
        if score > best or not found:
            best, found = score, []
        if score == best:
            found.append((signature, wanted))
    return found


def _score(
    wanted: tuple[str, ...], arguments: tuple[SqlType | None, ...]
) -> int | None:
    total = 0
    for parameter, argument in zip(wanted, arguments, strict=True):
        score = _fit(parameter, argument)
        if score is None:
            return None
        total += score
    return total


def _fit(parameter: str, argument: SqlType | None) -> int | None:
    if argument is None:
        # An untyped literal would rather be text than anything else.
        return _IMPLICIT + (parameter == "text")
    if parameter in polymorphic.TYPES:
        return _IMPLICIT if polymorphic.fits(parameter, argument) else None
    name = _spelled(argument)
    if name == parameter:
        return _EXACT
    if (name, parameter) in _SAME_BYTES:
        return _SAME
    if parameter in _IMPLICIT_CASTS.get(name, ()):
        return _IMPLICIT + (parameter in _PREFERRED)
    return None


def _spelled(found: SqlType) -> str:
    return f"_{found.name.name}" if found.dims else found.name.name
