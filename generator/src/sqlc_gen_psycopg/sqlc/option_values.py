"""How the values in sqlc.yaml are read; what is wrong with them is a problem."""

from typing import cast

from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.sqlc.request import Json


def check_known(
    raw: Json, allowed: tuple[str, ...], where: str, problems: Problems
) -> None:
    """Note unknown options, each with its remedy."""
    for name in raw:
        if name not in allowed:
            problems.add(where, f"unknown option {name!r}", nearest(name, allowed))


def nearest(name: str, allowed: tuple[str, ...]) -> str:
    """The remedy for an unknown name: the nearest allowed one, or all of them."""
    matches = similar(name, allowed)
    if matches:
        return f"did you mean {matches[0]!r}?"
    return f"known are {', '.join(allowed)}"


def similar(name: str, allowed: tuple[str, ...]) -> list[str]:
    """Return the allowed names that an unknown one resembles, the nearest first."""
    # Hardly a run needs it, and it takes long to import.
    import difflib  # noqa: PLC0415

    return difflib.get_close_matches(name, allowed)


def boolean(value: object, where: str, problems: Problems) -> bool:
    """Read a boolean."""
    if not isinstance(value, bool):
        problems.add(where, f"{value!r} is no boolean", "write true or false")
        return True
    return value


def count(value: object, where: str, problems: Problems) -> int | None:
    """Read a number of parameters, 0 or more."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    problems.add(where, f"{value!r} is no number of parameters", "write 0 or more")
    return None


def strings(value: object, where: str, problems: Problems) -> tuple[str, ...]:
    """Read a list of names."""
    if isinstance(value, list):
        items = cast("list[object]", value)
        if all(isinstance(item, str) for item in items):
            return tuple(str(item) for item in items)
    problems.add(where, f"{value!r} is no list of names", "write a list of strings")
    return ()


def dotted(value: object, where: str, problems: Problems) -> str:
    """Read the absolute name of a package, which may be none."""
    if value == "":
        return ""
    if isinstance(value, str) and all(map(str.isidentifier, value.split("."))):
        return value
    problems.add(where, f"{value!r} is no package", "write its full name: app.db")
    return ""


def renamed(value: object, where: str, problems: Problems) -> dict[str, str]:
    """Read a mapping of old names to new ones."""
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        if all(isinstance(name, str) and name for name in pairs.values()):
            return {str(old): str(new) for old, new in pairs.items()}
    problems.add(where, f"{value!r} renames nothing", "write a mapping of names")
    return {}
