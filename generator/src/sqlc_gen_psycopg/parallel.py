"""Work on the parts of a list in several processes at once.

They are forked, so that they have what was read before, which takes long to send.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def spread(
    work: Callable[[list[_Item]], _Result],
    items: list[_Item],
    size: Callable[[_Item], int],
    least: int,
) -> list[_Result]:
    """Return what the work makes of each part of a list, in the list's order.

    The parts are of about one size, and as many as cores; fewer if they would be
    smaller than ``least``.

    Raises:
        RuntimeError: a process failed; its traceback is on stderr.
    """
    count = min(cores(), sum(map(size, items)) // least)
    first, *others = _parts(items, size, max(count, 1))
    children = [_fork(work, part) for part in others]
    return [work(first), *(_received(*child) for child in children)]


def cores() -> int:
    """Return how many processes can run at once; one where none can be forked."""
    if not hasattr(os, "fork"):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parts(
    items: list[_Item], size: Callable[[_Item], int], count: int
) -> list[list[_Item]]:
    """Cut a list into parts of about one size."""
    total = sum(map(size, items))
    parts: list[list[_Item]] = [[]]
    reached = 0
    for item in items:
        if len(parts) < count and reached * count >= total * len(parts):
            parts.append([])
        parts[-1].append(item)
        reached += size(item)
    return parts


def _fork(work: Callable[[list[_Item]], _Result], part: list[_Item]) -> tuple[int, int]:
    """Start a process on a part; return it, and the pipe of its result."""
    readable, writable = os.pipe()
    process = os.fork()
    if process:
        os.close(writable)
        return process, readable
    try:
        _send(work(part), writable)
    except BaseException as error:
        # Whatever it is: only the parent may go on.
        sys.excepthook(type(error), error, error.__traceback__)
        os._exit(1)
    os._exit(0)


def _send(result: object, writable: int) -> None:
    # Only large projects need it, and it takes long to import.
    import pickle  # noqa: PLC0415

    with os.fdopen(writable, "wb") as answer:
        pickle.dump(result, answer)


def _received(process: int, readable: int) -> Any:  # noqa: ANN401 - whatever was sent
    import pickle  # noqa: PLC0415

    with os.fdopen(readable, "rb") as answer:
        sent = answer.read()
    _, status = os.waitpid(process, 0)
    if status:
        code = os.waitstatus_to_exitcode(status)
        raise RuntimeError(f"a process of the generator's ended with {code}")
    return pickle.loads(sent)  # noqa: S301 - our own child's
