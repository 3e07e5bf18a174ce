"""Calls as they were recorded: one line as each begins, one as it ends.

A call without a second line never returned. Times are of CLOCK_MONOTONIC, which is the
same in all processes of a machine.
"""

import json
import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from store import errors

__all__ = ["KEYS", "Call", "How", "Recorder", "how_it_failed", "read"]

KEYS = "0b" * 32
"""WALLET_ENCRYPTION_KEYS of the workers, and of whoever reads their rows."""

How: TypeAlias = Literal["ok", "refused", "nothing", "unknown", "unforeseen"]
"""How a call ended: done; refused by a rule; failed, with nothing written; failed, and
nobody knows what was written (or never returned); with an error that is in no table."""

_NOTHING_WRITTEN = (
    errors.TransientError,
    errors.Unavailable,
    errors.TimeLimitReached,
    errors.OutOfResources,
    errors.ReadOnly,
    errors.SchemaMismatch,
)
_RULES = (errors.AlreadyExists, errors.InvalidValue, errors.MissingReference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of one worker; `error` is the class of what it raised."""

    worker: str
    number: int
    name: str
    arguments: dict[str, Any]
    begin: float
    end: float
    how: How
    result: Any = None
    error: str | None = None
    message: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Name the call."""
        return self.worker, self.number

    def __str__(self) -> str:
        """Tell it in one line."""
        outcome = self.error or json.dumps(self.result)
        return (
            f"{self.worker}/{self.number} {self.name}{json.dumps(self.arguments)}"
            f" [{self.begin:.4f}, {self.end:.4f}] {self.how}: {outcome}"
        )


class Recorder:
    """Writes what one worker does."""

    def __init__(self, file: Path, worker: str) -> None:
        self.worker = worker
        self.number = 0
        self.how: How = "ok"
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def begin(self, name: str, arguments: dict[str, Any]) -> None:
        """Note that a call begins."""
        self.number += 1
        self._write({"name": name, "arguments": arguments, "begin": time.monotonic()})

    def end(self, how: How, result: object, error: BaseException | None = None) -> None:
        """Note how the call that was begun last has ended."""
        at = time.monotonic()
        self.how = how
        line: dict[str, Any] = {"end": at, "how": how, "result": result}
        if error is not None:
            line |= {"error": type(error).__name__, "message": str(error)}
        self._write(line)

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)

    def _write(self, line: dict[str, Any]) -> None:
        line |= {"worker": self.worker, "number": self.number}
        os.write(self._file, json.dumps(line).encode() + b"\n")


def how_it_failed(error: Exception) -> How:
    """Tell what an error says of the call that raised it."""
    if isinstance(error, errors.OutcomeUnknown | errors.PartlyDone):
        return "unknown"
    if isinstance(error, _NOTHING_WRITTEN):
        return "nothing"
    if isinstance(error, _RULES):
        return "refused"
    if isinstance(error, errors.StoreError) and not isinstance(
        error, errors.DatabaseError
    ):
        return "refused"
    return "unforeseen"


def read(files: Iterable[Path]) -> list[Call]:
    """Read what workers have recorded, by the time at which the calls began."""
    lines: dict[tuple[str, int], dict[str, Any]] = {}
    for file in files:
        for text in _whole_lines(file):
            line: dict[str, Any] = json.loads(text)
            lines.setdefault((line["worker"], line["number"]), {}).update(line)
    never: dict[str, Any] = {
        "end": math.inf,
        "how": "unknown",
        "error": "never returned",
    }
    calls = [
        Call(**(line if "end" in line else line | never)) for line in lines.values()
    ]
    return sorted(calls, key=lambda call: call.begin)


def _whole_lines(file: Path) -> Sequence[bytes]:
    return file.read_bytes().split(b"\n")[:-1]
