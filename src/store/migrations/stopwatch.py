"""How long each migration took, as dbmate tells it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Final

from .dbmate import Progress

__all__ = ["Lap", "Stopwatch"]

_APPLIED = re.compile(r"Applied: (\S+) in (\S+)")
_PART = re.compile(r"([\d.]+)(h|ms|m|s|µs|ns)")
_SECONDS: Final = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class Lap:
    """What one migration took, in seconds, and when it was done (`time.monotonic`)."""

    seconds: float
    done: float

    @property
    def ago(self) -> float:
        """Say how many seconds ago it was done."""
        return time.monotonic() - self.done


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Passes progress on, and keeps a lap for each file that was applied."""

    progress: Progress
    laps: dict[str, Lap] = field(default_factory=dict[str, Lap])

    def __call__(self, line: str) -> None:
        """Take a line of dbmate's."""
        if told := _APPLIED.fullmatch(line):
            file, took = told.groups()
            parts = _PART.findall(took)  # like 1m2.5s
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
            self.laps[file] = Lap(seconds, time.monotonic())
        self.progress(line)
