"""How what is inside of JSON, or a choice of constants, differs from the server's."""

import re
from collections.abc import Iterator

from sqlc_gen_psycopg.ir.python_types import PyType

_OBJECT = re.compile(r"#\d+")
_CHOICE = re.compile(r"Literal\[(.*?)\]")
_NONE = " | None"


def differences(ours: PyType, theirs: PyType) -> Iterator[tuple[str, str, str]]:
    """Yield keys, or "" for the value itself, with our annotation and theirs.

    An annotation is "" where there is no such key. What the server's own schema proves
    beyond ours is no difference.
    """
    mine, other = ours.unnamed(), theirs.unnamed()
    if len(mine.objects) != len(other.objects):
        yield "", ours.annotation, _told(other.annotation)
        return
    # Those within others come first.
    for own, found in zip(mine.objects, other.objects, strict=True):
        expected = {key: kind.annotation for key, kind in own.fields}
        actual = {key: kind.annotation for key, kind in found.fields}
        for key in [*expected, *(key for key in actual if key not in expected)]:
            pair = expected.get(key, ""), actual.get(key, "")
            if not _fits(*pair):
                yield key, _told(pair[0]), _told(pair[1])
    if not _fits(mine.annotation, other.annotation):
        yield "", ours.annotation, _told(other.annotation)


def _fits(ours: str, theirs: str) -> bool:
    """Tell whether what the server gives is what was generated, or less."""
    ours, theirs = _ordered(ours), _ordered(theirs)
    alike = ours.replace(_NONE, "") == theirs.replace(_NONE, "")
    return ours == theirs or (alike and ours.count(_NONE) > theirs.count(_NONE))


def _ordered(annotation: str) -> str:
    return _CHOICE.sub(lambda one: str(sorted(one[1].split(", "))), annotation)


def _told(annotation: str) -> str:
    return _OBJECT.sub("an object", annotation)
