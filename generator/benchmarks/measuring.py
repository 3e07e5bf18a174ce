"""How long commands take, in turns, so that the machine's moods meet all alike."""

import os
import random
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass(slots=True)
class Contender:
    """A command, run in a folder, and the seconds that its runs took."""

    name: str
    command: list[str]
    folder: Path
    stdin: Path = Path(os.devnull)
    cpu: list[float] = field(default_factory=list[float])
    wall: list[float] = field(default_factory=list[float])

    def run(self) -> None:
        """Run it once; its CPU time has that of its children in it.

        Raises:
            RuntimeError: it failed.
        """
        with self.stdin.open("rb") as asked:
            start = time.perf_counter()
            process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=asked, stdout=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{self.name} ended with {process.returncode}")
        self.wall.append(time.perf_counter() - start)
        self.cpu.append(usage.ru_utime + usage.ru_stime)

    @property
    def typical(self) -> float:
        """The median of its CPU seconds."""
        return median(self.cpu)


def run(contenders: list[Contender], rounds: int) -> None:
    """Run all of them once a round, each round in another order."""
    order = [*contenders]
    for _ in range(rounds):
        random.shuffle(order)
        for contender in order:
            contender.run()
