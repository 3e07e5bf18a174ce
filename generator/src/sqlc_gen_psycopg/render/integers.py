"""The helpers that integers pass on their way to the server."""

WRAPPERS = {"_int2": "Int2", "_int4": "Int4", "_int8": "Int8", "_oid": "Oid"}
_RANGES = {
    "_int2": ("-(2**15)", "2**15"),
    "_int4": ("-(2**31)", "2**31"),
    "_int8": ("-(2**63)", "2**63"),
    "_oid": ("0", "2**32"),
}
_HELPER = '''\
def {name}(value: object) -> {wrapper}:
    """Refuse what does not fit: psycopg would send its low bits."""
    if isinstance(value, int) and type(value) is not bool and {least} <= value < {end}:
        return {wrapper}(value)
    raise NumericValueOutOfRange("{kind} takes an int from {least} to {end} - 1")'''


def helper(name: str) -> str:
    """Return the function that wraps an integer of a type, if it is one."""
    least, end = _RANGES[name]
    kind = name.removeprefix("_")
    return _HELPER.format(
        name=name, kind=kind, wrapper=WRAPPERS[name], least=least, end=end
    )
