"""Faults while workers make calls, and what is held against the calls afterwards."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from store_testing.history import checker
from store_testing.history.farm import Farm, Running
from store_testing.history.records import Call

__all__ = ["CALLS", "LIMITS", "SOON", "Aftermath", "under_load"]

CALLS = int(os.environ.get("FAULT_CALLS", "30"))

# Lower than a store's own, so that what they end is over soon.
LIMITS = {
    "connect": 2.0,
    "acquire": 2.0,
    "statement": 1.0,
    "lock": 0.8,
    "transaction": 3.0,
    "idle": 1.0,
    "network": 3.0,
}
SOON = 1.0
"""So many seconds after a fault, each pool has given an answer again.

On a machine where calls take long without a fault, so do these: see `Aftermath.soon`.
"""
_BUSY = {"LockTimeout", "StatementTimeout", "PoolExhausted", "PartlyDone"}
"""What calls may meet without a fault, where the machine is slow for low limits.

A call that is partly done has met one of the others, or what its fault is named for.
"""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of the calls, and how long it took until there were answers again.

    `failed` counts errors that are no rules'. `calm` is how long a call took at most
    before the fault. `first_success` counts from the fault's
    beginning, `recovered` from its end until the last pool had given an answer.
    """

    calls: list[Call]
    failed: Counter[str]
    first_success: float
    recovered: float
    longest: float
    calm: float

    @property
    def soon(self) -> bool:
        """Tell whether each pool gave an answer again as soon as this machine can."""
        return self.recovered < SOON + 5 * self.calm

    def only(self, *names: str) -> bool:
        """Tell whether calls failed with these errors alone."""
        return set(self.failed) <= {*names, *_BUSY, "never returned"}


def under_load(
    workers: Farm,
    url: str,
    fault: Callable[[Running], None],
    *,
    through: str | None = None,
    limits: Mapping[str, float] | None = None,
    pool: int = 2,
    checked: str | None = None,
    calls: int = CALLS,
) -> Aftermath:
    """Have something happen while calls are made; nothing may be unexplained then.

    `through` is the URL of the workers, `checked` the one where the rows are read.
    """
    with workers.round(
        url, through=through, limits={**LIMITS, **(limits or {})}, pool=pool
    ) as running:
        running.wait_for_calls(calls)
        running.struck = time.monotonic()
        fault(running)
        over = time.monotonic()
        running.wait_for_calls(calls)
    made = running.calls()
    report = checker.check(made, checker.read_rows(checked or url))
    found = [*report.problems, *report.undecided]
    assert not found, "\n".join(found)
    failed = Counter(
        call.error or "" for call in made if call.how in {"nothing", "unknown"}
    )
    first = min(_answers(made, running.struck, began_after=True), default=over)
    return Aftermath(
        made,
        failed,
        first_success=first - running.struck,
        recovered=_recovered(made, over),
        longest=max(call.end - call.begin for call in made if call.end < over + 1e6),
        calm=max(call.end - call.begin for call in made if call.end < running.struck),
    )


def _answers(
    calls: list[Call], since: float, *, began_after: bool = False
) -> list[float]:
    return [
        call.end
        for call in calls
        if call.how in {"ok", "refused"}
        and (call.begin if began_after else call.end) >= since
    ]


def _recovered(calls: list[Call], over: float) -> float:
    """Say when the last of the pools gave an answer; those of the killed give none."""
    of_pool: dict[str, list[Call]] = {}
    for call in calls:
        of_pool.setdefault(call.worker.partition(".")[0], []).append(call)
    killed = {call.worker for call in calls if call.error == "never returned"}
    alive = [each for each in of_pool.values() if not {c.worker for c in each} & killed]
    last = max(min(_answers(each, over), default=float("inf")) for each in alive)
    return last - over
